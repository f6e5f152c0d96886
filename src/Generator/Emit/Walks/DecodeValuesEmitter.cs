using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the outputs of decode: weighted sums of values in place.</summary>
internal static class DecodeValuesEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        var product = new DecodeProduct("v", plan.ValueType, "value", plan.Spec.ValueDim, "state", "StateRow");
        w.Line();
        w.Line("/// <summary>Adds weights * values to the state of all rows.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void DecodeValues(in DecodeBlock block, ref float weights, ref {plan.ValueType} value{(plan.Decode!.KeyByKey ? ", bool streams" : "")}, {visible.Parameters}{(plan.Spec.Scores.Hides ? ", bool hides" : "")})"))
        {
            w.Line("""
                int heads = block.KeyHeads, rows = block.Heads / heads * block.Queries, weightRow = BlockOf(in block).WeightRow;
                ref float state = ref block.State;
                nint stride = block.ValueStride, headStride = block.ValueHeadStride;
                """);
            string low = "0", all = "keys", together = plan.Decode.KeyByKey ? "together" : $"{DecodeStreams.Keys}";
            string lower = visible.Lower("i % block.Queries"), upper = visible.Upper("i % block.Queries");
            string row = $"ref {plan.ValueType} v = ref At(ref value, i / rows * headStride);\n{WeightsOfRow(plan)}, s = ref At(ref state, i * StateRow);";
            if (plan.Spec.Scores.Hides)
            {
                using (w.Block($"if (hides && !AllFinite(ref value, keys, stride, heads, headStride, {plan.Spec.ValueDim})) // 0 times an infinite value or NaN is not 0"))
                {
                    using (w.Block("for (int i = 0; i < block.Heads * block.Queries; i++)"))
                    {
                        w.Line(row);
                        string start = visible.LowerMoves ? $"Math.Max({lower}, 0)" : "0", end = visible.UpperMoves ? $"Math.Min({upper}, keys)" : "keys";
                        w.Line($"""
                            int begin = {start}, end = {end}, part = {(plan.Decode.KeyByKey ? "streams" : $"block.Queries == 1 && rows < {plan.Decode.Tiles[0].Rows}")} ? Math.Max(end - begin, 0) / {together} : 0;
                            for (int k = begin; k < end; k++)
                            """);
                        using (w.Block(""))
                        {
                            w.Line($"""
                                int n = k - begin, j = n < {together} * part ? begin + n % {together} * part + n / {together} : k; // in the order of the loops below
                                if (!Hidden(At(ref w, {(plan.Decode.KeyByKey ? "j * step" : "j")}))) AddValues(ref w, {Step(plan)}ref v, stride, ref s, j, j + 1);
                                """);
                        }
                    }

                    w.Line("return;");
                }
            }

            if (visible.DiffersByRow)
            {
                string keys = visible switch { { LowerMoves: false } => "before `all`", { UpperMoves: false } => "from `low` on", _ => "from `low` to `all`" };
                w.Line($"// The keys {keys} are multiplied for all rows: 0 times a hidden finite value is 0.");
                if (visible.LowerMoves) w.Line($"int low = Math.Max(Math.Min({visible.Lower("block.Queries - 1")}, keys), 0);");
                if (visible.UpperMoves) w.Line("int all = Math.Max(Math.Min(seen, keys), 0);");
                if (visible is { LowerMoves: true, UpperMoves: true }) w.Line("if (low >= all) low = all = 0;");
                if (visible.LowerMoves) w.Line($"if (low > 0 && AllFinite(ref value, low, stride, heads, headStride, {plan.Spec.ValueDim})) low = 0;");
                if (visible.UpperMoves) w.Line($"if (all < keys && AllFinite(ref At(ref value, all * stride), keys - all, stride, heads, headStride, {plan.Spec.ValueDim})) all = keys;");
                if (visible.LowerMoves) low = "low";
                if (visible.UpperMoves) all = "all";
            }

            if (visible.LowerMoves)
            {
                w.Line("// First the keys before these, for each row those that it sees: the order in which all rows would meet them.");
                using (w.Block("for (int i = 0; low > 0 && i < block.Heads * block.Queries; i++)"))
                {
                    w.Line(row);
                    w.Line($"AddValues(ref w, {Step(plan)}ref v, stride, ref s, Math.Max({lower}, 0), {(visible.UpperMoves ? $"Math.Min({upper}, low)" : "low")});");
                }
            }

            string between = low == "0" ? all : $"({all} - {low})";
            if (plan.Decode.KeyByKey)
            {
                string begin = low, count = $"{between} / together";
                if (OneRowEmitter.HasValues(plan))
                {
                    (begin, count) = (low == "0" ? "done" : "low + done", count + " - done");
                    string from = low == "0" ? "ref weights, ref value" : "ref At(ref weights, low), ref At(ref value, low * stride)";
                    w.Line($"""

                        // One row and one head: most of the values, with the output in registers.
                        int done = heads == 1 && rows == 1 ? OneRowValues({from}, stride, {between} / 4, ref block.State) : 0;
                        """);
                }

                DecodeTileEmitter.Calls(w, plan, visible, product, count, begin);
            }
            else
            {
                DecodeNeighboursEmitter.Values(w, plan, dialect, visible, low, all);
            }

            w.Line();
            w.Line($"// {(visible.DiffersByRow ? "The other keys, for each row those that it sees." : "Keys that make no step.")}");
            using (w.Block("for (int i = 0; i < block.Heads * block.Queries; i++)"))
            {
                w.Line(row);
                w.Line($"AddValues(ref w, {Step(plan)}ref v, stride, ref s, {(low == "0" ? "" : "low + ")}{between} / {together} * {together}, {all});");
                if (visible.UpperMoves) w.Line($"if (all < keys) AddValues(ref w, {Step(plan)}ref v, stride, ref s, {(visible.LowerMoves ? $"Math.Max({lower}, all)" : "all")}, Math.Min({upper}, keys));");
            }
        }

        if (plan.Decode.KeyByKey) DecodeTileEmitter.Methods(w, plan, dialect, visible, product, tile => DecodeTileEmitter.Values(w, plan, dialect, tile));
    }

    /// <summary>Declares the weights of row `i`, how far apart they are, and the keys of a step.</summary>
    private static string WeightsOfRow(CorePlan plan) => plan.Decode!.KeyByKey
        ? "int step = TileOf(i, rows, TileKinds, out int first), together = Together(step);\nref float w = ref At(ref weights, first * weightRow + i - first)"
        : "ref float w = ref At(ref weights, i * weightRow)";

    /// <summary>The distance of the weights of a row as an argument, where it is not 1.</summary>
    private static string Step(CorePlan plan) => plan.Decode is { KeyByKey: true } ? "step, " : "";

    /// <summary>A row with some values.</summary>
    public static void EmitOne(SourceWriter w, CorePlan plan)
    {
        // Packed values are in single precision, whatever they are in place.
        foreach (string type in new[] { "float", plan.ValueType }.Distinct()) Value(w, plan, type);
    }

    private static void Value(SourceWriter w, CorePlan plan, string type)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        w.Line();
        w.Line($"/// <summary>Adds weights * values to the state of a row{(Step(plan).Length > 0 ? ", whose weights are `step` floats apart" : "")}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void AddValues(ref float weights, {(Step(plan).Length > 0 ? "int step, " : "")}ref {type} value, nint stride, ref float state, int from, int end)"))
        using (w.Block("for (; from < end; from++)"))
        {
            w.Line($"""
                Vec w = Splat(ref weights, {(Step(plan).Length > 0 ? "from * step" : "from")});
                ref {type} v = ref At(ref value, from * stride);
                """);
            if (whole > 0) w.Line($"for (nint i = 0; i < {whole}; i += Lanes) Store(MulAdd(w, Load(ref v, i), Load(ref state, i)), ref state, i);");
            if (whole < dim) w.Line($"Store(MulAdd(w, LoadFirst(ref v, {whole}, {dim - whole}), Load(ref state, {whole})), ref state, {whole});");
        }
    }
}
