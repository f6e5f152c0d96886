using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The forms of checkpoints: separate or fused, in both orders, with biases or without, are the same weights.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class AttentionWeightsTests
{
    private const int ModelDim = 7, Heads = 4, HeadDim = 5, KeyValueHeads = 2, ValueDim = 3, OutputDim = 9;

    private static readonly LayerDeclaration s_layer = new(new(Heads, HeadDim) { KeyValueHeads = KeyValueHeads, ValueDim = ValueDim, Isas = LayerTests.Isas }, ModelDim) { OutputDim = OutputDim };

    private static readonly LayerKernels s_kernels = new([s_layer]);

    public static MatrixTheoryData<AttentionWeightOrder, bool> Forms => new(Enum.GetValues<AttentionWeightOrder>(), [false, true]);

    [Theory, MemberData(nameof(Forms))]
    public void Separate_matrices_are_what_was_given(AttentionWeightOrder order, bool biased)
    {
        Check<float>(order, biased, Separate<float>);
        Check<BFloat16>(order, biased, Separate<BFloat16>);
        Check<sbyte>(order, biased, Separate<sbyte>);
    }

    [Theory, MemberData(nameof(Forms))]
    public void A_fused_matrix_is_what_was_given(AttentionWeightOrder order, bool biased)
    {
        foreach (var fused in Enum.GetValues<AttentionFusedOrder>())
        {
            Check<float>(order, biased, (matrices, order) => Fused<float>(matrices, order, fused));
            Check<BFloat16>(order, biased, (matrices, order) => Fused<BFloat16>(matrices, order, fused));
            Check<sbyte>(order, biased, (matrices, order) => Fused<sbyte>(matrices, order, fused));
        }
    }

    [Fact]
    public void A_single_group_and_groups_of_one_head()
    {
        foreach (int keyHeads in new[] { 1, Heads })
        {
            var layer = s_layer with { Attention = s_layer.Attention with { KeyValueHeads = keyHeads } };
            var matrices = LayerMatrices.Random(layer, new Random(5), biased: true);
            foreach (var fused in Enum.GetValues<AttentionFusedOrder>())
            {
                using var weights = AttentionWeights.Fused<float>(ModelDim, Heads, HeadDim, Rows(matrices.Query, matrices.Key, matrices.Value, fused, keyHeads, ModelDim), matrices.Output, fusedOrder: fused,
                    keyValueHeads: keyHeads, valueDim: ValueDim, outputDim: OutputDim);
                Assert.Equal(matrices.Query, WeightsOf(weights.Query));
                Assert.Equal(matrices.Key, WeightsOf(weights.Key));
                Assert.Equal(matrices.Value, WeightsOf(weights.Value));
            }
        }
    }

    [Fact]
    public void Widths_default_to_those_of_the_model()
    {
        using AttentionWeights<float> separate = AttentionWeights.Separate<float>(6, 2, 4, new float[48], new float[48], new float[48], new float[48]),
            fused = AttentionWeights.Fused<float>(6, 2, 4, new float[144], new float[48]);
        foreach (var weights in new[] { separate, fused })
        {
            Assert.Equal((6, 8, 6, 8), (weights.Query.InputDim, weights.Query.OutputDim, weights.Key.InputDim, weights.Key.OutputDim));
            Assert.Equal((6, 8, 8, 6), (weights.Value.InputDim, weights.Value.OutputDim, weights.Output.InputDim, weights.Output.OutputDim));
        }
    }

    [Fact]
    public void Layers_that_are_there_become_weights()
    {
        var matrices = LayerMatrices.Random(s_layer, new Random(3), biased: false);
        using var query = new AttentionLinear<float>(ModelDim, Heads * HeadDim, matrices.Query);
        using var key = new AttentionLinear<float>(ModelDim, KeyValueHeads * HeadDim, matrices.Key);
        using var value = new AttentionLinear<float>(ModelDim, KeyValueHeads * ValueDim, matrices.Value);
        using var output = new AttentionLinear<float>(Heads * ValueDim, OutputDim, matrices.Output);
        var weights = new AttentionWeights<float>(query, key, value, output);
        Assert.Equal((query, key, value, output), (weights.Query, weights.Key, weights.Value, weights.Output));
        Assert.Equal(query.Bytes + key.Bytes + value.Bytes + output.Bytes, weights.Bytes);
        weights.Dispose();
        foreach (var part in new[] { query, key, value, output }) Assert.Throws<ObjectDisposedException>(() => part.Apply([], []));
        weights.Dispose();
    }

    /// <summary>One projection may give keys and values; a call holds it twice.</summary>
    [Fact]
    public void Keys_and_values_may_have_the_same_projection()
    {
        var layer = new LayerDeclaration(new(2, 8) { Isas = LayerTests.Isas }, 8);
        var matrices = LayerMatrices.Random(layer, new Random(3), biased: false);
        var shared = new AttentionLinear<float>(8, 16, matrices.Key);
        using var weights = new AttentionWeights<float>(new(8, 16, matrices.Query), shared, shared, new(16, 8, matrices.Output));
        using var other = new AttentionWeights<float>(new(8, 16, matrices.Query), new(8, 16, matrices.Key), new(8, 16, matrices.Key), new(16, 8, matrices.Output));
        var kernel = new LayerKernels([layer])[layer].Layer;
        float[] input = LayerMatrices.Normal(new Random(1), 40), expected = new float[40], actual = new float[40];
        kernel.Body(new KernelArguments { Input = input, Weights = other, Output = expected, MaxThreads = 1 });
        kernel.Body(new KernelArguments { Input = input, Weights = weights, Output = actual, MaxThreads = 1 });
        ThreadTests.AssertSameBits(expected, actual);
        weights.Dispose();
        Assert.Throws<ObjectDisposedException>(() => shared.Apply([], []));
    }

    [Fact]
    public void Parts_that_are_no_projections_of_attention()
    {
        using AttentionLinear<float> narrow = new(3, 4, new float[12]), wide = new(5, 4, new float[20]), curved = new(3, 4, new float[12], activation: AttentionActivation.Gelu);
        foreach (var (name, parts) in new (string, Func<AttentionLinear<float>?, AttentionLinear<float>?[]>)[]
        {
            ("query", x => [x, narrow, narrow, narrow]), ("key", x => [narrow, x, narrow, narrow]), ("value", x => [narrow, narrow, x, narrow]), ("output", x => [narrow, narrow, narrow, x]),
        })
        {
            AttentionWeights<float> Make(AttentionLinear<float>? part) => new(parts(part)[0]!, parts(part)[1]!, parts(part)[2]!, parts(part)[3]!);
            Assert.Equal(name, Assert.Throws<ArgumentNullException>(() => Make(null)).ParamName);
            var exception = Assert.Throws<ArgumentException>(() => Make(curved));
            Assert.Equal(name, exception.ParamName);
            Assert.Contains($"{name} has the activation Gelu", exception.Message, StringComparison.Ordinal);
        }

        var widths = Assert.Throws<ArgumentException>(() => new AttentionWeights<float>(narrow, narrow, wide, narrow));
        Assert.Equal("value", widths.ParamName);
        Assert.Contains("value has rows of 5 elements, key of 3", widths.Message, StringComparison.Ordinal);
        _ = new AttentionWeights<float>(wide, narrow, narrow, narrow); // cross attention
    }

    /// <summary>modelDim 6, 4 heads of 5, 2 key-value heads, values of 3, contextDim 8, outputDim 9.</summary>
    [Theory]
    [InlineData("query", 0, 119, "query has 119 elements, but its shape [heads * headDim, modelDim] = [20, 6] needs 120.", "query has 119 elements, but its shape [modelDim, heads * headDim] = [6, 20] needs 120.")]
    [InlineData("key", 1, 81, "key has 81 elements, but its shape [keyValueHeads * headDim, contextDim] = [10, 8] needs 80.", "key has 81 elements, but its shape [contextDim, keyValueHeads * headDim] = [8, 10] needs 80.")]
    [InlineData("value", 2, 0, "value has 0 elements, but its shape [keyValueHeads * valueDim, contextDim] = [6, 8] needs 48.", "value has 0 elements, but its shape [contextDim, keyValueHeads * valueDim] = [8, 6] needs 48.")]
    [InlineData("output", 3, 120, "output has 120 elements, but its shape [outputDim, heads * valueDim] = [9, 12] needs 108.", "output has 120 elements, but its shape [heads * valueDim, outputDim] = [12, 9] needs 108.")]
    [InlineData("queryBias", 4, 19, "queryBias has 19 elements, but its shape [heads * headDim] needs 20, or it is empty.", null)]
    [InlineData("keyBias", 5, 20, "keyBias has 20 elements, but its shape [keyValueHeads * headDim] needs 10, or it is empty.", null)]
    [InlineData("valueBias", 6, 7, "valueBias has 7 elements, but its shape [keyValueHeads * valueDim] needs 6, or it is empty.", null)]
    [InlineData("outputBias", 7, 1, "outputBias has 1 elements, but its shape [outputDim] needs 9, or it is empty.", null)]
    public void Separate_lengths(string name, int index, int length, string message, string? turned)
    {
        int[] lengths = [120, 80, 48, 108, 20, 10, 6, 9];
        lengths[index] = length;
        float[][] given = [.. lengths.Select(length => new float[length])];
        foreach (var order in Enum.GetValues<AttentionWeightOrder>())
            Throws<ArgumentException>(name, order == AttentionWeightOrder.OutputInput ? message : turned ?? message, () =>
                AttentionWeights.Separate<float>(6, 4, 5, given[0], given[1], given[2], given[3], given[4], given[5], given[6], given[7], order, 2, 3, 8, 9));
    }

    [Theory]
    [InlineData("queryKeyValue", 0, 215, "queryKeyValue has 215 elements, but its shape [heads * headDim + keyValueHeads * (headDim + valueDim), modelDim] = [36, 6] needs 216.",
        "queryKeyValue has 215 elements, but its shape [modelDim, heads * headDim + keyValueHeads * (headDim + valueDim)] = [6, 36] needs 216.")]
    [InlineData("output", 1, 1, "output has 1 elements, but its shape [outputDim, heads * valueDim] = [9, 12] needs 108.", "output has 1 elements, but its shape [heads * valueDim, outputDim] = [12, 9] needs 108.")]
    [InlineData("queryKeyValueBias", 2, 35, "queryKeyValueBias has 35 elements, but its shape [heads * headDim + keyValueHeads * (headDim + valueDim)] needs 36, or it is empty.", null)]
    [InlineData("outputBias", 3, 10, "outputBias has 10 elements, but its shape [outputDim] needs 9, or it is empty.", null)]
    public void Fused_lengths(string name, int index, int length, string message, string? turned)
    {
        int[] lengths = [216, 108, 36, 9];
        lengths[index] = length;
        float[][] given = [.. lengths.Select(length => new float[length])];
        foreach (var order in Enum.GetValues<AttentionWeightOrder>())
            foreach (var fused in Enum.GetValues<AttentionFusedOrder>())
                Throws<ArgumentException>(name, order == AttentionWeightOrder.OutputInput ? message : turned ?? message, () =>
                    AttentionWeights.Fused<float>(6, 4, 5, given[0], given[1], given[2], given[3], order, fused, 2, 3, 9));
    }

    [Fact]
    public void Numbers()
    {
        AttentionWeights<float> Separate(int modelDim = 2, int heads = 2, int headDim = 2, int keyHeads = 0, int valueDim = 0, int contextDim = 0, int outputDim = 0, int order = 0) =>
            AttentionWeights.Separate<float>(modelDim, heads, headDim, new float[8], new float[8], new float[8], new float[8], order: (AttentionWeightOrder)order, keyValueHeads: keyHeads, valueDim: valueDim, contextDim: contextDim, outputDim: outputDim);
        AttentionWeights<float> Fused(int keyHeads = 0, int order = 0, int fused = 0) =>
            AttentionWeights.Fused<float>(2, 2, 2, new float[24], new float[8], order: (AttentionWeightOrder)order, fusedOrder: (AttentionFusedOrder)fused, keyValueHeads: keyHeads);
        Separate().Dispose();
        Fused().Dispose();
        Throws<ArgumentOutOfRangeException>("modelDim", "", () => Separate(modelDim: 0));
        Throws<ArgumentOutOfRangeException>("heads", "", () => Separate(heads: -1));
        Throws<ArgumentOutOfRangeException>("headDim", "", () => Separate(headDim: 0));
        Throws<ArgumentOutOfRangeException>("keyValueHeads", "", () => Separate(keyHeads: -1));
        Throws<ArgumentOutOfRangeException>("valueDim", "", () => Separate(valueDim: -1));
        Throws<ArgumentOutOfRangeException>("contextDim", "", () => Separate(contextDim: -1));
        Throws<ArgumentOutOfRangeException>("outputDim", "", () => Separate(outputDim: -1));
        Throws<ArgumentOutOfRangeException>("order", "AttentionWeightOrder", () => Separate(order: 2));
        Throws<ArgumentOutOfRangeException>("order", "AttentionWeightOrder", () => Fused(order: -1));
        Throws<ArgumentOutOfRangeException>("fusedOrder", "AttentionFusedOrder", () => Fused(fused: 7));
        Throws<ArgumentException>("keyValueHeads", "keyValueHeads is 3, which does not divide heads = 2.", () => Fused(keyHeads: 3));
        Throws<ArgumentException>("query", "[heads * headDim, modelDim] = [4294967296, 2] needs 8589934592", () => Separate(heads: 65536, headDim: 65536)); // as an int, the product is 0
        Throws<ArgumentException>("queryKeyValue", "= [12884901888, 2] needs 25769803776", () => AttentionWeights.Fused<float>(2, 65536, 65536, [], []));
        Assert.Throws<NotSupportedException>(() => AttentionWeights.Separate<Half>(2, 2, 2, new float[8], new float[8], new float[8], new float[8]));
    }

    private static void Check<T>(AttentionWeightOrder order, bool biased, Func<LayerMatrices, AttentionWeightOrder, AttentionWeights<T>> create)
        where T : unmanaged
    {
        var layer = s_layer with { Weights = typeof(T) == typeof(float) ? Storage.Wide : typeof(T) == typeof(sbyte) ? Storage.SByte : Storage.BFloat16 };
        var matrices = LayerMatrices.Random(layer, new Random(8), biased);
        var rounded = matrices.Rounded(layer);
        using var weights = create(matrices, order);
        foreach (var (part, expected, bias) in new[]
        {
            (weights.Query, rounded.Query, matrices.QueryBias), (weights.Key, rounded.Key, matrices.KeyBias), (weights.Value, rounded.Value, matrices.ValueBias), (weights.Output, rounded.Output, matrices.OutputBias),
        })
        {
            float[] turned = new float[expected.Length], biases = new float[bias.Length];
            Assert.Equal(expected, WeightsOf(part));
            part.CopyWeightsTo(turned, AttentionWeightOrder.InputOutput);
            Assert.Equal(Turned(expected, part.InputDim), turned);
            Assert.Equal(biased, part.HasBias);
            if (!biased) continue;
            part.CopyBiasTo(biases);
            Assert.Equal(bias, biases);
        }

        if (typeof(T) != typeof(float)) return;
        using var separate = Separate<float>(matrices, AttentionWeightOrder.OutputInput);
        float[] input = LayerMatrices.Normal(new Random(1), 5 * ModelDim), outputs = new float[5 * OutputDim], output = new float[5 * OutputDim];
        s_kernels[s_layer].Layer.Body(new KernelArguments { Input = input, Weights = separate, Output = outputs, MaxThreads = 1 });
        s_kernels[s_layer].Layer.Body(new KernelArguments { Input = input, Weights = weights, Output = output, MaxThreads = 1 });
        ThreadTests.AssertSameBits(outputs, output);
    }

    private static AttentionWeights<T> Separate<T>(LayerMatrices m, AttentionWeightOrder order)
        where T : unmanaged => AttentionWeights.Separate<T>(
            ModelDim, Heads, HeadDim, In(order, m.Query, ModelDim), In(order, m.Key, ModelDim), In(order, m.Value, ModelDim), In(order, m.Output, Heads * ValueDim),
            m.QueryBias, m.KeyBias, m.ValueBias, m.OutputBias, order, KeyValueHeads, ValueDim, outputDim: OutputDim);

    private static AttentionWeights<T> Fused<T>(LayerMatrices m, AttentionWeightOrder order, AttentionFusedOrder fused)
        where T : unmanaged => AttentionWeights.Fused<T>(
            ModelDim, Heads, HeadDim, In(order, Rows(m.Query, m.Key, m.Value, fused, KeyValueHeads, ModelDim), ModelDim), In(order, m.Output, Heads * ValueDim),
            m.QueryBias.Length == 0 ? [] : Rows(m.QueryBias, m.KeyBias, m.ValueBias, fused, KeyValueHeads, 1), m.OutputBias, order, fused, KeyValueHeads, ValueDim, OutputDim);

    /// <summary>The rows of a fused matrix, of so many elements each.</summary>
    private static float[] Rows(float[] query, float[] key, float[] value, AttentionFusedOrder order, int keyHeads, int width)
    {
        if (order == AttentionFusedOrder.Blocks) return [.. query, .. key, .. value];
        int queries = query.Length / keyHeads, keys = HeadDim * width, values = ValueDim * width;
        return [.. Enumerable.Range(0, keyHeads).SelectMany(g => query.Skip(g * queries).Take(queries).Concat(key.Skip(g * keys).Take(keys)).Concat(value.Skip(g * values).Take(values)))];
    }

    private static float[] In(AttentionWeightOrder order, float[] matrix, int inputs) => order == AttentionWeightOrder.OutputInput ? matrix : Turned(matrix, inputs);

    private static float[] Turned(float[] matrix, int inputs) => [.. from d in Enumerable.Range(0, inputs) from row in Enumerable.Range(0, matrix.Length / inputs) select matrix[row * inputs + d]];

    private static float[] WeightsOf<T>(AttentionLinear<T> part)
        where T : unmanaged
    {
        float[] weights = new float[part.InputDim * part.OutputDim];
        part.CopyWeightsTo(weights);
        return weights;
    }

    private static void Throws<TException>(string parameter, string message, Func<object> create)
        where TException : ArgumentException
    {
        var exception = Assert.Throws<TException>(create);
        Assert.Equal(parameter, exception.ParamName);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
