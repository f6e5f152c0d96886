using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the walk of a block of queries over packed keys, tile by tile, with the mask in the bounds.</summary>
internal static class PrefillEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line("/// <summary>Adds to the state of a block of query rows what packed keys contribute. After the last keys, it writes the output.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("public static void Prefill(in PrefillBlock block)"))
        {
            w.Line($"""
                ref float query = ref block.Scratch; // [QueryBlock, QueryRow]
                ref float weights = ref At(ref query, QueryBlock * QueryRow); // [TileRows, WeightRow]
                int tileRows = (block.Rows + TileRows - 1) / TileRows * TileRows;

                if (block.First) Reset(ref block.State, tileRows);
                CopyQueries(ref block.QueryRows.First<{plan.QueryType}>(), block.QueryRows.Stride, block.Rows, ref query{PackingEmitter.PlaceArgument(plan)});

                // The last tile is padded with zeros.
                for (nint i = block.Rows * QueryRow; i < tileRows * QueryRow; i += Lanes) Store(Vec.Zero, ref query, i);

                """);
            using (w.Block("for (int r = 0; r < block.RunCount; r++)"))
            {
                w.Line("ref KeyRun run = ref Unsafe.Add(ref block.Runs, r);");
                using (w.Block("for (int first = 0; first < run.Count; first += KeyBlock)"))
                {
                    w.Line("""
                        int keys = Math.Min(run.Count - first, KeyBlock);
                        ref float panels = ref At(ref run.Keys<float>(), (nint)first * HeadDim);
                        """);
                    if (plan.Spec.WeighsValues) w.Line("ref float values = ref At(ref run.Values<float>(), (nint)first * ValueDim);");
                    using (w.Block("for (int row = 0; row < block.Rows; row += TileRows)"))
                    {
                        if (dialect.Prefetches) w.Line("block.Ahead.Fetch();");
                        Tile(w, plan, visible);
                    }
                }
            }

            w.Line();
            w.Line("if (block.Last) Finish(ref block.State, in block.OutputRows, block.Rows, in block.Place);");
        }
    }

    private static void Tile(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        string end = visible.UpperMoves ? "end" : "keys";
        TileBounds(w, plan, visible, first: "first");
        if (visible.LowerMoves) w.Line($"if (lowest >= {end}) continue;");
        else if (visible.UpperMoves) w.Line("if (end <= 0) continue;");
        if (visible.DiffersByRow) w.Line();
        w.Line("""
            ref float tileQuery = ref At(ref query, row * QueryRow);
            ref float state = ref At(ref block.State, row * StateRow);
            """);

        // Columns of weights begin with the first panel that some row sees.
        string panels = visible.LowerMoves ? "At(ref panels, skip * HeadDim)" : "panels", columns = visible.LowerMoves ? $"{end} - skip" : end;
        string count = $"({columns} + PanelKeys - 1) / PanelKeys", bounds = visible.Arguments(visible.LowerMoves ? "skip" : "");
        if (plan.InRegisters)
        {
            w.Line($"Weights(ref tileQuery, ref {panels}, {count}, ref weights, ref state, {bounds});");
        }
        else
        {
            w.Line($"Scores(ref tileQuery, ref {panels}, {count}, ref weights{ScoresEmitter.PartialsArgument(plan)});");
            ScoreEmitter.Call(w, plan, "bool hides = ", "weights", columns, "Math.Min(block.Rows - row, TileRows)", bounds, "0", "row", visible.LowerMoves ? "run.Key + first + skip" : "run.Key + first");
            SoftmaxEmitter.Call(w, plan, "weights", columns, "state", "TileRows", bounds, visible.LowerMoves ? "run.Key + first + skip" : "run.Key + first");
        }

        if (plan.Spec.WeighsValues) Values(w, plan, visible, end);
    }

    /// <summary>Declares which keys the rows of a tile see, and how many are to be skipped because none does.</summary>
    /// <param name="first">The key that they are counted from, or nothing.</param>
    public static void TileBounds(SourceWriter w, CorePlan plan, VisibleKeys visible, string first)
    {
        string from = first.Length == 0 ? "" : $" - {first}";
        if (visible.UpperMoves)
        {
            w.Line($"""
                // Row i of the tile sees the keys before `seen` + i, the last one those before `end`.
                int seen = (int)Math.Max(Math.Min(run.Visible + row{from}, KeyBlock), -TileRows);
                int end = Math.Max(Math.Min(seen + {plan.Packed!.TileRows - 1}, keys), 0);
                """);
        }

        if (visible.LowerMoves)
        {
            if (visible.HasLeast) w.Line($"int least = Math.Max({(first.Length == 0 ? "run.Least" : $"Math.Min(run.Least{from}, KeyBlock)")}, 0);");
            w.Line($"""
                // Row i of the tile sees the keys from `hidden` + i on. No row sees the first `lowest` keys; the panels of the first `skip` keys are left out.
                int hidden = (int)Math.Max(Math.Min(run.Hidden + row{from}, KeyBlock), -TileRows), lowest = Math.Max(hidden, {(visible.HasLeast ? "least" : "0")}), skip = lowest / PanelKeys * PanelKeys;
                """);
        }
    }

    /// <summary>The product of the weights of a tile with values, with those of keys that only some rows see if they are finite.</summary>
    /// <param name="end">The end of the keys that some row sees.</param>
    public static void Values(SourceWriter w, CorePlan plan, VisibleKeys visible, string end)
    {
        bool hides = plan.Spec.Scores.Hides;
        if (!plan.Spec.RowsDiffer)
        {
            Calls(plan.Packed!.TileRows, "weights", "values", "state", end);
            return;
        }

        var allSeeAll = new List<string>();
        if (hides) allSeeAll.Add("!hides");
        if (visible.LowerMoves) allSeeAll.Add("hidden + TileRows <= 1");
        if (visible.UpperMoves) allSeeAll.Add("seen >= end");
        using (w.Block($"if (block.ValuesFinite || {(allSeeAll.Count > 1 ? $"({string.Join(" && ", allSeeAll)})" : allSeeAll[0])})"))
        {
            if (visible.LowerMoves) Calls(plan.Packed!.TileRows, "At(ref weights, lowest - skip)", "At(ref values, lowest * ValueDim)", "state", $"{end} - lowest");
            else Calls(plan.Packed!.TileRows, "weights", "values", "state", end);
        }

        using (w.Block("else"))
        using (w.Block("for (int i = 0; i < TileRows; i++) // 0 times an infinite value or NaN is not 0"))
        {
            string upper = visible.UpperMoves ? $"Math.Min({visible.Upper("i")}, end)" : end, lower = visible.LowerMoves ? $"Math.Max({visible.Lower("i")}, lowest)" : "0";
            if (plan.Prefill is not null)
            {
                // As decode does, in the same order of sums, so that hidden keys change no bit.
                string one = plan.Decode!.KeyByKey ? "1, " : "";
                w.Line($"ref float p = ref At(ref weights, i * WeightRow{(visible.LowerMoves ? " - skip" : "")}), s = ref At(ref state, i * StateRow);");
                if (hides)
                {
                    w.Line($"for (int j = {lower}; j < {upper}; j++)");
                    w.Line($"    if (!Hidden(At(ref p, j))) AddValues(ref p, {one}ref values, ValueDim, ref s, j, j + 1);");
                }
                else
                {
                    w.Line($"AddValues(ref p, {one}ref values, ValueDim, ref s, {lower}, {upper});");
                }

                return;
            }

            string output = "At(ref output, i * block.OutputRows.Stride)";
            if (visible.LowerMoves)
            {
                w.Line($"""
                    int lower = {lower};
                    ref float p = ref At(ref weights, i * WeightRow + lower - skip), v = ref At(ref values, lower * ValueDim), s = ref At(ref state, i * StateRow);
                    """);
                Calls(1, "p", "v", "s", $"{upper} - lower", output);
            }
            else
            {
                w.Line("ref float p = ref At(ref weights, i * WeightRow), s = ref At(ref state, i * StateRow);");
                Calls(1, "p", "values", "s", upper, output);
            }
        }

        void Calls(int rows, string weights, string values, string state, string keys, string output = "output") =>
            ValuesEmitter.Calls(w, plan, rows, weights, values, "ValueDim", state, keys, output);
    }

    public static void Reset(SourceWriter w, CorePlan plan)
    {
        w.Line();
        w.Line("/// <summary>Sets the state of rows that have seen no key.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("private static void Reset(ref float state, int rows)"))
        {
            using (w.Block("for (; rows > 0; rows--, state = ref At(ref state, StateRow))"))
            {
                w.Line("""
                    for (nint i = 0; i < Maximum; i += Lanes) Store(Vec.Zero, ref state, i);
                    At(ref state, Maximum) = float.NegativeInfinity;
                    At(ref state, RowLevel) = NoLevel;
                    """);
                foreach (var state in plan.Spec.Rows.States) state.Reset(w);
            }
        }
    }
}
