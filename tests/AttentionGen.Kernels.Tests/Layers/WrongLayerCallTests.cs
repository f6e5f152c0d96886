using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Wrong calls of layers name the parameter and the shapes, and write nothing.</summary>
public class WrongLayerCallTests
{
    private const float Untouched = 7;

    private const Roles Results = Roles.MaxThreads | Roles.LogSumExp | Roles.ArgMax;

    /// <summary>Rows of 24 and 30 elements become 4 queries of 16, 2 keys of 16 and 2 values of 8, and rows of 20.</summary>
    private static readonly LayerDeclaration s_crossed = new(new(4, 16) { KeyValueHeads = 2, ValueDim = 8, Roles = Results, Isas = LayerTests.Isas }, 24) { ContextDim = 30, OutputDim = 20, HasResidual = true },
        s_plain = new(new(2, 8) { Isas = LayerTests.Isas }, 24), s_batched = s_plain with { Attention = s_plain.Attention with { Batched = true } },
        s_many = new(new(512, 64) { Isas = LayerTests.Isas }, 1), s_fixed = s_plain with { Attention = s_plain.Attention with { QueryLength = 4, KeyLength = 4 } };

    private static readonly LayerKernels s_kernels = new([s_crossed, s_plain, s_batched, s_fixed, s_many]);

    private delegate KernelArguments Change(KernelArguments good);

    [Fact]
    public void Rows_of_no_whole_elements()
    {
        Throws<ArgumentException>("input", good => good with { Input = good.Input[1..] }, "input has 71 elements, which is not a multiple of modelDim = 24.");
        Throws<ArgumentException>("context", good => good with { Context = good.Context[1..] }, "context has 149 elements, which is not a multiple of contextDim = 30.");
    }

    [Fact]
    public void Rows_that_are_not_as_many_as_those_of_the_input()
    {
        Throws<ArgumentException>("output", good => good with { Output = good.Output[20..] }, "output has 40 elements, but its shape [queries, outputDim] = [3, 20] needs 60.");
        Throws<ArgumentException>("output", good => good with { Output = default }, "output has 0 elements, but its shape [queries, outputDim] = [3, 20] needs 60.");
        Throws<ArgumentException>("output", good => good with { Input = default }, "output has 60 elements, but its shape [queries, outputDim] = [0, 20] needs 0.");
        Throws<ArgumentException>("residual", good => good with { Residual = good.Residual[1..] }, "residual has 59 elements, but its shape [queries, outputDim] = [3, 20] needs 60.");
        Throws<ArgumentException>("residual", good => good with { Residual = default }, "residual has 0 elements, but its shape [queries, outputDim] = [3, 20] needs 60.");
        Throws<ArgumentException>("logSumExp", good => good with { LogSumExp = good.LogSumExp[1..] }, "logSumExp has 11 elements, [batch, heads, queries] = [1, 4, 3] are needed");
        Throws<ArgumentException>("argmax", good => good with { ArgMax = default }, "argmax has 0 elements, [batch, heads, queries] = [1, 4, 3] are needed");
    }

    [Theory, InlineData(0), InlineData(-1)]
    public void Fewer_threads_than_one(int threads) => Throws<ArgumentOutOfRangeException>("maxThreads", good => good with { MaxThreads = threads }, $"maxThreads is {threads}", "at least 1");

    [Fact]
    public void A_batch_that_does_not_divide_the_rows()
    {
        using var inputs = new LayerInputs(s_kernels, s_batched, new Problem(s_batched.Attention, 3, 3));
        Throws<ArgumentException>("input", inputs, good => good with { Batch = 2 }, "input has 3 tokens", "batch of 2");
        Throws<ArgumentOutOfRangeException>("batch", inputs, good => good with { Batch = -1 }, "batch is -1");
    }

    [Fact]
    public void Rows_of_another_number_than_the_declared_one()
    {
        using var inputs = new LayerInputs(s_kernels, s_fixed, new Problem(s_fixed.Attention, 4, 4));
        Throws<ArgumentException>("input", inputs, good => good with { Input = good.Input[24..], Output = good.Output[24..] }, "input has 3 tokens", "4");
    }

