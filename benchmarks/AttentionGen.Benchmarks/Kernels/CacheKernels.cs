namespace AttentionGen.Benchmarks.Kernels;

// The generated kernels over caches, a class for each type of storage.

/// <summary>Caches of float. A call appends the tokens of key and value.</summary>
internal static partial class FloatCaches
{
    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void H12D64(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, Mask = AttentionMask.Causal)]
    public static partial void H32D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128Paged(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
        PagedKeyValueCache<float> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output, int maxThreads);
}

/// <summary>Caches of half. A call appends the tokens of key and value.</summary>
internal static partial class HalfCaches
{
    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void H12D64(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<Half> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, Mask = AttentionMask.Causal)]
    public static partial void H32D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<Half> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<Half> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128Paged(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
        PagedKeyValueCache<Half> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output, int maxThreads);
}

/// <summary>Caches of bfloat16. A call appends the tokens of key and value.</summary>
internal static partial class BFloat16Caches
{
    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void H12D64(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<BFloat16> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, Mask = AttentionMask.Causal)]
    public static partial void H32D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<BFloat16> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<BFloat16> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128Paged(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
        PagedKeyValueCache<BFloat16> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output, int maxThreads);
}

/// <summary>Caches of 8-bit integers. A call appends the tokens of key and value.</summary>
internal static partial class Int8Caches
{
    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void H12D64(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<sbyte> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, Mask = AttentionMask.Causal)]
    public static partial void H32D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<sbyte> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<sbyte> cache, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128Paged(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
        PagedKeyValueCache<sbyte> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output, int maxThreads);
}
