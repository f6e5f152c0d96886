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
        _rows = [.. places.Select(place => Expected(inputs, place.Batch, place.Query, place.Head))];
    }

    /// <summary>The largest error of the rows of a contender's last result; NaN if one is NaN.</summary>
    public double Error(Contender contender)
    {
        double error = 0;
        foreach (var (batch, query, head, expected, logSumExp) in _rows)
        {
            var actual = contender.OutputRow(batch, query, head);
            for (int d = 0; d < expected.Length; d++) error = Math.Max(error, Math.Abs(actual[d] - expected[d]));
            if (contender.LogSumExp(query, head) is { } sum) error = Math.Max(error, Math.Abs(sum - logSumExp));
        }

        return error;
    }

    /// <summary>A query alone, against the keys of its head where they lie.</summary>
    private static Row Expected(Inputs inputs, int batch, int query, int head)
    {
        var shape = inputs.Shape;
        int dim = shape.HeadDim, stride = shape.KeyValueHeads * dim;
        int keys = shape.KeysOf(batch);
        int firstKey = shape.FirstKeyOf(batch) * stride + head / (shape.Heads / shape.KeyValueHeads) * dim, keyLength = (keys - 1) * stride + dim;
        var reference = new AttentionReference(1, dim)
        {
            Mask = shape.Causal ? AttentionMask.Causal : AttentionMask.None,
            WindowLeft = shape.WindowLeft,
            KeyStride = stride,
            ValueStride = stride,
            SoftCap = shape.Variant?.SoftCap ?? 0,
            Score = shape.Variant is { } variant ? (score, position, key, _, _) => Changed(variant, position, key, score) : null,
        };
        double[] expected = new double[dim], logSumExp = new double[1];
        reference.Attend(
            inputs.Query.Span.Slice(((batch * shape.Queries + query) * shape.Heads + head) * dim, dim),
            inputs.Key.Span.Slice(firstKey, keyLength), inputs.Value.Span.Slice(firstKey, keyLength), expected,
            queryStarts: [keys - shape.Queries + query],
            operands: new AttentionOperands { Sinks = shape.Variant?.Sinks is { } sinks ? sinks.AsSpan(head, 1) : default, LogSumExp = logSumExp });
        return new Row(batch, query, head, expected, logSumExp[0]);

        // Its only head is the one that was asked for. -infinity hides a key.
        double Changed(Variant variant, int position, int key, double score) =>
            variant.Sees?.Invoke(head, position, key) == false ? double.NegativeInfinity
            : (variant.Score?.Invoke(head, position, key, (float)score) ?? score) + variant.Added(shape.Heads, head, position, key);
    }

    private sealed record Row(int Batch, int Query, int Head, double[] Expected, double LogSumExp);
}
