namespace AttentionGen.Views;

/// <summary>Measures a head: where its weight goes, and how evenly.</summary>
internal sealed class HeadMeasuring(VisibleRows visible, int queries, int keys, long? queryStart, IReadOnlyList<int> separators, int localDistance)
{
    /// <param name="weights">[queries, keys].</param>
    /// <param name="entropy">[queries].</param>
    /// <param name="largest">[queries].</param>
    public HeadMeasures Of(ReadOnlySpan<float> weights, ReadOnlySpan<float> entropy, ReadOnlySpan<float> largest)
    {
        var (previous, first, separator, local) = (new Sum(), new Sum(), new Sum(), new Sum());
        double entropies = 0, relative = 0, largestWeights = 0;
        int rows = 0;
        for (int row = 0; row < queries; row++)
        {
            int count = visible.Count(row);
            if (count < 2) continue;
            rows++;
            entropies += entropy[row];
            relative += Math.Min(entropy[row] / Math.Log(count), 1); // more than 1 where a sink counts as one more key
            largestWeights += largest[row];

            var of = weights.Slice(row * keys, keys);
            void Add(ReadOnlySpan<float> of, ref Sum sum, int key) => sum.Add(of[key], visible.Sees(row, key) ? 1.0 / count : 0);
            Add(of, ref first, 0);
            foreach (int key in separators) Add(of, ref separator, key);
            if (queryStart is not { } start) continue;
            long position = start + row;
            if (position >= 1 && position <= keys) Add(of, ref previous, (int)position - 1);
            long end = Math.Min(position + localDistance + 1, keys);
            for (long key = Math.Max(position - localDistance, 0); key < end; key++) Add(of, ref local, (int)key);
        }

        if (rows == 0) return new HeadMeasures();
        return new HeadMeasures
        {
            Rows = rows, Previous = previous.Mean(rows), First = first.Mean(rows), Separator = separator.Mean(rows), Local = local.Mean(rows),
            Entropy = entropies / rows, RelativeEntropy = relative / rows, LargestWeight = largestWeights / rows,
        };
    }

    private record struct Sum(double Measured, double Even)
    {
        public void Add(double measured, double even) => (Measured, Even) = (Measured + measured, Even + even);

        public readonly HeadShare Mean(int rows) => new(Measured / rows, Even / rows);
    }
}
