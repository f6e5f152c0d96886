using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the outputs of decode: weighted sums of values in place.</summary>
internal static class DecodeValuesEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        var product = DecodeProduct.Values(plan);
        w.Line();
        w.Line("/// <summary>Adds weights * values to the state of all rows.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        string values = !plan.Spec.InPages ? $"ref {plan.ValueType} value" : plan.Decode!.KeyByKey ? "in KeyRun run, int page" : $"ref {plan.ValueType} value{(dialect.Prefetches ? ", nint ahead" : "")}";
        bool inPages = plan.Spec.InPages && plan.Decode!.KeyByKey;
        using (w.Block($"private static void DecodeValues{plan.Halves}(in DecodeBlock block, ref float weights, {values}{(plan.Decode!.KeyByKey && visible.DiffersByRow ? ", bool streams" : "")}, {visible.Parameters}{(plan.Spec.Scores.Hides ? ", bool hides" : "")}){plan.WhereHalves}"))
        {
            w.Line("""
                int heads = block.KeyHeads, rows = block.HeadRows, weightRow = BlockOf(in block).WeightRow;
                ref float state = ref block.State;
                nint stride = block.ValueStride, headStride = block.ValueHeadStride;
                """);
            if (PagesEmitter.VariesBlocks(plan)) w.Line($"ref {plan.ValueType} value = ref run.ValuesOf<{plan.ValueType}>(page); // the only page, if queries see different keys");
            string low = "0", all = "keys", together = plan.Decode.KeyByKey ? "together" : $"{DecodeStreams.Keys}";
            string lower = visible.Lower("i % block.Queries"), upper = visible.Upper("i % block.Queries");
            string row = $"ref {plan.ValueType} v = ref At(ref value, i / rows * headStride);\n{WeightsOfRow(plan)}, s = ref At(ref state, i * StateRow);";
            if (plan.Spec.Scores.Hides && !plan.HasScales) // integers are finite
            {
                using (w.Block($"if (hides && !AllFinite(ref value, keys, stride, heads, headStride, {plan.Spec.ValueDim})) // 0 times an infinite value or NaN is not 0"))
                {
                    using (w.Block("for (int i = 0; i < block.Heads * block.Queries; i++)"))
                    {
                        w.Line(row);
                        string start = visible.LowerMoves ? $"Math.Max({lower}, 0)" : "0", end = visible.UpperMoves ? $"Math.Min({upper}, keys)" : "keys";
                        w.Line($"""
                            int begin = {start}, end = {end}, part = {(plan.Spec.InPages ? "false" : plan.Decode.KeyByKey ? visible.DiffersByRow ? "streams" : "true" : $"block.Queries == 1 && rows < {plan.Decode.Tiles[0].Rows}")} ? Math.Max(end - begin, 0) / {together} : 0;
                            for (int k = begin; k < end; k++)
                            """);
                        using (w.Block(""))
                        {
                            w.Line($"""
                                int n = k - begin, j = n < {together} * part ? begin + n % {together} * part + n / {together} : k; // in the order of the loops below
                                if (!Hidden(At(ref w, {(plan.Decode.KeyByKey ? "j * step" : "j")}))) AddValues{plan.Halves}(ref w, {Step(plan)}ref v, stride, ref s, j, j + 1);
                                """);
                        }
                    }

                    w.Line("return;");
                }
            }

            if (plan.Decode.KeyByKey)
            {
                if (visible.DiffersByRow) TileByTile(w, plan, visible, row);
                string begin = "0", count = "keys / together";
                if (OneRowEmitter.HasValues(plan) && plan.Spec.InPages)
                {
                    begin = "done";
                    w.Line($"""

                        // One row: most of the values, with the output in registers.
                        int done = rows == 1 ? OneRowValues{plan.Halves}(ref weights, in run, page, keys, stride, ref block.State) : 0;
                        """);
                }
                else if (OneRowEmitter.HasValues(plan))
                {
                    (begin, count) = ("done", count + " - done");
                    w.Line($"""

                        // One row and one head: most of the values, with the output in registers.
                        int done = heads == 1 && rows == 1 ? OneRowValues{plan.Halves}(ref weights, ref value, stride, keys / 4, ref block.State) : 0;
                        """);
                }

                DecodeTileEmitter.Calls(w, plan, dialect, visible, product, count, begin);
            }
            else
            {
                (low, all) = AllRows(w, plan, visible, row);
                DecodeNeighboursEmitter.Values(w, plan, dialect, visible, low, all);
            }

            w.Line();
            bool others = all != "keys" && !plan.Decode.KeyByKey;
            w.Line($"// {(others ? "The other keys, for each row those that it sees." : "Keys that make no step.")}");
            if (plan.Spec.InPages && !inPages && low == "0") w.Line($"if ({all} % {together} == 0{(others ? " && all == keys" : "")}) return;"); // pages in most cases
            using (w.Block("for (int i = 0; i < block.Heads * block.Queries; i++)"))
            {
                if (inPages)
                {
                    PagesEmitter.Others(w, plan, $"{WeightsOfRow(plan)}, s = ref At(ref state, i * StateRow);");
                }
                else
                {
                    string between = low == "0" ? all : $"({all} - {low})";
                    w.Line(row);
                    w.Line($"AddValues{plan.Halves}(ref w, {Step(plan)}ref v, stride, ref s, {(low == "0" ? "" : "low + ")}{between} / {together} * {together}, {all});");
                    if (others) w.Line($"if (all < keys) AddValues{plan.Halves}(ref w, {Step(plan)}ref v, stride, ref s, {(visible.LowerMoves ? $"Math.Max({lower}, all)" : "all")}, Math.Min({upper}, keys));");
                }
            }
        }

        if (plan.Decode.KeyByKey) DecodeTileEmitter.Methods(w, plan, dialect, visible, product, tile => DecodeTileEmitter.Values(w, plan, dialect, tile));
    }

    /// <summary>
    /// Finds the keys whose values are multiplied for all rows: those that all rows see, and others if they are finite. Adds the values of the keys before these to the rows that see them.
    /// </summary>
    /// <param name="row">Declares the value, the weights and the state of row `i`.</param>
    /// <returns>The first and the end of these keys.</returns>
    private static (string Low, string All) AllRows(SourceWriter w, CorePlan plan, VisibleKeys visible, string row)
    {
        if (!visible.DiffersByRow || plan.HasScales) return ("0", "keys"); // integers are finite: 0 times each is 0
        string lower = visible.Lower("i % block.Queries"), upper = visible.Upper("i % block.Queries");
        string keys = visible switch { { LowerMoves: false } => "before `all`", { UpperMoves: false } => "from `low` on", _ => "from `low` to `all`" };
        w.Line($"// The keys {keys} are multiplied for all rows: 0 times a hidden finite value is 0.");
        if (visible.LowerMoves) w.Line($"int low = Math.Max(Math.Min({visible.Lower("block.Queries - 1")}, keys), 0);");
        if (visible.UpperMoves) w.Line("int all = Math.Max(Math.Min(seen, keys), 0);");
        if (visible is { LowerMoves: true, UpperMoves: true }) w.Line("if (low >= all) low = all = 0;");
        if (visible.LowerMoves) w.Line($"if (low > 0 && AllFinite(ref value, low, stride, heads, headStride, {plan.Spec.ValueDim})) low = 0;");
        if (visible.UpperMoves) w.Line($"if (all < keys && AllFinite(ref At(ref value, all * stride), keys - all, stride, heads, headStride, {plan.Spec.ValueDim})) all = keys;");
        if (visible.LowerMoves)
        {
            w.Line("// First the keys before these, for each row those that it sees: the order in which all rows would meet them.");
            using (w.Block("for (int i = 0; low > 0 && i < block.Heads * block.Queries; i++)"))
            {
                w.Line(row);
                w.Line($"AddValues{plan.Halves}(ref w, {Step(plan)}ref v, stride, ref s, Math.Max({lower}, 0), {(visible.UpperMoves ? $"Math.Min({upper}, low)" : "low")});");
            }
        }

        return (visible.LowerMoves ? "low" : "0", visible.UpperMoves ? "all" : "keys");
    }

    /// <summary>
    /// Where queries see different keys, each tile meets the keys that it sees, with the outputs in registers. Such keys are those of a short sequence, or few at the end of a long one, so
    /// that they stay in the cache for the next tile. 16 queries and keys of 12 heads take 14.8 us, all tiles step by step 16.4 (D 64, Zen 4).
    /// </summary>
    private static void TileByTile(SourceWriter w, CorePlan plan, VisibleKeys visible, string rowOf)
    {
        using (w.Block("if (!streams)"))
        {
            var (low, all) = AllRows(w, plan, visible, rowOf);
            using (w.Block("for (int row = 0, tile; row < block.Heads * block.Queries; row += tile)"))
            {
                w.Line($"""
                    tile = TileOf(row, rows, TileKinds, out _);
                    ref {plan.ValueType} v = ref At(ref value, row / rows * headStride);
                    ref float w = ref At(ref weights, row * weightRow), s = ref At(ref state, row * StateRow);
                    int end = {(visible.UpperMoves ? $"Math.Min(seen + Math.Min(row % block.Queries + tile, block.Queries) - 1, {all})" : all)};
                    """);
                int rows = plan.Decode!.Tiles[0].Rows;
                string query = "(row + i) % block.Queries", lower = visible.Lower(query), upper = visible.Upper(query);
                string from = low == "0" ? "ref w, ref v" : $"ref At(ref w, {rows} * {low}), ref At(ref v, {low} * stride)";
                w.Line($"if (tile == {rows}) AddValues{rows}{plan.Halves}({from}, stride, ref s, end{(low == "0" ? "" : $" - {low}")});");
                using (w.Block("for (int i = 0; i < tile; i++, w = ref At(ref w, 1), s = ref At(ref s, StateRow))"))
                {
                    w.Line($"if (tile < {rows}) AddValues{plan.Halves}(ref w, tile, ref v, stride, ref s, {low}, end);");
                    if (all != "keys") w.Line($"if (all < keys) AddValues{plan.Halves}(ref w, tile, ref v, stride, ref s, {(visible.LowerMoves ? $"Math.Max({lower}, all)" : "all")}, Math.Min({upper}, keys));");
                }
            }

            w.Line("return;");
        }
    }

    /// <summary>Declares the weights of row `i`, how far apart they are, and the keys of a step.</summary>
    private static string WeightsOfRow(CorePlan plan) => plan.Decode!.KeyByKey
        ? "int step = TileOf(i, rows, TileKinds, out int first), together = Together(step);\nref float w = ref At(ref weights, first * weightRow + i - first)"
        : "ref float w = ref At(ref weights, i * weightRow)";

    /// <summary>The distance of the weights of a row as an argument, where it is not 1.</summary>
    private static string Step(CorePlan plan) => plan.Decode is { KeyByKey: true } ? "step, " : "";

    /// <summary>Rows with some values: one, and where weights lie key by key the largest tile.</summary>
    public static void EmitOne(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        if (plan.Decode!.KeyByKey && plan.Spec.Visible.DiffersByRow) Strips(w, plan, dialect, plan.Decode.Tiles[0].Rows, plan.Spec.Elements.Value);

        // Packed values are in single precision, whatever they are in place.
        foreach (var type in new[] { ElementType.Float, plan.Spec.Elements.Value }.Distinct())
        {
            if (plan.Decode.KeyByKey) Strips(w, plan, dialect, 1, type);
            else Value(w, plan, type);
        }
    }

    /// <summary>Rows with some values: strips of the value dimension whose outputs stay in registers.</summary>
    private static void Strips(SourceWriter w, CorePlan plan, Dialect dialect, int rows, ElementType type)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes, tail = dim % plan.Lanes, most = StripAccumulators / rows, count = (whole + most - 1) / most;
        int width = Enumerable.Range(1, most).LastOrDefault(vectors => 2 * vectors > most && whole % vectors == 0);
        if (width == 0) width = Math.Max((whole + count - 1) / Math.Max(count, 1), 1);
        int even = whole / width * width;
        w.Line();
        w.Line($"/// <summary>Adds weights * values to the {(rows == 1 ? "state of a row, whose weights are `step` floats apart" : $"states of {rows} rows, whose weights lie key by key")}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        string keys = rows == 1 ? "int from, int end" : "int keys";
        var (halves, where) = HalvesOf(plan, type);
        using (w.Block($"private static void AddValues{(rows == 1 ? "" : $"{rows}")}{halves}(ref float weights, {(rows == 1 ? "int step, " : "")}ref {ElementTypes.Text(type)} value, nint stride, ref float state, {keys}){where}"))
        {
            if (rows == 1) w.Line("weights = ref At(ref weights, from * step);\nvalue = ref At(ref value, from * stride);");
            if (even > 0)
                using (w.Block($"for (nint d = 0; d < {even * plan.Lanes}; d += {Address.Offset((width, "Lanes"))})"))
                    Strip("d", width, 0);
            if (whole > even)
                using (w.Block(""))
                    Strip($"{even * plan.Lanes}", whole - even, 0);
            if (tail > 0)
                using (w.Block(""))
                    Strip($"{whole * plan.Lanes}", 1, tail);
        }

        void Strip(string d, int vectors, int tailOf)
        {
            var product = new ProductEmitter(dialect, rows, vectors, "o", new("w", "", Step: rows, Unit: rows == 1 ? "step" : ""), new("v", "stride", tailOf, Type: type, TypeArgument: halves));
            string State(int row, int vector) => Address.Arguments("s", Address.Offset((row, "StateRow"), (vector, "Lanes")));
            w.Line($"ref float w = ref weights, s = ref At(ref state, {d}){(type == ElementType.Float ? "," : $";\nref {ElementTypes.Text(type)}")} v = ref At(ref value, {d});");
            product.Emit(w, (row, vector) => $"Load({State(row, vector)})", Loop, () => product.EachRow(w, (row, vector) => $"Store({product.Sum(row, vector)}, {State(row, vector)});"));

            void Loop()
            {
                using (w.Block($"for (int left = {(rows == 1 ? "end - from" : "keys")}; left > 0; left--)"))
                {
                    product.Step(w, 0);
                    product.Advance(w, 1);
                }
            }
        }
    }

    /// <summary>The type parameter of methods that read values of a type, and what it needs.</summary>
    private static (string Parameter, string Where) HalvesOf(CorePlan plan, ElementType type) => type == ElementType.Half ? (plan.Halves, plan.WhereHalves) : ("", "");

    /// <summary>Outputs of a tile that are in registers at once.</summary>
    private const int StripAccumulators = 12;

    private static void Value(SourceWriter w, CorePlan plan, ElementType type)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        w.Line();
        w.Line("/// <summary>Adds weights * values to the state of a row.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        var (halves, where) = HalvesOf(plan, type);
        using (w.Block($"private static void AddValues{halves}(ref float weights, ref {ElementTypes.Text(type)} value, nint stride, ref float state, int from, int end){where}"))
        using (w.Block("for (; from < end; from++)"))
        {
            w.Line($"""
                Vec w = Splat(ref weights, from);
                ref {ElementTypes.Text(type)} v = ref At(ref value, from * stride);
                """);
            if (whole > 0) w.Line($"for (nint i = 0; i < {whole}; i += Lanes) Store(MulAdd(w, {plan.Loading("Load", type)}(ref v, i), Load(ref state, i)), ref state, i);");
            if (whole < dim) w.Line($"Store(MulAdd(w, {plan.Loading("LoadFirst", type)}(ref v, {whole}, {dim - whole}), Load(ref state, {whole})), ref state, {whole});");
        }
    }
}
