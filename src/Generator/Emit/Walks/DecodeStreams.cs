using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>What decode knows of the memory that keys and values are read from.</summary>
internal static class DecodeStreams
{
    /// <summary>Keys that a single row takes together: their partial sums are added in one reduction.</summary>
    public const int Keys = 4;

    /// <summary>The tokens that streams of tokens are fetched ahead.</summary>
    public static string TokensAhead(int dim) => $"Math.Max({KernelPlanner.TokenFloatsAhead} / (heads * {dim}), 1)";

    public static string Join(string row, string offset) => row == "0" ? offset : offset == "0" ? row : $"{row} + {offset}";

    /// <summary>
    /// Declares, for tiles of several rows, whether the rows of a head follow each other, and for single rows the tokens that streams of tokens are fetched ahead: a line of each page, since the
    /// processor prefetches a stream up to the end of a page, and waits for the address of the next page.
    /// </summary>
    public static void Declare(SourceWriter w, Dialect dialect, DecodeTile tile, int dim)
    {
        if (dialect.Prefetches) w.Line(tile.Rows == 1 ? $"nint tokens = {TokensAhead(dim)} * stride;" : $"bool contiguous = stride < {2 * dim};");
    }
}