    [Fact]
    public void More_elements_than_a_span_has()
    {
        using var inputs = new LayerInputs(s_kernels, s_many, new Problem(s_many.Attention, 3, 3));
        Throws<ArgumentException>("input", inputs, good => good with { Input = new float[65536], Output = new float[65536] }, "input has 65536 rows, which become [65536, 512, 64]", "2147483647");
    }

    [Fact]
    public void No_weights() => Throws<ArgumentNullException>("weights", good => good with { Weights = null });

    [Theory]
    [InlineData(23, 64, 30, 32, 30, 16, 32, 20, "weights.Query has the shape [23, 64], but the layer needs [modelDim, heads * headDim] = [24, 64].")]
    [InlineData(24, 48, 30, 32, 30, 16, 32, 20, "weights.Query has the shape [24, 48], but the layer needs [modelDim, heads * headDim] = [24, 64].")]
    [InlineData(24, 64, 24, 32, 24, 16, 32, 20, "weights.Key has the shape [24, 32], but the layer needs [contextDim, keyValueHeads * headDim] = [30, 32].")]
    [InlineData(24, 64, 30, 64, 30, 16, 32, 20, "weights.Key has the shape [30, 64], but the layer needs [contextDim, keyValueHeads * headDim] = [30, 32].")]
    [InlineData(24, 64, 30, 32, 30, 32, 32, 20, "weights.Value has the shape [30, 32], but the layer needs [contextDim, keyValueHeads * valueDim] = [30, 16].")]
    [InlineData(24, 64, 30, 32, 30, 16, 64, 20, "weights.Output has the shape [64, 20], but the layer needs [heads * valueDim, outputDim] = [32, 20].")]
    [InlineData(24, 64, 30, 32, 30, 16, 32, 24, "weights.Output has the shape [32, 24], but the layer needs [heads * valueDim, outputDim] = [32, 20].")]
    public void Weights_of_another_shape(int q0, int q1, int k0, int k1, int v0, int v1, int o0, int o1, string message)
    {
        static AttentionLinear<float> Linear(int inputs, int outputs) => new(inputs, outputs, new float[inputs * outputs]);
        using var weights = new AttentionWeights<float>(Linear(q0, q1), Linear(k0, k1), Linear(v0, v1), Linear(o0, o1));
        Throws<ArgumentException>("weights", good => good with { Weights = weights }, message);
    }

    [Fact]
    public void Weights_of_a_layer_without_a_context()
    {
        using var inputs = new LayerInputs(s_kernels, s_plain, new Problem(s_plain.Attention, 3, 3));
        using var other = AttentionWeights.Separate<float>(24, 2, 8, new float[24 * 16], new float[30 * 16], new float[30 * 16], new float[16 * 24], contextDim: 30);
        Throws<ArgumentException>("weights", inputs, good => good with { Weights = other }, "weights.Key has the shape [30, 16], but the layer needs [modelDim, keyValueHeads * headDim] = [24, 16].");
    }

    /// <summary>All of them, or one: then the others are given back.</summary>
    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Disposed_weights(int part)
    {
        using var inputs = new LayerInputs(s_kernels, s_plain, new Problem(s_plain.Attention, 3, 3));
        var weights = (AttentionWeights<float>)inputs.Weights.Weights;
        var all = new IDisposable[] { weights, weights.Query, weights.Key, weights.Value, weights.Output };
        all[part].Dispose();
        float[] output = [.. Enumerable.Repeat(Untouched, 72)];
        for (int i = 0; i < 3; i++)
            Assert.Contains("AttentionWeights", Assert.Throws<ObjectDisposedException>(() => inputs.Kernel.Body(inputs.Arguments(output))).ObjectName, StringComparison.Ordinal);
        Assert.All(output, x => Assert.Equal(Untouched, x));
    }

