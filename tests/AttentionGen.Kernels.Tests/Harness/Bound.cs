using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What an output row is off by.</summary>
/// <param name="Way">Which of several outputs.</param>
/// <param name="Error">The largest over its elements; infinite where it is NaN.</param>
/// <param name="Plain">That of <see cref="PlainEvaluation"/>.</param>
/// <param name="Unit">2^-24 (R S + V).</param>
/// <param name="Chains">What the chains of sums explain: the third part of the bound.</param>
/// <param name="FirstOrder">Whether R is so small that an error of the scores is one of the weights: beyond, a score says nothing about its weight.</param>
/// <param name="Element">Where it is the largest.</param>
public readonly record struct RowError(int Batch, int Query, int Head, int Way, double Error, double Plain, double Unit, double Chains, bool FirstOrder, int Element, float Actual, double Expected);

/// <summary>
/// The error bound of docs/exactness.md, row by row: the largest absolute error of a row is at most 1e-6, or twice that of <see cref="PlainEvaluation"/>, or C 2^-24 (R S + V), whichever is the
/// most. Where the exact output is NaN or infinite, the output is the same; where a row sees no key, it is 0.
/// </summary>
public static partial class Bound
{
    /// <summary>2^-24: what a rounding changes a number by, relative to it, at most.</summary>
    public const double Step = 1.0 / (1 << 24);

    /// <summary>The constants of docs/exactness.md: for the scores of a row together, for what a row meets once, and for each of its keys.</summary>
    private const double C = 2, Once = 8, Each = 3.0 / 8;

    /// <summary>Errors of scores that are still errors of weights, to first order.</summary>
    private const double MostOfScores = 0.25;

    private const double Least = 1e-6;

    /// <summary>Checks all rows of an output, or some.</summary>
    /// <param name="plainLimit">What the plain evaluation may lose at most: more says that the test itself is wrong.</param>
    /// <param name="eachAlone">Whether the rows are not held to the worst of the plain evaluation's rows together, for inputs that are kinder to its order of sums.</param>
    public static void Check(Inputs inputs, float[] output, int[]? queries = null, double plainLimit = 2e-5, bool eachAlone = false) => Check(inputs, [output], queries, plainLimit, eachAlone);

    /// <summary>Checks outputs that were computed in several ways.</summary>
    public static void Check(Inputs inputs, float[][] outputs, int[]? queries = null, double plainLimit = 2e-5, bool eachAlone = false)
    {
        if (inputs.Problem.Declaration.Selection == AttentionSelection.Hard)
        {
            foreach (float[] output in outputs) CheckChoice(inputs, output);
            return;
        }

        var rows = Rows(inputs, outputs, queries).ToList(); // judged when all are known, as the worst of them counts
        double plainError = rows.Count == 0 ? 0 : rows.Max(row => row.Plain);
        Assert.True(plainError <= plainLimit, $"{inputs.Problem}: the plain evaluation is off by {plainError:g3}, {plainLimit:g3} was expected at most");
        foreach (var row in rows)
        {
            double bound = Of(row, plainError);
            Assert.True(row.Error <= bound, $"{inputs.Problem}: error {row.Error:g3}, bound {bound:g3} (plain evaluation {row.Plain:g3}, chains {row.Chains:g3}); "
                + $"batch {row.Batch}, query {row.Query}, head {row.Head}, element {row.Element}: {row.Actual} for {row.Expected}{(outputs.Length > 1 ? $", way {row.Way}" : "")}");
        }

        // Of many rows the worst is no matter of chance: longer chains than there are would show in it. A few rows may have far larger scores than the others, and the worst of them is one: each
        // row is held to the worst of the plain evaluation, in absolute terms or relative to what a rounding does to the row, whichever is more.
        if (eachAlone || rows.Count < ManyRows * outputs.Length) return;
        double plainUnits = rows.Max(row => row.Unit > 0 ? row.Plain / row.Unit : 0);
        foreach (var row in rows)
            Assert.True(row.Error <= Math.Max(Least, 2 * Math.Max(plainError, plainUnits * row.Unit)), $"{inputs.Problem}: error {row.Error:g3} among {rows.Count} rows, of which the plain evaluation is off by {plainError:g3} at most, "
                + $"by {plainUnits:g3} of {row.Unit:g3} in such a row; batch {row.Batch}, query {row.Query}, head {row.Head}, element {row.Element}");
    }

