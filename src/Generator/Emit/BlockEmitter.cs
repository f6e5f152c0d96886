using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>Writes the walk of a block of queries over packed keys, tile by tile, with the mask in the bounds.</summary>
internal static class BlockEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        w.Line();
        w.Line("/// <summary>Adds what a block of query rows takes from packed keys to the state of the block, and writes the output after the last.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("public static void Attend(in ForwardBlock block)"))
        {
            w.Line("""
                ref float query = ref block.Scratch; // [QueryBlock, QueryRow]
                ref float weights = ref At(ref query, QueryBlock * QueryRow); // [TileRows, KeyBlock]

                if (block.First) Reset(ref block.State, (block.Rows + TileRows - 1) / TileRows * TileRows);
                PackQueries(ref block.Query, block.QueryStride, block.Rows, ref query);

                """);
            using (w.Block("for (int first = 0; first < block.Keys; first += KeyBlock)"))
            {
                w.Line("""
                    int keys = Math.Min(block.Keys - first, KeyBlock);
                    ref float panels = ref At(ref block.PackedKeys, (nint)first * HeadDim);
                    ref float values = ref At(ref block.PackedValues, (nint)first * ValueDim);
                    """);
                using (w.Block("for (int row = 0; row < block.Rows; row += TileRows)"))
                    Tile(w, plan, visible);
            }

            w.Line();
            w.Line("if (block.Last) Finish(ref block.State, ref block.Output, block.OutputStride, block.Rows);");
        }
    }

    private static void Tile(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        string end = "keys";
        if (visible.DiffersByRow)
        {
            end = "end";
            w.Line($"""
                // The first row of the tile sees the keys before `seen`, each further row one more, the last one those before `end`.
                int seen = (int)Math.Max(Math.Min(block.Visible + row - first, KeyBlock), -TileRows);
                int end = Math.Min({visible.LargestBound(plan.TileRows)}, keys);
                if (end <= 0) continue;

                """);
        }

        w.Line("""
            ref float tileQuery = ref At(ref query, row * QueryRow);
            ref float state = ref At(ref block.State, row * StateRow);
            """);
        string bounds = visible.DiffersByRow ? "seen, keys" : "keys";
        string count = $"({end} + PanelKeys - 1) / PanelKeys";
        if (plan.Path == CorePath.Registers)
        {
            w.Line($"Scores(ref tileQuery, ref panels, {count}, ref weights, ref state, {bounds});");
        }
        else
        {
            w.Line($"Scores(ref tileQuery, ref panels, {count}, ref weights);");
            w.Line($"Softmax(ref weights, {end}, ref state, TileRows, {bounds});");
        }

        if (!visible.DiffersByRow)
        {
            Values("keys");
            return;
        }

        using (w.Block("if (block.ValuesFinite || seen >= end)"))
            Values("end");
        using (w.Block("else"))
            ByRow(w, plan, visible);

        void Values(string keys) => ValuesEmitter.Calls(w, plan, plan.TileRows, "weights", "values", "ValueDim", "state", keys);
    }

    /// <summary>Each row over the keys that it sees: 0 times a value that it does not see would not be 0 where that is infinite or NaN.</summary>
    public static void ByRow(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        using (w.Block("for (int i = 0; i < TileRows; i++) // 0 times an infinite value, or a NaN, would not be 0"))
        {
            w.Line("ref float p = ref At(ref weights, i * KeyBlock), s = ref At(ref state, i * StateRow);");
            ValuesEmitter.Calls(w, plan, 1, "p", "values", "ValueDim", "s", $"Math.Min({visible.Bound("i")}, end)");
        }
    }

    public static void Reset(SourceWriter w)
    {
        w.Line();
        w.Line("/// <summary>The state of rows that have seen no key: outputs and sums 0, maxima -infinity.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static void Reset(ref float state, int rows)"))
        {
            using (w.Block("for (; rows > 0; rows--, state = ref At(ref state, StateRow))"))
            {
                w.Line("""
                    for (nint i = 0; i < Maximum; i += Lanes) Store(Vec.Zero, ref state, i);
                    At(ref state, Maximum) = float.NegativeInfinity;
                    """);
            }
        }
    }
}
