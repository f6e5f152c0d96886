namespace AttentionGen.CompilerServices;

/// <summary>
/// The lists of a block-sparse mask in compressed-row form. Each list holds the ascending numbers of the key blocks that a block of queries sees. Batch items
/// and key-value heads have separate lists or share them.
/// </summary>
internal unsafe struct KeyBlockLists
{
    /// <summary>The offsets of the lists and the end of the last list, and the lists; pinned.</summary>
    public int* Starts, Blocks;

    /// <summary>Queries and keys in a block; 0 without lists.</summary>
    public int QueryBlock, KeyBlock;

    /// <summary>The number of lists from one batch item, and from one key-value head, to the next; 0 where they share lists.</summary>
    public nint OfBatch, OfHead;

    /// <summary>The list of a block of queries.</summary>
    public readonly int* List(int batch, int keyHead, int row, out int count)
    {
        int* start = Starts + batch * OfBatch + keyHead * OfHead + row;
        count = start[1] - *start;
        return Blocks + *start;
    }
}
