namespace AttentionGen.Benchmarks.Kernels;

// The generated kernels that are timed, each in both layouts. One declaration serves all lengths unless it fixes them.

/// <summary>query, key, value and output are [batch, tokens, heads, headDim].</summary>
internal static partial class TokenMajor
{
    [Attention(12, 64)]
    public static partial void H12D64(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void H12D64Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Batched = true)]
    public static partial void H12D64Batch(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int maxThreads);

    [Attention(12, 64, QueryLength = 197, KeyLength = 197)]
    public static partial void H12D64Of197(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(3, 32, Batched = true, QueryLength = 49, KeyLength = 49)]
    public static partial void H3D32BatchOf49(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int maxThreads);

    [Attention(4, 32)]
    public static partial void H4D32(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(16, 64, KeyValueHeads = 8, Mask = AttentionMask.Causal, WindowLeft = 511)]
    public static partial void H16On8D64Window512(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(8, 80, Mask = AttentionMask.Causal)]
    public static partial void H8D80Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(8, 96, Mask = AttentionMask.Causal)]
    public static partial void H8D96Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(8, 128, Mask = AttentionMask.Causal)]
    public static partial void H8D128Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(32, 128, Mask = AttentionMask.Causal)]
    public static partial void H32D128Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);
}

/// <summary>query, key, value and output are [batch, heads, tokens, headDim].</summary>
internal static partial class HeadMajor
{
    [Attention(12, 64, Layout = AttentionLayout.HeadMajor)]
    public static partial void H12D64(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, Layout = AttentionLayout.HeadMajor)]
    public static partial void H12D64Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Batched = true, Layout = AttentionLayout.HeadMajor)]
    public static partial void H12D64Batch(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int maxThreads);

    [Attention(12, 64, QueryLength = 197, KeyLength = 197, Layout = AttentionLayout.HeadMajor)]
    public static partial void H12D64Of197(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(3, 32, Batched = true, QueryLength = 49, KeyLength = 49, Layout = AttentionLayout.HeadMajor)]
    public static partial void H3D32BatchOf49(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int maxThreads);

    [Attention(4, 32, Layout = AttentionLayout.HeadMajor)]
    public static partial void H4D32(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(16, 64, KeyValueHeads = 8, Mask = AttentionMask.Causal, WindowLeft = 511, Layout = AttentionLayout.HeadMajor)]
    public static partial void H16On8D64Window512(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(8, 80, Mask = AttentionMask.Causal, Layout = AttentionLayout.HeadMajor)]
    public static partial void H8D80Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(8, 96, Mask = AttentionMask.Causal, Layout = AttentionLayout.HeadMajor)]
    public static partial void H8D96Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(8, 128, Mask = AttentionMask.Causal, Layout = AttentionLayout.HeadMajor)]
    public static partial void H8D128Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(32, 128, Mask = AttentionMask.Causal, Layout = AttentionLayout.HeadMajor)]
    public static partial void H32D128Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal, Layout = AttentionLayout.HeadMajor)]
    public static partial void H32On8D128Causal(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);
}
