using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Finite inputs on which a careless softmax overflows, loses its sums or rounds its scores away.</summary>
public class HostileInputTests
{
    private const int Dim = 64;

    internal static readonly Declaration[] Declarations =
        [.. from mask in Enum.GetValues<AttentionMask>() select new Declaration(2, Dim) { KeyValueHeads = 1, Mask = mask }];

    private static Inputs Make(AttentionMask mask, int queries = 150, int keys = 900) =>
        new(new Problem(Declarations.First(declaration => declaration.Mask == mask), queries, keys));

    /// <param name="plainLimit">Scores of 10^4 carry an error of 10^-3, which is that of their weights.</param>
    private static void Check(Inputs inputs, double plainLimit, bool eachAlone = false)
    {
        // As one call, and as calls of few rows, for which keys are read as they lie in memory.
        var kernel = Catalogue.Kernels[inputs.Problem.Declaration];
        Bound.Check(inputs, [inputs.Run(kernel), inputs.RunInPieces(kernel, queries: 7)], plainLimit: plainLimit, eachAlone: eachAlone);
    }

    public static MatrixTheoryData<AttentionMask, float> Magnitudes => new([AttentionMask.None, AttentionMask.Causal], [30f, 90f, 1e4f]);

    /// <summary>Keys stand in pairs that nearly tie: without, one key would take all of most rows, and chance would decide about the rest.</summary>
    [Theory, MemberData(nameof(Magnitudes))]
    public void Large_scores_of_both_signs(AttentionMask mask, float magnitude)
    {
        var inputs = Make(mask);
        foreach (ref float x in inputs.Query.AsSpan()) x *= MathF.Sqrt(magnitude);
        foreach (ref float x in inputs.Key.AsSpan()) x *= MathF.Sqrt(magnitude);
        for (int j = 0; j < inputs.Problem.Keys; j += 2)
        {
            inputs.KeyRow(0, j, 0).CopyTo(inputs.KeyRow(0, j + 1, 0));
            foreach (ref float x in inputs.KeyRow(0, j + 1, 0)) x += inputs.Normal() / MathF.Sqrt(magnitude);
        }

        Check(inputs, magnitude * 1e-6);
    }

    /// <summary>One element of queries and keys makes the level of the scores, as in the key channels of language models; the others add to it.</summary>
    public static MatrixTheoryData<AttentionMask, int, float> OutlierChannels => new([AttentionMask.None, AttentionMask.Causal], [0, 15, 31, 32, 63], [10f, 30f, 90f]);

    [Theory, MemberData(nameof(OutlierChannels))]
    public void One_channel_is_an_outlier(AttentionMask mask, int channel, float level)
    {
        var inputs = Make(mask);
        for (int i = 0; i < inputs.Problem.Queries; i++)
            for (int h = 0; h < inputs.Problem.Declaration.Heads; h++) inputs.QueryRow(0, i, h)[channel] = 3;
        for (int j = 0; j < inputs.Problem.Keys; j++) inputs.KeyRow(0, j, 0)[channel] = level * MathF.Sqrt(Dim) / 3;
        Check(inputs, 2e-5, eachAlone: level > 30); // a chain that begins with the channel carries its level on, to 1.4 times the bound of all rows together
    }

    [Theory, MemberData(nameof(Magnitudes))]
    public void Large_scores_that_nearly_agree(AttentionMask mask, float magnitude)
    {
        // Each element of queries and keys is a constant, such that the scores are of the magnitude, and noise, such that they differ by about 1.
        float constant = MathF.Sqrt(magnitude / MathF.Sqrt(Dim)), noise = 1 / constant;
        var inputs = Make(mask);
        foreach (ref float x in inputs.Query.AsSpan()) x = constant + noise * x;
        foreach (ref float x in inputs.Key.AsSpan()) x = constant + noise * x;
        Check(inputs, magnitude * 1e-6);
    }

    [Theory, MemberData(nameof(Magnitudes))]
    public void Equal_scores_give_the_mean_of_the_values(AttentionMask mask, float magnitude)
    {
        var inputs = Make(mask);
        float element = MathF.Sqrt(magnitude / MathF.Sqrt(Dim));
        inputs.Query.AsSpan().Fill(element);
        inputs.Key.AsSpan().Fill(-element);
        Check(inputs, 2e-5);
    }

