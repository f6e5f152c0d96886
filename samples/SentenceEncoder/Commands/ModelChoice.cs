using SentenceEncoder.Models;

namespace SentenceEncoder.Commands;

/// <summary>The models by the names of the command line.</summary>
internal static class ModelChoice
{
    public const string MiniLm = "minilm", UseLite = "use-lite";

    /// <param name="name">The model.</param>
    /// <param name="weights">Where its weights are, if not where the package manager puts them.</param>
    public static TextEmbedder Load(string name, string? weights) => name == UseLite ? UseLiteEncoder.Load(weights) : MiniLmEncoder.Load(weights);
}