    [Fact]
    public void A_residual_that_overlaps_a_part_of_the_output()
    {
        float[] shared = [.. Enumerable.Repeat(Untouched, 120)];
        foreach (int offset in new[] { 1, 20, 59 })
        {
            Throws<ArgumentException>("output", good => good with { Residual = shared.AsSpan(0, 60), Output = shared.AsSpan(offset, 60) }, "output overlaps a part of residual");
            Throws<ArgumentException>("output", good => good with { Residual = shared.AsSpan(offset, 60), Output = shared.AsSpan(0, 60) }, "output overlaps a part of residual");
        }

        Assert.All(shared, x => Assert.Equal(Untouched, x));
    }

    /// <summary>The last projection would overwrite them, or read what they have overwritten.</summary>
    [Fact]
    public void Results_that_overlap_the_rows()
    {
        float[] shared = [.. Enumerable.Repeat(Untouched, 300)];
        Throws<ArgumentException>("output", good => good with { Output = shared.AsSpan(0, 60), LogSumExp = shared.AsSpan(59, 12) }, "output overlaps logSumExp");
        Throws<ArgumentException>("output", good => good with { Output = shared.AsSpan(11, 60), ArgMax = Ints(shared)[..12] }, "output overlaps argmax");
        Throws<ArgumentException>("logSumExp", good => good with { Input = shared.AsSpan(11, 72), LogSumExp = shared.AsSpan(0, 12) }, "logSumExp overlaps input");
        Throws<ArgumentException>("logSumExp", good => good with { Context = shared.AsSpan(0, 150), LogSumExp = shared.AsSpan(20, 12) }, "logSumExp overlaps context");
        Throws<ArgumentException>("argmax", good => good with { Residual = shared.AsSpan(0, 60), ArgMax = Ints(shared).Slice(59, 12) }, "argmax overlaps residual");
        Throws<ArgumentException>("argmax", good => good with { LogSumExp = shared.AsSpan(0, 12), ArgMax = Ints(shared).Slice(11, 12) }, "argmax overlaps logSumExp");
        Assert.All(shared, x => Assert.Equal(Untouched, x));
    }

    [Fact]
    public void Neighbours_are_no_overlap()
    {
        using var inputs = new LayerInputs(s_kernels, s_crossed, new Problem(s_crossed.Attention, 3, 5));
        float[] expected = inputs.Run(), shared = [.. inputs.Input, .. inputs.Context, .. inputs.Residual, .. new float[60 + 12]];
        var arguments = inputs.Arguments(shared.AsSpan(72 + 150 + 60, 60));
        inputs.Kernel.Body(arguments with { Input = shared.AsSpan(0, 72), Context = shared.AsSpan(72, 150), Residual = shared.AsSpan(222, 60), LogSumExp = shared.AsSpan(342, 12) });
        ThreadTests.AssertSameBits(expected, shared.AsSpan(282, 60));
    }

    private static Span<int> Ints(Span<float> floats) => MemoryMarshal.Cast<float, int>(floats);

    /// <summary>A good call of 3 queries and 5 keys, changed.</summary>
    private static void Throws<TException>(string parameter, Change change, params string[] parts)
        where TException : ArgumentException
    {
        using var inputs = new LayerInputs(s_kernels, s_crossed, new Problem(s_crossed.Attention, 3, 5));
        Throws<TException>(parameter, inputs, change, parts);
    }

    private static void Throws<TException>(string parameter, LayerInputs inputs, Change change, params string[] parts)
        where TException : ArgumentException
    {
        float[] output = [.. Enumerable.Repeat(Untouched, inputs.OutputLength)], residual = [.. inputs.Residual], input = [.. inputs.Input];
        var exception = Assert.Throws<TException>(() => inputs.Kernel.Body(change(inputs.Arguments(output))));
        Assert.Equal(parameter, exception.ParamName);
        Assert.All(parts, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
        Assert.All(output, x => Assert.Equal(Untouched, x));
        Assert.All(inputs.Results.LogSumExp, x => Assert.Equal(float.NaN, x));
        Assert.All(inputs.Results.ArgMax, x => Assert.Equal(-7, x));
        Assert.Equal(residual, inputs.Residual);
        Assert.Equal(input, inputs.Input);
    }
}
