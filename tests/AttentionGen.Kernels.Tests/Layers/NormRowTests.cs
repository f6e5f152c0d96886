using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Rows that are normalised, against double precision: all widths up to 70, rows beside a large mean, large and small numbers, in place, between protected pages.</summary>
public class NormRowTests
{
    private const float Epsilon = 1e-5f;

    /// <summary>The largest error, absolute below 1 and relative above. Measured: 3.4e-7.</summary>
    private const double Bound = 6e-7;

    public static TheoryData<int, float, float> Rows
    {
        get
        {
            var rows = new TheoryData<int, float, float> { { 768, 0, 1 }, { 4096, 3, 1 }, { 20011, 0, 1 } };
            foreach (int width in new[] { 3, 64, 100, 768 })
                foreach (var (mean, deviation) in new[] { (1f, 1f), (1000f, 1f), (1e5f, 1f), (-1e5f, 1e-2f), (0f, 1e-3f), (0f, 1e-30f), (0f, 1e15f), (0f, 1e19f), (1e20f, 1e30f), (0f, 1e37f) }) rows.Add(width, mean, deviation);
            return rows;
        }
    }

    [Theory, MemberData(nameof(Rows)), Trait(IsaMatrixTests.Scalar, "yes")]
    public void Rows_are_those_of_double_precision(int width, float mean, float deviation)
    {
        var (input, _, weight, bias) = Inputs(rows: 3, width, mean, deviation);
        foreach (bool centred in new[] { true, false }) AssertNear(LayerReference.Norm(input, [], weight, centred ? bias : [], Epsilon, centred), Run(input, [], weight, bias, centred));
    }

    [Theory, InlineData(true), InlineData(false), Trait(IsaMatrixTests.Scalar, "yes")]
    public void Widths_from_1_to_70(bool centred)
    {
        for (int width = 1; width <= 70; width++)
        {
            var (input, residual, weight, bias) = Inputs(rows: 3, width, mean: 0.5f, deviation: 1);
            foreach (float[] added in new[] { [], residual })
            {
                foreach (float[] shift in centred ? new[] { [], bias } : [[]])
                {
                    float[] actual = Run(input, added, weight, shift, centred);
                    AssertNear(LayerReference.Norm(input, added, weight, shift, Epsilon, centred), actual);

                    // A row alone, in place, and in the place of the residual.
                    for (int row = 0; row < 3; row++)
                    {
                        Range own = (row * width)..((row + 1) * width);
                        ThreadTests.AssertSameBits(actual.AsSpan(own), Run(input[own], added.Length == 0 ? [] : added[own], weight, shift, centred));
                    }

                    float[] place = [.. input], other = [.. added];
                    Apply(place, added, weight, shift, place, centred);
                    ThreadTests.AssertSameBits(actual, place);
                    if (added.Length == 0) continue;
                    Apply(input, other, weight, shift, other, centred);
                    ThreadTests.AssertSameBits(actual, other);
                }
            }
        }
    }

    [Fact]
    public void Without_epsilon_rows_of_any_size_are_normalised()
    {
        foreach (float size in new[] { 1e-40f, 1e-30f, 1e-15f, 1f, 1e15f, 1e30f })
        {
            float[] input = [size, -2 * size, 3 * size], weight = [1, 1, 1];
            foreach (bool centred in new[] { true, false })
            {
                float[] actual = new float[3];
                if (centred) LayerNorm.Apply(input, weight, [], 0, actual);
                else RmsNorm.Apply(input, weight, 0, actual);
                AssertNear(LayerReference.Norm(input, [], weight, [], 0, centred), actual);
            }
        }
    }

