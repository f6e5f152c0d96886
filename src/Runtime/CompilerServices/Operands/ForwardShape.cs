namespace AttentionGen.CompilerServices;

/// <summary>The lengths of a call.</summary>
internal readonly record struct ForwardShape(int Batch, int Queries, int Keys, int Heads, int KeyValueHeads)
{
    /// <summary>Query heads for each key-value head.</summary>
    public int Group => Heads / KeyValueHeads;
}
