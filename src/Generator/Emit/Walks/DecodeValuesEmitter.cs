using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;
using static AttentionGen.Generator.Emit.Walks.DecodeStreams;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the outputs of decode: weighted sums of values in place.</summary>
internal static class DecodeValuesEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line($"/// <summary>Adds weights * values to the state of all rows, {Keys} values at a time.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void DecodeValues(in DecodeBlock block, ref float weights, ref {plan.ValueType} value, {visible.Parameters}{(plan.Spec.Scores.Hides ? ", bool hides" : "")})"))
        {
            w.Line("""
                int heads = block.KeyHeads, rows = block.Heads / heads * block.Queries, weightRow = BlockOf(in block).WeightRow;
                nint stride = block.ValueStride, headStride = block.ValueHeadStride;
                """);
            if (dialect.Prefetches) w.Line(Ahead(plan.Decode!.PrefetchValues, plan.Spec.ValueDim));
            string low = "0", all = "keys";
            string lower = visible.Lower("row % block.Queries"), upper = visible.Upper("row % block.Queries");
            string row = $"ref {plan.ValueType} v = ref At(ref value, row / rows * headStride);\nref float w = ref At(ref weights, row * weightRow), s = ref At(ref block.State, row * StateRow);";
            if (plan.Spec.Scores.Hides)
            {
                using (w.Block("if (hides && !AllFinite(in block, ref value, keys)) // 0 times an infinite value or NaN is not 0"))
                {
                    using (w.Block("for (int row = 0; row < block.Heads * block.Queries; row++)"))
                    {
                        w.Line(row);
                        string start = visible.LowerMoves ? $"Math.Max({lower}, 0)" : "0", end = visible.UpperMoves ? $"Math.Min({upper}, keys)" : "keys";
                        w.Line($"""
                            int begin = {start}, end = {end}, quarter = block.Queries == 1 && rows < {plan.Decode!.TileRows} ? Math.Max(end - begin, 0) / {Keys} : 0;
                            for (int i = begin; i < end; i++)
                            """);
                        using (w.Block(""))
                        {
                            w.Line($"""
                                int n = i - begin, j = n < {Keys} * quarter ? begin + n % {Keys} * quarter + n / {Keys} : i; // in the order of the loops below
                                if (!Hidden(At(ref w, j))) AddValues(ref w, ref v, stride, ref s, j, j + 1);
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
                if (visible.LowerMoves) w.Line("if (low > 0 && AllFinite(in block, ref value, low)) low = 0;");
                if (visible.UpperMoves) w.Line("if (all < keys && AllFinite(in block, ref At(ref value, all * stride), keys - all)) all = keys;");
                if (visible.LowerMoves) low = "low";
                if (visible.UpperMoves) all = "all";
            }

            Together(w, plan, low == "0" ? $"{all} / {Keys}" : $"({all} - low) / {Keys}");

            if (visible.LowerMoves)
            {
                w.Line("// First the keys before these, for each row those that it sees: the order in which all rows would meet them.");
                using (w.Block("for (int row = 0; low > 0 && row < block.Heads * block.Queries; row++)"))
                {
                    w.Line(row);
                    w.Line($"AddValues(ref w, ref v, stride, ref s, Math.Max({lower}, 0), {(visible.UpperMoves ? $"Math.Min({upper}, low)" : "low")});");
                }
            }

            string begin = low, done = "";
            if (OneRowEmitter.HasValues(plan))
            {
                (begin, done) = (low == "0" ? "done" : $"{low} + done", " - done");
                string from = low == "0" ? "ref weights, ref value" : $"ref At(ref weights, {low}), ref At(ref value, {low} * stride)";
                w.Line($"""

                    // One row and one head: most of the values, with the output in registers.
                    int done = 0;
                    if (heads == 1 && rows == 1) done = OneRowValues({from}, stride, count, ref block.State);
                    """);
            }

            using (w.Block($"for (int left = count{done}, j = {begin}; left > 0; left--, j += next)"))
            {
                w.Line($"ref {plan.ValueType} v0 = ref At(ref value, j * stride);\nref float w = ref At(ref weights, j), s = ref block.State;");
                PrefetchTokens(w, dialect, "v", plan.Spec.ValueDim);
                using (w.Block("for (int head = 0; head < heads; head++, v0 = ref At(ref v0, headStride))"))
                {
                    w.Line($"ref {plan.ValueType} " + string.Join(", ", Enumerable.Range(1, Keys - 1).Select(key => $"v{key} = ref At(ref v{key - 1}, apart * stride)")) + ";");
                    Tiles(w, plan, visible, "w", "KeyBlock", "s", "StateRow", rows => ValuesOfTile(w, plan, dialect, rows));
                }
            }

            w.Line();
            string some = visible.DiffersByRow ? "The other keys, for each row those that it sees." : "Fewer than four are left.";
            w.Line($"// {some}");
            using (w.Block("for (int row = 0; row < block.Heads * block.Queries; row++)"))
            {
                w.Line(row);
                w.Line($"AddValues(ref w, ref v, stride, ref s, {(low == "0" ? "" : "low + ")}{Keys} * count, {all});");
                if (visible.UpperMoves) w.Line($"if (all < keys) AddValues(ref w, ref v, stride, ref s, {(visible.LowerMoves ? $"Math.Max({lower}, all)" : "all")}, Math.Min({upper}, keys));");
            }
        }
    }

    private static void ValuesOfTile(SourceWriter w, CorePlan plan, Dialect dialect, int rows)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        if (rows == 1) PrefetchRows(w, dialect, "v", dim);
        for (int row = 0; row < rows; row++)
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"w{row}_{key} = Splat({Address.Arguments("w", rows == 1 ? Address.Offset((key, "apart")) : Address.Offset((row, "KeyBlock"), (key, "")))})")) + ";");
        if (whole > 0)
        {
            using (w.Block($"for (nint i = 0; i < {whole}; i += Lanes)"))
            {
                if (rows > 1) Prefetch(w, plan, dialect, "v", "i");
                Step(key => $"Load(ref v{key}, i)", "i");
            }
        }

        if (whole < dim)
            using (w.Block(""))
                Step(key => $"LoadFirst(ref v{key}, {whole}, {dim - whole})", $"{whole}");

        void Step(Func<int, string> load, string offset)
        {
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"x{key} = {load(key)}")) + ";");
            for (int row = 0; row < rows; row++)
            {
                string output = Address.Arguments("s", Join(Address.Offset((row, "StateRow")), offset)), sum = $"Load({output})";
                for (int key = 0; key < Keys; key++) sum = $"MulAdd(w{row}_{key}, x{key}, {sum})";
                w.Line($"Store({sum}, {output});");
            }
        }
    }

    /// <summary>A row with some values, and whether hidden values may be multiplied by 0.</summary>
    public static void EmitOne(SourceWriter w, CorePlan plan)
    {
        // Packed values are in single precision, whatever they are in place.
        foreach (string type in new[] { "float", plan.ValueType }.Distinct()) Value(w, plan, type);
        if (plan.Spec.RowsDiffer) Finite(w, plan);
    }

    private static void Value(SourceWriter w, CorePlan plan, string type)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        w.Line();
        w.Line("/// <summary>Adds weights * values to the state of a row.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void AddValues(ref float weights, ref {type} value, nint stride, ref float state, int from, int end)"))
        using (w.Block("for (; from < end; from++)"))
        {
            w.Line($"""
                Vec w = Splat(ref weights, from);
                ref {type} v = ref At(ref value, from * stride);
                """);
            if (whole > 0) w.Line($"for (nint i = 0; i < {whole}; i += Lanes) Store(MulAdd(w, Load(ref v, i), Load(ref state, i)), ref state, i);");
            if (whole < dim) w.Line($"Store(MulAdd(w, LoadFirst(ref v, {whole}, {dim - whole}), Load(ref state, {whole})), ref state, {whole});");
        }
    }

    private static void Finite(SourceWriter w, CorePlan plan)
    {
        w.Line();
        w.Line("/// <summary>Whether all values are finite.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static bool AllFinite(in DecodeBlock block, ref {plan.ValueType} value, int count)"))
        {
            w.Line("Vec zeros = Vec.Zero;");
            using (w.Block("for (; count > 0; count--, value = ref At(ref value, block.ValueStride))"))
            {
                w.Line($"ref {plan.ValueType} v = ref value;");
                using (w.Block("for (int head = 0; head < block.KeyHeads; head++, v = ref At(ref v, block.ValueHeadStride))"))
                {
                    RowEmitter.Emit(w, plan.Spec.ValueDim, plan.Lanes,
                        i => $"zeros = MulAdd(Load(ref v, {i}), Vec.Zero, zeros);",
                        i => $"zeros += All(At(ref v, {i}) * 0f);");
                }
            }

            w.Line("return AllZero(zeros);");
        }
    }
}
