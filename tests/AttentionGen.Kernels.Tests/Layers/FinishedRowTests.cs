using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The end of a matrix product: rows of all lengths with and without each operand, in place and between protected pages.</summary>
public class FinishedRowTests
{
    public static TheoryData<AttentionActivation> Kinds => [.. LayerReference.OneOperand];

    [Theory, MemberData(nameof(Kinds)), Trait(IsaMatrixTests.Scalar, "yes")]
    public void Rows_of_all_lengths_with_each_set_of_operands(AttentionActivation kind)
    {
        for (int length = 0; length <= 70; length++)
            for (int set = 0; set < 8; set++)
            {
                var (sums, scales, bias, residual) = Row(length, set);
                double[] expected = LayerReference.Finish(sums, scales, bias, residual, kind);
                float[] actual = new float[length];
                Activations.Finish(sums, scales, bias, residual, kind, actual);
                AssertNear(expected, actual);
                Activations.Finish(sums, scales, bias, residual, kind, sums); // in place
                ThreadTests.AssertSameBits(actual, sums);
                if (residual.Length > 0)
                {
                    Activations.Finish(Row(length, set).Sums, scales, bias, residual, kind, residual);
                    ThreadTests.AssertSameBits(actual, residual);
                }
            }
    }

    [Fact, Trait(IsaMatrixTests.Scalar, "yes")]
    public void Gates_of_all_lengths_with_each_set_of_operands()
    {
        for (int length = 0; length <= 70; length++)
            for (int set = 0; set < 32; set++)
            {
                var (a, scalesA, biasA, residual) = Row(length, set & 7);
                var (b, scalesB, biasB, _) = Row(length, set >> 3, seed: 2);
                double[] expected =
                [
                    .. a.Select((_, i) => LayerReference.Activation(AttentionActivation.Silu, LayerReference.Scaled(a, scalesA, biasA, i)) * LayerReference.Scaled(b, scalesB, biasB, i) + (residual.Length == 0 ? 0 : residual[i])),
                ];
                float[] actual = new float[length];
                Activations.FinishGate(a, b, scalesA, scalesB, biasA, biasB, residual, actual);
                AssertNear(expected, actual);
                Activations.FinishGate(a, b, scalesA, scalesB, biasA, biasB, residual, set % 2 == 0 ? a : b);
                ThreadTests.AssertSameBits(actual, set % 2 == 0 ? a : b);
            }
    }

    /// <summary>A batch is computed in other rows and lengths than its items alone.</summary>
    [Theory, MemberData(nameof(Kinds)), Trait(IsaMatrixTests.Scalar, "yes")]
    public void An_element_has_the_same_bits_at_any_place(AttentionActivation kind)
    {
        var (sums, scales, bias, residual) = Row(70, set: 7);
        float[] whole = new float[70], gated = new float[70];
        Activations.Finish(sums, scales, bias, residual, kind, whole);
        Activations.FinishGate(sums, residual, scales, [], bias, [], bias, gated);
        for (int first = 0; first < 70; first++)
            for (int length = 1; length <= 70 - first; length += 1 + first % 3)
            {
                float[] part = new float[length];
                Activations.Finish(sums.AsSpan(first, length), scales.AsSpan(first, length), bias.AsSpan(first, length), residual.AsSpan(first, length), kind, part);
                ThreadTests.AssertSameBits(whole.AsSpan(first, length), part);
                if (kind != AttentionActivation.Silu) continue;
                Activations.FinishGate(sums.AsSpan(first, length), residual.AsSpan(first, length), scales.AsSpan(first, length), [], bias.AsSpan(first, length), [], bias.AsSpan(first, length), part);
                ThreadTests.AssertSameBits(gated.AsSpan(first, length), part);
            }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Rows_between_protected_pages(AttentionActivation kind)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        const int Bytes = 70 * sizeof(float);
        using GuardedMemory sums = new(Bytes), scales = new(Bytes), bias = new(Bytes), residual = new(Bytes), output = new(Bytes);
        for (int length = 1; length <= 70; length++)
            foreach (bool atEnd in new[] { true, false })
            {
                var row = Row(length, set: 7);
                float[] expected = new float[length];
                Activations.Finish(row.Sums, row.Scales, row.Bias, row.Residual, kind, expected);
                Span<float> sum = sums.Copy<float>(row.Sums, atEnd), scale = scales.Copy<float>(row.Scales, atEnd), offset = bias.Copy<float>(row.Bias, atEnd), rest = residual.Copy<float>(row.Residual, atEnd);
                var result = output.Take<float>(length, atEnd);
                Activations.Finish(sum, scale, offset, rest, kind, result);
                ThreadTests.AssertSameBits(expected, result);
                if (kind != AttentionActivation.Silu) continue;
                Activations.FinishGate(row.Sums, row.Residual, row.Scales, row.Scales, row.Bias, row.Bias, row.Bias, expected);
                Activations.FinishGate(sum, rest, scale, scale, offset, offset, offset, result);
                ThreadTests.AssertSameBits(expected, result);
            }
    }

    /// <summary>An array with elements around a row: what is outside stays as it is.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void Nothing_is_written_beside_a_row(AttentionActivation kind)
    {
        for (int length = 1; length <= 70; length++)
        {
            float[] around = [.. Enumerable.Repeat(-7f, length + 40)];
            Activations.Finish(Row(length, set: 7).Sums, [], [], [], kind, around.AsSpan(20, length));
            Assert.All(around.Take(20).Concat(around.Skip(20 + length)), x => Assert.Equal(-7, x));
        }
    }

    [Fact]
    public void Lengths_that_differ_are_refused()
    {
        Assert.ThrowsAny<ArgumentException>(() => Activations.Finish(new float[3], [], [], [], AttentionActivation.None, new float[2]));
        Assert.ThrowsAny<ArgumentException>(() => Activations.Finish(new float[3], new float[2], [], [], AttentionActivation.None, new float[3]));
        Assert.ThrowsAny<ArgumentException>(() => Activations.Finish(new float[3], [], new float[2], [], AttentionActivation.None, new float[3]));
        Assert.ThrowsAny<ArgumentException>(() => Activations.Finish(new float[3], [], [], new float[2], AttentionActivation.None, new float[3]));
        Assert.ThrowsAny<ArgumentException>(() => Activations.Gate(new float[3], new float[2], new float[3]));
    }

    /// <param name="length">The number of columns.</param>
    /// <param name="set">The operands that there are: 1 for scales, 2 for the bias, 4 for the residual.</param>
    /// <param name="seed">Of the numbers.</param>
    private static (float[] Sums, float[] Scales, float[] Bias, float[] Residual) Row(int length, int set, int seed = 1)
    {
        var random = new Random(seed);
        float[] Numbers(float size, bool areThere)
        {
            float[] numbers = [.. Enumerable.Range(0, length).Select(_ => size * (2 * random.NextSingle() - 1))];
            return areThere ? numbers : [];
        }

        return (Numbers(5, true), Numbers(2, (set & 1) != 0), Numbers(3, (set & 2) != 0), Numbers(4, (set & 4) != 0));
    }

    /// <summary>The rounding of sums * scales + bias, up to 13, is enlarged by a slope of up to 1.13.</summary>
    private static void AssertNear(double[] expected, float[] actual)
    {
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= 4e-6 + 1e-6 * Math.Abs(expected[i]), $"element {i} of {expected.Length} is {actual[i]:g9} instead of {expected[i]:g9}");
    }
}
