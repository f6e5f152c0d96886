namespace AttentionGen.Kernels.Tests;

/// <summary>
/// How large what single precision rounds is in a row: what docs/exactness.md calls R, S and V, and the same for each key. <see cref="PlainEvaluation"/> fills it in as it goes.
/// </summary>
public sealed class RowSizes(Problem problem)
{
    /// <summary>A weight is 0 in single precision where its score lies so far below the largest: e^-104 is less than 2^-149.</summary>
    private const double Vanishing = 104;

    private readonly double[] _products = new double[problem.Keys], _scores = new double[problem.Keys];

    /// <summary>R, the largest size of a score: scale * sum |q k| + |bias| + |slope (p - j)|, or the largest intermediate of an own score. Keys count whose weight is not 0 however scores round.</summary>
    public double Scores { get; private set; }

    /// <summary>S, the spread of the visible values, of the element where it is the largest. A sink is a key whose values are 0.</summary>
    public double Spread { get; private set; }

    /// <summary>V, the largest magnitude of the visible values.</summary>
    public double Values { get; private set; }

    /// <summary>n, the keys that the row sees.</summary>
    public int Visible { get; private set; }

    /// <summary>The largest magnitude that an element of the output has when a part of the keys is summed; at most V.</summary>
    public double Partial { get; private set; }

    /// <summary>The size of the product of a key: scale * sum |q k|.</summary>
    public double Product(int key) => _products[key];

    /// <summary>The size of the score of a key.</summary>
    public double Score(int key) => _scores[key];

    private bool HasSink => problem.Declaration.Has(Roles.Sinks);

    /// <summary>What a score by itself may be off by: about half of what its chain of products explains, and what is done to it.</summary>
    public double ScoreError(double size) => Bound.Step * (8 + problem.Declaration.HeadDim / 16.0) * size;

    internal void Clear()
    {
        Array.Clear(_products);
        Array.Clear(_scores);
        (Scores, Spread, Values, Visible, Partial) = (0, 0, 0, 0, 0);
    }

    internal void Set(int key, double product, double score) => (_products[key], _scores[key]) = (product, score);

    /// <param name="first">The key of the first score.</param>
    /// <param name="scores">The scores; those that are hidden do not count.</param>
    /// <param name="value">The values of a key.</param>
    internal void Finish(int first, ReadOnlySpan<float> scores, ReadOnlySpan<bool> hidden, Func<int, Memory<float>> value)
    {
        float[] least = [], most = [];
        float highest = float.NegativeInfinity;
        for (int j = 0; j < scores.Length; j++)
            if (!hidden[j]) highest = Math.Max(highest, scores[j]);
        for (int j = 0; j < scores.Length; j++)
        {
            if (hidden[j]) continue;
            Visible++;
            double size = _scores[first + j];
            if (scores[j] + ScoreError(size) >= highest - Vanishing) Scores = Math.Max(Scores, size);
            var values = value(first + j).Span;
            if (least.Length == 0) (least, most) = (Filled(values.Length, HasSink ? 0 : float.PositiveInfinity), Filled(values.Length, HasSink ? 0 : float.NegativeInfinity));
            for (int d = 0; d < values.Length; d++)
            {
                if (!float.IsFinite(values[d])) continue; // its output is not, either
                least[d] = Math.Min(least[d], values[d]);
                most[d] = Math.Max(most[d], values[d]);
                Values = Math.Max(Values, Math.Abs(values[d]));
            }
        }

        for (int d = 0; d < least.Length; d++) Spread = Math.Max(Spread, (double)most[d] - least[d]);

        static float[] Filled(int length, float value)
        {
            float[] filled = new float[length];
            filled.AsSpan().Fill(value);
            return filled;
        }
    }

    /// <summary>What is summed of an output.</summary>
    internal void Add(ReadOnlySpan<float> partial)
    {
        foreach (float x in partial)
            if (float.IsFinite(x)) Partial = Math.Max(Partial, Math.Abs(x));
    }

    internal void Divide(float sum) => Partial = Visible > 0 && float.IsFinite(sum) ? Partial / sum : 0;
}
