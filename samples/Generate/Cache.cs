using AttentionGen;

namespace Generate;

/// <summary>How keys and values are stored.</summary>
internal enum CacheType
{
    Fp32,
    Bf16,
    Half,
    Int8,
}

internal static class CacheTypes
{
    /// <exception cref="UsageException">There is no such type.</exception>
    public static CacheType Parse(string name) => name switch
    {
        "fp32" => CacheType.Fp32,
        "bf16" => CacheType.Bf16,
        "half" => CacheType.Half,
        "int8" => CacheType.Int8,
        _ => throw new UsageException($"--cache is '{name}', but must be fp32, bf16, half or int8."),
    };
}

/// <summary>Attention over the tokens so far.</summary>
internal interface IAttentionCache : IDisposable
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

/// <summary>The generated kernels of the model, one for each storage type. A model of another shape needs other numbers here.</summary>
internal static partial class LayerCache
{
    public const int Heads = 8;
    public const int HeadDim = 8;
    public const int KeyValueHeads = 4;

    private const double RotaryBase = 10000;

    [Attention(Heads, HeadDim, KeyValueHeads = KeyValueHeads, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Interleaved)]
    private static partial void Step(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value,
        KeyValueCache<float> cache, int layer, RotaryTable rotary, Span<float> output);

    [Attention(Heads, HeadDim, KeyValueHeads = KeyValueHeads, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Interleaved)]
    private static partial void Step(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value,
        KeyValueCache<BFloat16> cache, int layer, RotaryTable rotary, Span<float> output);

    [Attention(Heads, HeadDim, KeyValueHeads = KeyValueHeads, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Interleaved)]
    private static partial void Step(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value,
        KeyValueCache<Half> cache, int layer, RotaryTable rotary, Span<float> output);

    [Attention(Heads, HeadDim, KeyValueHeads = KeyValueHeads, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Interleaved)]
    private static partial void Step(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value,
        KeyValueCache<sbyte> cache, int layer, RotaryTable rotary, Span<float> output);

    private delegate void StepKernel<T>(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value,
        KeyValueCache<T> cache, int layer, RotaryTable rotary, Span<float> output)
        where T : unmanaged;

    /// <param name="type">How it stores keys and values.</param>
    /// <param name="layers">The number of layers.</param>
    /// <param name="tokens">The most tokens of a sequence.</param>
    public static IAttentionCache Create(this CacheType type, int layers, int tokens) => type switch
    {
        CacheType.Fp32 => new Of<float>(layers, tokens, Step),
        CacheType.Bf16 => new Of<BFloat16>(layers, tokens, Step),
        CacheType.Half => new Of<Half>(layers, tokens, Step),
        CacheType.Int8 => new Of<sbyte>(layers, tokens, Step),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such type."),
    };

    private sealed class Of<T>(int layers, int tokens, StepKernel<T> step) : IAttentionCache
        where T : unmanaged
    {
        private readonly KeyValueCache<T> _cache = new(KeyValueHeads, HeadDim, layers: layers, capacity: tokens);
        private readonly RotaryTable _rotary = new(HeadDim, tokens, RotaryBase);

        public void Attend(int layer, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output) =>
            step(query, key, value, _cache, layer, _rotary, output);

        public void Dispose() => _cache.Dispose();
    }
}
