using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The score matrix and what is known of rows, beside masks that cut rows and keys in every way: runs of keys that do not rise, rows and keys n tokens apart.</summary>
public class WatchedMaskTests
{
    private static readonly Dictionary<Declaration, Declaration> s_watched = MaskTests.Declarations.Distinct().Select((declaration, i) => (declaration, Watched(declaration, i))).ToDictionary();

    private static readonly KernelGroup s_kernels = new(s_watched.Values);

    public static TheoryData<Problem> Problems =>
        [.. from row in MaskTests.Problems let problem = row.Data where problem.Queries * problem.Keys <= 40_000 select problem with { Declaration = s_watched[problem.Declaration] }];

    /// <summary>Matrices of all stages in turn.</summary>
    private static Declaration Watched(Declaration declaration, int index) =>
        declaration with { Roles = declaration.Roles | Roles.Scores | Roles.MaxScore | Roles.Entropy | Roles.ArgMax, ScoresStage = (AttentionStage)((index + 3) % 4) };

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Matrix_and_statistics_are_within_the_error_bound(Problem problem)
    {
        _ = s_kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        float[] output = inputs.Run(s_kernels);
        Bound.Check(inputs, output);
        Bound.CheckLogSumExp(inputs);
        Bound.CheckScores(inputs);
        Bound.CheckStatistics(inputs);
        var threads = new Inputs(inputs, problem with { MaxThreads = 3 });
        ThreadTests.AssertSameBits(output, threads.Run(s_kernels));
        ThreadTests.AssertSameBits(inputs.Scores, threads.Scores);
        ThreadTests.AssertSameBits(inputs.Entropy, threads.Entropy);
        Assert.Equal(inputs.ArgMax, threads.ArgMax);
    }

    /// <summary>Without those whose scores differ by more than the product.</summary>
    public static TheoryData<Problem> OfProducts => [.. Problems.Where(row => row.Data.Declaration is { Bias: 0, Buckets: 0, Alibi: false, ScoreText: "" })];

    /// <summary>Of equal scores the first key is told, wherever the runs of a row begin.</summary>
    [Theory, MemberData(nameof(OfProducts), DisableDiscoveryEnumeration = true)]
    public void The_first_of_equal_keys_is_told(Problem problem)
    {
        var declaration = problem.Declaration;
        _ = s_kernels[declaration];
        var inputs = new Inputs(problem);
        inputs.Query.AsSpan().Fill(1.25f);
        inputs.Key.AsSpan().Fill(0.75f);
        inputs.Run(s_kernels);
        for (int row = 0; row < problem.Rows; row++)
        {
            int b = row / problem.Queries / declaration.Heads, h = row / problem.Queries % declaration.Heads, i = row % problem.Queries;
            var keys = Enumerable.Range(0, problem.Keys).Where(j => inputs.Score(0, b, i, h, j) > float.NegativeInfinity).ToList();
            Assert.Equal(keys.Count == 0 ? -1 : keys[0], inputs.ArgMax[row]);
            Assert.Equal(keys.Count == 0 ? 0 : Math.Log(keys.Count), inputs.Entropy[row], 3e-6);
        }
    }
}
