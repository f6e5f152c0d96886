using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The score matrix at each of its stages.</summary>
public class ScoreMatrixTests
{
    private const AttentionAxes Rows = AttentionAxes.Query | AttentionAxes.Key;

    private static readonly AttentionStage[] s_stages = Enum.GetValues<AttentionStage>();

    private static readonly Declaration s_plain = new(6, 40) { KeyValueHeads = 3, ValueDim = 24, Roles = Roles.MaxThreads | Roles.Scores };

    /// <summary>Nothing; a factor alone, of either sign; what comes before the mask, what comes behind it; all.</summary>
    private static readonly Declaration[] s_scored =
    [
        s_plain,
        s_plain with { SoftCap = 0.8f, Scale = -0.5f },
        s_plain with { Keep = Rows, Roles = s_plain.Roles | Roles.Sinks },
        s_plain with { MaskText = "key <= query && key % 3 != 0" },
        s_plain with { SoftCap = 3, Bias = AttentionAxes.Head | Rows, Keep = AttentionAxes.Key, Alibi = true, Roles = s_plain.Roles | Roles.Sinks | Roles.LogSumExp },
    ];

    private static readonly Declaration[] s_masked =
    [
        .. from stage in s_stages
           from mask in new[] { (AttentionMask.None, (-1, -1)), (AttentionMask.Causal, (-1, -1)), (AttentionMask.None, (20, 5)), (AttentionMask.None, (9, -1)) }
           select s_plain with { ScoresStage = stage, Mask = mask.Item1, Window = mask.Item2 },
        .. from stage in s_stages
           from i in Enumerable.Range(1, s_scored.Length - 1)
           let mask = new[] { (AttentionMask.None, (20, 5)), (AttentionMask.Causal, (-1, -1)), (AttentionMask.None, (-1, -1)), (AttentionMask.Causal, (30, -1)) }[i - 1]
           select s_scored[i] with { ScoresStage = stage, Mask = mask.Item1, Window = mask.Item2 },
    ];

    private static readonly Declaration[] s_batched =
    [
        .. from stage in s_stages
           select s_plain with { ScoresStage = stage, Batched = true, Mask = AttentionMask.Causal, Roles = s_plain.Roles | Roles.KeyLengths | Roles.QueryStarts },
    ];

    private static readonly Declaration s_headMajor = new(4, 64)
    {
        KeyValueHeads = 2, Layout = AttentionLayout.HeadMajor, Mask = AttentionMask.Causal, SoftCap = 5, Keep = Rows, Roles = s_plain.Roles | Roles.Sinks,
    };

    private static readonly Declaration s_fixed = new(3, 32) { QueryLength = 33, KeyLength = 50, Roles = s_plain.Roles };

    private static readonly Declaration s_single = new(6, 40) { KeyValueHeads = 6, QueryLength = 1, Roles = s_plain.Roles };

    /// <summary>So wide that not all keys are packed at a time.</summary>
    private static readonly Declaration s_long = new(1, 512) { Mask = AttentionMask.Causal, Roles = s_plain.Roles };

