namespace AttentionGen.Kernels.Tests;

/// <summary>Appends the keys and values of rows to a layer of a cache and attends.</summary>
internal delegate void LayerStep<TCache>(ReadOnlySpan<float> input, AttentionWeights<float> weights, TCache cache, int layer, int maxThreads, Span<float> output);

/// <summary>The same for several sequences.</summary>
internal delegate void PagedLayerStep<T>(
    ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<int> documentStarts, PagedKeyValueCache<T> cache, ReadOnlySpan<SequenceId> sequences, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>Layers with norms and rotated positions, over a cache or not.</summary>
internal delegate void RotatedLayer(ReadOnlySpan<float> input, AttentionWeights<float> weights, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, Span<float> output);

internal delegate void RotatedLayerStep(
    ReadOnlySpan<float> input, AttentionWeights<float> weights, KeyValueCache<float> cache, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, Span<float> output);

/// <summary>A layer over a cache with operands beside the scores and results beside the output; lengths are those of all keys in the cache.</summary>
internal delegate void MaskedLayerStep(
    ReadOnlySpan<float> input, AttentionWeights<float> weights, KeyValueCache<float> cache, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, Span<float> output, Span<float> logSumExp, Span<float> scores);

/// <summary>The attention of such a layer alone.</summary>
internal delegate void MaskedStep(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, Span<float> output, Span<float> logSumExp,
    Span<float> scores);

/// <summary>Layers over caches of all kinds and types, the attention of each alone, and weights for them.</summary>
internal static class CachedLayers
{
    public const int ModelDim = 48, Window = 20, FirstKeys = 3;

    /// <summary>The attention of all of them.</summary>
    public static readonly Declaration Attention = new(4, 32) { KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal, Isas = LayerTests.Isas };

    private static readonly Lazy<Type> s_kernels = new(Load);

    public static LayerMatrices Matrices { get; } = LayerMatrices.Random(new LayerDeclaration(Attention, ModelDim), new Random(11), biased: true);

    /// <summary>New ones, which the caller owns.</summary>
    public static AttentionWeights<float> Weights() => AttentionWeights.Separate<float>(
        ModelDim, 4, 32, Matrices.Query, Matrices.Key, Matrices.Value, Matrices.Output, Matrices.QueryBias, Matrices.KeyBias, Matrices.ValueBias, Matrices.OutputBias, keyValueHeads: 2, valueDim: 24);

    public static float[] Rows(int count, int seed = 1) => LayerMatrices.Normal(new Random(seed), count * ModelDim);

    public static LayerStep<KeyValueCache<T>> Whole<T>()
        where T : unmanaged => Of<LayerStep<KeyValueCache<T>>>($"Whole_{typeof(T).Name}");

    public static LayerStep<RingKeyValueCache<T>> Ring<T>()
        where T : unmanaged => Of<LayerStep<RingKeyValueCache<T>>>($"Ring_{typeof(T).Name}");

    public static PagedLayerStep<T> Paged<T>()
        where T : unmanaged => Of<PagedLayerStep<T>>($"Paged_{typeof(T).Name}");

    public static CachedStep<T> WholeAttention<T>()
        where T : unmanaged => Of<CachedStep<T>>($"WholeAttention_{typeof(T).Name}");

    public static RingStep<T> RingAttention<T>()
        where T : unmanaged => Of<RingStep<T>>($"RingAttention_{typeof(T).Name}");

    public static PagedStep<T> PagedAttention<T>()
        where T : unmanaged => Of<PagedStep<T>>($"PagedAttention_{typeof(T).Name}");

    public static RotatedLayer Rotated() => Of<RotatedLayer>("Rotated");

    public static RotatedLayerStep RotatedStep() => Of<RotatedLayerStep>("RotatedStep");

    public static MaskedLayerStep Masked() => Of<MaskedLayerStep>("Masked");

    public static MaskedStep MaskedAttention() => Of<MaskedStep>("MaskedAttention");

    public static KeyValueCache<T> Cache<T>(int layers = 2)
        where T : unmanaged => new(2, 32, 24, layers);

    /// <summary>Queries, keys and values of rows.</summary>
    public static (float[] Query, float[] Key, float[] Value) Project(AttentionWeights<float> weights, float[] rows) => (Apply(weights.Query, rows), Apply(weights.Key, rows), Apply(weights.Value, rows));

    public static float[] Apply(AttentionLinear<float> part, float[] rows)
    {
        float[] output = new float[rows.Length / part.InputDim * part.OutputDim];
        part.Apply(rows, output, maxThreads: 1);
        return output;
    }

    private static TDelegate Of<TDelegate>(string name)
        where TDelegate : Delegate => s_kernels.Value.GetMethod(name)!.CreateDelegate<TDelegate>();

    private static Type Load() => KernelGroup.CompileSource($$"""
        using System;
        using AttentionGen;

        public static partial class Kernels
        {
        {{Source<float>()}}
        {{Source<Half>()}}
        {{Source<BFloat16>()}}
        {{Source<sbyte>()}}
            [MultiHeadAttention({{ModelDim}}, {{s_rotated}})]
            public static partial void Rotated(ReadOnlySpan<float> input, AttentionWeights<float> weights, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, Span<float> output);
            [MultiHeadAttention({{ModelDim}}, {{s_masked}})]
            public static partial void Masked(
                ReadOnlySpan<float> input, AttentionWeights<float> weights, KeyValueCache<float> cache, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, Span<float> output, Span<float> logSumExp, Span<float> scores);
            [Attention({{s_masked}})]
            public static partial void MaskedAttention(
                ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, Span<float> output, Span<float> logSumExp,
                Span<float> scores);
            [MultiHeadAttention({{ModelDim}}, {{s_rotated}})]
            public static partial void RotatedStep(
                ReadOnlySpan<float> input, AttentionWeights<float> weights, KeyValueCache<float> cache, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, Span<float> output);
        }
        """).GetType("Kernels", throwOnError: true)!;

    private static readonly string s_shape = $"heads: 4, headDim: 32, KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal, Isas = (AttentionIsas){(int)LayerTests.Isas}",
        s_rotated = s_shape + ", Rotary = AttentionRotary.Halves, QueryKeyNorm = AttentionNorm.Rms",
        s_masked = s_shape + ", BiasAxes = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key, KeepAxes = AttentionAxes.Key, ScoresStage = AttentionStage.Masked",
        s_window = $"{s_shape}, WindowLeft = {Window}, FirstKeys = {FirstKeys}";

    private static string Source<T>()
        where T : unmanaged
    {
        string type = Stored.Name<T>(), name = typeof(T).Name;
        const string Rows = "ReadOnlySpan<float> input, AttentionWeights<float> weights", Tensors = "ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value",
            Documents = "ReadOnlySpan<int> documentStarts", Rest = "int layer, int maxThreads, Span<float> output";
        string sequences = $"PagedKeyValueCache<{type}> cache, ReadOnlySpan<SequenceId> sequences";
        return $"""
                [MultiHeadAttention({ModelDim}, {s_shape})]
                public static partial void Whole_{name}({Rows}, KeyValueCache<{type}> cache, {Rest});
                [Attention({s_shape})]
                public static partial void WholeAttention_{name}({Tensors}, KeyValueCache<{type}> cache, {Rest});
                [MultiHeadAttention({ModelDim}, {s_window})]
                public static partial void Ring_{name}({Rows}, RingKeyValueCache<{type}> cache, {Rest});
                [Attention({s_window})]
                public static partial void RingAttention_{name}({Tensors}, RingKeyValueCache<{type}> cache, {Rest});
                [MultiHeadAttention({ModelDim}, {s_shape})]
                public static partial void Paged_{name}({Rows}, {Documents}, {sequences}, {Rest});
                [Attention({s_shape})]
                public static partial void PagedAttention_{name}({Tensors}, {Documents}, {sequences}, {Rest});

            """;
    }
}
