using AttentionGen;

namespace Generate;

/// <summary>How keys and values are stored.</summary>
internal enum CacheType
{
    Fp32,
}

internal static class CacheTypes
{
    /// <exception cref="UsageException">There is no such type.</exception>
    public static CacheType Parse(string name) => name switch
    {
        "fp32" => CacheType.Fp32,
        _ => throw new UsageException($"--cache is '{name}', but must be fp32."),
    };

    /// <param name="type">How it stores keys and values.</param>
    /// <param name="layers">The number of layers.</param>
    /// <param name="tokens">The most tokens of a sequence.</param>
    public static IAttentionCache Create(this CacheType type, int layers, int tokens) => type switch
    {
        CacheType.Fp32 => new LayerCache(layers, tokens),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such type."),
    };
}

/// <summary>Attention over the tokens so far.</summary>
internal interface IAttentionCache
{
    /// <summary>
    /// Appends keys and values to those of the layer, and attends with the queries of the same tokens. Queries and keys come without their
    /// rotation.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="query">[tokens, heads, headDim].</param>
    /// <param name="key">[tokens, key-value heads, headDim].</param>
    /// <param name="value">[tokens, key-value heads, headDim].</param>
    /// <param name="output">[tokens, heads, headDim].</param>
    void Attend(int layer, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);
}

/// <summary>Keys and values in single precision, and attention of this shape. A model of another shape needs other numbers here.</summary>
internal sealed partial class LayerCache : IAttentionCache
{
    public const int Heads = 8;
    public const int HeadDim = 8;
    public const int KeyValueHeads = 4;

    private const int QueryWidth = Heads * HeadDim;
    private const int KeyWidth = KeyValueHeads * HeadDim;

    private readonly Layer[] _layers;
    private readonly Rotation _rotation;
    private readonly float[] _query; // rotated

    public LayerCache(int layers, int tokens)
    {
        _layers = [.. Enumerable.Range(0, layers).Select(_ => new Layer(tokens))];
        _rotation = new Rotation(tokens, HeadDim);
        _query = new float[tokens * QueryWidth];
    }

    // The last query sees the last key: the generated kernel starts at the position that this leaves for the first query.
    [Attention(Heads, HeadDim, KeyValueHeads = KeyValueHeads, Mask = AttentionMask.Causal)]
    private static partial void Step(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    public void Attend(int layer, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output)
    {
        var stored = _layers[layer];
        int start = stored.Tokens, end = start + key.Length / KeyWidth;
        _rotation.Rotate(key, KeyWidth, start, stored.Keys.AsSpan(start * KeyWidth, key.Length));
        value.CopyTo(stored.Values.AsSpan(start * KeyWidth));
        stored.Tokens = end;

        var rotated = _query.AsSpan(0, query.Length);
        _rotation.Rotate(query, QueryWidth, start, rotated);
        Step(rotated, stored.Keys.AsSpan(0, end * KeyWidth), stored.Values.AsSpan(0, end * KeyWidth), output);
    }

    private sealed class Layer(int tokens)
    {
        public float[] Keys { get; } = new float[tokens * KeyWidth];

        public float[] Values { get; } = new float[tokens * KeyWidth];

        public int Tokens { get; set; }
    }

    /// <summary>Rotary positions: neighbours in a head are a pair, turned by an angle that grows with the position.</summary>
    private sealed class Rotation
    {
        private const double Base = 10000;

        private readonly int _pairs;
        private readonly (float Sin, float Cos)[] _turns; // [position, pair]

        public Rotation(int positions, int headDim)
        {
            _pairs = headDim / 2;
            _turns = new (float, float)[positions * _pairs];
            for (int i = 0; i < _turns.Length; i++)
            {
                var (sin, cos) = Math.SinCos(i / _pairs * Math.Pow(Base, -(double)(i % _pairs) / _pairs));
                _turns[i] = ((float)sin, (float)cos);
            }
        }

        public void Rotate(ReadOnlySpan<float> tokens, int width, int position, Span<float> rotated)
        {
            for (int token = 0; token < tokens.Length; token += width, position++)
            {
                var turns = _turns.AsSpan(position * _pairs, _pairs);
                for (int i = 0; i < width / 2; i++)
                {
                    var (sin, cos) = turns[i % _pairs];
                    float x = tokens[token + 2 * i], y = tokens[token + 2 * i + 1];
                    rotated[token + 2 * i] = x * cos - y * sin;
                    rotated[token + 2 * i + 1] = x * sin + y * cos;
                }
            }
        }
    }
}
