using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Kernels for declared lengths: whole rows of scores where both are small, only few rows where there are few queries.</summary>
public class FixedLengthTests
{
    private static readonly (int Queries, int Keys)[] s_lengths =
    [
        (1, 1), (1, 64), (1, 600), (3, 5), (7, 400), (16, 16), (17, 5), (16, 1), (31, 65), (49, 49), (47, 33), (100, 7), (128, 128), (129, 130), (197, 197), (300, 513), (20, 512), (512, 20), (600, 30),
        (40, 17), (24, 51), (33, 100), (16, 25), // a few keys behind whole panels
    ];

    private static readonly (int HeadDim, int ValueDim)[] s_dims = [(64, 64), (32, 32), (33, 20), (5, 3), (16, 48)];

    private static readonly (int Left, int Right)[] s_windows = [(7, -1), (0, 0), (20, 5), (-1, 9), (3, 40), (15, 16), (33, 0)];

    internal static readonly Declaration[] Both =
    [
        .. s_lengths.SelectMany((lengths, i) => Enum.GetValues<AttentionMask>().Select(mask => Of(lengths, s_dims[(i + (int)mask) % s_dims.Length], mask))),
        .. s_lengths.Select((lengths, i) => Of(lengths, s_dims[i % s_dims.Length], AttentionMask.None) with { Window = s_windows[i % s_windows.Length] }),
        .. from lengths in new[] { (49, 49), (20, 100), (3, 70) }
           select Of(lengths, (64, 64), AttentionMask.Causal) with { Window = (10, -1), Roles = Roles.MaxThreads | Roles.KeyLengths, Batched = true },
        Of((40, 40), (64, 64), AttentionMask.None) with { Window = (6, 30), Roles = Roles.MaxThreads | Roles.QueryStart, Layout = AttentionLayout.HeadMajor },
        .. from lengths in new[] { (49, 49), (20, 100), (3, 70) }
           from mask in Enum.GetValues<AttentionMask>()
           select Of(lengths, (64, 64), mask) with { Roles = Roles.MaxThreads | Roles.KeyLengths, Batched = true },
        Of((40, 40), (64, 64), AttentionMask.Causal) with { Roles = Roles.MaxThreads | Roles.QueryStart, Layout = AttentionLayout.HeadMajor },
        Of((40, 40), (33, 20), AttentionMask.None) with { Layout = AttentionLayout.HeadMajor, Strides = (40, 41, 42, 43) },
    ];

    internal static readonly Declaration[] One =
    [
        .. from mask in Enum.GetValues<AttentionMask>()
           from queries in new[] { 1, 5, 200 }
           select new Declaration(4, 64) { KeyValueHeads = 2, Mask = mask, QueryLength = queries },
        new Declaration(4, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal, KeyLength = 70 },
        .. from queries in new[] { 1, 5, 200 } select new Declaration(4, 64) { KeyValueHeads = 2, Window = (300, 2), QueryLength = queries },
        new Declaration(4, 64) { KeyValueHeads = 2, Window = (12, 12), KeyLength = 70 },
    ];

    internal static readonly KernelGroup Kernels = new([.. Both, .. One]);

    private static Declaration Of((int Queries, int Keys) lengths, (int HeadDim, int ValueDim) dims, AttentionMask mask) => new(4, dims.HeadDim)
    {
        KeyValueHeads = 2, ValueDim = dims.ValueDim, Mask = mask, QueryLength = lengths.Queries, KeyLength = lengths.Keys,
    };

    public static TheoryData<Problem> Problems => [.. Both.SelectMany(ProblemsOf), .. One.SelectMany(ProblemsOf)];

    private static IEnumerable<Problem> ProblemsOf(Declaration declaration)
    {
        foreach (int keys in declaration.KeyLength == 0 ? [1, 40, 300, 900] : new[] { declaration.KeyLength })
            foreach (int queries in declaration.QueryLength == 0 ? [1, 9, 100] : new[] { declaration.QueryLength })
            {
                var problem = new Problem(declaration, queries, keys);
                if (declaration.Has(Roles.QueryStart))
                    foreach (int start in new[] { 0, 3, 41, 1000 }) yield return problem with { QueryStarts = [start] };
                else if (declaration.Batched)
                    yield return problem with { Batch = 6, KeyLengths = [keys, 0, 1, keys - 1, keys / 2, 16], MaxThreads = 2 };
                else
                    yield return problem;
            }
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void The_output_is_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Kernels));
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Tensors_between_protected_pages(Problem problem)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        LayoutTests.CheckBetweenProtectedPages(new Inputs(problem), Kernels[problem.Declaration]);
    }

    /// <summary>Also with low bits set, which arithmetic of exponents meets.</summary>
    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void A_key_that_is_not_a_number_reaches_the_queries_that_see_it(Problem problem)
    {
        foreach (uint bits in new uint[] { 0xFFFFFFFF, 0x7FC00001 })
        {
            var inputs = new Inputs(problem);
            inputs.KeyRow(0, problem.Keys - 1, 1).Fill(BitConverter.UInt32BitsToSingle(bits));
            Bound.Check(inputs, inputs.Run(Kernels));
        }
    }

    /// <summary>What a query does not see changes nothing, whatever it is; what it sees and is not a number gives NaN there and nowhere else.</summary>
    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Values_that_are_not_finite_reach_the_queries_that_see_them(Problem problem)
    {
        var inputs = new Inputs(problem);
        foreach (var (key, value) in new[] { (problem.Keys - 1, float.NaN), (problem.Keys / 2, float.PositiveInfinity) })
        {
            for (int b = 0; b < problem.Batch; b++)
            {
                inputs.ValueRow(b, key, 1)[^1] = value;
                if (problem.Length(b) <= key) inputs.KeyRow(b, key, 1).Fill(float.NaN);
            }
        }

        Bound.Check(inputs, inputs.Run(Kernels));
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Rising_and_large_scores_are_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        for (int b = 0; b < problem.Batch; b++)
            for (int j = 0; j < problem.Keys; j++)
                for (int h = 0; h < problem.Declaration.KeyValueHeads; h++)
                    foreach (ref float x in inputs.KeyRow(b, j, h)) x *= 1 + (j * 3f / problem.Keys);
        Bound.Check(inputs, inputs.Run(Kernels));
    }

    [Fact]
    public void Another_length_is_refused()
    {
        var declaration = Both.First(d => d.QueryLength == 49 && !d.Batched);
        foreach (var (queries, keys, name, message) in new[] { (48, 49, "query", "query has 48 tokens, the kernel is declared for 49"), (49, 50, "key", "key has 50 tokens, the kernel is declared for 49") })
        {
            var inputs = new Inputs(new Problem(declaration, queries, keys));
            float[] output = new float[inputs.Problem.OutputLength];
            var exception = Assert.ThrowsAny<ArgumentException>(() => inputs.Run(Kernels[declaration], output));
            Assert.Equal(name, exception.ParamName);
            Assert.Contains(message, exception.Message, StringComparison.Ordinal);
            Assert.All(output, x => Assert.Equal(0f, x));
        }
    }

    [Fact]
    public void The_plan_says_what_was_chosen()
    {
        Assert.Contains("fixed lengths", AttentionInfo.Describe(Kernels[Both.First(d => d.QueryLength == 49)].Method).Plan, StringComparison.Ordinal);
        Assert.StartsWith("decode", AttentionInfo.Describe(Kernels[One.First(d => d.QueryLength == 1)].Method).Plan, StringComparison.Ordinal);
    }
}
