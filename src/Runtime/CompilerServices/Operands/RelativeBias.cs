namespace AttentionGen.CompilerServices;

/// <summary>
/// Expands the bias of relative positions from buckets to distances, once for each call: [heads, 2 * reach] floats for the distances -reach to reach - 1. The
/// reach covers the distances of the call, or those of the buckets if they are fewer, plus one widest vector. A vector beyond the last distance that matters
/// can therefore be loaded at the end.
/// </summary>
internal readonly unsafe ref struct RelativeBias
{
    /// <summary>Floats of the widest vector.</summary>
    private const int Widest = 16;

    private readonly ReadOnlySpan<float> _bias;
    private readonly ReadOnlySpan<int> _starts;
    private readonly bool _bidirectional;
    private readonly int _heads;

    /// <param name="bias">[buckets, heads].</param>
    /// <param name="starts">The least distance of each bucket, for one direction.</param>
    /// <param name="bidirectional">Whether keys after the query have separate buckets, which follow the others. Otherwise their distance counts as 0.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="distances">The least and the largest distance, key - position, in the call.</param>
    public RelativeBias(ReadOnlySpan<float> bias, ReadOnlySpan<int> starts, bool bidirectional, int heads, (long Least, long Most) distances)
    {
        _bias = bias;
        _starts = starts;
        _bidirectional = bidirectional;
        _heads = heads;
        Reach = (int)Math.Min(starts[^1], Math.Max(Math.Max(-distances.Least, distances.Most + 1), 0)) + Widest;
    }

    /// <summary>The number of distances on either side of 0.</summary>
    public int Reach { get; }

    /// <summary>Bytes for all heads: at most 8 MiB, since the generator limits heads and distances.</summary>
    public nuint Bytes => (nuint)_heads * 2 * (nuint)Reach * sizeof(float);

    /// <summary>Writes the biases of all heads.</summary>
    public void Expand(float* distances)
    {
        for (int head = 0; head < _heads; head++, distances += 2 * Reach)
        {
            var row = new Span<float>(distances, 2 * Reach);
            if (!_bidirectional) row[Reach..].Fill(_bias[head]);
            for (int bucket = 0; bucket < _starts.Length && _starts[bucket] <= Reach; bucket++)
            {
                // Keys up to the query's position.
                int first = _starts[bucket], end = bucket + 1 < _starts.Length ? Math.Min(_starts[bucket + 1], Reach + 1) : Reach + 1;
                row[(Reach + 1 - end)..(Reach + 1 - first)].Fill(_bias[bucket * _heads + head]);
                first = Math.Max(first, 1);
                end = Math.Min(end, Reach);
                if (_bidirectional && first < end) row[(Reach + first)..(Reach + end)].Fill(_bias[(_starts.Length + bucket) * _heads + head]);
            }
        }
    }
}
