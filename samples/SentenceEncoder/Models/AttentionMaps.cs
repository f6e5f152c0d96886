namespace SentenceEncoder.Models;

/// <summary>The attention of all layers and heads of a model for one text.</summary>
public sealed class AttentionMaps
{
    private readonly float[][] _weights;

    internal AttentionMaps(IReadOnlyList<string> tokens, int layers, int heads)
    {
        Tokens = tokens;
        Heads = heads;
        _weights = [.. Enumerable.Range(0, layers).Select(_ => new float[heads * tokens.Count * tokens.Count])];
    }

    /// <summary>The tokens of the text, as pieces of text.</summary>
    public IReadOnlyList<string> Tokens { get; }

    public int Layers => _weights.Length;

    public int Heads { get; }

    /// <summary>The weights of a layer, [heads, queries, keys]. Those of a query sum to 1.</summary>
    public ReadOnlySpan<float> Layer(int layer) => _weights[layer];

    /// <summary>The weights of a head, [queries, keys].</summary>
    public ReadOnlySpan<float> Head(int layer, int head)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)head, (uint)Heads, nameof(head));
        int size = Tokens.Count * Tokens.Count;
        return _weights[layer].AsSpan(head * size, size);
    }

    internal Span<float> Room(int layer) => _weights[layer];
}
