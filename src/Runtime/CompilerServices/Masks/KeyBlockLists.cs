namespace AttentionGen.CompilerServices;

/// <summary>
/// The lists of a block-sparse mask in compressed rows: of each batch item, key-value head and block of queries, as far as they have their own, the rising numbers of
/// the blocks of keys that its queries see.
/// </summary>
internal unsafe struct KeyBlockLists
{
    /// <summary>Where lists begin, and where the last one ends; pinned.</summary>
    public int* Starts, Blocks;

    /// <summary>Queries and keys of a block; 0 without lists.</summary>
    public int QueryBlock, KeyBlock;

    /// <summary>Lists from one batch item and from one key-value head to the next, 0 where they share theirs.</summary>
    public nint OfBatch, OfHead;

    /// <summary>The list of a row of blocks.</summary>
    public readonly int* List(int batch, int keyHead, int row, out int count)
    {
        int* start = Starts + batch * OfBatch + keyHead * OfHead + row;
        count = start[1] - *start;
        return Blocks + *start;
    }
}