    /// <summary>Of so many rows of values of both signs, none in some hundred thousand rows was off by more than the worst of the plain evaluation, twice.</summary>
    private const int ManyRows = 64;

    /// <summary>What a row may be off by. Where it is not of first order, the worst row of the plain evaluation says what single precision costs in such a call.</summary>
    private static double Of(RowError row, double plainOfCall) =>
        Math.Max(Least, row.FirstOrder ? Math.Max(2 * row.Plain, row.Chains) : 2 * plainOfCall);

    /// <summary>
    /// 2^-24 (C R S + (Once + Each n) V). Where values have both signs less than V is summed: the most that it comes to stands for it.
    /// </summary>
    private static double Chains(RowSizes sizes) => Step * (C * sizes.Scores * sizes.Spread + Once * sizes.Values + Each * sizes.Visible * sizes.Partial);

    /// <summary>What finite rows are off by; the others are the same as the exact ones, or the test fails.</summary>
    public static IEnumerable<RowError> Rows(Inputs inputs, float[][] outputs, int[]? queries = null)
    {
        var problem = inputs.Problem;
        int heads = problem.Declaration.Heads, dim = problem.Declaration.ValueDim;
        double[] expected = queries is null ? Whole(inputs) : [], ofToken = new double[heads * dim];
        float[] plain = new float[dim];
        var sizes = new RowSizes(problem);
        var stored = problem.Declaration.Narrow.Output ? problem.Declaration.Storage : Storage.Wide;
        for (int b = 0; b < problem.Batch; b++)
        {
            foreach (int i in queries ?? [.. Enumerable.Range(0, problem.Queries)])
            {
                int token = (b * problem.Queries + i) * heads * dim;
                if (queries is null) expected.AsSpan(token, heads * dim).CopyTo(ofToken);
                else Token(inputs, b, i, ofToken);
                bool seesNone = problem.Visible(b, i) is var (first, end) && first == end;
                for (int h = 0; h < heads; h++)
                {
                    PlainEvaluation.Row(inputs, b, i, h, plain, default, sizes);
                    for (int n = 0; n < outputs.Length; n++)
                    {
                        var row = Row(ofToken.AsSpan(h * dim, dim), outputs[n].AsSpan(token + h * dim, dim), plain, seesNone || sizes.Visible == 0, stored, out int differs);
                        if (differs >= 0) Assert.Fail($"{problem}: batch {b}, query {i}, head {h}, element {differs}: {row.Actual} for {row.Expected}{(outputs.Length > 1 ? $", way {n}" : "")}");
                        if (row.Element < 0) continue; // nothing in it is finite
                        yield return row with
                        {
                            Batch = b, Query = i, Head = h, Way = n, Unit = Step * (sizes.Scores * sizes.Spread + sizes.Values), Chains = Chains(sizes), FirstOrder = IsFirstOrder(sizes),
                        };
                    }
                }
            }
        }
    }

    /// <param name="stored">The type to which the output is rounded, which the error does not count.</param>
    /// <param name="differs">An element that is not the same and has to be; -1 for none.</param>
    private static RowError Row(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, ReadOnlySpan<float> plain, bool seesNone, Storage stored, out int differs)
    {
        var row = new RowError { Element = -1, Error = -1 };
        for (int d = 0; d < expected.Length; d++)
        {
            differs = d;
            bool same = seesNone || !double.IsFinite(expected[d]);
            double off = Math.Abs(actual[d] - expected[d]);
            if (stored != Storage.Wide) off = Math.Max(off - stored.Rounding(expected[d]), off * 0); // a NaN stays one
            if (same && !expected[d].Equals(actual[d])) return row with { Actual = actual[d], Expected = expected[d] };
            if (same) continue;
            row = row with { Plain = Math.Max(row.Plain, Math.Abs(plain[d] - expected[d])) };
            if (!(off <= row.Error)) row = row with { Error = double.IsNaN(off) ? double.PositiveInfinity : off, Element = d, Actual = actual[d], Expected = expected[d] };
        }

        differs = -1;
        return row;
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
