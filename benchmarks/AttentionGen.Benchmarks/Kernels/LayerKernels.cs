namespace AttentionGen.Benchmarks.Kernels;

/// <summary>A call of a layer. One without a cache ignores it.</summary>
internal delegate void LayerStep(ReadOnlySpan<float> input, AttentionWeights<float> weights, KeyValueCache<float>? cache, Span<float> output, int maxThreads);

/// <summary>The layers that are timed.</summary>
internal static partial class LayerKernels
{
    [MultiHeadAttention(768, 12, 64)]
    public static partial void H12D64(ReadOnlySpan<float> input, AttentionWeights<float> weights, Span<float> output, int maxThreads);

    [MultiHeadAttention(4096, 32, 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
    public static partial void H32On8D128Step(ReadOnlySpan<float> input, AttentionWeights<float> weights, KeyValueCache<float> cache, Span<float> output, int maxThreads);
}
