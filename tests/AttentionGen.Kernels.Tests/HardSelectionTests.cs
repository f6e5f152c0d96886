using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Rows that choose a key: which one, what they copy, and what they do without one.</summary>
public class HardSelectionTests
{
    private const AttentionAxes Rows = AttentionAxes.Query | AttentionAxes.Key;

    private static readonly Declaration s_plain = new Declaration(6, 40) { KeyValueHeads = 3, ValueDim = 24 }.Hard;

    private static readonly Declaration s_causal = s_plain with { Mask = AttentionMask.Causal };

    private static readonly Declaration s_window = s_plain with { Window = (20, 5), Roles = s_plain.Roles | Roles.MaxScore };

    private static readonly Declaration s_biased = s_causal with { Bias = Rows, SoftCap = 3, Keep = AttentionAxes.Key };

    private static readonly Declaration s_headMajor = new Declaration(4, 64) { KeyValueHeads = 2, Layout = AttentionLayout.HeadMajor, Mask = AttentionMask.Causal }.Hard;

    private static readonly Declaration s_masked = new Declaration(2, 16) { Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.Scores }.Hard;

    /// <summary>So wide that not all keys are packed at a time.</summary>
    private static readonly Declaration s_long = new Declaration(1, 512) { Mask = AttentionMask.Causal }.Hard;

    private static readonly Declaration[] s_declarations = [s_plain, s_causal, s_window, s_biased, s_headMajor, s_masked, s_plain with { Scale = -0.5f }];

    /// <summary>The same with weights, which have the same scores.</summary>
    private static readonly Declaration[] s_soft = [.. s_declarations.Select(Soft)];

    private static readonly KernelGroup s_kernels = new([.. s_declarations, .. s_soft, s_long]);

    private static Declaration Soft(Declaration hard) => hard with { Selection = AttentionSelection.Softmax };

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_declarations
           from lengths in new[] { (1, 1), (1, 70), (3, 300), (17, 17), (30, 9), (4, 2000), (97, 801) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        new Problem(s_long, 100, 2500),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void A_row_is_the_value_of_the_key_with_the_largest_score(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.RunEverywhere(s_kernels[problem.Declaration]));
        Bound.CheckStatistics(inputs);
        if (inputs.Scores.Length > 0) Bound.CheckScores(inputs);
    }

    /// <summary>The scores have the same bits as those of softmax, so that its argmax is the key.</summary>
    [Theory, InlineData(1, 900), InlineData(5, 300), InlineData(150, 400)]
    public void The_key_is_that_of_softmax(int queries, int keys)
    {
        foreach (var declaration in s_declarations)
        {
            Inputs hard = new(new Problem(declaration, queries, keys)), soft = new(new Problem(Soft(declaration), queries, keys));
            hard.Run(s_kernels);
            soft.Run(s_kernels);
            Assert.Equal(soft.ArgMax, hard.ArgMax);
            Assert.Equal(soft.MaxScore, hard.MaxScore);
        }
    }

    [Theory, InlineData(1), InlineData(5), InlineData(100)]
    public void Of_equal_scores_the_first_key_is_chosen(int queries)
    {
        foreach (var declaration in new[] { s_plain, s_causal, s_window })
        {
            var problem = new Problem(declaration, queries, 1500);
            var inputs = new Inputs(problem);
            inputs.Query.AsSpan().Fill(1.25f);
            inputs.Key.AsSpan().Fill(0.75f);
            float[] output = inputs.Run(s_kernels);
            for (int row = 0; row < problem.Rows; row++) Assert.Equal(problem.Visible(0, row % queries).First, inputs.ArgMax[row]);
            Bound.Check(inputs, output);
        }
    }

    /// <summary>Values are copied: NaN and infinities where they stand, and those of other keys reach no row.</summary>
    [Theory, InlineData(1), InlineData(6), InlineData(90)]
    public void Values_that_are_not_finite_are_copied(int queries)
    {
        var inputs = new Inputs(new Problem(s_causal, queries, 130));
        for (int j = 0; j < inputs.Value.Length; j += 3) inputs.Value[j] = (j % 9) switch { 0 => float.NaN, 3 => float.PositiveInfinity, _ => float.MaxValue };
        Bound.Check(inputs, inputs.Run(s_kernels));
        Bound.CheckStatistics(inputs);
    }

    /// <summary>A NaN in a key makes NaN of the rows that see it, and of no others; an infinite score is the largest.</summary>
    [Theory, InlineData(2), InlineData(80)]
    public void A_score_that_is_not_finite_counts_where_it_is_seen(int queries)
    {
        foreach (float x in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            var problem = new Problem(s_causal, queries, 200);
            var inputs = new Inputs(problem);
            inputs.KeyRow(0, 170, 1)[3] = x;
            float[] output = inputs.Run(s_kernels);
            for (int row = 0; row < problem.Rows; row++)
            {
                int query = row % queries, head = row / queries;
                bool sees = head / 2 == 1 && problem.Visible(0, query).End > 170;
                float sign = inputs.Query[(query * 6 + head) * 40 + 3] * x;
                if (float.IsNaN(x)) Assert.Equal(sees, inputs.ArgMax[row] == -1);
                else if (sees) Assert.Equal(sign > 0, inputs.ArgMax[row] == 170);
                Assert.Equal(sees && float.IsNaN(x), float.IsNaN(output[(query * 6 + head) * 24]));
            }

            Bound.Check(inputs, output);
        }
    }

    /// <summary>-infinity hides a key, and a row without keys is 0.</summary>
    [Theory, InlineData(1), InlineData(4), InlineData(100)]
    public void Rows_without_keys_are_zero(int queries)
    {
        var problem = new Problem(s_biased, queries, 300);
        var inputs = new Inputs(problem);
        inputs.Keep.AsSpan().Fill(true);
        inputs.Bias.AsSpan().Fill(float.NegativeInfinity);
        for (int query = 0; query < queries; query += 2) inputs.Bias[query * 300 + query * 7 % 100] = -3;
        float[] output = inputs.Run(s_kernels);
        for (int row = 0; row < problem.Rows; row++)
        {
            int query = row % queries;
            Assert.Equal(query % 2 == 0 ? query * 7 % 100 : -1, inputs.ArgMax[row]);
        }

        Bound.Check(inputs, output);
    }

    /// <summary>A NaN that a mask hides changes nothing.</summary>
    [Theory, InlineData(1), InlineData(70)]
    public void Hidden_keys_change_nothing(int queries)
    {
        Inputs clean = new(new Problem(s_biased, queries, 128)), poisoned = new(new Problem(s_biased, queries, 128));
        foreach (var inputs in new[] { clean, poisoned }) inputs.Keep[100] = false;
        for (int head = 0; head < 3; head++) poisoned.KeyRow(0, 100, head).Fill(float.NaN);
        Assert.Equal(clean.Run(s_kernels), poisoned.Run(s_kernels));
        Assert.Equal(clean.ArgMax, poisoned.ArgMax);
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads()
    {
        foreach (var (queries, keys) in new[] { (1, 3000), (4, 2000), (300, 300) })
        {
            float[]? one = null;
            foreach (int threads in new[] { 1, 2, 5 })
            {
                var inputs = new Inputs(new Problem(s_headMajor, queries, keys) { MaxThreads = threads });
                float[] output = inputs.Run(s_kernels);
                Assert.Equal(one ??= output, output);
            }
        }
    }
}
