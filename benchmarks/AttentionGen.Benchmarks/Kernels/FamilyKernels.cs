namespace AttentionGen.Benchmarks.Kernels;

/// <summary>Kernels that are not dot products and a softmax over values.</summary>
internal static partial class FamilyKernels
{
    [Attention(12, 64, Mask = AttentionMask.Causal, Selection = AttentionSelection.Hard)]
    public static partial void Hard(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(4, 64, Score = AttentionScore.Additive)]
    public static partial void Additive(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> scoreVector, Span<float> output, int maxThreads);

    [Attention(128, 576, KeyValueHeads = 1, ValueDim = 512, ValueFromKey = true, Mask = AttentionMask.Causal)]
    public static partial void Latent(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output, int maxThreads);

    [Attention(128, 576, KeyValueHeads = 1, ValueDim = 512, ValueFromKey = true, Mask = AttentionMask.Causal)]
    public static partial void LatentCached(ReadOnlySpan<float> query, KeyValueCache<BFloat16> cache, Span<float> output, int maxThreads);

    [LinearAttention(16, 64, Rule = LinearAttentionRule.Linear)]
    public static partial void Linear(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> state, Span<float> output, int maxThreads);

    [LinearAttention(16, 64, Rule = LinearAttentionRule.Gated)]
    public static partial void Gated(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> decay, Span<float> state, Span<float> output, int maxThreads);

    [LinearAttention(16, 64, Rule = LinearAttentionRule.GatedDelta)]
    public static partial void GatedDelta(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> decay, ReadOnlySpan<float> beta, Span<float> state, Span<float> output, int maxThreads);

    [LinearAttention(16, 64, Rule = LinearAttentionRule.Gated, Batched = true)]
    public static partial void GatedBatch(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> decay, Span<float> state, Span<float> output, int batch, int maxThreads);
}
