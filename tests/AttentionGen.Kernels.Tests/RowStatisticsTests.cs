using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The largest score, the entropy and the argmax of each row.</summary>
public class RowStatisticsTests
{
    private const AttentionAxes Rows = AttentionAxes.Query | AttentionAxes.Key;

    private const Roles All = Roles.MaxThreads | Roles.MaxScore | Roles.Entropy | Roles.ArgMax;

    private static readonly Declaration s_plain = new(6, 40) { KeyValueHeads = 3, ValueDim = 24, Roles = All };

    private static readonly Declaration s_causal = s_plain with { Mask = AttentionMask.Causal };

    private static readonly Declaration[] s_declarations =
    [
        s_plain,
        s_causal,
        s_plain with { Window = (20, 5) },
        s_plain with { Window = (9, -1), Scale = -0.5f },
        s_causal with { SoftCap = 2, Roles = All | Roles.Sinks },
        s_plain with { Keep = Rows },
        s_causal with { SoftCap = 3, Bias = AttentionAxes.Head | Rows, Keep = AttentionAxes.Key, Alibi = true, Roles = All | Roles.Sinks | Roles.LogSumExp | Roles.Scores },
        .. from role in new[] { Roles.MaxScore, Roles.Entropy, Roles.ArgMax } select s_causal with { Roles = Roles.MaxThreads | role },
    ];

    private static readonly Declaration s_batched = s_causal with { Batched = true, Roles = All | Roles.KeyLengths | Roles.QueryStarts };

    private static readonly Declaration s_headMajor = new(4, 64) { KeyValueHeads = 2, Layout = AttentionLayout.HeadMajor, Mask = AttentionMask.Causal, Roles = All };

    private static readonly Declaration s_single = new(6, 40) { QueryLength = 1, Roles = All };

    /// <summary>So wide that not all keys are packed at a time.</summary>
    private static readonly Declaration s_long = new(1, 512) { Mask = AttentionMask.Causal, Roles = All };

