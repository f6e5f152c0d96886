namespace AttentionGen.Views;

/// <summary>
/// A mask in closed form, for calls of any length: the first key and the key after the last that a query sees, from the numbers of the declaration and the
/// position of the query. The page computes from it what the runtime library computes for a call. Parts combine: a query sees what all of them let through.
/// </summary>
public sealed record MaskForm
{
    /// <summary>The number of keys that a query sees before its position; null for all.</summary>
    public int? Left { get; init => field = AtLeast(value, 0, nameof(Left)); }

    /// <summary>The number of keys that a query sees after its position; null for all. A causal mask has 0.</summary>
    public int? Right { get; init => field = AtLeast(value, 0, nameof(Right)); }

    /// <summary>The number of first keys that the left side does not hide.</summary>
    public int FirstKeys { get; init => field = AtLeast(value, 0, nameof(FirstKeys)); }

    /// <summary>The number of first keys that every query sees beside those that <see cref="Right"/> lets through.</summary>
    public int PrefixLength { get; init => field = AtLeast(value, 0, nameof(PrefixLength)); }

    /// <summary>The length of chunks, in which queries see keys of their own chunk only; 0 for none.</summary>
    public int ChunkLength { get; init => field = AtLeast(value, 0, nameof(ChunkLength)); }

    /// <summary>The number that divides the distance of each visible key; 1 for no dilation.</summary>
    public int Dilation { get; init => field = AtLeast(value, 1, nameof(Dilation)); } = 1;

    /// <summary>The number of hidden keys at the end (padding).</summary>
    public int Padding { get; init => field = AtLeast(value, 0, nameof(Padding)); }

    /// <summary>The lengths of documents that are packed one after the other. The list begins again at its end, and the last document is cut. Empty for none.</summary>
    public IReadOnlyList<int> DocumentLengths
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            foreach (int length in value) AtLeast(length, 1, nameof(DocumentLengths));
            field = [.. value];
        }
    } = [];

    /// <summary>The blocks that a block-sparse mask lists; null for none.</summary>
    public MaskBlocks? Blocks { get; init; }

    /// <summary>A mask of your own as a union of terms; null for none. Without a term, it hides everything.</summary>
    public IReadOnlyList<MaskTerm>? Terms { get; init; }

    /// <summary>The length of the chunks in the terms' bounds by chunk; 0 without such bounds.</summary>
    public int TermChunk { get; init => field = AtLeast(value, 0, nameof(TermChunk)); }

    /// <summary>Decides the pairs within terms that are not <see cref="MaskTerm.Decided"/>; null where bounds decide everything.</summary>
    public MaskCondition? Condition { get; init; }

    private static int AtLeast(int value, int least, string name) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, but must be {least} or more.");

    private static int? AtLeast(int? value, int least, string name) => value is null ? null : AtLeast(value.Value, least, name);
}

/// <summary>A conjunction of bounds of a query's position, of a key and of their distance key - position. Null means no bound.</summary>
public sealed record MaskTerm
{
    /// <summary>The first position.</summary>
    public long? FromQuery { get; init; }

    /// <summary>The position after the last.</summary>
    public long? ToQuery { get; init; }

    /// <summary>The first key.</summary>
    public long? FromKey { get; init; }

    /// <summary>The key after the last.</summary>
    public long? ToKey { get; init; }

    /// <summary>The least distance.</summary>
    public long? FromDistance { get; init; }

    /// <summary>The distance after the largest.</summary>
    public long? ToDistance { get; init; }

    /// <summary>The first key as a factor of the query's chunk and a constant; null for none.</summary>
    public (long Factor, long Constant)? FromChunk { get; init; }

    /// <summary>The key after the last, in the same form.</summary>
    public (long Factor, long Constant)? ToChunk { get; init; }

    /// <summary>Whether all keys within the bounds are visible. Otherwise <see cref="MaskForm.Condition"/> decides each pair.</summary>
    public bool Decided { get; init; } = true;
}

/// <summary>Lists of a block-sparse mask, which go on as they begin: after the last row they are repeated, as many blocks of keys further on.</summary>
public sealed record MaskBlocks
{
    /// <param name="size">The number of queries and of keys in a block.</param>
    /// <param name="rows">For each block of queries, the numbers of its blocks of keys in rising order.</param>
    /// <exception cref="ArgumentNullException"><paramref name="rows"/> or a row is null.</exception>
    /// <exception cref="ArgumentException">There are no rows, or a row does not rise.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is less than 1.</exception>
    public MaskBlocks(int size, IReadOnlyList<IReadOnlyList<int>> rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0) throw new ArgumentException("There are no lists.", nameof(rows));
        for (int row = 0; row < rows.Count; row++)
        {
            ArgumentNullException.ThrowIfNull(rows[row], nameof(rows));
            for (int i = 0; i < rows[row].Count; i++)
                if (rows[row][i] < 0 || (i > 0 && rows[row][i] <= rows[row][i - 1]))
                    throw new ArgumentException($"The list of block {row} is {string.Join(", ", rows[row])}, but must rise from 0 or more.", nameof(rows));
        }

        (Size, Rows) = (size, [.. rows.Select(row => row.ToArray())]);
    }

    /// <summary>The number of queries and of keys in a block.</summary>
    public int Size { get; }

    /// <summary>For each block of queries, the numbers of its blocks of keys.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Rows { get; }
}
