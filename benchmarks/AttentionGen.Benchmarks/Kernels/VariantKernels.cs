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

    [Attention(12, 64, Mask = AttentionMask.Causal, PrefixLength = 256)]
    public static partial void Prefix(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, ChunkLength = 512)]
    public static partial void Chunks(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, Dilation = 4)]
    public static partial void Dilation(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal)]
    public static partial void Documents(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<int> documentStarts, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, QueryBlockSize = 64, KeyBlockSize = 64)]
    public static partial void Blocks(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks, int maxThreads);

    [Attention(12, 64, Mask = AttentionMask.Causal, RelativeBuckets = 32, RelativeBidirectional = false)]
    public static partial void Relative(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<float> relativeBias, int maxThreads);

    /// <summary>Of 17 to 700 tokens, 4096 in all.</summary>
    internal static readonly int[] DocumentStarts = [0, 17, 180, 880, 1001, 1451, 1540, 1877, 2012, 2532, 2580, 2890, 2955, 3185, 3657, 3746, 4096];

    internal static readonly int[] DocumentOf = [.. Enumerable.Range(0, 4096).Select(token => Array.FindLastIndex(DocumentStarts, start => start <= token))];

    /// <summary>Which of 64 x 64 blocks of 64 x 64 pairs are seen: those on the diagonal, and a tenth of those before it.</summary>
    internal static bool IsListed(int queries, int keys) => queries == keys || (keys < queries && (uint)((queries * 64 + keys) * 0x9E3779B1L) < uint.MaxValue / 10);

    internal static readonly int[] KeyBlocks = [.. from queries in Enumerable.Range(0, 64) from keys in Enumerable.Range(0, queries + 1) where IsListed(queries, keys) select keys];

    internal static readonly int[] KeyBlockStarts = [.. Enumerable.Range(0, 65).Select(end => Enumerable.Range(0, end).Sum(queries => Enumerable.Range(0, queries + 1).Count(keys => IsListed(queries, keys))))];

    /// <summary>[32, 12], in steps that half precision holds.</summary>
    internal static readonly float[] RelativeBias = [.. Enumerable.Range(0, 32 * 12).Select(i => (i * 37 % 129 - 64) / 32f)];

    /// <summary>By the buckets of T5: half of them for the nearest distances, the others ever wider up to 128.</summary>
    internal static float RelativeOf(int head, int query, int key)
    {
        int distance = Math.Max(query - key, 0);
        int bucket = distance < 16 ? distance : Math.Min(16 + (int)(Math.Log(distance / 16.0) / Math.Log(8) * 16 + 1e-9), 31);
        return RelativeBias[bucket * 12 + head];
    }

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
