using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Queries and keys that belong together: those of a batch item, of a document, of a chunk, or every n-th of these. The first row and the first key of a
/// sequence have the index 0. A query sees no key outside its sequence, and blocks of rows and keys never cross its ends.
/// </summary>
internal struct ForwardSequence
{
    /// <summary>The batch item in the tensors, and the index that the user's own methods receive.</summary>
    public int Batch, Item;

    /// <summary>The first query and the first key in the tensors, and the number of each.</summary>
    public int Query, Queries, Key, Keys;

    /// <summary>The distance in tokens from one row or key to the next.</summary>
    public int Step;

    /// <summary>The position of the first query in steps from the first key, and the position of that key.</summary>
    public nint Start, Origin;

    /// <summary>The index of the first piece, the number of pieces, and the number of row blocks in all of them.</summary>
    public int FirstPiece, Pieces, RowBlocks;
}

/// <summary>Rows of a sequence with the same zones.</summary>
internal struct RowPiece
{
    public int Sequence, FirstRow, Rows;

    /// <summary>The number of row blocks in the earlier pieces of the sequence.</summary>
    public int BlocksBefore;

    public int FirstZone, Zones;

    /// <summary>The number of keys in the zones that at least one row sees. A key in several zones, for different rows, counts once for each.</summary>
    public long Keys;

    /// <summary>The row of its lists in a block-sparse mask, -1 without lists.</summary>
    public int List;
}

/// <summary>
/// An interval of keys that the rows of a piece see. Row r sees the keys from Begin and from r + Low on, before End and before r + High. The zones of a piece
/// have no key in common.
/// </summary>
internal struct KeyZone
{
    public int Begin, End;
    public long Low, High;
    public bool Decided;

    /// <summary>The first key that a row sees, and the key after the last.</summary>
    public readonly (int Begin, int End) Range(int row) => Range(row, row);

    /// <summary>The range of the rows from first to last: keys that at least one of them sees.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly (int Begin, int End) Range(int first, int last)
    {
        int end = (int)Math.Max(Math.Min(last + High, End), Begin);
        return ((int)Math.Min(Math.Max(first + Low, Begin), end), end);
    }

    /// <summary>Removes keys and bounds that no row from first to last needs.</summary>
    /// <returns>Whether at least one row sees a key.</returns>
    public bool Trim(int first, int last)
    {
        End = (int)Math.Clamp(last + High, Math.Min(Begin, End), End);
        if (Begin >= End || Low >= High) return false;
        if (Math.Max(first, Begin - High + 1) > Math.Min(last, End - Low - 1)) return false;
        if (last + Low <= Begin) Low = -MaskTerm.Far;
        if (first + High >= End) High = MaskTerm.Far;
        return true;
    }
}
