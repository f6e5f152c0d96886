namespace AttentionGen;

/// <summary>The order of the output elements of a projection that gives queries, keys and values at once.</summary>
public enum AttentionFusedOrder
{
    /// <summary>All queries, then all keys, then all values (GPT-2, Phi-3).</summary>
    Blocks,

    /// <summary>For each key-value head: the queries of its group, its key, its value (GPT-NeoX, Falcon, BLOOM).</summary>
    Heads,
}
