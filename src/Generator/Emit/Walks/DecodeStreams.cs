using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>How few query rows walk over keys and values: the rows in tiles, the tokens some together, in the order of memory, and what is fetched ahead.</summary>
internal static class DecodeStreams
{
    /// <summary>Keys that are computed together: their partial sums are added in one reduction.</summary>
    public const int Keys = 4;

    /// <summary>Floats of a line of the cache.</summary>
    private const int LineFloats = 16;

    /// <summary>The rows of a key-value head: tiles, then those that are left. Tiles whose queries see none of the keys are left out: half of what there is between as many queries as keys.</summary>
    public static void Tiles(SourceWriter w, CorePlan plan, VisibleKeys visible, string first, string firstRow, string second, string secondRow, Action<int> tile)
    {
        w.Line(visible.UpperMoves ? "int row = rows, m = 0; // first query of a tile" : "int row = rows;");
        foreach (int rows in new[] { plan.Decode!.TileRows, 1 })
        {
            bool skips = visible.UpperMoves && rows > 1;
            string Next(string name, string distance) => $"{name} = ref At(ref {name}, {Address.Offset((rows, rows == 1 && distance == "KeyBlock" ? "weightRow" : distance))})";
            string step = rows == 1 ? "row > 0; row--" : $"row >= {rows}; row -= {rows}";
            using (w.Block($"for (; {step}, {Next(first, firstRow)}, {Next(second, secondRow)})"))
            {
                if (skips)
                {
                    w.Line($"""
                        int first = m;
                        m += m + {rows} < block.Queries ? {rows} : {rows} - block.Queries;
                        if (j >= seen + Math.Min(first + {rows - 1}, block.Queries - 1)) continue;
                        """);
                }

                tile(rows);
            }
        }
    }

    /// <summary>Declares which keys are computed together: neighbours, or keys far apart. (With several queries, the keys that all rows see would change the order of sums.)</summary>
    public static void Together(SourceWriter w, CorePlan plan, string count, string unless = "") => w.Line($"""

        // Four keys side by side; for one query of few heads, one key from each quarter of the keys.
        int count = {count}, apart = 1, next = {Keys};
        if (block.Queries == 1 && rows < {plan.Decode!.TileRows}{unless}) (apart, next) = (Math.Max(count, 1), 1);
        """);

    public static string Join(string row, string offset) => row == "0" ? offset : offset == "0" ? row : $"{row} + {offset}";

    public static string Ahead((int Contiguous, int Apart) rows, int dim)
    {
        string ahead = rows.Contiguous == rows.Apart ? $"{rows.Apart}" : $"(heads == 1 ? {rows.Contiguous} : {rows.Apart})";
        return $"nint ahead = {ahead} * stride, tokens = Math.Max({KernelPlanner.TokenFloatsAhead} / (heads * {dim}), 1) * stride;";
    }

    /// <summary>Fetches what lies ahead of a vector of each key or value: in the order in which they are read, but to the second level only.</summary>
    public static void Prefetch(SourceWriter w, CorePlan plan, Dialect dialect, string name, string offset)
    {
        if (!dialect.Prefetches) return;
        string fetch = $"PrefetchFour(ref {name}0, stride, {offset} + ahead);";
        if (plan.Lanes == LineFloats) w.Line(fetch);
        else
            using (w.Block($"if ({offset} % {LineFloats} == 0)"))
                w.Line(fetch);
    }

    /// <summary>
    /// Fetches a line of each page of streams of tokens: the processor prefetches a stream up to the end of a page, and waits for the address of the next page.
    /// </summary>
    public static void PrefetchTokens(SourceWriter w, Dialect dialect, string name, int dim)
    {
        if (!dialect.Prefetches) return;
        using (w.Block($"for (nint i = 0; apart > 1 && i < (heads - 1) * headStride + {dim}; i += {KernelPlanner.PageFloats})"))
            w.Line($"PrefetchFour(ref {name}0, apart * stride, tokens + i);");
    }

    /// <summary>The same for whole keys or values. Of streams it would be too much: see <see cref="PrefetchTokens"/>.</summary>
    public static void PrefetchRows(SourceWriter w, Dialect dialect, string name, int dim)
    {
        if (!dialect.Prefetches) return;
        w.Line($"if (apart == 1) PrefetchFourRows(ref {name}0, stride, ahead, {dim});");
    }
}