    private static readonly KernelGroup s_kernels = new([.. s_masked, .. s_batched, s_headMajor, s_fixed, s_single, s_long]);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_masked.Append(s_headMajor)
           from lengths in new[] { (1, 1), (1, 70), (3, 300), (17, 17), (30, 9), (97, 401) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_batched
           from queries in new[] { 2, 70 }
           select new Problem(declaration, queries, 90) { Batch = 4, KeyLengths = [90, 0, 33, 71], QueryStarts = [0, 3, 5, 100] },
        new Problem(s_fixed, 33, 50),
        new Problem(s_long, 100, 2500),
        .. from keys in new[] { 1, 5, 500, 3000 } select new Problem(s_single, 1, keys),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Output_and_scores_are_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(s_kernels));
        Bound.CheckScores(inputs);
    }

    /// <summary>The weights are those that the values are multiplied by: they add up to 1, or to what the sink leaves, and their sum of values is the output.</summary>
    [Theory, InlineData(1), InlineData(60)]
    public void Weights_are_those_of_the_output(int queries)
    {
        var problem = new Problem(s_plain with { Mask = AttentionMask.Causal }, queries, 500);
        var inputs = new Inputs(problem);
        float[] output = inputs.Run(s_kernels);
        for (int h = 0; h < 6; h++)
            for (int i = 0; i < queries; i++)
            {
                var weights = inputs.Scores.AsSpan((h * queries + i) * 500, 500);
                double sum = 0;
                double[] row = new double[24];
                for (int j = 0; j < 500; j++)
                {
                    sum += weights[j];
                    for (int d = 0; d < 24; d++) row[d] += weights[j] * (double)inputs.ValueRow(0, j, h / 2)[d];
                }

                Assert.Equal(1, sum, 1e-6);
                for (int d = 0; d < 24; d++) Assert.Equal(row[d], output[(i * 6 + h) * 24 + d], 1e-6);
            }
    }

    /// <summary>Before the mask, a key that data hide has its score; one beyond the bounds has none. Both have -infinity behind it, and the weight 0.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(70)]
    public void Keys_that_a_row_does_not_see(int queries)
    {
        foreach (var stage in s_stages)
        {
            var declaration = s_scored[2] with { ScoresStage = stage, Mask = AttentionMask.Causal };
            var inputs = new Inputs(new Problem(declaration, queries, 90));
            inputs.Run(s_kernels);
            for (int h = 0; h < 6; h++)
                for (int i = 0; i < queries; i++)
                    for (int j = 0; j < 90; j++)
                    {
                        float entry = inputs.Scores[(h * queries + i) * 90 + j];
                        bool isBeyond = j > 90 - queries + i, isHidden = !inputs.Keep[i * 90 + j];
                        if (stage == AttentionStage.Weights) Assert.Equal(isBeyond || isHidden, entry == 0);
                        else Assert.Equal(isBeyond || (isHidden && stage == AttentionStage.Masked), float.IsNegativeInfinity(entry));
                    }
        }
    }

    /// <summary>NaN in keys that a row does not see reaches no entry of it, and one that it sees those that depend on it.</summary>
    [Theory, InlineData(2), InlineData(80)]
    public void A_key_reaches_the_entries_of_rows_that_see_it(int queries)
    {
        foreach (var stage in s_stages)
            foreach (var mask in new[] { (AttentionMask.Causal, (-1, -1)), (AttentionMask.None, (20, 5)) })
            {
                var problem = new Problem(s_plain with { ScoresStage = stage, Mask = mask.Item1, Window = mask.Item2 }, queries, 200);
                var inputs = new Inputs(problem);
                inputs.KeyRow(0, 170, 1)[3] = float.NaN;
                inputs.Run(s_kernels);
                for (int h = 0; h < 6; h++)
                    for (int i = 0; i < queries; i++)
                    {
                        var (first, end) = problem.Visible(0, i);
                        for (int j = 0; j < 200; j++)
                        {
                            bool sees = h / 2 == 1 && first <= 170 && 170 < end, isNaN = sees && (stage == AttentionStage.Weights ? first <= j && j < end : j == 170);
                            Assert.True(isNaN == float.IsNaN(inputs.Scores[(h * queries + i) * 200 + j]), $"{stage}, {mask}, head {h}, query {i}, key {j}");
                        }
                    }
            }
    }

    [Fact]
    public void Huge_scores_have_weights()
    {
        foreach (int queries in new[] { 3, 60 })
            foreach (float size in new[] { 1e3f, 1e8f })
            {
                var inputs = new Inputs(new Problem(s_plain with { Mask = AttentionMask.Causal }, queries, 300));
                foreach (ref float x in inputs.Query.AsSpan()) x *= size;
                inputs.Run(s_kernels);
                Assert.DoesNotContain(float.NaN, inputs.Scores);
                for (int row = 0; row < 6 * queries; row++) Assert.Equal(1, inputs.Scores.AsSpan(row * 300, 300).ToArray().Sum(), 1e-5f);
            }
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads()
    {
        foreach (var (queries, keys) in new[] { (1, 3000), (4, 2000), (300, 300) })
        {
            var inputs = new Inputs(new Problem(s_headMajor, queries, keys));
            float[] expected = inputs.Run(s_kernels), scores = inputs.Scores;
            foreach (int threads in new[] { 2, 7 })
            {
                var same = new Inputs(inputs, inputs.Problem with { MaxThreads = threads });
                ThreadTests.AssertSameBits(expected, same.Run(s_kernels));
                ThreadTests.AssertSameBits(scores, same.Scores);
            }
        }
    }

    [Theory, InlineData(1), InlineData(3), InlineData(40)]
    public void The_matrix_between_protected_pages(int queries)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        using GuardedMemory matrix = new(1 << 18);
        foreach (var declaration in new[] { s_plain with { Window = (20, 5) }, s_plain with { Mask = AttentionMask.Causal, ScoresStage = AttentionStage.Masked } })
            for (int keys = 1; keys < 40; keys++)
            {
                var inputs = new Inputs(new Problem(declaration, queries, keys));
                float[] expected = inputs.Run(s_kernels), actual = new float[expected.Length];
                foreach (bool atEnd in new[] { true, false })
                {
                    var scores = matrix.Take<float>(inputs.Scores.Length, atEnd);
                    float[] expectedScores = inputs.Scores;
                    s_kernels[declaration].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, actual) with { Scores = scores });
                    ThreadTests.AssertSameBits(expected, actual);
                    inputs.Run(s_kernels);
                    ThreadTests.AssertSameBits(expectedScores, scores);
                }
            }
    }

    [Fact]
    public void Wrong_calls_name_parameter_and_shapes()
    {
        var declaration = s_scored[^1] with { Mask = AttentionMask.Causal, Window = (30, -1) };
        var inputs = new Inputs(new Problem(declaration, 5, 9));
        float[] output = new float[inputs.Problem.OutputLength], scores = new float[270], sums = new float[30];
        Throws("scores has 269 elements, [batch, heads, queries, keys] = [1, 6, 5, 9] are needed. (Parameter 'scores')", a => a with { Scores = new float[269] });
        Throws("output overlaps scores. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", a => a with { Scores = output.AsSpan(0, 270) });
        Throws("scores overlaps key. The output is written while the inputs are read: give it memory of its own. (Parameter 'scores')", a => a with { Scores = inputs.Key.AsSpan(0, 270) });
        Throws("scores overlaps bias. The output is written while the inputs are read: give it memory of its own. (Parameter 'scores')", a => a with { Scores = inputs.Bias.AsSpan(0, 270) });
        Throws("scores overlaps logSumExp. The output is written while the inputs are read: give it memory of its own. (Parameter 'scores')", a => a with { LogSumExp = scores.AsSpan(9, 30) });

        void Throws(string message, Change change)
        {
            output.AsSpan().Fill(7);
            scores.AsSpan().Fill(7);
            string actual = "";
            try
            {
                s_kernels[declaration].Body(change(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output) with { Scores = scores, LogSumExp = sums }));
            }
            catch (ArgumentException exception)
            {
                actual = exception.Message;
            }

            Assert.Equal(message, actual);
            Assert.DoesNotContain(output.Concat(scores), x => x != 7);
        }
    }

    private delegate KernelArguments Change(KernelArguments arguments);
}