    private static readonly KernelGroup s_kernels = new([.. s_declarations, s_batched, s_headMajor, s_single, s_long]);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_declarations.Append(s_headMajor)
           from lengths in new[] { (1, 1), (1, 70), (3, 300), (17, 17), (30, 9), (4, 2000), (97, 801) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        new Problem(s_long, 100, 2500),
        .. from queries in new[] { 2, 70 } select new Problem(s_batched, queries, 90) { Batch = 4, KeyLengths = [90, 0, 33, 71], QueryStarts = [0, 3, 5, 100] },
        .. from keys in new[] { 1, 5, 500, 3000 } select new Problem(s_single, 1, keys),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Statistics_are_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(s_kernels));
        Bound.CheckStatistics(inputs);
    }

    /// <summary>Scores near 90, near 1e4, and too large for levels; and such that rise from key to key, so that the maximum is raised again and again.</summary>
    [Theory, InlineData(1), InlineData(3), InlineData(60)]
    public void Large_and_rising_scores(int queries)
    {
        foreach (var declaration in new[] { s_plain, s_causal })
            foreach (float size in new[] { 30f, 3000f, 3e7f })
                foreach (bool rises in new[] { false, true })
                {
                    var inputs = new Inputs(new Problem(declaration, queries, 700));
                    foreach (ref float x in inputs.Query.AsSpan()) x = rises ? Math.Abs(x) : x * size;
                    for (int j = 0; j < 700 && rises; j++)
                        for (int h = 0; h < 3; h++)
                            inputs.KeyRow(0, j, h).Fill(size * (j - 350) / 4000);
                    inputs.Run(s_kernels);
                    Bound.CheckStatistics(inputs);
                }
    }

    /// <summary>Of equal scores the first key; their entropy is the logarithm of their number.</summary>
    [Theory, InlineData(1), InlineData(5), InlineData(100)]
    public void Equal_scores(int queries)
    {
        foreach (var declaration in new[] { s_plain, s_causal, s_plain with { Window = (20, 5) } })
        {
            var problem = new Problem(declaration, queries, 1500);
            var inputs = new Inputs(problem);
            inputs.Query.AsSpan().Fill(1.25f);
            inputs.Key.AsSpan().Fill(0.75f);
            inputs.Run(s_kernels);
            for (int row = 0; row < problem.Rows; row++)
            {
                var (first, end) = problem.Visible(0, row % queries);
                Assert.Equal(first, inputs.ArgMax[row]);
                Assert.Equal(Math.Log(end - first), inputs.Entropy[row], 2e-6);
                Assert.Equal(40 * 1.25 * 0.75 / Math.Sqrt(40), inputs.MaxScore[row], 1e-6);
            }
        }
    }

    /// <summary>One key has all the weight: its row has no entropy. A row that keeps no key has none either, and no largest score.</summary>
    [Theory, InlineData(1), InlineData(4), InlineData(100)]
    public void One_key_or_none(int queries)
    {
        var problem = new Problem(s_declarations[5], queries, 300);
        var inputs = new Inputs(problem);
        inputs.Keep.AsSpan().Clear();
        for (int query = 0; query < queries; query += 2) inputs.Keep[query * 300 + query * 7 % 300] = true;
        inputs.Run(s_kernels);
        for (int row = 0; row < problem.Rows; row++)
        {
            int query = row % queries;
            Assert.Equal(query % 2 == 0 ? query * 7 % 300 : -1, inputs.ArgMax[row]);
            Assert.Equal(0, inputs.Entropy[row], 1e-6f);
            Assert.Equal(query % 2 != 0, float.IsNegativeInfinity(inputs.MaxScore[row]));
        }
    }

    /// <summary>A sink of -infinity is none, also of rows that see no key; one far above all keys leaves nothing, and nothing below.</summary>
    [Theory, InlineData(3), InlineData(8), InlineData(100)]
    public void Sinks_of_any_size(int queries)
    {
        var declaration = s_declarations[4];
        foreach (float sink in new[] { float.NegativeInfinity, -30, 30.15f, 33, 1000 })
        {
            var inputs = new Inputs(new Problem(declaration, queries, 4)); // the first rows see none
            inputs.Sinks.AsSpan().Fill(sink);
            inputs.Run(s_kernels);
            Bound.CheckStatistics(inputs);
            Assert.All(inputs.Entropy, entropy => Assert.InRange(entropy, 0, 2));
        }
    }

    /// <summary>A NaN in a key makes NaN of the statistics of rows that see it, and of no others.</summary>
    [Theory, InlineData(2), InlineData(80)]
    public void A_key_reaches_the_rows_that_see_it(int queries)
    {
        var problem = new Problem(s_causal, queries, 200);
        var inputs = new Inputs(problem);
        inputs.KeyRow(0, 170, 1)[3] = float.NaN;
        inputs.Run(s_kernels);
        for (int row = 0; row < problem.Rows; row++)
        {
            bool sees = row / queries / 2 == 1 && problem.Visible(0, row % queries).End > 170;
            Assert.Equal((sees, sees, sees), (float.IsNaN(inputs.MaxScore[row]), float.IsNaN(inputs.Entropy[row]), inputs.ArgMax[row] == -1));
        }
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads()
    {
        foreach (var (queries, keys) in new[] { (1, 3000), (4, 2000), (300, 300) })
        {
            var inputs = new Inputs(new Problem(s_headMajor, queries, keys));
            inputs.Run(s_kernels);
            foreach (int threads in new[] { 2, 7 })
            {
                var same = new Inputs(inputs, inputs.Problem with { MaxThreads = threads });
                same.Run(s_kernels);
                ThreadTests.AssertSameBits(inputs.MaxScore, same.MaxScore);
                ThreadTests.AssertSameBits(inputs.Entropy, same.Entropy);
                Assert.Equal(inputs.ArgMax, same.ArgMax);
            }
        }
    }

    [Theory, InlineData(1), InlineData(40)]
    public void Statistics_between_protected_pages(int queries)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        using GuardedMemory maxScore = new(1 << 12), entropy = new(1 << 12), argmax = new(1 << 12);
        var inputs = new Inputs(new Problem(s_causal, queries, 70));
        float[] expected = inputs.Run(s_kernels), actual = new float[expected.Length];
        var (highest, entropies, keys) = (inputs.MaxScore, inputs.Entropy, inputs.ArgMax);
        foreach (bool atEnd in new[] { true, false })
        {
            var arguments = inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, actual) with
            {
                MaxScore = maxScore.Take<float>(highest.Length, atEnd), Entropy = entropy.Take<float>(highest.Length, atEnd), ArgMax = argmax.Take<int>(highest.Length, atEnd),
            };
            s_kernels[s_causal].Body(arguments);
            ThreadTests.AssertSameBits(highest, arguments.MaxScore);
            ThreadTests.AssertSameBits(entropies, arguments.Entropy);
            Assert.Equal(keys, arguments.ArgMax.ToArray());
        }
    }

    [Fact]
    public void Wrong_calls_name_parameter_and_shapes()
    {
        var inputs = new Inputs(new Problem(s_causal, 5, 9));
        float[] output = new float[inputs.Problem.OutputLength], rows = new float[30];
        Throws("maxScore has 29 elements, [batch, heads, queries] = [1, 6, 5] are needed. (Parameter 'maxScore')", a => a with { MaxScore = new float[29] });
        Throws("entropy has 31 elements, [batch, heads, queries] = [1, 6, 5] are needed. (Parameter 'entropy')", a => a with { Entropy = new float[31] });
        Throws("argmax has 0 elements, [batch, heads, queries] = [1, 6, 5] are needed. (Parameter 'argmax')", a => a with { ArgMax = default });
        Throws("output overlaps maxScore. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", a => a with { MaxScore = output.AsSpan(0, 30) });
        Throws("entropy overlaps query. The output is written while the inputs are read: give it memory of its own. (Parameter 'entropy')", a => a with { Entropy = inputs.Query.AsSpan(0, 30) });
        Throws("entropy overlaps maxScore. The output is written while the inputs are read: give it memory of its own. (Parameter 'entropy')", a => a with { MaxScore = rows, Entropy = rows });

        void Throws(string message, Change change)
        {
            output.AsSpan().Fill(7);
            string actual = "";
            try
            {
                s_kernels[s_causal].Body(change(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output)));
            }
            catch (ArgumentException exception)
            {
                actual = exception.Message;
            }

            Assert.Equal(message, actual);
            Assert.DoesNotContain(output, x => x != 7);
        }
    }

    private delegate KernelArguments Change(KernelArguments arguments);
}
