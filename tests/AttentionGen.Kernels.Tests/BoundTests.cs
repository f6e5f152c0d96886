using Xunit;
using Xunit.Sdk;

namespace AttentionGen.Kernels.Tests;

/// <summary>The bound itself: rows that only chance would take out of it are in it, others are not.</summary>
public class BoundTests
{
    private static readonly Declaration s_declaration = new(1, 64) { Roles = Roles.MaxThreads | Roles.LogSumExp };

    private static readonly Declaration s_sink = s_declaration with { Roles = s_declaration.Roles | Roles.Sinks };

    private static readonly KernelGroup s_kernels = new([s_declaration, s_sink]);

    /// <summary>Of such calls some per cent are off by more than 1e-6 and twice the plain evaluation, whose rounding is chance.</summary>
    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Single_queries_with_large_scores()
    {
        var random = new Random(1);
        int exceeding = 0;
        for (int i = 0; i < 400; i++)
        {
            var inputs = Scaled(new Problem(s_declaration, 1, random.Next(2, 120)), i + 1, 4 + 4 * random.NextSingle(), 4 + 4 * random.NextSingle());
            float[] output = inputs.Run(s_kernels);
            Bound.Check(inputs, output, plainLimit: 1e-3);
            Bound.CheckLogSumExp(inputs);
            if (Bound.Rows(inputs, [output]).Single() is var row && row.Error > Math.Max(1e-6, 2 * row.Plain)) exceeding++;
        }

        Assert.InRange(exceeding, 1, 60);
    }

    /// <summary>A sink that takes half of the weight: it counts as a key whose values are 0, so that a single key has a spread.</summary>
    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Single_queries_with_large_scores_and_a_sink()
    {
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            var inputs = Scaled(new Problem(s_sink, 1, random.Next(1, 4)), i + 1, 4 + 4 * random.NextSingle(), 4 + 4 * random.NextSingle());
            inputs.Sinks[0] = float.NegativeInfinity;
            inputs.Run(s_kernels);
            inputs.Sinks[0] = inputs.LogSumExp[0];
            Bound.Check(inputs, inputs.Run(s_kernels), plainLimit: 1e-3);
            Bound.CheckLogSumExp(inputs);
        }
    }

    /// <summary>A row is not excused by another one whose scores are larger.</summary>
    [Fact]
    public void Each_row_is_held_to_its_own_bound()
    {
        var inputs = new Inputs(new Problem(s_declaration, 2, 50));
        foreach (ref float x in inputs.QueryRow(0, 0, 0)) x *= 300;
        foreach (ref float x in inputs.QueryRow(0, 1, 0)) x *= 0.01f;
        float[] output = inputs.Run(s_kernels);
        Bound.Check(inputs, output, plainLimit: 1e-3);
        output[64 + 7] += 3e-6f;
        Assert.Throws<TrueException>(() => Bound.Check(inputs, output, plainLimit: 1e-3));
    }

    [Fact]
    public void A_log_sum_exp_of_small_scores_is_held_to_them()
    {
        var inputs = Scaled(new Problem(s_declaration, 3, 50), 1, 0.1f, 1);
        inputs.Run(s_kernels);
        Bound.CheckLogSumExp(inputs);
        inputs.LogSumExp[1] += 4e-6f;
        Assert.Throws<TrueException>(() => Bound.CheckLogSumExp(inputs));
    }

    private static Inputs Scaled(Problem problem, int seed, float query, float key)
    {
        var inputs = new Inputs(problem, seed);
        foreach (ref float x in inputs.Query.AsSpan()) x *= query;
        foreach (ref float x in inputs.Key.AsSpan()) x *= key;
        return inputs;
    }
}
