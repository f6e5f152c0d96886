using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Wrong calls of norms name the parameter and the shapes, and write nothing.</summary>
public class WrongNormCallTests
{
    [Theory]
    [InlineData("weight", "weight has 0 elements, one for each column of input is needed.", 6, 0, 0, 6, 0)]
    [InlineData("input", "input has 7 elements, which is not a multiple of the width of weight = [3].", 7, 3, 0, 7, 0)]
    [InlineData("bias", "bias has 2 elements, [width] = [3] are needed, or none.", 6, 3, 2, 6, 0)]
    [InlineData("output", "output has 5 elements, [rows, width] = [2, 3] are needed.", 6, 3, 3, 5, 0)]
    [InlineData("output", "output has 9 elements, [rows, width] = [2, 3] are needed.", 6, 3, 0, 9, 0)]
    [InlineData("output", "output has 3 elements, [rows, width] = [0, 3] are needed.", 0, 3, 0, 3, 0)]
    [InlineData("residual", "residual has 3 elements, [rows, width] = [2, 3] are needed, or none.", 6, 3, 3, 6, 3)]
    public void Lengths(string parameter, string message, int input, int weight, int bias, int output, int residual)
    {
        float[] x = new float[input], w = new float[weight], b = new float[bias], y = [.. Enumerable.Repeat(9f, output)], r = new float[residual];
        Throws<ArgumentException>(parameter, message, () => LayerNorm.Apply(x, w, b, 1e-5f, y, r));
        if (parameter != "bias") Throws<ArgumentException>(parameter, message, () => RmsNorm.Apply(x, w, 1e-5f, y, r));
        Assert.All(y, element => Assert.Equal(9, element));
    }

    [Theory]
    [InlineData(-1e-5f, "epsilon is -1E-05, a finite number of 0 or more is needed.")]
    [InlineData(float.NaN, "epsilon is NaN, a finite number of 0 or more is needed.")]
    [InlineData(float.PositiveInfinity, "epsilon is Infinity, a finite number of 0 or more is needed.")]
    public void Epsilons(float epsilon, string message)
    {
        float[] x = [1, 2], w = [1, 1], y = [9, 9];
        Throws<ArgumentOutOfRangeException>("epsilon", message, () => LayerNorm.Apply(x, w, [], epsilon, y));
        Throws<ArgumentOutOfRangeException>("epsilon", message, () => RmsNorm.Apply(x, w, epsilon, y));
        Assert.Equal([9, 9], y);
    }

    [Fact]
    public void Numbers_of_threads()
    {
        float[] x = [1, 2], w = [1, 1], y = [9, 9];
        const string Message = "maxThreads is -1, at least 1 is needed, or 0 for the default.";
        Throws<ArgumentOutOfRangeException>("maxThreads", Message, () => LayerNorm.Apply(x, w, [], 1, y, maxThreads: -1));
        Throws<ArgumentOutOfRangeException>("maxThreads", Message, () => RmsNorm.Apply(x, w, 1, y, maxThreads: -1));
        Assert.Equal([9, 9], y);
    }

    [Fact]
    public void Overlaps()
    {
        float[] all = [1, 2, 3, 4, 5, 6, 7, 8], weight = [1, 1];
        const string Part = "overlaps a part of", Whole = "output overlaps";
        Throws<ArgumentException>("output", $"output {Part} input", () => LayerNorm.Apply(all.AsSpan(0, 4), weight, [], 1, all.AsSpan(1, 4)));
        Throws<ArgumentException>("output", $"output {Part} residual", () => LayerNorm.Apply(new float[4], weight, [], 1, all.AsSpan(1, 4), all.AsSpan(2, 4)));
        Throws<ArgumentException>("output", $"{Whole} weight", () => LayerNorm.Apply(all.AsSpan(4, 4), all.AsSpan(0, 2), [], 1, all.AsSpan(0, 4)));
        Throws<ArgumentException>("output", $"{Whole} bias", () => LayerNorm.Apply(all.AsSpan(4, 4), weight, all.AsSpan(3, 2), 1, all.AsSpan(0, 4)));
        Throws<ArgumentException>("output", $"output {Part} input", () => RmsNorm.Apply(all.AsSpan(1, 4), weight, 1, all.AsSpan(0, 4)));
        Throws<ArgumentException>("output", $"output {Part} residual", () => RmsNorm.Apply(all.AsSpan(0, 4), weight, 1, all.AsSpan(0, 4), all.AsSpan(1, 4)));
        Throws<ArgumentException>("output", $"{Whole} weight", () => RmsNorm.Apply(all.AsSpan(0, 2), all.AsSpan(0, 2), 1, all.AsSpan(0, 2)));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], all);

        // Side by side, and the residual as the input.
        LayerNorm.Apply(all.AsSpan(0, 4), weight, [], 1, all.AsSpan(4, 4), all.AsSpan(0, 4));
    }

    private static void Throws<TException>(string parameter, string message, Action call)
        where TException : ArgumentException
    {
        var exception = Assert.Throws<TException>(call);
        Assert.Equal(parameter, exception.ParamName);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
