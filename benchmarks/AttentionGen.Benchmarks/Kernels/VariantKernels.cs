namespace AttentionGen.Benchmarks.Kernels;

// Kernels with more than plain attention, token-major; VariantTable says what each is to compute.

/// <summary>P2's heads and mask, and something beside.</summary>
internal static partial class VariantKernels
{
    [Attention(12, 64, MaskMethod = nameof(Past))]
    public static partial void CausalMethod(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, Alibi = true)]
    public static partial void Alibi(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, SoftCap = 50)]
    public static partial void SoftCap(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void Bias(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> bias, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, BiasAxes = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key)]
    public static partial void BiasOfHeads(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> bias, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void Keep(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<bool> keep, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void LogSumExp(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> logSumExp, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void Sinks(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> sinks, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, ScoreMethod = nameof(LogDistance))]
    public static partial void ScoreOfDistance(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, ScoreMethod = nameof(Sharpened))]
    public static partial void ScoreOfPosition(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    private static bool Past(int query, int key) => key <= query;

    /// <summary>The logarithmic bias of KERPLE.</summary>
    internal static float LogDistance(float score, int query, int key) => score - 0.5f * MathF.Log(1 + MathF.Abs(query - key));

    /// <summary>Scores grow with the logarithm of how many keys there are to choose from.</summary>
    internal static float Sharpened(float score, int query, int key) => score * (MathF.Log(query + 2) * 0.2f);
}

/// <summary>P6's heads, and a mask.</summary>
internal static partial class VariantKernels
{
    [Attention(16, 64, KeyValueHeads = 8, MaskMethod = nameof(Near))]
    public static partial void WindowMethod(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(16, 64, KeyValueHeads = 8, MaskMethod = nameof(NearOrFirst))]
    public static partial void WindowOrFirstMethod(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    private static bool Near(int query, int key) => key <= query && query - key < 512;

    internal static bool NearOrFirst(int query, int key) => key <= query && (query - key < 512 || key < 4);
}
