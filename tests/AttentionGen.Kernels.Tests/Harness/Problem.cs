namespace AttentionGen.Kernels.Tests;

/// <summary>A call of a kernel: its declaration and the lengths.</summary>
public sealed record Problem(Declaration Declaration, int Queries, int Keys)
{
    public int Batch { get; init; } = 1;

    /// <summary>One for the call or one for each batch item, as the declaration says; null where it has none.</summary>
    public int[]? QueryStarts { get; init; }

    public int[]? KeyLengths { get; init; }

    /// <summary>One for the call or one for each batch item; null where none is given call by call.</summary>
    public int[]? PrefixLengths { get; init; }

    public int[]? DocumentStarts { get; init; }

    public int[]? KeyDocumentStarts { get; init; }

    /// <summary>The lists of a block-sparse mask.</summary>
    public (int[] Starts, int[] Blocks)? Lists { get; init; }

    /// <summary>The tokens of a page, where keys and values lie in pages.</summary>
    public int PageTokens { get; init; } = 16;

    public int MaxThreads { get; init; } = 1;

    public int QueryLength => Batch * Queries * Declaration.Heads * Declaration.HeadDim;

    public int KeyLength => Batch * Keys * Declaration.KeyValueHeads * Declaration.KeyDim;

    public int ValueLength => Batch * Keys * Declaration.KeyValueHeads * Declaration.ValueDim;

    public int OutputLength => Batch * Queries * Declaration.Heads * Declaration.ValueDim;

    /// <summary>The rows of all heads.</summary>
    public int Rows => Batch * Declaration.Heads * Queries;

    public Placement QueryPlace => Declaration.Place(Batch, Queries, Declaration.Heads, Declaration.HeadDim, Declaration.Strides.Query);

    public Placement KeyPlace => Declaration.Place(Batch, Keys, Declaration.KeyValueHeads, Declaration.KeyDim, Declaration.Strides.Key);

    public Placement ValuePlace => Declaration.Place(Batch, Keys, Declaration.KeyValueHeads, Declaration.ValueDim, Declaration.Strides.Value);

    public Placement OutputPlace => Declaration.Place(Batch, Queries, Declaration.Heads, Declaration.ValueDim, Declaration.Strides.Output);

    /// <summary>The elements of a tensor beside the scores.</summary>
    public int Length(AttentionAxes axes)
    {
        int Of(AttentionAxes axis, int length) => (axes & axis) != 0 ? length : 1;
        return axes == 0 ? 0 : Of(AttentionAxes.Batch, Batch) * Of(AttentionAxes.Head, Declaration.Heads) * Of(AttentionAxes.Query, Queries) * Of(AttentionAxes.Key, Keys);
    }

    public int Index(AttentionAxes axes, int batch, int head, int query, int key)
    {
        int index = (axes & AttentionAxes.Batch) != 0 ? batch : 0;
        if ((axes & AttentionAxes.Head) != 0) index = index * Declaration.Heads + head;
        if ((axes & AttentionAxes.Query) != 0) index = index * Queries + query;
        return (axes & AttentionAxes.Key) != 0 ? index * Keys + key : index;
    }

    /// <summary>The number of keys that are not padding.</summary>
    public int Length(int batch) => KeyLengths is null ? Keys : KeyLengths[batch];

    /// <summary>The position of the first query: as given, else such that the last query sees the last key.</summary>
    public int Start(int batch) => QueryStarts switch
    {
        null => Length(batch) - Queries,
        [int one] => one,
        _ => QueryStarts[batch],
    };

    /// <summary>The item that a query of a batch item belongs to, which it is itself unless documents are packed in it, and the first query and key of the item.</summary>
    public (int Item, int Query, int Key, int Keys) Item(int batch, int query)
    {
        if (DocumentStarts is null) return (batch, 0, 0, Keys);
        int item = Array.FindLastIndex(DocumentStarts, start => start <= query);
        int[] ofKeys = KeyDocumentStarts ?? DocumentStarts;
        return (item, DocumentStarts[item], ofKeys[item], ofKeys[item + 1] - ofKeys[item]);
    }

