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
}
