namespace AttentionGen.CompilerServices;

/// <summary>
/// The bias of relative positions, from buckets of distances to distances, once for a call: [heads, 2 * reach] floats, of the distances -reach to reach - 1. Behind
/// the first distance of the last bucket there is a widest vector of it: one that begins anywhere is a load from there or from nearer.
/// </summary>
internal static unsafe class RelativeBias
{
    /// <summary>Floats of the widest vector.</summary>
    private const int Widest = 16;

    /// <summary>How many distances stand on either side.</summary>
    public static int Reach(ReadOnlySpan<int> starts) => starts[^1] + Widest;

    /// <summary>Bytes of all heads.</summary>
    public static nuint Bytes(int heads, int reach) => (nuint)heads * 2 * (nuint)reach * sizeof(float);

    /// <param name="bias">[buckets, heads].</param>
    /// <param name="starts">The least distance of each bucket of a direction.</param>
    /// <param name="bidirectional">Whether keys behind the query have buckets of their own, after the others; else their distance counts as 0.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="distances">Where they go.</param>
    public static void Expand(ReadOnlySpan<float> bias, ReadOnlySpan<int> starts, bool bidirectional, int heads, float* distances)
    {
        int reach = Reach(starts);
        for (int head = 0; head < heads; head++, distances += 2 * reach)
        {
            var row = new Span<float>(distances, 2 * reach);
            if (!bidirectional) row[reach..].Fill(bias[head]);
            for (int bucket = 0; bucket < starts.Length; bucket++)
            {
                int first = starts[bucket], end = bucket + 1 < starts.Length ? starts[bucket + 1] : reach + 1;
                row[(reach + 1 - end)..(reach + 1 - first)].Fill(bias[bucket * heads + head]);
                first = Math.Max(first, 1);
                end = Math.Min(end, reach);
                if (bidirectional && first < end) row[(reach + first)..(reach + end)].Fill(bias[(starts.Length + bucket) * heads + head]);
            }
        }
    }
}
