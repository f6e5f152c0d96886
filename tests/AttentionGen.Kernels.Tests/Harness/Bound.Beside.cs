using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What a number that a kernel writes beside its output is off by, and may be.</summary>
/// <param name="Plain">What the plain evaluation is off by; judged where scores are so large that one says nothing about its weight.</param>
public readonly record struct BesideError(string What, double Error, double Bound, double Plain, bool FirstOrder, string Place);

/// <summary>
/// Log-sum-exps, score matrices and statistics. A score may be off by a part of its size, d, as its chain of products explains; so may a maximum and a log-sum-exp, which is a mean of scores. A
/// weight w may be off by 2 d w, the entropy H by 2 d H. Sums over the keys add what their chains lose. None of this depends on other rows.
/// </summary>
public static partial class Bound
{
    /// <summary>Checks the log-sum-exps of the last run.</summary>
    public static void CheckLogSumExp(Inputs inputs) => Check(inputs, LogSumExps(inputs));

    /// <summary>Checks the score matrix of the last run. An entry that is not a finite number, or that is 0, is the same.</summary>
    public static void CheckScores(Inputs inputs) => Check(inputs, ScoreMatrix(inputs));

    /// <summary>Checks the largest scores, entropies and keys of the last run. The key is one whose exact score is the largest as far as scores are exact.</summary>
    public static void CheckStatistics(Inputs inputs) => Check(inputs, Statistics(inputs));

    private static void Check(Inputs inputs, IEnumerable<BesideError> errors)
    {
        var all = errors.ToList();
        double plain = all.Count == 0 ? 0 : all.Max(error => error.Plain);
        foreach (var error in all)
        {
            double bound = error.FirstOrder ? error.Bound : Math.Max(Least, 2 * plain);
            Assert.True(error.Error <= bound, $"{inputs.Problem}: {error.What} is off by {error.Error:g3}, bound {bound:g3} (plain evaluation {error.Plain:g3}); {error.Place}");
        }
    }

    /// <summary>What is written beside the outputs of the last run.</summary>
    public static IEnumerable<BesideError> Beside(Inputs inputs) =>
    [
        .. inputs.LogSumExp.Length > 0 ? LogSumExps(inputs) : [],
        .. inputs.Scores.Length > 0 ? ScoreMatrix(inputs) : [],
        .. inputs.MaxScore.Length > 0 || inputs.Entropy.Length > 0 || inputs.ArgMax.Length > 0 ? Statistics(inputs) : [],
    ];

    private static IEnumerable<BesideError> LogSumExps(Inputs inputs)
    {
        double[] expected = new double[inputs.LogSumExp.Length];
        Whole(inputs, expected);
        var sizes = new RowSizes(inputs.Problem);
        float[] unused = new float[inputs.Problem.Declaration.ValueDim];
        for (int row = 0; row < expected.Length; row++)
        {
            var (b, h, i, place) = Place(inputs.Problem, row);
            float actual = inputs.LogSumExp[row];
            if (!IsFinite(expected[row], actual, inputs, "log-sum-exp", place)) continue;
            PlainEvaluation.Row(inputs, b, i, h, unused, default, sizes);
            yield return new("log-sum-exp", Off(actual, expected[row]), sizes.ScoreError(sizes.Scores) + Step * (Once + sizes.Visible / 8.0 + Math.Abs(expected[row])), 0, true, $"{place}: {actual:g9} for {expected[row]:g9}");
        }
    }

    private static IEnumerable<BesideError> ScoreMatrix(Inputs inputs)
    {
        var problem = inputs.Problem;
        double[] expected = new double[inputs.Scores.Length];
        Whole(inputs, scores: expected);
        float[] plain = new float[problem.Keys], unused = new float[problem.Declaration.ValueDim];
        var sizes = new RowSizes(problem);
        var stage = problem.Declaration.ScoresStage;
        for (int row = 0; row < problem.Rows; row++)
        {
            var (b, h, i, ofRow) = Place(problem, row);
            PlainEvaluation.Row(inputs, b, i, h, unused, plain, sizes);
            for (int j = 0; j < problem.Keys; j++)
            {
                double exact = expected[row * problem.Keys + j];
                float actual = inputs.Scores[row * problem.Keys + j];
                string place = $"{ofRow}, key {j}: {actual:g9} for {exact:g9}";
                if (exact == 0)
                {
                    Assert.True(actual == 0, $"{problem}: {place}");
                    continue;
                }

                if (!IsFinite(exact, actual, inputs, "an entry", place)) continue;
                double size = stage is AttentionStage.Scaled or AttentionStage.Capped ? sizes.Product(j) : sizes.Score(j), score = sizes.ScoreError(size);
                yield return stage != AttentionStage.Weights
                    ? new("score", Off(actual, exact), score, 0, true, place)
                    : new("weight", Off(actual, exact), SmallestWeight + exact * (score + sizes.ScoreError(sizes.Scores) + Step * (Once + sizes.Visible / 8.0)), Math.Abs(plain[j] - exact), IsFirstOrder(sizes), place);
            }
        }
    }

    /// <summary>What is less is 0: a weight relative to a maximum that lags by 2^8 at most.</summary>
    private const double SmallestWeight = 1.2e-38 * 256;

