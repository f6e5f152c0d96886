namespace SentenceEncoder.Models;

/// <summary>The attention of all layers and heads of a model for one text.</summary>
public sealed class TextAttention
{
    private readonly float[][] _weights;

    internal TextAttention(IReadOnlyList<string> tokens, IReadOnlyList<int> separators, bool cut, int layers, int heads)
    {
        Cut = cut;
        Tokens = tokens;
        Separators = separators;
        Heads = heads;
        _weights = [.. Enumerable.Range(0, layers).Select(_ => new float[heads * tokens.Count * tokens.Count])];
    }

    /// <summary>The tokens of the text, as pieces of text.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The indices of tokens that only say where the text ends.</summary>
    public IReadOnlyList<int> Separators { get; }

    /// <summary>Whether the text goes on behind the tokens.</summary>
    public bool Cut { get; }

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
