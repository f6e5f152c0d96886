using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// The numbers of the mask. The call copies them, because they bound the memory that a core reads and writes.
public unsafe ref partial struct ForwardCall
{
    /// <summary>The first query of each packed document and the end of the last, [documents + 1].</summary>
    /// <exception cref="ArgumentException">They do not rise from 0 to the number of queries.</exception>
    public void DocumentStarts(ReadOnlySpan<int> documentStarts, [CallerArgumentExpression(nameof(documentStarts))] string name = "")
    {
        _mask.DocumentStarts = _mask.KeyDocumentStarts = Starts(documentStarts, _shape.Queries, _query.Name, name);
        _mask.DocumentsName = name;
    }

    /// <summary>The first key of each packed document and the end of the last, where keys and queries differ in number.</summary>
    /// <exception cref="ArgumentException">
    /// They do not rise from 0 to the number of keys, or do not have one element for each document and one for the end.
    /// </exception>
    public void KeyDocumentStarts(ReadOnlySpan<int> keyDocumentStarts, [CallerArgumentExpression(nameof(keyDocumentStarts))] string name = "")
    {
        _mask.KeyDocumentStarts = Starts(keyDocumentStarts, _shape.Keys, _key.Name, name);
        if (keyDocumentStarts.Length != _mask.DocumentStarts.Length) ThrowHelper.AsManyStarts(name, keyDocumentStarts.Length, _mask.DocumentsName, _mask.DocumentStarts.Length);
    }

    private ReadOnlySpan<int> Starts(ReadOnlySpan<int> given, int tokens, string tensor, string name)
    {
        var starts = _numbers.Copy(given);
        if (starts.Length < 1 || starts[0] != 0 || starts[^1] != tokens) ThrowHelper.DocumentRange(name, starts, tensor, tokens);
        for (int i = 1; i < starts.Length; i++)
            if (starts[i] < starts[i - 1]) ThrowHelper.DocumentOrder(name, i, starts[i - 1], starts[i]);
        AddNumbers(given, name);
        return starts;
    }

    /// <summary>The number of first keys that stay visible outside of the left window.</summary>
    public void FirstKeys(int count) => _mask.FirstKeys = count;

    /// <summary>The number of first keys that every query sees under a causal mask.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public void PrefixLength(int prefixLength, [CallerArgumentExpression(nameof(prefixLength))] string name = "")
    {
        if (prefixLength < 0) ThrowHelper.NegativePrefix(name, null, prefixLength);
        _mask.PrefixLength = prefixLength;
    }

    /// <summary>The number of first keys that every query sees under a causal mask, for each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative.</exception>
    public void PrefixLengths(ReadOnlySpan<int> prefixLengths, [CallerArgumentExpression(nameof(prefixLengths))] string name = "")
    {
        var lengths = OfItems(prefixLengths, name);
        for (int i = 0; i < lengths.Length; i++)
            if (lengths[i] < 0) ThrowHelper.NegativePrefix(name, i, lengths[i]);
        _mask.PrefixLengths = lengths;
    }

    /// <summary>The length of the chunks: a query sees keys of its own chunk.</summary>
    public void Chunks(int length) => _mask.ChunkLength = length;

    /// <summary>The distance of visible keys: a query sees the keys whose distance to it is a multiple.</summary>
    public void Dilation(int dilation) => _mask.Dilation = dilation;

    /// <summary>The lists of a block-sparse mask.</summary>
    /// <exception cref="ArgumentException">
    /// There is not one list for each block of queries, a list does not rise, or a list has a block outside the keys.
    /// </exception>
    public void Blocks(
        ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks, int queries, int keys, AttentionAxes axes,
        [CallerArgumentExpression(nameof(keyBlockStarts))] string startsName = "", [CallerArgumentExpression(nameof(keyBlocks))] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(queries);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(keys);
        int rows = (int)(((long)_shape.Queries + queries - 1) / queries), blocks = (int)(((long)_shape.Keys + keys - 1) / keys);
        bool ofHead = (axes & AttentionAxes.Head) != 0, ofBatch = (axes & AttentionAxes.Batch) != 0;
        long lists = (long)rows * (ofHead ? _shape.KeyValueHeads : 1) * (ofBatch ? _shape.Batch : 1);
        var starts = _numbers.Copy(keyBlockStarts);
        if (starts.Length != lists + 1 || starts[0] != 0 || starts[^1] != keyBlocks.Length) ThrowHelper.BlockStarts(startsName, starts, name, keyBlocks.Length, lists);
        for (int list = 0; list < lists; list++)
            if (starts[list] > starts[list + 1]) ThrowHelper.BlockStartOrder(startsName, list + 1, starts[list], starts[list + 1]);

        // The starts rise to the number of blocks, so the lists are safe to read now.
        var numbers = _numbers.Copy(keyBlocks);
        for (int list = 0; list < lists; list++)
        {
            for (int i = starts[list]; i < starts[list + 1]; i++)
            {
                int least = i == starts[list] ? 0 : numbers[i - 1] + 1;
                if (numbers[i] < least || numbers[i] >= blocks) ThrowHelper.BadKeyBlock(name, i, numbers[i], least, blocks, list);
            }
        }

        AddNumbers(keyBlockStarts, startsName);
        AddNumbers(keyBlocks, name);
        _mask.KeyBlockStarts = starts;
        _mask.KeyBlocks = numbers;
        _mask.Lists = new KeyBlockLists { QueryBlock = queries, KeyBlock = keys, OfHead = ofHead ? rows : 0, OfBatch = ofBatch ? (nint)rows * (ofHead ? _shape.KeyValueHeads : 1) : 0 };
    }

    /// <summary>The terms of the user's own mask. Without terms it hides everything.</summary>
    /// <param name="terms">The terms: a query sees the keys within the bounds of at least one of them.</param>
    /// <param name="chunk">The length of the chunks in the terms' bounds; 0 without such bounds.</param>
    public void Terms(ReadOnlySpan<MaskTerm> terms, int chunk = 0)
    {
        _mask.HasTerms = true;
        _mask.Terms = terms;
        _mask.RowChunk = chunk;
    }

    /// <summary>A checked copy of numbers, one for each batch item or document.</summary>
    private ReadOnlySpan<int> OfItems(ReadOnlySpan<int> given, string name)
    {
        int items = _mask.Items(_shape);
        if (given.Length != items) ThrowHelper.OneForEachItem(name, given.Length, items, _mask.DocumentStarts.IsEmpty ? "batch items" : "documents");
        AddNumbers(given, name);
        return _numbers.Copy(given);
    }

    /// <summary>The position of the first query of every batch item.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public void QueryStart(int queryStart, [CallerArgumentExpression(nameof(queryStart))] string name = "")
    {
        if (queryStart < 0) ThrowHelper.NegativeStart(name, null, queryStart);
        _mask.QueryStart = queryStart;
    }

    /// <summary>The position of the first query of each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative.</exception>
    public void QueryStarts(ReadOnlySpan<int> queryStarts, [CallerArgumentExpression(nameof(queryStarts))] string name = "")
    {
        var starts = OfItems(queryStarts, name);
        for (int i = 0; i < starts.Length; i++)
            if (starts[i] < 0) ThrowHelper.NegativeStart(name, i, starts[i]);
        _mask.QueryStarts = starts;
    }

    /// <summary>The number of visible keys of each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative or larger than the number of keys.</exception>
    public void KeyLengths(ReadOnlySpan<int> keyLengths, [CallerArgumentExpression(nameof(keyLengths))] string name = "")
    {
        var lengths = OfItems(keyLengths, name);
        for (int i = 0; i < lengths.Length; i++)
        {
            int keys = _mask.Item(_shape, i).Keys;
            if ((uint)lengths[i] > (uint)keys) ThrowHelper.BadKeyLength(name, i, lengths[i], keys);
        }

        _mask.KeyLengths = lengths;
    }

    private void AddNumbers(ReadOnlySpan<int> numbers, string name) => Add(MemoryBlock.Of(numbers), name, ArgumentUse.Numbers);
}