    /// <summary>
    /// Checks the outputs of rows that choose a key: the value of the key that argmax tells, bit for bit; 0 or NaN as in the reference where it tells none. Whether it is the right key,
    /// <see cref="CheckStatistics"/> says.
    /// </summary>
    private static void CheckChoice(Inputs inputs, float[] output)
    {
        var problem = inputs.Problem;
        var declaration = problem.Declaration;
        int dim = declaration.ValueDim;
        double[] expected = Whole(inputs);
        Assert.Equal(problem.Rows, inputs.ArgMax.Length);
        for (int row = 0; row < problem.Rows; row++)
        {
            var (b, h, i, place) = Place(problem, row);
            int at = ((b * problem.Queries + i) * declaration.Heads + h) * dim, key = inputs.ArgMax[row];
            var value = key < 0 ? default : inputs.Value.AsSpan(((b * problem.Keys + key) * declaration.KeyValueHeads + h / declaration.Group) * dim, dim);
            for (int d = 0; d < dim; d++)
            {
                float exact = key < 0 ? (float)expected[at + d] : value[d];
                Assert.True(exact.Equals(output[at + d]) && (key >= 0 || !(exact != 0 && double.IsFinite(exact))), $"{problem}: {place}, element {d}: {output[at + d]} for {exact}, argmax {key}");
            }
        }
    }

    private static IEnumerable<BesideError> Statistics(Inputs inputs)
    {
        var problem = inputs.Problem;
        var declaration = problem.Declaration with { ScoresStage = AttentionStage.Masked };
        var masked = new Inputs(inputs, problem with { Declaration = declaration });
        double[] maxScore = new double[problem.Rows], entropy = new double[problem.Rows], scores = new double[problem.Rows * problem.Keys];
        int[] argmax = new int[problem.Rows];
        declaration.Reference.Attend(
            inputs.Query, inputs.Key, inputs.Value, new double[problem.OutputLength], problem.Batch, problem.QueryStarts, problem.KeyLengths,
            operands: inputs.Operands(maxScore: maxScore, entropy: entropy, argmax: argmax, scores: scores));
        float[] plain = new float[problem.Keys], unused = new float[declaration.ValueDim];
        var sizes = new RowSizes(problem);
        for (int row = 0; row < problem.Rows; row++)
        {
            var (b, h, i, place) = Place(problem, row);
            if (argmax[row] < 0 || !double.IsFinite(maxScore[row]))
            {
                if (inputs.ArgMax.Length > 0) Assert.True(inputs.ArgMax[row] == -1, $"{problem}: {place}: argmax {inputs.ArgMax[row]}");
                if (inputs.MaxScore.Length > 0) Assert.True(maxScore[row].Equals(inputs.MaxScore[row]), $"{problem}: {place}: largest score {inputs.MaxScore[row]}");
                if (inputs.Entropy.Length > 0) Assert.True(entropy[row].Equals(inputs.Entropy[row]), $"{problem}: {place}: entropy {inputs.Entropy[row]} for {entropy[row]}");
                continue;
            }

            plain.AsSpan().Fill(float.NegativeInfinity);
            PlainEvaluation.Row(masked, b, i, h, unused, plain, sizes);
            double score = sizes.ScoreError(sizes.Scores), exact = entropy[row];
            if (inputs.MaxScore.Length > 0)
                yield return new("largest score", Off(inputs.MaxScore[row], maxScore[row]), score + 2 * Step * Math.Abs(maxScore[row]), 0, true, $"{place}: {inputs.MaxScore[row]:g9} for {maxScore[row]:g9}");
            if (inputs.Entropy.Length > 0)
            {
                double plainEntropy = PlainEvaluation.Entropy(plain, plain.Max(), inputs.Sinks.Length > 0 ? inputs.Sinks[h] : null);
                double bound = 2 * score * exact + Step * (Once + sizes.Visible / 4.0) * (exact + Math.Log(sizes.Visible + 1) + Lag);
                yield return new("entropy", Off(inputs.Entropy[row], exact), bound, Math.Abs(plainEntropy - exact), IsFirstOrder(sizes), $"{place}: {inputs.Entropy[row]:g9} for {exact:g9}");
            }

            if (inputs.ArgMax.Length == 0) continue;
            Assert.InRange(inputs.ArgMax[row], 0, problem.Keys - 1);
            yield return new("score of argmax", maxScore[row] - scores[row * problem.Keys + inputs.ArgMax[row]], 2 * score, 0, true, $"{place}: key {inputs.ArgMax[row]} for {argmax[row]}");
        }
    }

    /// <summary>What the exponents of weights are above 0 at most, where the maximum that they are relative to lags: 8 powers of two.</summary>
    private const double Lag = 5.6;

    private static bool IsFirstOrder(RowSizes sizes) => sizes.ScoreError(sizes.Scores) <= MostOfScores;

    private static double Off(float actual, double exact) => Math.Abs(actual - exact) is var off && double.IsNaN(off) ? double.PositiveInfinity : off;

    private static (int Batch, int Head, int Query, string Text) Place(Problem problem, int row)
    {
        int b = row / problem.Queries / problem.Declaration.Heads, h = row / problem.Queries % problem.Declaration.Heads, i = row % problem.Queries;
        return (b, h, i, $"batch {b}, head {h}, query {i}");
    }

    /// <summary>Whether an exact number is finite, and so only near; one that is not is the same.</summary>
    private static bool IsFinite(double exact, float actual, Inputs inputs, string what, string place)
    {
        if (double.IsFinite(exact)) return true;
        Assert.True(exact.Equals(actual), $"{inputs.Problem}: {what}, {place}");
        return false;
    }
}
