using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>Rows of a layer's result in double precision. Queries, keys and values are rounded to floats between the sums, as what a layer hands to its attention.</summary>
internal sealed class LayerAccuracy
{
    private const int Rows = 24;

    private readonly List<(int Query, double[] Expected)> _rows;

    public LayerAccuracy(LayerInputs inputs, int seed)
    {
        var shape = inputs.Shape;
        var random = new Random(seed);
        float[] keys = [.. inputs.CachedKeys.Span, .. Projected(inputs.Input.Span, inputs.Key.Span, inputs.ModelDim)];
        float[] values = [.. inputs.CachedValues.Span, .. Projected(inputs.Input.Span, inputs.Value.Span, inputs.ModelDim)];
        var reference = new AttentionReference(shape.Heads, shape.HeadDim) { KeyValueHeads = shape.KeyValueHeads, Mask = shape.Causal ? AttentionMask.Causal : AttentionMask.None };
        _rows = [.. Enumerable.Range(0, Rows).Select(_ => random.Next(shape.Queries)).Append(shape.Queries - 1).Distinct().Select(query => (query, Expected(query)))];

        double[] Expected(int query)
        {
            float[] queries = Projected(inputs.Input.Span.Slice(query * inputs.ModelDim, inputs.ModelDim), inputs.Query.Span, inputs.ModelDim);
            double[] heads = new double[inputs.QueryWidth];
            reference.Attend(queries, keys, values, heads, queryStarts: [shape.CachedKeys + query]);
            return [.. Enumerable.Range(0, inputs.ModelDim).Select(column => Product(heads, inputs.Output.Span.Slice(column * heads.Length, heads.Length)))];
        }
    }

    /// <summary>The largest error of the rows of a contender's last result; NaN if one is NaN.</summary>
    public double Error(Contender contender)
    {
        double error = 0;
        foreach (var (query, expected) in _rows)
        {
            var actual = contender.OutputRow(0, query, 0);
            for (int i = 0; i < expected.Length; i++) error = Math.Max(error, Math.Abs(actual[i] - expected[i]));
        }

        return error;
    }

    /// <summary>[rows, columns], from rows [rows, depth] and weights [columns, depth].</summary>
    private static float[] Projected(ReadOnlySpan<float> rows, ReadOnlySpan<float> weights, int depth)
    {
        int columns = weights.Length / depth;
        float[] projected = new float[rows.Length / depth * columns];
        double[] row = new double[depth];
        for (int i = 0; i < projected.Length; i++)
        {
            if (i % columns == 0) Widen(rows.Slice(i / columns * depth, depth), row);
            projected[i] = (float)Product(row, weights.Slice(i % columns * depth, depth));
        }

        return projected;
    }

    private static void Widen(ReadOnlySpan<float> from, double[] to)
    {
        for (int i = 0; i < to.Length; i++) to[i] = from[i];
    }

    private static double Product(double[] row, ReadOnlySpan<float> column)
    {
        double sum = 0;
        for (int i = 0; i < row.Length; i++) sum += row[i] * column[i];
        return sum;
    }
}
