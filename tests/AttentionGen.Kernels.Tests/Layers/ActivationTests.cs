using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Activations against their formulas in double precision, on [-80, 80] and at special values.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class ActivationTests
{
    /// <summary>
    /// The largest relative error of results that are normal floats. Measured: SiLU 2.6e-7, GELU 4.9e-7 (5.7e-7 where there is no fused multiply-add), its tanh form 2.7e-7. That form is
    /// 0 instead of numbers below 4.3e-38, near -10.05.
    /// </summary>
    [Theory]
    [InlineData(AttentionActivation.None, 0, 0)]
    [InlineData(AttentionActivation.Relu, 0, 0)]
    [InlineData(AttentionActivation.Gelu, 6.5e-7, 1.1754944e-38)]
    [InlineData(AttentionActivation.GeluTanh, 3e-7, 4.3e-38)]
    [InlineData(AttentionActivation.Silu, 3e-7, 1.1754944e-38)]
    public void Relative_errors_are_a_few_last_places(AttentionActivation kind, double bound, double least)
    {
        const int Largest = 0x42A00000, Step = 9973; // the bits of 80
        var random = new Random(1);
        float[] magnitudes = [.. Enumerable.Range(0, Largest / Step).Select(i => BitConverter.Int32BitsToSingle(i * Step)), .. Enumerable.Range(0, 20000).Select(_ => 13.3f * random.NextSingle()), 80];
        float[] x = [.. magnitudes, .. magnitudes.Select(magnitude => -magnitude)], actual = [.. x];
        Activations.Apply(kind, actual);
        double worst = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double expected = LayerReference.Activation(kind, x[i]), error = Math.Abs(actual[i] - expected);
            if (Math.Abs(expected) < least) Assert.True(error <= least, $"{kind}({x[i]}) is {actual[i]} instead of {expected}");
            else if (error > 0) worst = Math.Max(worst, error / Math.Abs(expected));
        }

        Assert.True(worst <= bound, $"the largest relative error of {kind} is {worst:g3}");
    }

    public static TheoryData<AttentionActivation> Kinds => [.. LayerReference.OneOperand];

    [Theory, MemberData(nameof(Kinds))]
    public void Special_values(AttentionActivation kind)
    {
        // At any place of a row: before, in and after the last whole vector.
        float[] x = [0, float.PositiveInfinity, float.NegativeInfinity, float.NaN, -1e30f, 1e30f, float.MinValue, float.MaxValue, float.Epsilon, -float.Epsilon, -89, 89, -104, 104, -1e5f];
        foreach (int before in Enumerable.Range(0, 33))
        {
            float[] row = [.. Enumerable.Repeat(1f, before), .. x, -0f];
            Activations.Apply(kind, row);
            Assert.Equal(0, row[^1]);
            for (int i = 0; i < x.Length; i++)
            {
                double expected = kind == AttentionActivation.None ? x[i] : x[i] <= -89 ? 0 : Math.Abs(x[i]) >= 89 || float.IsNaN(x[i]) ? x[i] : LayerReference.Activation(kind, x[i]);
                Assert.Equal((float)expected, row[before + i], (wanted, actual) => wanted.Equals(actual) || Math.Abs(wanted - actual) <= float.Epsilon);
            }
        }
    }

    [Fact]
    public void A_gate_of_infinities_follows_IEEE()
    {
        float[] a = [float.NegativeInfinity, float.PositiveInfinity, float.NegativeInfinity, -1e30f, float.NaN, 0, 1e30f], b = [2, -2, float.PositiveInfinity, float.MaxValue, 0, 5, 1e30f], output = new float[7];
        Activations.Gate(a, b, output);
        Assert.Equal([0, float.NegativeInfinity, float.NaN, 0, float.NaN, 0, float.PositiveInfinity], output);
    }

    [Fact]
    public void A_gate_is_no_activation_of_one_operand()
    {
        float[] row = [1, 2];
        Assert.Throws<ArgumentOutOfRangeException>("kind", () => Activations.Apply(AttentionActivation.SiluGate, row));
        Assert.Throws<ArgumentOutOfRangeException>("kind", () => Activations.Apply((AttentionActivation)77, row));
        Assert.Equal([1, 2], row);
    }
}
