using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>Rows of a shape's result in double precision. All rows would take minutes.</summary>
internal sealed class Accuracy
{
    private const int Rows = 24;

    private readonly Row[] _rows;

    public Accuracy(Inputs inputs, int seed)
    {
        var shape = inputs.Shape;
        var random = new Random(seed);
        var places = Enumerable.Range(0, Rows)
            .Select(_ => (Batch: random.Next(shape.Batch), Query: random.Next(shape.Queries), Head: random.Next(shape.Heads)))
            .Append((Batch: 0, Query: 0, Head: 0)).Append((Batch: shape.Batch - 1, Query: shape.Queries - 1, Head: shape.Heads - 1))
            .Distinct();
        _rows = [.. places.Select(place => new Row(place.Batch, place.Query, place.Head, Expected(inputs, place.Batch, place.Query, place.Head)))];
    }

    /// <summary>The largest error of the rows of a contender's last result; NaN if one is NaN.</summary>
    public double Error(Contender contender)
    {
        double error = 0;
        foreach (var (batch, query, head, expected) in _rows)
        {
            var actual = contender.OutputRow(batch, query, head);
            for (int d = 0; d < expected.Length; d++) error = Math.Max(error, Math.Abs(actual[d] - expected[d]));
        }

        return error;
    }

    /// <summary>A query alone, against the keys of its head where they lie.</summary>
    private static double[] Expected(Inputs inputs, int batch, int query, int head)
    {
        var shape = inputs.Shape;
        int dim = shape.HeadDim, stride = shape.KeyValueHeads * dim;
        int firstKey = batch * shape.Keys * stride + head / (shape.Heads / shape.KeyValueHeads) * dim, keyLength = (shape.Keys - 1) * stride + dim;
        var reference = new AttentionReference(1, dim)
        {
            Mask = shape.Causal ? AttentionMask.Causal : AttentionMask.None,
            WindowLeft = shape.WindowLeft,
            KeyStride = stride,
            ValueStride = stride,
        };
        double[] expected = new double[dim];
        reference.Attend(
            inputs.Query.Span.Slice(((batch * shape.Queries + query) * shape.Heads + head) * dim, dim),
            inputs.Key.Span.Slice(firstKey, keyLength), inputs.Value.Span.Slice(firstKey, keyLength), expected,
            queryStarts: [shape.Keys - shape.Queries + query]);
        return expected;
    }

    private sealed record Row(int Batch, int Query, int Head, double[] Expected);
}
