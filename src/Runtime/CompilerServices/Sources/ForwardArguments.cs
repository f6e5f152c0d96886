namespace AttentionGen.CompilerServices;

/// <summary>A checked and pinned call: addresses, strides, lengths, and its division into sequences, pieces and zones.</summary>
internal unsafe struct ForwardArguments
{
    public StridedTensor Query, Key, Value, Output;
    public KeyMemory* Memory;            // of the keys and values of each item in a cache, or null
    public ForwardOperands* Operands;
    public ForwardSequence* Sequences;
    public RowPiece* Pieces;
    public KeyZone* Zones;
    public KeyBlockLists Lists;
    public int SequenceCount, PieceCount;
    public byte* Scratch;                // the caller's, or null
    public nint ScratchBytes;
    public string ScratchName;
    public bool OnlyAsks;                // a job only returns the bytes of scratch that a thread needs
    public ForwardShape Shape;
    public int MaxThreads;
    public bool HasScales;               // keys and values are integers, each row with a scale

    public readonly int Heads => Shape.Heads;

    public readonly int KeyValueHeads => Shape.KeyValueHeads;

    public readonly int Group => Shape.Group;

    /// <summary>The address of a query row of a sequence.</summary>
    public readonly byte* QueryRow(in ForwardSequence sequence, int row, int head) => Query.Row(sequence.Batch, sequence.Query + (nint)row * sequence.Step, head);

    /// <summary>The address of the output row of a query row.</summary>
    public readonly byte* OutputRow(in ForwardSequence sequence, int row, int head) => Output.Row(sequence.Batch, sequence.Query + (nint)row * sequence.Step, head);

    /// <summary>The address of a key of a sequence.</summary>
    public readonly byte* KeyRow(in ForwardSequence sequence, int key, int head)
    {
        nint token = sequence.Key + (nint)key * sequence.Step;
        return Memory == null ? Key.Row(sequence.Batch, token, head) : Memory[sequence.Item].Key(token - Memory[sequence.Item].FirstKey, head, Key.RowBytes);
    }

    /// <summary>The address of the value of a key.</summary>
    public readonly byte* ValueRow(in ForwardSequence sequence, int key, int head)
    {
        nint token = sequence.Key + (nint)key * sequence.Step;
        return Memory == null ? Value.Row(sequence.Batch, token, head) : Memory[sequence.Item].Value(token - Memory[sequence.Item].FirstKey, head, Value.RowBytes);
    }

    /// <summary>The address of the scale of a key of a sequence; null where keys are no integers.</summary>
    public readonly float* KeyScale(in ForwardSequence sequence, int key, int head) =>
        !HasScales ? null : Memory[sequence.Item].KeyScale(sequence.Key + (nint)key * sequence.Step - Memory[sequence.Item].FirstKey, head);

    /// <summary>The address of the scale of the value of a key; null where values are no integers.</summary>
    public readonly float* ValueScale(in ForwardSequence sequence, int key, int head) =>
        !HasScales ? null : Memory[sequence.Item].ValueScale(sequence.Key + (nint)key * sequence.Step - Memory[sequence.Item].FirstKey, head);

    /// <summary>The end of the keys from one on, at most <paramref name="end"/>, that lie at equal distances: those of a page of a cache, or all.</summary>
    public readonly int EndOfPage(in ForwardSequence sequence, int key, int end) =>
        Memory == null ? end : (int)Math.Min(end, key + (long)Memory[sequence.Item].Consecutive(sequence.Key - Memory[sequence.Item].FirstKey + (nint)key * sequence.Step, sequence.Step));

    /// <summary>Whether all keys and values in some pages of a cache from that of a key on are halves that are known to be finite.</summary>
    public readonly bool IsFinite(in ForwardSequence sequence, int key, int pages) =>
        Memory != null && Memory[sequence.Item].IsFinite(sequence.Key - Memory[sequence.Item].FirstKey + (nint)key * sequence.Step, pages);

    /// <summary>Lists the pages of keys from one on, at most <paramref name="end"/>: the elements from the page of the first to each.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="key">The first key.</param>
    /// <param name="end">The key after the last.</param>
    /// <param name="pages">The list, with room for <see cref="PagesAhead"/> more: pages that may be fetched ahead.</param>
    /// <param name="most">Its length.</param>
    /// <param name="pageKeys">The number of keys of each page but the last.</param>
    /// <param name="count">The number of listed pages.</param>
    /// <returns>The key after the last in these pages.</returns>
    public readonly int ListPages(in ForwardSequence sequence, int key, int end, nint* pages, int most, out int pageKeys, out int count)
    {
        // Of the first page, or of every page where tokens are some apart, there may be fewer keys: it is a list of its own.
        int next = EndOfPage(sequence, key, end);
        (pages[0], pageKeys, count) = (0, next - key, 1);
        ref readonly var memory = ref Memory[sequence.Item];
        int listed = 1;
        if (pageKeys == memory.PageTokens)
        {
            // The pages behind the last one, too, as far as there are some: they are read next.
            int shift = System.Numerics.BitOperations.Log2((uint)Key.ElementBytes), there = (sequence.Keys - key + pageKeys - 1) / pageKeys;
            byte** from = memory.PagesFrom(sequence.Key - memory.FirstKey + (nint)key);
            for (; next < end && count < most; next = Math.Min(next + pageKeys, end)) count++;
            for (; listed < Math.Min(count + PagesAhead, there); listed++) pages[listed] = (nint)(from[listed] - from[0]) >> shift;
        }

        for (; listed < count + PagesAhead; listed++) pages[listed] = pages[listed - 1];
        return next;
    }

    /// <summary>Pages that a core fetches ahead, at most.</summary>
    public const int PagesAhead = 8;

    /// <summary>Query rows of a sequence from one on.</summary>
    public readonly TokenRows QueryRows(in ForwardSequence sequence, int row, int head) => Query.Rows(QueryRow(sequence, row, head), sequence.Step);

    /// <summary>Output rows of a sequence from one on.</summary>
    public readonly TokenRows OutputRows(in ForwardSequence sequence, int row, int head) => Output.Rows(OutputRow(sequence, row, head), sequence.Step);

    /// <summary>Keys of a sequence from one on.</summary>
    public readonly TokenRows KeyRows(in ForwardSequence sequence, int key, int head) => Key.Rows(KeyRow(sequence, key, head), sequence.Step, KeyScale(sequence, key, head));

    /// <summary>Values of a sequence from one on.</summary>
    public readonly TokenRows ValueRows(in ForwardSequence sequence, int key, int head) => Value.Rows(ValueRow(sequence, key, head), sequence.Step, ValueScale(sequence, key, head));

    /// <summary>The position of query rows of a head in the call.</summary>
    public readonly ForwardPlace Place(in ForwardSequence sequence, int head, int row) => new(Operands, sequence, head, row);

    /// <summary>The index of the key-value head that a query head reads.</summary>
    public readonly int KeyHead(int head) => head / Group;

    /// <summary>Writes the output and the other results of rows that see no key.</summary>
    public readonly void Clear(in ForwardSequence sequence, int head, int row, int rows)
    {
        for (; rows > 0; rows--, row++)
        {
            new Span<byte>(OutputRow(sequence, row, head), Output.Dim * Output.ElementBytes).Clear(); // 0 has no bits set in any type
            Operands->WriteEmpty(sequence.Batch, head, sequence.Query + row * sequence.Step);
        }
    }
}
