using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Layers and calls whose arguments do not fit: the parameter and the shapes that the user is told; nothing is written. And spans that overlap.</summary>
public class WrongLinearCallTests
{
    [Fact]
    public void Layers_whose_numbers_do_not_fit()
    {
        Assert.Throws<ArgumentOutOfRangeException>("inputDim", () => new AttentionLinear<float>(0, 5, []));
        Assert.Throws<ArgumentOutOfRangeException>("inputDim", () => new AttentionLinear<float>(-3, 5, []));
        Assert.Throws<ArgumentOutOfRangeException>("outputDim", () => new AttentionLinear<float>(3, 0, []));
        Assert.Throws<ArgumentOutOfRangeException>("outputDim", () => new AttentionLinear<float>(3, -1, []));
        Assert.Contains("order is 7", Assert.Throws<ArgumentOutOfRangeException>("order", () => new AttentionLinear<float>(3, 5, new float[15], order: (AttentionWeightOrder)7)).Message);
        Assert.Contains("activation is -1", Assert.Throws<ArgumentOutOfRangeException>("activation", () => new AttentionLinear<float>(3, 5, new float[15], activation: (AttentionActivation)(-1))).Message);
        Assert.Contains("Int32", Assert.Throws<NotSupportedException>(() => new AttentionLinear<int>(3, 5, new float[15])).Message);
        Assert.Contains("Half", Assert.Throws<NotSupportedException>(() => new AttentionLinear<Half>(3, 5, new float[15])).Message);
    }

    [Fact]
    public void Layers_whose_lengths_do_not_fit()
    {
        Throws("weights", "weights has 14 elements, but its shape [outputDim, inputDim] = [5, 3] needs 15.", () => new AttentionLinear<float>(3, 5, new float[14]));
        Throws("weights", "weights has 0 elements, but its shape [inputDim, outputDim] = [3, 5] needs 15.", () => new AttentionLinear<BFloat16>(3, 5, [], order: AttentionWeightOrder.InputOutput));
        Throws("weights", "weights has 15 elements, but its shape [2 * outputDim, inputDim] = [10, 3] needs 30.", () => new AttentionLinear<sbyte>(3, 5, new float[15], activation: AttentionActivation.SiluGate));
        Throws("weights", "weights has 15 elements, but its shape [inputDim, 2 * outputDim] = [3, 10] needs 30.",
            () => new AttentionLinear<float>(3, 5, new float[15], order: AttentionWeightOrder.InputOutput, activation: AttentionActivation.SiluGate));
        Throws("weights", "weights has 0 elements, but its shape [outputDim, inputDim] = [2147483647, 2147483647] needs 4611686014132420609.", () => new AttentionLinear<float>(int.MaxValue, int.MaxValue, []));
        Throws("bias", "bias has 4 elements, but its shape [outputDim] needs 5, or it is empty.", () => new AttentionLinear<float>(3, 5, new float[15], new float[4]));
        Throws("bias", "bias has 5 elements, but its shape [2 * outputDim] needs 10, or it is empty.", () => new AttentionLinear<float>(3, 5, new float[30], new float[5], activation: AttentionActivation.SiluGate));
    }

    [Fact]
    public void Calls_whose_lengths_do_not_fit()
    {
        using var layer = new AttentionLinear<float>(3, 5, new float[15], new float[5]);
        float[] input = new float[6], output = [.. Enumerable.Repeat(7f, 10)];
        Throws("input", "input has 5 elements, which is not a multiple of inputDim = 3.", () => layer.Apply(input.AsSpan(1), output));
        Throws("output", "output has 9 elements, but its shape [rows, outputDim] = [2, 5] needs 10.", () => layer.Apply(input, output.AsSpan(1)));
        Throws("output", "output has 10 elements, but its shape [rows, outputDim] = [0, 5] needs 0.", () => layer.Apply([], output));
        Throws("residual", "residual has 5 elements, but its shape [rows, outputDim] = [2, 5] needs 10, or it is empty.", () => layer.Apply(input, output, new float[5]));
        Throws("weights", "weights has 14 elements, 15 are needed.", () => layer.CopyWeightsTo(output.Concat(new float[4]).ToArray()));
        Throws("bias", "bias has 10 elements, 5 are needed.", () => layer.CopyBiasTo(output));
        Assert.Throws<ArgumentOutOfRangeException>("maxThreads", () => layer.Apply(input, output, maxThreads: -1));
        Assert.Throws<ArgumentOutOfRangeException>("order", () => layer.CopyWeightsTo(new float[15], (AttentionWeightOrder)2));
        Assert.All(output, x => Assert.Equal(7, x));
    }

    [Fact]
    public void An_output_that_shares_elements_with_the_input()
    {
        using var layer = new AttentionLinear<float>(4, 4, new float[16]);
        float[] memory = [.. Enumerable.Repeat(7f, 40)];
        for (int offset = -8; offset <= 8; offset++)
        {
            void Call() => layer.Apply(memory.AsSpan(16, 8), memory.AsSpan(16 + offset, 8));
            if (Math.Abs(offset) == 8)
            {
                Call();
                memory.AsSpan().Fill(7);
            }
            else
            {
                Assert.Contains("input", Assert.Throws<ArgumentException>("output", Call).Message);
                Assert.All(memory, x => Assert.Equal(7, x));
            }
        }
    }

    [Fact]
    public void An_output_that_shares_some_elements_with_the_residual()
    {
        using var layer = new AttentionLinear<float>(1, 4, new float[4]);
        float[] memory = [.. Enumerable.Range(0, 40)], before = [.. memory];
        for (int offset = -8; offset <= 8; offset++)
        {
            void Call() => layer.Apply([1, 2], memory.AsSpan(16 + offset, 8), memory.AsSpan(16, 8));
            if (offset is 0 or -8 or 8)
            {
                Call();
                Assert.Equal(before.AsSpan(16, 8), memory.AsSpan(16 + offset, 8)); // 0 + residual
                before.CopyTo(memory, 0);
            }
            else
            {
                Assert.Contains("residual", Assert.Throws<ArgumentException>("output", Call).Message);
                Assert.Equal(before, memory);
            }
        }
    }

    /// <summary>Both are only read.</summary>
    [Fact]
    public void The_input_may_be_the_residual()
    {
        using var layer = new AttentionLinear<float>(4, 4, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
        float[] memory = [1, 2, 3, 4], output = new float[4];
        layer.Apply(memory, output, memory);
        Assert.Equal([2, 4, 6, 8], output);
    }

    private static void Throws(string parameter, string message, Func<object> create) => Assert.StartsWith(message, Assert.Throws<ArgumentException>(parameter, create).Message);

    private static void Throws(string parameter, string message, Action call) => Assert.StartsWith(message, Assert.Throws<ArgumentException>(parameter, call).Message);
}
