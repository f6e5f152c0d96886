using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The merge of partial results.</summary>
public class StateTests
{
    [Fact]
    public void Parts_weigh_as_their_sums_do()
    {
        float[] output = [1, 2, 3, 4], sums = [0, MathF.Log(3)], other = [5, 6, 7, 8], otherSums = [0, 0];
        AttentionState.Merge(output, sums, other, otherSums);
        Assert.Equal([3, 4, 4, 5], output.Select(x => MathF.Round(x, 5)));
        Assert.Equal([MathF.Log(2), MathF.Log(4)], sums, (x, y) => Math.Abs(x - y) < 1e-6);
    }

    [Fact]
    public void A_part_without_keys_changes_nothing_whatever_it_holds()
    {
        float[] output = [1, 2, float.NaN, 4], sums = [5, float.NegativeInfinity], other = [float.NaN, 0, 7, 8], otherSums = [float.NegativeInfinity, -3];
        AttentionState.Merge(output, sums, other, otherSums);
        Assert.Equal([1, 2, 7, 8], output);
        Assert.Equal([5, -3], sums);

        float[] nothing = [0, 0], none = [float.NegativeInfinity];
        AttentionState.Merge(nothing, none, new float[2], new[] { float.NegativeInfinity });
        Assert.Equal([0, 0], nothing);
        Assert.Equal([float.NegativeInfinity], none);
    }

    [Fact]
    public void Sums_far_apart_do_not_overflow()
    {
        float[] output = [1, 2], sums = [1e30f], other = [3, 4], otherSums = [-1e30f];
        AttentionState.Merge(output, sums, other, otherSums);
        Assert.Equal([1, 2], output);
        Assert.Equal([1e30f], sums);
    }

    [Fact]
    public void The_order_of_the_parts_does_not_matter_but_for_rounding()
    {
        var random = new Random(1);
        const int Parts = 9, Rows = 5, Dim = 37;
        float[] outputs = [.. Enumerable.Range(0, Parts * Rows * Dim).Select(_ => random.NextSingle())], sums = [.. Enumerable.Range(0, Parts * Rows).Select(_ => 20 * random.NextSingle())];
        float[] output = new float[Rows * Dim], sum = new float[Rows], reversed = new float[Rows * Dim], reversedSum = new float[Rows];
        AttentionState.MergeAll(outputs, sums, output, sum);
        AttentionState.MergeAll(
            [.. outputs.Chunk(Rows * Dim).Reverse().SelectMany(part => part)], [.. sums.Chunk(Rows).Reverse().SelectMany(part => part)], reversed, reversedSum);
        Assert.Equal(output, reversed, (x, y) => Math.Abs(x - y) < 2e-6);
        Assert.Equal(sum, reversedSum, (x, y) => Math.Abs(x - y) < 2e-5);
    }

    [Fact]
    public void Wrong_calls_name_the_parameter()
    {
        float[] memory = new float[10];
        Assert.Equal("otherLogSumExp", Assert.Throws<ArgumentException>(() => AttentionState.Merge(new float[4], new float[2], new float[4], new float[3])).ParamName);
        Assert.Equal("otherOutput", Assert.Throws<ArgumentException>(() => AttentionState.Merge(new float[4], new float[2], new float[6], new float[2])).ParamName);
        Assert.Equal("output", Assert.Throws<ArgumentException>(() => AttentionState.Merge(new float[5], new float[2], new float[5], new float[2])).ParamName);
        Assert.Equal("output", Assert.Throws<ArgumentException>(() => AttentionState.Merge(memory.AsSpan(0, 4), new float[2], memory.AsSpan(3, 4), new float[2])).ParamName);
        Assert.Equal("logSumExp", Assert.Throws<ArgumentException>(() => AttentionState.Merge(new float[4], memory.AsSpan(0, 2), new float[4], memory.AsSpan(1, 2))).ParamName);
        Assert.Equal("logSumExps", Assert.Throws<ArgumentException>(() => AttentionState.MergeAll(new float[4], new float[3], new float[4], new float[2])).ParamName);
        Assert.Equal("outputs", Assert.Throws<ArgumentException>(() => AttentionState.MergeAll(new float[4], new float[4], new float[4], new float[2])).ParamName);
    }
}
