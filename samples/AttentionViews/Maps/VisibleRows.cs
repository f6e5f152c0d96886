namespace AttentionGen.Views;

/// <summary>
/// The keys that the rows of a layer see. The mask is not among the data: a key counts as visible to a query if at least one head of the layer gives it
/// weight. Kernels write a weight of 0 for a hidden key.
/// </summary>
internal sealed class VisibleRows
{
    private readonly bool[] _visible;
    private readonly int[] _counts;
    private readonly int _keys;

    /// <param name="weights">[heads, queries, keys].</param>
    /// <param name="queries">The number of queries.</param>
    /// <param name="keys">The number of keys.</param>
    public VisibleRows(ReadOnlySpan<float> weights, int queries, int keys)
    {
        _keys = keys;
        _visible = new bool[queries * keys];
        _counts = new int[queries];
        for (int i = 0; i < weights.Length; i++) _visible[i % _visible.Length] |= weights[i] > 0;
        for (int row = 0; row < queries; row++) _counts[row] = _visible.AsSpan(row * keys, keys).Count(true);
        if (_counts.Max() >= 2) return;

        // Hard attention of one head: no row tells what it could have seen, so every row could see all keys.
        _visible.AsSpan().Fill(true);
        _counts.AsSpan().Fill(keys);
    }

    public int Count(int row) => _counts[row];

    public bool Sees(int row, int key) => _visible[row * _keys + key];
}
