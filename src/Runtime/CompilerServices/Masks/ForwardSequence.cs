using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Queries and keys that belong together: those of a batch item, of a document, of a chunk, or every n-th of these. Rows and keys of a sequence are
/// counted from its own first ones; nothing outside matters, and blocks of both begin anew with it.
/// </summary>
internal struct ForwardSequence
{
    /// <summary>The batch item of the tensors, and the number that the user's own methods are told.</summary>
    public int Batch, Item;

    /// <summary>The first query and the first key in the tensors, and how many there are.</summary>
    public int Query, Queries, Key, Keys;

    /// <summary>Tokens from one to the next.</summary>
    public int Step;

    /// <summary>Where the first query stands, in steps from the first key; and where that key stands.</summary>
    public nint Start, Origin;

    /// <summary>Its pieces, and the blocks of rows of all of them.</summary>
    public int FirstPiece, Pieces, RowBlocks;
}

/// <summary>Rows of a sequence for which the same zones are visible.</summary>
internal struct RowPiece
{
    public int Sequence, FirstRow, Rows;

    /// <summary>The blocks of rows of the sequence before it.</summary>
    public int BlocksBefore;

    public int FirstZone, Zones;

    /// <summary>The keys of its zones that some row sees; one that lies in several zones, for other rows, counts for each.</summary>
    public long Keys;

    /// <summary>Its row of the lists of a block-sparse mask, -1 where there are none.</summary>
    public int List;
}

/// <summary>
/// Visible keys of the rows of a piece: a row r sees those from Begin and from r + Low on, before End and before r + High. The zones of a piece have no key
/// in common.
/// </summary>
internal struct KeyZone
{
    public int Begin, End;
    public long Low, High;
    public bool Decided;

    /// <summary>The first key that a row sees, and the one after the last.</summary>
    public readonly (int Begin, int End) Range(int row) => Range(row, row);

    /// <summary>The same for rows from the first to the last of which some row sees the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly (int Begin, int End) Range(int first, int last)
    {
        int end = (int)Math.Max(Math.Min(last + High, End), Begin);
        return ((int)Math.Min(Math.Max(first + Low, Begin), end), end);
    }

    /// <summary>Leaves out what no row from the first to the last needs.</summary>
    /// <returns>Whether a row sees a key.</returns>
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
