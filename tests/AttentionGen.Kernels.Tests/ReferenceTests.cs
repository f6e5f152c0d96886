using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The reference, on numbers that can be worked out by hand.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class ReferenceTests
{
    private static readonly float s_log3 = MathF.Log(3);

    [Fact]
    public void Weights_are_the_softmax_of_the_scaled_scores()
    {
        // Scores 0 and log 3: weights 1/4 and 3/4.
        double[] output = new double[1], weights = new double[2];
        new AttentionReference(1, 1) { Scale = 0.5 }.Attend([2], [0, s_log3], [4, 8], output, weights: weights);
        Assert.Equal([0.25, 0.75], weights, Close);
        Assert.Equal([7.0], output, Close);
    }

    [Fact]
    public void The_scale_is_one_by_the_root_of_the_head_dimension()
    {
        double[] output = new double[1];
        new AttentionReference(1, 4) { ValueDim = 1 }.Attend([1, 1, 1, 1], [0, 0, 0, 0, 2 * s_log3, 0, 0, 0], [4, 8], output);
        Assert.Equal([7.0], output, Close);
    }

    [Fact]
    public void Heads_share_keys_and_values_in_blocks()
    {
        // Four heads, two of keys and values: heads 0 and 1 read the first, 2 and 3 the second.
        double[] output = new double[4];
        new AttentionReference(4, 1) { KeyValueHeads = 2 }.Attend([1, 1, 1, 1], [1, 1], [10, 20], output);
        Assert.Equal([10.0, 10, 20, 20], output, Close);
    }

    [Theory]
    [InlineData(0, new[] { 1.0, 1.5 })] // sees key 0; keys 0 and 1
    [InlineData(1, new[] { 1.5, 2.0 })]
    [InlineData(9, new[] { 2.0, 2.0 })]
    [InlineData(int.MaxValue, new[] { 2.0, 2.0 })]
    public void A_causal_query_sees_the_keys_up_to_its_position(int start, double[] means)
    {
        double[] output = new double[2];
        new AttentionReference(1, 1) { Mask = AttentionMask.Causal }.Attend([0, 0], [5, 6, 7], [1, 2, 3], output, queryStarts: [start]);
        Assert.Equal(means, output, Close);
    }

    [Theory]
    [InlineData(AttentionMask.None, 0, -1, 1, new[] { 14.0 / 3, 6, 8 })] // itself and what follows it
    [InlineData(AttentionMask.None, 1, 0, 1, new[] { 1.5, 3.0, 6 })]     // itself and the key before it
    [InlineData(AttentionMask.Causal, 1, -1, 1, new[] { 1.5, 3.0, 6 })]
    [InlineData(AttentionMask.Causal, 1, 2, 1, new[] { 1.5, 3.0, 6 })]
    [InlineData(AttentionMask.None, -1, 1, 1, new[] { 7.0 / 3, 3.75, 3.75 })]
    [InlineData(AttentionMask.None, 0, 0, 1, new[] { 2.0, 4, 8 })]
    [InlineData(AttentionMask.None, 9, 9, 1, new[] { 3.75, 3.75, 3.75 })]
    [InlineData(AttentionMask.None, 4, -1, 7, new[] { 8.0, 0, 0 })] // the key at 3 is the last
    [InlineData(AttentionMask.None, 4, -1, int.MaxValue, new[] { 0.0, 0, 0 })]
    public void A_query_sees_so_many_keys_before_and_behind_its_position(AttentionMask mask, int left, int right, int start, double[] means)
    {
        double[] output = new double[3];
        new AttentionReference(1, 1) { Mask = mask, WindowLeft = left, WindowRight = right }.Attend([0, 0, 0], [5, 6, 7, 8], [1, 2, 4, 8], output, queryStarts: [start]);
        Assert.Equal(means, output, Close);
    }

    [Fact]
    public void The_last_query_sees_the_last_visible_key_and_earlier_ones_may_see_nothing()
    {
        double[] output = new double[6];
        new AttentionReference(1, 1) { Mask = AttentionMask.Causal }.Attend(new float[6], new float[6], [1, 2, 3, 1, 2, 3], output, batch: 2, keyLengths: [2, 3]);
        Assert.Equal([0.0, 1, 1.5, 1, 1.5, 2], output, Close);
    }

    [Fact]
    public void Without_a_visible_key_output_and_weights_are_zero()
    {
        double[] output = [5], weights = [5, 5];
        new AttentionReference(1, 1).Attend([1], [1, 1], [1, 1], output, keyLengths: [0], weights: weights);
        Assert.Equal([0.0], output);
        Assert.Equal([0.0, 0.0], weights);
    }

    /// <summary>As in a kernel: -infinity in a bias hides its key, even one that is not a number.</summary>
    [Fact]
    public void A_bias_of_minus_infinity_hides_a_key_of_nan()
    {
        double[] output = new double[1], sum = new double[1];
        new AttentionReference(1, 1) { BiasAxes = AttentionAxes.Key }.Attend(
            [1], [2, float.NaN], [3, float.NaN], output, operands: new AttentionOperands { Bias = [0, float.NegativeInfinity], LogSumExp = sum });
        Assert.Equal([3.0], output);
        Assert.Equal([2.0], sum);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_told()
    {
        var reference = new AttentionReference(2, 3);
        Assert.Equal("query", Assert.Throws<ArgumentException>(() => reference.Attend(new float[7], new float[6], new float[6], new double[6])).ParamName);
        Assert.Equal("key", Assert.Throws<ArgumentException>(() => reference.Attend(new float[6], new float[7], new float[6], new double[6])).ParamName);
        Assert.Equal("value", Assert.Throws<ArgumentException>(() => reference.Attend(new float[6], new float[6], new float[12], new double[6])).ParamName);
        Assert.Equal("output", Assert.Throws<ArgumentException>(() => reference.Attend(new float[6], new float[6], new float[6], new double[12])).ParamName);
        Assert.Equal("keyLengths", Assert.Throws<ArgumentException>(() => reference.Attend(new float[6], new float[6], new float[6], new double[6], keyLengths: [1, 1])).ParamName);
        Assert.Throws<ArgumentOutOfRangeException>(() => new AttentionReference(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AttentionReference(3, 0));
        Assert.Throws<ArgumentException>(() => new AttentionReference(3, 3) { KeyValueHeads = 2 });
    }

    private static bool Close(double expected, double actual) => Math.Abs(expected - actual) < 1e-6;
}
