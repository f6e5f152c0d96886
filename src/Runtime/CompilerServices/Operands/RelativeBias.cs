namespace AttentionGen.CompilerServices;

/// <summary>
/// The bias of relative positions, from buckets of distances to distances, once for a call: [heads, 2 * reach] floats, of the distances -reach to reach - 1. It reaches
/// as far as the call does, or as the buckets do: a widest vector further than the last distance that matters, so that a vector which begins beyond the ends can
/// be loaded from there.
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
    /// <param name="starts">The least distance of each bucket of a direction.</param>
    /// <param name="bidirectional">Whether keys after the query have buckets of their own, after the others; else their distance counts as 0.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="distances">The distances of keys and queries, key - position, that the call has.</param>
    public RelativeBias(ReadOnlySpan<float> bias, ReadOnlySpan<int> starts, bool bidirectional, int heads, (long Least, long Most) distances)
    {
        _bias = bias;
        _starts = starts;
        _bidirectional = bidirectional;
        _heads = heads;
        Reach = (int)Math.Min(starts[^1], Math.Max(Math.Max(-distances.Least, distances.Most + 1), 0)) + Widest;
    }

    /// <summary>How many distances stand on either side.</summary>
    public int Reach { get; }

    /// <summary>Bytes of all heads: at most 8 MiB, as the generator bounds heads and distances.</summary>
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
                // Keys before the query, and its own.
                int first = _starts[bucket], end = bucket + 1 < _starts.Length ? Math.Min(_starts[bucket + 1], Reach + 1) : Reach + 1;
                row[(Reach + 1 - end)..(Reach + 1 - first)].Fill(_bias[bucket * _heads + head]);
                first = Math.Max(first, 1);
                end = Math.Min(end, Reach);
                if (_bidirectional && first < end) row[(Reach + first)..(Reach + end)].Fill(_bias[(_starts.Length + bucket) * _heads + head]);
            }
        }
    }
}
