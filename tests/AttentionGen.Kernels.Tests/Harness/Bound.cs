using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// The error bound: the largest absolute error of an output is at most 1e-6, or twice that of <see cref="PlainEvaluation"/>, whichever is more;
/// values of magnitude 1 are assumed. Where the exact output is NaN or infinite, the output is the same; where a row sees no key, it is 0.
/// </summary>
public static class Bound
{
    private const double Least = 1e-6;

    /// <summary>Checks all rows of an output, or some.</summary>
    /// <param name="plainLimit">What the plain evaluation may lose at most: more says that the test itself is wrong.</param>
    public static void Check(Inputs inputs, float[] output, int[]? queries = null, double plainLimit = 2e-5) => Check(inputs, [output], queries, plainLimit);

    /// <summary>Checks outputs that were computed in several ways.</summary>
    public static void Check(Inputs inputs, float[][] outputs, int[]? queries = null, double plainLimit = 2e-5)
    {
        var problem = inputs.Problem;
        int heads = problem.Declaration.Heads, dim = problem.Declaration.ValueDim;
        double[] expected = queries is null ? Whole(inputs) : [];
        double[] expectedToken = new double[heads * dim];
        float[] plain = new float[dim];
        double plainError = 0;
        double[] errors = new double[outputs.Length];
        string[] places = new string[outputs.Length];
        for (int b = 0; b < problem.Batch; b++)
        {
            foreach (int i in queries ?? [.. Enumerable.Range(0, problem.Queries)])
            {
                int token = (b * problem.Queries + i) * heads * dim;
                if (queries is null) expected.AsSpan(token, heads * dim).CopyTo(expectedToken);
                else Token(inputs, b, i, expectedToken);
                for (int h = 0; h < heads; h++)
                {
                    PlainEvaluation.Row(inputs, b, i, h, plain);
                    for (int d = 0; d < dim; d++)
                    {
                        double exact = expectedToken[h * dim + d];
                        bool same = !double.IsFinite(exact) || problem.Visible(b, i) is var (first, end) && first == end;
                        if (!same) plainError = Math.Max(plainError, Math.Abs(plain[d] - exact));
                        for (int n = 0; n < outputs.Length; n++)
                        {
                            float actual = outputs[n][token + h * dim + d];
                            double off = Math.Abs(actual - exact);
                            if (same ? exact.Equals(actual) : off <= errors[n]) continue;
                            string place = $"batch {b}, query {i}, head {h}, element {d}: {actual} for {exact}{(outputs.Length > 1 ? $", way {n}" : "")}";
                            if (same) Assert.Fail($"{problem}: {place}");
                            errors[n] = double.IsNaN(off) ? double.PositiveInfinity : off; // NaN fails the comparison above and arrives here
                            places[n] = place;
                        }
                    }
                }
            }
        }

        Assert.True(plainError <= plainLimit, $"{problem}: the plain evaluation is off by {plainError:g3}, {plainLimit:g3} was expected at most");
        double bound = Math.Max(Least, 2 * plainError);
        foreach (var (error, place) in errors.Zip(places))
        {
            if (error > 0.8 * bound && error <= bound) TestContext.Current.TestOutputHelper?.WriteLine($"tight: {error / bound:f2} of {bound:g3}, {problem}");
            Assert.True(error <= bound, $"{problem}: error {error:g3}, bound {bound:g3} (plain evaluation {plainError:g3}); {place}");
        }
    }

    /// <summary>Checks the log-sum-exps of the last run.</summary>
    public static void CheckLogSumExp(Inputs inputs)
    {
        double[] expected = new double[inputs.LogSumExp.Length];
        Whole(inputs, expected);
        for (int i = 0; i < expected.Length; i++)
        {
            float actual = inputs.LogSumExp[i];
            bool same = double.IsInfinity(expected[i]) ? expected[i].Equals(actual) : Math.Abs(actual - expected[i]) <= 2e-6 * Math.Max(1, Math.Abs(expected[i]));
            Assert.True(same, $"{inputs.Problem}: log-sum-exp {i} is {actual:g9} instead of {expected[i]:g9}");
        }
    }

    /// <summary>
    /// Checks the score matrix of the last run as outputs are checked: what it may be off by is the larger of 1e-6 and twice what the plain evaluation is. An entry that is not a finite number, or that
    /// is 0, is the same; a large one may always be off by four of its last places, as sums of equal products may round the same way again and again.
    /// </summary>
    public static void CheckScores(Inputs inputs)
    {
        var problem = inputs.Problem;
        double[] expected = new double[inputs.Scores.Length];
        Whole(inputs, scores: expected);
        float[] plain = new float[problem.Keys], unused = new float[problem.Declaration.ValueDim];
        double error = 0, plainError = 0;
        string place = "";
        for (int row = 0; row < problem.Rows; row++)
        {
            int b = row / problem.Queries / problem.Declaration.Heads, h = row / problem.Queries % problem.Declaration.Heads, i = row % problem.Queries;
            PlainEvaluation.Row(inputs, b, i, h, unused, plain);
            for (int j = 0; j < problem.Keys; j++)
            {
                double exact = expected[row * problem.Keys + j];
                float actual = inputs.Scores[row * problem.Keys + j];
                string entry = $"batch {b}, head {h}, query {i}, key {j}: {actual:g9} for {exact:g9}";
                if (!double.IsFinite(exact) || exact == 0) Assert.True(exact.Equals(actual), $"{problem}: {entry}");
                else plainError = Math.Max(plainError, Math.Abs(plain[j] - exact));
                double off = Math.Abs(actual - exact);
                if (double.IsFinite(exact) && !(off <= error)) (error, place) = (double.IsNaN(off) ? double.PositiveInfinity : off, entry);
            }
        }

        double bound = Math.Max(Math.Max(Least, 2 * Rounding(expected)), 2 * plainError);
        Assert.True(error <= bound, $"{problem}: error {error:g3}, bound {bound:g3} (plain evaluation {plainError:g3}); {place}");
    }

