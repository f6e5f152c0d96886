using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Spans of a layer that are the same: the output may be the input, the residual, or both.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class LayerPlaceTests
{
    private static readonly LayerDeclaration s_plain = new(new(4, 32) { Mask = AttentionMask.Causal, Isas = LayerTests.Isas }, 48),
        s_added = s_plain with { HasResidual = true }, s_crossed = s_added with { ContextDim = 48 };

    private static readonly LayerKernels s_kernels = new([s_plain, s_added, s_crossed]);

    [Theory, InlineData(1, 1), InlineData(9, 1), InlineData(150, 2)]
    public void The_output_may_be_the_input(int rows, int threads)
    {
        using var inputs = new LayerInputs(s_kernels, s_plain, new Problem(s_plain.Attention, rows, rows));
        float[] expected = inputs.Run(), place = [.. inputs.Input];
        inputs.Kernel.Body(inputs.Arguments(place) with { Input = place, MaxThreads = threads });
        ThreadTests.AssertSameBits(expected, place);
    }

    [Theory, InlineData(1, 1), InlineData(9, 1), InlineData(150, 2)]
    public void The_residual_may_be_the_output_and_the_input(int rows, int threads)
    {
        using var inputs = new LayerInputs(s_kernels, s_added, new Problem(s_added.Attention, rows, rows));
        float[] expected = inputs.Run(), place = [.. inputs.Residual];
        inputs.Kernel.Body(inputs.Arguments(place) with { Residual = place, MaxThreads = threads });
        ThreadTests.AssertSameBits(expected, place);

        inputs.Input.CopyTo(inputs.Residual, 0);
        expected = inputs.Run();
        place = [.. inputs.Input];
        inputs.Kernel.Body(inputs.Arguments(place) with { Input = place, Residual = place, MaxThreads = threads });
        ThreadTests.AssertSameBits(expected, place);
        place = [.. inputs.Input];
        float[] output = new float[place.Length];
        inputs.Kernel.Body(inputs.Arguments(output) with { Input = place, Residual = place, MaxThreads = threads });
        ThreadTests.AssertSameBits(expected, output);
    }

    [Fact]
    public void The_output_may_be_the_context()
    {
        using var inputs = new LayerInputs(s_kernels, s_crossed, new Problem(s_crossed.Attention, 20, 20));
        float[] expected = inputs.Run(), place = [.. inputs.Context];
        inputs.Kernel.Body(inputs.Arguments(place) with { Context = place, MaxThreads = 1 });
        ThreadTests.AssertSameBits(expected, place);
    }

    /// <summary>The layer of a zero matrix adds its bias, whatever the rows are.</summary>
    [Fact]
    public void Rows_that_see_no_key_become_bias_and_residual()
    {
        using var inputs = new LayerInputs(s_kernels, s_crossed, new Problem(s_crossed.Attention, 5, 0));
        float[] output = inputs.Run();
        for (int i = 0; i < output.Length; i++) Assert.Equal(inputs.Matrices.OutputBias[i % 48] + inputs.Residual[i], output[i]);
    }
}
