namespace AttentionGen.Views;

/// <summary>A layer as the page carries it, and what was measured of its heads.</summary>
/// <param name="Weights">[heads, queries, keys], in parts of <see cref="Parts.OfWeight"/>.</param>
/// <param name="Entropy">[heads, queries], in parts of <see cref="Parts.OfEntropy"/>.</param>
/// <param name="Largest">[heads, queries], in parts of <see cref="Parts.OfWeight"/>.</param>
/// <param name="Heads">The measures of each head.</param>
internal sealed record MapLayer(ushort[] Weights, ushort[] Entropy, ushort[] Largest, IReadOnlyList<HeadMeasures> Heads);
