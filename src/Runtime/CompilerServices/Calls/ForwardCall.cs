using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A call of a forward kernel, as generated code builds it: the tensors, then one method for each further parameter, then
/// <see cref="Run{TCore}"/>. Everything is checked before anything is written. Names in messages are those of the user's parameters.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1068", Justification = "Caller argument expressions stand last.")]
public unsafe ref partial struct ForwardCall
{
    private readonly KernelTensor _query, _key, _value, _output;
    private ForwardMask _mask;
    private CallNumbers _numbers;

    // The caller's own memory, of which the mask has copies: what is written may not overlap it.
    private ReadOnlySpan<int> _queryStarts, _keyLengths, _prefixLengths, _documentStarts, _keyDocumentStarts, _keyBlockStarts, _keyBlocks;
    private Span<byte> _scratch;
    private ReadOnlySpan<byte> _bias, _keep, _slopes, _sinks, _scales, _queryNormWeight, _keyNormWeight, _span0, _span1, _span2, _span3;
    private ReadOnlySpan<float> _relativeBias;
    private ReadOnlySpan<int> _relativeStarts;
    private bool _relativeBidirectional;
    private Written _logSumExp, _scores, _maxScore, _entropy, _argmax;
    private AttentionStage _scoresStage;
    private AttentionAxes _biasAxes, _keepAxes;
    private OwnArguments _own;
    private string _scratchName;
    private int _maxThreads;
    private readonly ForwardShape _shape;

    /// <summary>Checks the tensors against each other.</summary>
    /// <param name="left">How many keys before its position a query sees, -1 for all.</param>
    /// <param name="right">How many keys behind its position a query sees, -1 for all; 0 under a causal mask.</param>
    /// <param name="query">[batch, queries, heads, headDim].</param>
    /// <param name="key">[batch, keys, keyValueHeads, headDim].</param>
    /// <param name="value">[batch, keys, keyValueHeads, valueDim].</param>
    /// <param name="output">[batch, queries, heads, valueDim].</param>
    /// <exception cref="ArgumentException">Lengths that do not fit, or an output that overlaps an input.</exception>
    public ForwardCall(int left, int right, in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
    {
        query.CheckTokens("heads", "headDim");
        key.CheckTokens("keyValueHeads", "headDim");
        if (key.Batch != query.Batch) ThrowHelper.BatchMismatch(key.Name, key.Batch, query.Name, query.Batch);
        value.CheckTokens(query.Batch, key.Tokens);
        output.CheckTokens(query.Batch, query.Tokens);
        if (output.OverlapsItself()) ThrowHelper.OverlapsItself(output.Name);
        if (output.Overlaps(query)) ThrowHelper.Overlap(output.Name, query.Name);
        if (output.Overlaps(key)) ThrowHelper.Overlap(output.Name, key.Name);
        if (output.Overlaps(value)) ThrowHelper.Overlap(output.Name, value.Name);

        _query = query;
        _key = key;
        _value = value;
        _output = output;
        _shape = new ForwardShape(query.Batch, query.Tokens, key.Tokens, query.Heads, key.Heads);
        _scratchName = "";
        _maxThreads = AttentionOptions.MaxDegreeOfParallelism;
        (_mask.Left, _mask.Right, _mask.QueryStart) = (left, right, -1);
    }

    /// <summary>Where documents begin that are packed one after the other, and where the last ends.</summary>
    /// <exception cref="ArgumentException">They do not rise from 0 to the number of queries.</exception>
    public void DocumentStarts(ReadOnlySpan<int> documentStarts, [CallerArgumentExpression(nameof(documentStarts))] string name = "")
    {
        _mask.DocumentStarts = _mask.KeyDocumentStarts = Starts(documentStarts, _shape.Queries, _query.Name, name);
        _mask.DocumentsName = name;
        _documentStarts = documentStarts;
    }

    /// <summary>The same for keys, where these are not as many as queries.</summary>
    /// <exception cref="ArgumentException">They do not rise from 0 to the number of keys, or are not as many as documents.</exception>
    public void KeyDocumentStarts(ReadOnlySpan<int> keyDocumentStarts, [CallerArgumentExpression(nameof(keyDocumentStarts))] string name = "")
    {
        _mask.KeyDocumentStarts = Starts(keyDocumentStarts, _shape.Keys, _key.Name, name);
        if (keyDocumentStarts.Length != _mask.DocumentStarts.Length) ThrowHelper.AsManyStarts(name, keyDocumentStarts.Length, _mask.DocumentsName, _mask.DocumentStarts.Length);
        _keyDocumentStarts = keyDocumentStarts;
    }

    private ReadOnlySpan<int> Starts(ReadOnlySpan<int> given, int tokens, string tensor, string name)
    {
        var starts = _numbers.Copy(given);
        if (starts.Length < 1 || starts[0] != 0 || starts[^1] != tokens) ThrowHelper.DocumentRange(name, starts, tensor, tokens);
        for (int i = 1; i < starts.Length; i++)
            if (starts[i] < starts[i - 1]) ThrowHelper.DocumentOrder(name, i, starts[i - 1], starts[i]);
        CheckApart(given, name);
        return starts;
    }

    /// <summary>How many of the first keys every query sees under a causal mask.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public void PrefixLength(int prefixLength, [CallerArgumentExpression(nameof(prefixLength))] string name = "")
    {
        if (prefixLength < 0) ThrowHelper.NegativePrefix(name, null, prefixLength);
        _mask.PrefixLength = prefixLength;
    }

    /// <summary>The same for each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative.</exception>
    public void PrefixLengths(ReadOnlySpan<int> prefixLengths, [CallerArgumentExpression(nameof(prefixLengths))] string name = "")
    {
        var lengths = OfItems(prefixLengths, name);
        for (int i = 0; i < lengths.Length; i++)
            if (lengths[i] < 0) ThrowHelper.NegativePrefix(name, i, lengths[i]);
        _mask.PrefixLengths = lengths;
        _prefixLengths = prefixLengths;
    }

    /// <summary>The length of the chunks that queries see keys of.</summary>
    public void Chunks(int length) => _mask.ChunkLength = length;

    /// <summary>The distance of query and key is a multiple of it.</summary>
    public void Dilation(int dilation) => _mask.Dilation = dilation;

    /// <summary>The lists of a block-sparse mask.</summary>
    /// <exception cref="ArgumentException">There is not a list for each block of queries, or lists do not rise, or name blocks that are not there.</exception>
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

        // The starts rise to the number of blocks, so that they may be followed now.
        var numbers = _numbers.Copy(keyBlocks);
        for (int list = 0; list < lists; list++)
        {
            for (int i = starts[list]; i < starts[list + 1]; i++)
            {
                int least = i == starts[list] ? 0 : numbers[i - 1] + 1;
                if (numbers[i] < least || numbers[i] >= blocks) ThrowHelper.BadKeyBlock(name, i, numbers[i], least, blocks, list);
            }
        }

        CheckApart(keyBlockStarts, startsName);
        CheckApart(keyBlocks, name);
        _keyBlockStarts = keyBlockStarts;
        _keyBlocks = keyBlocks;
        _mask.KeyBlockStarts = starts;
        _mask.KeyBlocks = numbers;
        _mask.Lists = new KeyBlockLists { QueryBlock = queries, KeyBlock = keys, OfHead = ofHead ? rows : 0, OfBatch = ofBatch ? (nint)rows * (ofHead ? _shape.KeyValueHeads : 1) : 0 };
    }

    /// <summary>The terms of the user's own mask; with none, it hides everything.</summary>
    /// <param name="terms">Of which each lets a query see what lies within its bounds.</param>
    /// <param name="chunk">The length of the chunks that bounds move on by; 0 where none does.</param>
    public void Terms(ReadOnlySpan<MaskTerm> terms, int chunk = 0)
    {
        _mask.HasTerms = true;
        _mask.Terms = terms;
        _mask.RowChunk = chunk;
    }

    /// <summary>A copy of numbers of which each batch item has one.</summary>
    private ReadOnlySpan<int> OfItems(ReadOnlySpan<int> given, string name)
    {
        int items = _mask.Items(_shape);
        if (given.Length != items) ThrowHelper.OneForEachItem(name, given.Length, items, _mask.DocumentStarts.IsEmpty ? "batch items" : "documents");
        CheckApart(given, name);
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
        _queryStarts = queryStarts;
    }

    /// <summary>The number of visible keys of each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative or more than there are keys.</exception>
    public void KeyLengths(ReadOnlySpan<int> keyLengths, [CallerArgumentExpression(nameof(keyLengths))] string name = "")
    {
        var lengths = OfItems(keyLengths, name);
        for (int i = 0; i < lengths.Length; i++)
        {
            int keys = _mask.Item(_shape, i).Keys;
            if ((uint)lengths[i] > (uint)keys) ThrowHelper.BadKeyLength(name, i, lengths[i], keys);
        }

        _mask.KeyLengths = lengths;
        _keyLengths = keyLengths;
    }

    /// <summary>What is added to the scores.</summary>
    /// <exception cref="ArgumentException">Its length is not that of its axes, or the output overlaps it.</exception>
    public void Bias(ReadOnlySpan<float> bias, AttentionAxes axes, [CallerArgumentExpression(nameof(bias))] string name = "")
    {
        _bias = Operand(MemoryMarshal.AsBytes(bias), sizeof(float), axes, name);
        _biasAxes = axes;
    }

    /// <summary>Which keys are kept.</summary>
    /// <exception cref="ArgumentException">Its length is not that of its axes, or the output overlaps it.</exception>
    public void Keep(ReadOnlySpan<bool> keep, AttentionAxes axes, [CallerArgumentExpression(nameof(keep))] string name = "")
    {
        _keep = Operand(MemoryMarshal.AsBytes(keep), sizeof(bool), axes, name);
        _keepAxes = axes;
    }

    /// <summary>What a score loses for each position between query and key: of each head.</summary>
    /// <exception cref="ArgumentException">There is not one for each head, one is not finite, or the output overlaps them.</exception>
    public void Slopes(ReadOnlySpan<float> slopes, [CallerArgumentExpression(nameof(slopes))] string name = "")
    {
        _slopes = Operand(MemoryMarshal.AsBytes(slopes), sizeof(float), AttentionAxes.Head, name);
        CheckFinite(slopes, name);
    }

    /// <summary>One more score of each head, without a key.</summary>
    /// <exception cref="ArgumentException">There is not one for each head, one is NaN or +infinity, or the output overlaps them.</exception>
    public void Sinks(ReadOnlySpan<float> sinks, [CallerArgumentExpression(nameof(sinks))] string name = "")
    {
        _sinks = Operand(MemoryMarshal.AsBytes(sinks), sizeof(float), AttentionAxes.Head, name);
        for (int i = 0; i < sinks.Length; i++)
            if (!(sinks[i] < float.PositiveInfinity)) ThrowHelper.BadSink(name, i, sinks[i]);
    }

    /// <summary>The factor of the scores of each head.</summary>
    /// <exception cref="ArgumentException">There is not one for each head, one is not finite, or the output overlaps them.</exception>
    public void Scales(ReadOnlySpan<float> scales, [CallerArgumentExpression(nameof(scales))] string name = "")
    {
        _scales = Operand(MemoryMarshal.AsBytes(scales), sizeof(float), AttentionAxes.Head, name);
        CheckFinite(scales, name);
    }

    /// <summary>What is added to the scores of a head for the bucket that the distance of query and key falls into.</summary>
    /// <param name="relativeBias">[buckets, heads].</param>
    /// <param name="starts">The least distance of each bucket of a direction.</param>
    /// <param name="bidirectional">Whether keys behind the query have buckets of their own.</param>
    /// <param name="name">Of the parameter.</param>
    /// <exception cref="ArgumentException">There is not one for each bucket and head, one is not finite, or the output overlaps them.</exception>
    public void RelativeBias(ReadOnlySpan<float> relativeBias, ReadOnlySpan<int> starts, bool bidirectional, [CallerArgumentExpression(nameof(relativeBias))] string name = "")
    {
        int buckets = bidirectional ? 2 * starts.Length : starts.Length;
        if (relativeBias.Length != buckets * _shape.Heads) ThrowHelper.OneForEachBucket(name, relativeBias.Length, buckets, _shape.Heads);
        CheckApart(relativeBias, name);
        CheckFinite(relativeBias, name);
        _relativeBias = relativeBias;
        _relativeStarts = starts;
        _relativeBidirectional = bidirectional;
    }

    private static void CheckFinite(ReadOnlySpan<float> numbers, string name)
    {
        for (int i = 0; i < numbers.Length; i++)
            if (!float.IsFinite(numbers[i])) ThrowHelper.NotFinite(name, i, numbers[i]);
    }

    /// <summary>What the elements of normalised queries are multiplied by.</summary>
    /// <exception cref="ArgumentException">There is not one for each element of a head, or the output overlaps them.</exception>
    public void QueryNormWeight(ReadOnlySpan<float> weight, [CallerArgumentExpression(nameof(weight))] string name = "") => _queryNormWeight = NormWeight(weight, name);

    /// <summary>What the elements of normalised keys are multiplied by.</summary>
    /// <exception cref="ArgumentException">There is not one for each element of a head, or the output overlaps them.</exception>
    public void KeyNormWeight(ReadOnlySpan<float> weight, [CallerArgumentExpression(nameof(weight))] string name = "") => _keyNormWeight = NormWeight(weight, name);

    private readonly ReadOnlySpan<byte> NormWeight(ReadOnlySpan<float> weight, string name)
    {
        if (weight.Length != _query.Dim) ThrowHelper.NormWeightLength(name, weight.Length, _query.Dim);
        CheckApart(weight, name);
        return MemoryMarshal.AsBytes(weight);
    }

    /// <summary>Where the log-sum-exp of each row goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void LogSumExp(Span<float> logSumExp, [CallerArgumentExpression(nameof(logSumExp))] string name = "")
    {
        Result(logSumExp, OfRows, name);
        _logSumExp = new(logSumExp, name);
    }

    /// <summary>Where the score matrix goes, and at which stage it is taken.</summary>
    /// <exception cref="ArgumentException">There is not a place for each score, or it overlaps another argument.</exception>
    public void Scores(Span<float> scores, AttentionStage stage, [CallerArgumentExpression(nameof(scores))] string name = "")
    {
        Result(scores, OfRows | AttentionAxes.Key, name);
        _scores = new(scores, name);
        _scoresStage = stage;
    }

    /// <summary>Where the largest score of each row goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void MaxScore(Span<float> maxScore, [CallerArgumentExpression(nameof(maxScore))] string name = "")
    {
        Result(maxScore, OfRows, name);
        _maxScore = new(maxScore, name);
    }

    /// <summary>Where the entropy of each row's weights goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void Entropy(Span<float> entropy, [CallerArgumentExpression(nameof(entropy))] string name = "")
    {
        Result(entropy, OfRows, name);
        _entropy = new(entropy, name);
    }

    /// <summary>Where the key of the largest weight of each row goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void ArgMax(Span<int> argmax, [CallerArgumentExpression(nameof(argmax))] string name = "")
    {
        var floats = MemoryMarshal.Cast<int, float>(argmax);
        Result(floats, OfRows, name);
        _argmax = new(floats, name);
    }

    private const AttentionAxes OfRows = AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query;

    /// <summary>Checks what is written beside the output: its length, and that it is memory of its own.</summary>
    private readonly void Result(ReadOnlySpan<float> result, AttentionAxes axes, string name)
    {
        CheckLength(result.Length, axes, name);
        CheckApart(result, name);
        MemoryBlock memory = result;
        if (memory.Meets(_query)) ThrowHelper.Overlap(name, _query.Name);
        if (memory.Meets(_key)) ThrowHelper.Overlap(name, _key.Name);
        if (memory.Meets(_value)) ThrowHelper.Overlap(name, _value.Name);
        if (MeetsInput(memory) || ResultThatMeets(memory) is not null) ThrowHelper.Overlap(name, "another argument");
    }

    private readonly ReadOnlySpan<byte> Operand(ReadOnlySpan<byte> bytes, int size, AttentionAxes axes, string name)
    {
        CheckLength(bytes.Length / size, axes, name);
        CheckApart(bytes, name);
        return bytes;
    }

    private readonly void CheckLength(int length, AttentionAxes axes, string name)
    {
        Int128 needed = 1; // of lengths that fit an int each
        if ((axes & AttentionAxes.Batch) != 0) needed *= _shape.Batch;
        if ((axes & AttentionAxes.Head) != 0) needed *= _shape.Heads;
        if ((axes & AttentionAxes.Query) != 0) needed *= _shape.Queries;
        if ((axes & AttentionAxes.Key) != 0) needed *= _shape.Keys;
        if (length != needed) ThrowHelper.OperandLength(name, length, axes, _shape.Batch, _shape.Heads, _shape.Queries, _shape.Keys);
    }

    /// <summary>A number for the user's own mask or score.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A call takes no number of this index.</exception>
    public void Number(int index, int value)
    {
        CheckIndex(index, OwnArguments.MaxNumbers);
        _own.Numbers[index] = value;
    }

    /// <inheritdoc cref="Number(int, int)"/>
    public void Number(int index, float value) => Number(index, BitConverter.SingleToInt32Bits(value));

    private static void CheckIndex(int index, int count, [CallerArgumentExpression(nameof(index))] string name = "")
    {
        if ((uint)index >= (uint)count) ThrowHelper.BadIndex(name, index, count);
    }

    /// <summary>A span for the user's own mask or score, after all that has a role.</summary>
    /// <param name="slot">Its number.</param>
    /// <param name="span">Of floats.</param>
    /// <param name="axes">What it has to have an element for each of: it is indexed by that, as it is.</param>
    /// <param name="name">Of the parameter.</param>
    /// <exception cref="ArgumentException">It is too short, or overlaps what is written.</exception>
    public void Span(int slot, ReadOnlySpan<float> span, AttentionAxes axes, [CallerArgumentExpression(nameof(span))] string name = "") =>
        Span(slot, MemoryMarshal.AsBytes(span), axes, name);

    /// <inheritdoc cref="Span(int, ReadOnlySpan{float}, AttentionAxes, string)"/>
    public void Span(int slot, ReadOnlySpan<int> span, AttentionAxes axes, [CallerArgumentExpression(nameof(span))] string name = "") =>
        Span(slot, MemoryMarshal.AsBytes(span), axes, name);

    private void Span(int slot, ReadOnlySpan<byte> bytes, AttentionAxes axes, string name)
    {
        CheckIndex(slot, OwnArguments.MaxSpans);
        int length = bytes.Length / sizeof(float);
        if ((axes & AttentionAxes.Batch) != 0 && length < _mask.Items(_shape)) ThrowHelper.SpanTooShort(name, length, _mask.Items(_shape), _mask.DocumentStarts.IsEmpty ? "batch items" : "documents");
        if ((axes & AttentionAxes.Head) != 0 && length < _shape.Heads) ThrowHelper.SpanTooShort(name, length, _shape.Heads, "heads");
        if ((axes & AttentionAxes.Key) != 0 && length < _shape.Keys) ThrowHelper.SpanTooShort(name, length, _shape.Keys, "keys");
        if ((axes & AttentionAxes.Query) != 0 && length < EndOfPositions) ThrowHelper.SpanTooShort(name, length, EndOfPositions, "positions of queries, from 0 on");
        CheckApart(bytes, name);
        if (ResultThatMeets(bytes) is { } result) ThrowHelper.Overlap(result, name);
        if (bytes.Overlaps(_scratch)) ThrowHelper.ScratchOverlap(_scratchName, name);
        switch (slot)
        {
            case 0: _span0 = bytes; break;
            case 1: _span1 = bytes; break;
            case 2: _span2 = bytes; break;
            default: _span3 = bytes; break;
        }

        _own.Lengths[slot] = length;
    }

    /// <summary>The position behind that of the last query of any batch item; 0 where there is none.</summary>
    private readonly long EndOfPositions
    {
        get
        {
            if (_shape.Queries == 0) return 0;
            long end = 0;
            for (int i = 0; i < _mask.Items(_shape); i++)
            {
                var (_, _, queries, _, keys) = _mask.Item(_shape, i);
                long start = _mask.Start(i, queries, keys);
                if (queries > 0) end = Math.Max(end, start + queries);
            }

            return end;
        }
    }

    /// <summary>The most threads, the caller's included.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less than 1.</exception>
    public void MaxThreads(int maxThreads, [CallerArgumentExpression(nameof(maxThreads))] string name = "")
    {
        if (maxThreads < 1) ThrowHelper.TooFewThreads(name, maxThreads);
        _maxThreads = maxThreads;
    }

    /// <summary>Working memory of the caller's.</summary>
    /// <exception cref="ArgumentException">It overlaps another argument.</exception>
    public void Scratch(Span<byte> scratch, [CallerArgumentExpression(nameof(scratch))] string name = "")
    {
        MemoryBlock memory = scratch;
        if (memory.Meets(_query)) ThrowHelper.ScratchOverlap(name, _query.Name);
        if (memory.Meets(_key)) ThrowHelper.ScratchOverlap(name, _key.Name);
        if (memory.Meets(_value)) ThrowHelper.ScratchOverlap(name, _value.Name);
        if (memory.Meets(_output)) ThrowHelper.ScratchOverlap(name, _output.Name);
        if (MeetsInput(memory) || ResultThatMeets(memory) is not null) ThrowHelper.ScratchOverlap(name, "another argument");
        _scratch = scratch;
        _scratchName = name;
    }

    /// <summary>
    /// Whether memory that is written is also that of what is read beside the tensors. Numbers of the mask are copied before anything is written, but an input that is
    /// overwritten is a mistake all the same.
    /// </summary>
    private readonly bool MeetsInput(MemoryBlock memory) =>
        memory.Meets(_bias) || memory.Meets(_keep) || memory.Meets(_slopes) || memory.Meets(_sinks) || memory.Meets(_scales) || memory.Meets(_relativeBias)
        || memory.Meets(_queryNormWeight) || memory.Meets(_keyNormWeight)
        || memory.Meets(_queryStarts) || memory.Meets(_keyLengths) || memory.Meets(_prefixLengths) || memory.Meets(_documentStarts) || memory.Meets(_keyDocumentStarts)
        || memory.Meets(_keyBlockStarts) || memory.Meets(_keyBlocks);

    /// <summary>What is written beside the output to memory that is also this, null where nothing is.</summary>
    private readonly string? ResultThatMeets(MemoryBlock memory) =>
        memory.Meets(_logSumExp.Memory) ? _logSumExp.Name : memory.Meets(_scores.Memory) ? _scores.Name : memory.Meets(_maxScore.Memory) ? _maxScore.Name
        : memory.Meets(_entropy.Memory) ? _entropy.Name : memory.Meets(_argmax.Memory) ? _argmax.Name : null;

    private readonly void CheckApart(MemoryBlock memory, string name)
    {
        if (memory.Meets(_output)) ThrowHelper.Overlap(_output.Name, name);
    }

    /// <summary>What is written beside the output, as floats: there may be more bytes than a span can count.</summary>
    private readonly ref struct Written(Span<float> memory, string name)
    {
        public readonly Span<float> Memory = memory;
        public readonly string Name = name;
    }
}