    /// <summary>Two of the last places of the largest score.</summary>
    private static double Rounding(double[] scores) => scores.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max() * 2 / (1 << 23);

    /// <summary>
    /// Checks the largest scores, entropies and keys of the last run: what the first two may be off by is the larger of 2e-6 and twice what they are in single precision from the plain
    /// evaluation's scores; a large score may always be off by two of its last places. The key is one whose exact score is the largest within that.
    /// </summary>
    public static void CheckStatistics(Inputs inputs)
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
        double maxScoreError = 0, entropyError = 0, plainMaxScore = 0, plainEntropy = 0;
        for (int row = 0; row < problem.Rows; row++)
        {
            int b = row / problem.Queries / declaration.Heads, h = row / problem.Queries % declaration.Heads, i = row % problem.Queries;
            string place = $"{problem}: batch {b}, head {h}, query {i}";
            if (argmax[row] < 0 || !double.IsFinite(maxScore[row]))
            {
                if (inputs.ArgMax.Length > 0) Assert.True(inputs.ArgMax[row] == -1, $"{place}: argmax {inputs.ArgMax[row]}");
                if (inputs.MaxScore.Length > 0) Assert.True(maxScore[row].Equals(inputs.MaxScore[row]), $"{place}: largest score {inputs.MaxScore[row]}");
                if (inputs.Entropy.Length > 0) Assert.True(entropy[row].Equals(inputs.Entropy[row]), $"{place}: entropy {inputs.Entropy[row]} for {entropy[row]}");
                continue;
            }

            plain.AsSpan().Fill(float.NegativeInfinity);
            PlainEvaluation.Row(masked, b, i, h, unused, plain);
            float highest = plain.Max();
            plainMaxScore = Math.Max(plainMaxScore, Math.Abs(highest - maxScore[row]));
            plainEntropy = Math.Max(plainEntropy, Math.Abs(PlainEvaluation.Entropy(plain, highest, inputs.Sinks.Length > 0 ? inputs.Sinks[h] : null) - entropy[row]));
            if (inputs.MaxScore.Length > 0) maxScoreError = Larger(maxScoreError, Math.Abs(inputs.MaxScore[row] - maxScore[row]));
            if (inputs.Entropy.Length > 0) entropyError = Larger(entropyError, Math.Abs(inputs.Entropy[row] - entropy[row]));
            if (inputs.ArgMax.Length == 0) continue;
            Assert.InRange(inputs.ArgMax[row], 0, problem.Keys - 1);
            maxScoreError = Larger(maxScoreError, (maxScore[row] - scores[row * problem.Keys + inputs.ArgMax[row]]) / 2);
        }

        Assert.True(maxScoreError <= Math.Max(Math.Max(2 * Least, Rounding(maxScore)), 2 * plainMaxScore), $"{problem}: largest scores are off by {maxScoreError:g3}, those of the plain evaluation by {plainMaxScore:g3}");
        Assert.True(entropyError <= Math.Max(2 * Least, 2 * plainEntropy), $"{problem}: entropies are off by {entropyError:g3}, those of the plain evaluation by {plainEntropy:g3}");

        static double Larger(double error, double off) => double.IsNaN(off) ? double.PositiveInfinity : Math.Max(error, off);
    }

    /// <summary>The reference of a whole call.</summary>
    public static double[] Whole(Inputs inputs, Span<double> logSumExp = default, Span<double> scores = default)
    {
        var problem = inputs.Problem;
        double[] expected = new double[problem.OutputLength];
        problem.Declaration.Reference.Attend(
            inputs.Query, inputs.Key, inputs.Value, expected, problem.Batch, problem.QueryStarts, problem.KeyLengths, operands: inputs.Operands(logSumExp, scores));
        return expected;
    }

    /// <summary>The reference of a single query of a long call.</summary>
    private static void Token(Inputs inputs, int batch, int query, Span<double> expected)
    {
        var problem = inputs.Problem;
        int queryWidth = problem.QueryLength / (problem.Batch * problem.Queries), keys = problem.KeyLength / problem.Batch, values = problem.ValueLength / problem.Batch;
        problem.Declaration.Reference.Attend(
            inputs.Query.AsSpan((batch * problem.Queries + query) * queryWidth, queryWidth), inputs.Key.AsSpan(batch * keys, keys), inputs.Value.AsSpan(batch * values, values),
            expected, 1, [problem.Start(batch) + query], [problem.Length(batch)]);
    }
}