    /// <summary>Where a query stands in its item.</summary>
    public long Position(int batch, int query)
    {
        var (item, first, _, keys) = Item(batch, query);
        int queries = DocumentStarts is null ? Queries : DocumentStarts[item + 1] - first;
        return (long)query - first + QueryStarts switch { null => (KeyLengths is null ? keys : KeyLengths[item]) - queries, [int one] => one, _ => QueryStarts[item] };
    }

    /// <summary>Whether a query sees a key of the tensors, by the words of the declaration, beside keys and masks of the user's own.</summary>
    public bool Sees(int batch, int head, int query, int key)
    {
        var (item, _, firstKey, keys) = Item(batch, query);
        long p = Position(batch, query), j = key - firstKey;
        int prefix = PrefixLengths is null ? Declaration.PrefixLength : PrefixLengths[PrefixLengths.Length == 1 ? 0 : item];
        if (j < 0 || j >= (KeyLengths is null ? keys : KeyLengths[item])) return false;
        if (Declaration.Mask == AttentionMask.Causal && j > p && j >= prefix) return false;
        if (Declaration.Window.Left >= 0 && p - j > Declaration.Window.Left && j >= Declaration.FirstKeys) return false;
        if (Declaration.Window.Right >= 0 && j - p > Declaration.Window.Right) return false;
        if (Declaration.ChunkLength > 0 && p / Declaration.ChunkLength != j / Declaration.ChunkLength) return false;
        if ((p - j) % Declaration.Dilation != 0) return false;
        if (Lists is not var (starts, blocks)) return true;
        int rows = (Queries + Declaration.Blocks.Queries - 1) / Declaration.Blocks.Queries, list = (Declaration.Blocks.Axes & AttentionAxes.Batch) != 0 ? batch : 0;
        if ((Declaration.Blocks.Axes & AttentionAxes.Head) != 0) list = list * Declaration.KeyValueHeads + head / Declaration.Group;
        list = list * rows + query / Declaration.Blocks.Queries;
        return blocks.AsSpan(starts[list]..starts[list + 1]).Contains(key / Declaration.Blocks.Keys);
    }

    /// <summary>Whether more than an interval of keys is taken from a query.</summary>
    private bool CutsMore => DocumentStarts is not null || PrefixLengths is not null || Declaration.FirstKeys > 0 || Declaration.PrefixLength > 0 || Declaration.ChunkLength > 0 || Declaration.Dilation > 1 || Lists is not null;

    /// <summary>The keys that a query sees: the first, and the one behind the last.</summary>
    public (int First, int End) Visible(int batch, int query)
    {
        if (CutsMore) return (0, Keys); // Sees tells
        long position = (long)Start(batch) + query, end = Length(batch);
        if (Declaration.Mask == AttentionMask.Causal) end = Math.Min(end, position + 1);
        if (Declaration.Window.Right >= 0) end = Math.Min(end, position + Declaration.Window.Right + 1);
        end = Math.Max(end, 0);
        return (Declaration.Window.Left < 0 ? 0 : (int)Math.Clamp(position - Declaration.Window.Left, 0, end), (int)end);
    }

    /// <summary>Problems of equal text have equal inputs.</summary>
    public override string ToString()
    {
        string text = $"{Declaration} {(Declaration.Batched ? $"{Batch} x " : "")}{Queries} queries, {Keys} keys";
        if (QueryStarts is not null) text += $", start {string.Join(" ", QueryStarts)}";
        if (KeyLengths is not null) text += $", lengths {string.Join(" ", KeyLengths)}";
        if (PrefixLengths is not null) text += $", prefix {string.Join(" ", PrefixLengths)}";
        if (DocumentStarts is not null) text += $", documents {string.Join(" ", DocumentStarts)}";
        if (KeyDocumentStarts is not null) text += $", of keys {string.Join(" ", KeyDocumentStarts)}";
        if (Lists is var (starts, blocks)) text += $", lists {string.Join(" ", starts)}: {string.Join(" ", blocks)}";
        if (Declaration.KeysIn == KeyStore.Pages) text += $", pages of {PageTokens}";
        return MaxThreads == 1 ? text : $"{text}, {MaxThreads} threads";
    }
}