    /// <summary>Only rounding errors of the mean would be left of such rows.</summary>
    [Theory]
    [InlineData(0.1f)]
    [InlineData(-3e9f)]
    public void Equal_elements_become_the_bias(float x)
    {
        foreach (int width in new[] { 1, 3, 100, 769 })
        {
            var (_, _, weight, bias) = Inputs(rows: 1, width, mean: 0, deviation: 1);
            float[] actual = Run([.. Enumerable.Repeat(x, width)], [], weight, bias, centred: true);
            for (int i = 0; i < width; i++) Assert.Equal(bias[i], actual[i], 1e-6f);
        }
    }

    [Fact]
    public void What_is_not_finite_stays_in_its_row()
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            var (input, _, weight, bias) = Inputs(rows: 3, width: 37, mean: 0, deviation: 1);
            float[] expected = Run(input, [], weight, bias, centred: true), expectedRms = Run(input, [], weight, [], centred: false);
            input[37 + 35] = bad;
            float[] actual = Run(input, [], weight, bias, centred: true), actualRms = Run(input, [], weight, [], centred: false);
            Assert.All(actual[37..74], x => Assert.True(float.IsNaN(x)));
            Assert.True(float.IsNaN(actualRms[37 + 35]));
            Assert.All(actualRms[37..72], x => Assert.True(float.IsNaN(bad) ? float.IsNaN(x) : x == 0));
            foreach (var row in new[] { 0..37, 74..111 })
            {
                ThreadTests.AssertSameBits(expected.AsSpan(row), actual.AsSpan(row));
                ThreadTests.AssertSameBits(expectedRms.AsSpan(row), actualRms.AsSpan(row));
            }
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Rows_between_protected_pages(bool centred)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        const int Bytes = 3 * 70 * sizeof(float);
        using GuardedMemory input = new(Bytes), residual = new(Bytes), weight = new(Bytes), bias = new(Bytes), output = new(Bytes);
        for (int width = 1; width <= 70; width++)
            foreach (bool atEnd in new[] { true, false })
            {
                var (x, added, factors, shift) = Inputs(rows: 3, width, mean: 0, deviation: 1);
                foreach (float[] rest in new[] { [], added })
                {
                    var result = output.Take<float>(3 * width, atEnd);
                    Apply(input.Copy<float>(x, atEnd), residual.Copy<float>(rest, atEnd), weight.Copy<float>(factors, atEnd), bias.Copy<float>(shift, atEnd), result, centred);
                    ThreadTests.AssertSameBits(Run(x, rest, factors, shift, centred), result);
                }
            }
    }

    [Fact]
    public void No_rows_are_fine()
    {
        LayerNorm.Apply([], [1, 2], [3, 4], 0, []);
        RmsNorm.Apply([], [1, 2], 0, []);
    }

    internal static (float[] Input, float[] Residual, float[] Weight, float[] Bias) Inputs(int rows, int width, float mean, float deviation)
    {
        var random = new Random(width);
        float[] Numbers(int count, float centre, float size) => [.. Enumerable.Range(0, count).Select(_ => centre + size * 2 * (2 * random.NextSingle() - 1))];
        return (Numbers(rows * width, mean, deviation), Numbers(rows * width, 0, deviation), Numbers(width, 1, 0.3f), Numbers(width, 0, 0.3f));
    }

    internal static void Apply(ReadOnlySpan<float> input, ReadOnlySpan<float> residual, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> output, bool centred, int maxThreads = 0)
    {
        if (centred) LayerNorm.Apply(input, weight, bias, Epsilon, output, residual, maxThreads);
        else RmsNorm.Apply(input, weight, Epsilon, output, residual, maxThreads);
    }

    internal static float[] Run(float[] input, float[] residual, float[] weight, float[] bias, bool centred, int maxThreads = 1)
    {
        float[] output = new float[input.Length];
        Apply(input, residual, weight, bias, output, centred, maxThreads);
        return output;
    }

    private static void AssertNear(double[] expected, float[] actual)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(expected[i] - actual[i]) / Math.Max(1, Math.Abs(expected[i]));
            Assert.True(error <= Bound, $"element {i} of {expected.Length} is {actual[i]:g9} instead of {expected[i]:g9}");
        }
    }
}
