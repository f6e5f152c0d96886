using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The merge of partial results.</summary>
public class StateTests
{
    [Fact]
    public void Parts_weigh_as_their_sums_do()
    {
        float[] output = [1, 2, 3, 4], sums = [0, MathF.Log(3)], other = [5, 6, 7, 8], otherSums = [0, 0];
        AttentionState.MergeRows(output, sums, other, otherSums);
        Assert.Equal([3, 4, 4, 5], output.Select(x => MathF.Round(x, 5)));
        Assert.Equal([MathF.Log(2), MathF.Log(4)], sums, (x, y) => Math.Abs(x - y) < 1e-6);
    }

    [Fact]
    public void A_part_without_keys_changes_nothing_whatever_it_holds()
    {
        float[] output = [1, 2, float.NaN, 4], sums = [5, float.NegativeInfinity], other = [float.NaN, 0, 7, 8], otherSums = [float.NegativeInfinity, -3];
        AttentionState.MergeRows(output, sums, other, otherSums);
        Assert.Equal([1, 2, 7, 8], output);
        Assert.Equal([5, -3], sums);

        float[] nothing = [0, 0], none = [float.NegativeInfinity];
        AttentionState.MergeRows(nothing, none, new float[2], new[] { float.NegativeInfinity });
        Assert.Equal([0, 0], nothing);
        Assert.Equal([float.NegativeInfinity], none);
    }

    [Fact]
    public void Sums_far_apart_do_not_overflow()
    {
        float[] output = [1, 2], sums = [1e30f], other = [3, 4], otherSums = [-1e30f];
        AttentionState.MergeRows(output, sums, other, otherSums);
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
        AttentionState.MergeAllRows(outputs, sums, output, sum);
        AttentionState.MergeAllRows(
            [.. outputs.Chunk(Rows * Dim).Reverse().SelectMany(part => part)], [.. sums.Chunk(Rows).Reverse().SelectMany(part => part)], reversed, reversedSum);
        Assert.Equal(output, reversed, (x, y) => Math.Abs(x - y) < 2e-6);
        Assert.Equal(sum, reversedSum, (x, y) => Math.Abs(x - y) < 2e-5);
    }

    /// <summary>Outputs are token-major or head-major, log-sum-exps always head by head; rows of either order merge as rows do.</summary>
    [Theory]
    [InlineData(AttentionLayout.TokenMajor, 1), InlineData(AttentionLayout.TokenMajor, 3), InlineData(AttentionLayout.HeadMajor, 1), InlineData(AttentionLayout.HeadMajor, 3)]
    public void Results_merge_as_kernels_write_them(AttentionLayout layout, int batch)
    {
        const int Parts = 3, Heads = 4, Queries = 5, Dim = 7, Rows = Heads * Queries;
        var random = new Random(7);
        float[] outputs = [.. Enumerable.Range(0, Parts * batch * Rows * Dim).Select(_ => random.NextSingle())], sums = [.. Enumerable.Range(0, Parts * batch * Rows).Select(_ => 4 * random.NextSingle())];
        float[] output = new float[batch * Rows * Dim], sum = new float[batch * Rows];
        AttentionState.MergeAll(outputs, sums, output, sum, Heads, layout, batch);

        float[] pairOutput = outputs[..output.Length], pairSum = sums[..sum.Length];
        for (int part = 1; part < Parts; part++)
            AttentionState.Merge(pairOutput, pairSum, outputs.AsSpan(part * output.Length, output.Length), sums.AsSpan(part * sum.Length, sum.Length), Heads, layout, batch);
        Assert.Equal(output, pairOutput, (x, y) => Math.Abs(x - y) < 1e-6);

        for (int b = 0; b < batch; b++)
            for (int h = 0; h < Heads; h++)
                for (int q = 0; q < Queries; q++)
                {
                    int row = (b * Heads + h) * Queries + q, place = layout == AttentionLayout.HeadMajor ? row : (b * Queries + q) * Heads + h;
                    double all = Enumerable.Range(0, Parts).Sum(part => Math.Exp(sums[part * sum.Length + row]));
                    Assert.Equal(Math.Log(all), sum[row], 1e-5);
                    for (int i = 0; i < Dim; i++)
                    {
                        double expected = Enumerable.Range(0, Parts).Sum(part => Math.Exp(sums[part * sum.Length + row]) * outputs[part * output.Length + place * Dim + i]) / all;
                        Assert.Equal(expected, output[place * Dim + i], 1e-5);
                    }
                }
    }

    [Fact]
    public void Wrong_calls_of_results_name_the_parameter()
    {
        Assert.Equal("logSumExp", Assert.Throws<ArgumentException>(() => AttentionState.Merge(new float[12], new float[6], new float[12], new float[6], heads: 4)).ParamName);
        Assert.Equal("logSumExp", Assert.Throws<ArgumentException>(() => AttentionState.MergeAll(new float[24], new float[12], new float[12], new float[6], heads: 3, batch: 4)).ParamName);
        Assert.Equal("logSumExp", Assert.Throws<ArgumentException>(() => AttentionState.Merge(new float[12], new float[6], new float[12], new float[6], heads: 3, batch: 0)).ParamName);
        Assert.Equal("heads", Assert.Throws<ArgumentOutOfRangeException>(() => AttentionState.Merge(new float[4], new float[2], new float[4], new float[2], heads: 0)).ParamName);
        Assert.Equal("batch", Assert.Throws<ArgumentOutOfRangeException>(() => AttentionState.Merge(new float[4], new float[2], new float[4], new float[2], heads: 1, batch: -1)).ParamName);
        Assert.Equal("layout", Assert.Throws<ArgumentOutOfRangeException>(() => AttentionState.Merge(new float[4], new float[2], new float[4], new float[2], heads: 1, (AttentionLayout)7)).ParamName);
        Assert.Equal("output", Assert.Throws<ArgumentException>(() => AttentionState.MergeAll(new float[5], new float[2], new float[5], new float[2], heads: 1)).ParamName);
        AttentionState.Merge([], [], [], [], heads: 4, batch: 0);
        AttentionState.MergeAll([], [], [], [], heads: 4, batch: 0);
    }

    [Fact]
    public void Wrong_calls_name_the_parameter()
    {
        float[] memory = new float[10];
        Assert.Equal("otherLogSumExp", Assert.Throws<ArgumentException>(() => AttentionState.MergeRows(new float[4], new float[2], new float[4], new float[3])).ParamName);
        Assert.Equal("otherOutput", Assert.Throws<ArgumentException>(() => AttentionState.MergeRows(new float[4], new float[2], new float[6], new float[2])).ParamName);
        Assert.Equal("output", Assert.Throws<ArgumentException>(() => AttentionState.MergeRows(new float[5], new float[2], new float[5], new float[2])).ParamName);
        Assert.Equal("output", Assert.Throws<ArgumentException>(() => AttentionState.MergeRows(memory.AsSpan(0, 4), new float[2], memory.AsSpan(3, 4), new float[2])).ParamName);
        Assert.Equal("logSumExp", Assert.Throws<ArgumentException>(() => AttentionState.MergeRows(new float[4], memory.AsSpan(0, 2), new float[4], memory.AsSpan(1, 2))).ParamName);
        Assert.Equal("logSumExps", Assert.Throws<ArgumentException>(() => AttentionState.MergeAllRows(new float[4], new float[3], new float[4], new float[2])).ParamName);
        Assert.Equal("outputs", Assert.Throws<ArgumentException>(() => AttentionState.MergeAllRows(new float[4], new float[4], new float[4], new float[2])).ParamName);
    }
}