    /// <summary>Each weight is rounded the same way, each time that it is added: what docs/exactness.md says of sums over keys.</summary>
    [Theory, InlineData(1, 4000), InlineData(2, 3000), InlineData(70, 1500)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Equal_scores_of_equal_values(int queries, int keys)
    {
        foreach (float level in new[] { 0.09f, 0.13f, 0.27f, 0.34f, 30.27f })
        {
            var inputs = Make(AttentionMask.None, queries, keys);
            inputs.Query.AsSpan().Fill(1);
            inputs.Key.AsSpan().Fill(level / MathF.Sqrt(Dim));
            inputs.Value.AsSpan().Fill(1);
            Bound.Check(inputs, inputs.Run(Catalogue.Kernels), eachAlone: true);
        }
    }

    public static MatrixTheoryData<AttentionMask, int> DominantKeys => new([AttentionMask.None, AttentionMask.Causal], [0, 15, 63, 64, 255, 383, 384, 500, 750, 899]);

    [Theory, MemberData(nameof(DominantKeys))]
    public void One_key_dominates(AttentionMask mask, int key) => Check(Levels(Make(mask), j => j == key ? 200 : 0), 1e-4);

    public static MatrixTheoryData<AttentionMask, int> Rises => new([AttentionMask.None, AttentionMask.Causal], [3, 70, 200, 300, 390, 600, 770, 899]);

    [Theory, MemberData(nameof(Rises))]
    public void The_maximum_rises_in_the_middle(AttentionMask mask, int key) => Check(Levels(Make(mask), j => j >= key ? 30 : -20), 1e-4);

    [Theory, MemberData(nameof(Rises))]
    public void The_maximum_rises_a_little_more_than_the_kernel_lets_pass_and_a_little_less(AttentionMask mask, int key)
    {
        Check(Levels(Make(mask), j => j >= key ? 4 : 0), 1e-4);
        Check(Levels(Make(mask), j => j >= key ? 8 : 0), 1e-4);
    }

    [Theory, InlineData(AttentionMask.None, 0.5f), InlineData(AttentionMask.Causal, 0.5f), InlineData(AttentionMask.None, 0.03f), InlineData(AttentionMask.Causal, 0.03f)]
    public void Scores_that_rise_or_fall_from_key_to_key(AttentionMask mask, float step)
    {
        Check(Levels(Make(mask), j => j * step), 1e-3);
        Check(Levels(Make(mask), j => -j * step), 1e-3);
    }

    public static MatrixTheoryData<AttentionMask, int, float> LowBeginnings =>
        new([AttentionMask.None, AttentionMask.Causal], [1, 64, 200, 300, 390], [-100f, -1e3f, -1e4f, -1e9f, -1e30f]);

    /// <summary>The first keys set a maximum that says nothing about the others.</summary>
    [Theory, MemberData(nameof(LowBeginnings))]
    public void Scores_begin_hugely_negative(AttentionMask mask, int low, float level) => Check(Levels(Make(mask), j => j < low ? level : 0), 1e-4);

    [Theory, InlineData(AttentionMask.None, -1e30f), InlineData(AttentionMask.Causal, -1e30f), InlineData(AttentionMask.None, 1e30f), InlineData(AttentionMask.Causal, 1e30f)]
    public void Scores_are_all_huge_and_equal(AttentionMask mask, float level)
    {
        var inputs = Make(mask);
        inputs.Query.AsSpan().Fill(1);
        inputs.Key.AsSpan().Fill(level / MathF.Sqrt(Dim));
        Check(inputs, 2e-5);
    }

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void Subnormal_queries_count(AttentionMask mask)
    {
        var inputs = Make(mask);
        foreach (ref float x in inputs.Query.AsSpan()) x *= 3e-39f;
        foreach (ref float x in inputs.Key.AsSpan()) x *= 3e37f;
        Assert.Contains(inputs.Query, float.IsSubnormal);
        Check(inputs, 2e-5);
    }

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void Subnormal_values_count(AttentionMask mask)
    {
        var inputs = Make(mask);
        foreach (ref float x in inputs.Value.AsSpan()) x *= 1e-39f;
        Assert.Contains(inputs.Value, float.IsSubnormal);
        double[] expected = Bound.Whole(inputs);
        float[] output = inputs.Run(Catalogue.Kernels);
        double step = float.Epsilon * inputs.Problem.Keys; // each sum may round by half a step
        for (int i = 0; i < output.Length; i++) Assert.InRange(output[i], expected[i] - step, expected[i] + step);
        Assert.Contains(output, x => Math.Abs(x) > 2 * step);
    }

    /// <summary>Scores that are about N(level of the key, 1): along the direction (1, 1, ...) queries have a fixed length, and keys carry the level.</summary>
    internal static Inputs Levels(Inputs inputs, Func<int, float> level)
    {
        var problem = inputs.Problem;
        for (int i = 0; i < problem.Queries; i++)
        {
            for (int h = 0; h < problem.Declaration.Heads; h++)
            {
                var query = inputs.QueryRow(0, i, h);
                float mean = query.ToArray().Average();
                foreach (ref float x in query) x += 1 - mean;
            }
        }

        for (int j = 0; j < problem.Keys; j++)
            foreach (ref float x in inputs.KeyRow(0, j, 0)) x += level(j) / MathF.Sqrt(problem.Declaration.HeadDim);
        return inputs;
    }
}
