using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

// Keys and values of several sequences in a paged cache. Each sequence is an item of the call. All of them get their new tokens, or none.
public unsafe ref partial struct ForwardCall
{
    /// <summary>
    /// The cache of the keys and values, and the sequences: one for each document, or one without documents. Keys and values that the call has as tensors are appended, one token for
    /// each query. Call it after <see cref="DocumentStarts"/> and before all other numbers.
    /// </summary>
    /// <param name="cache">The cache.</param>
    /// <param name="sequences">The sequences.</param>
    /// <param name="keyValueHeads">The declared number of key-value heads.</param>
    /// <param name="headDim">The declared elements of a key.</param>
    /// <param name="valueDim">The declared elements of a value.</param>
    /// <param name="layer">The layer of the cache.</param>
    /// <param name="norm">How keys are normalised before they are stored.</param>
    /// <param name="normEpsilon">The epsilon of the norm.</param>
    /// <param name="rotary">How keys are rotated before they are stored. <see cref="Rotary"/> gives the table.</param>
    /// <param name="rotaryStart">The first rotated element.</param>
    /// <param name="valueFromKey">Whether the values are the first elements of the keys.</param>
    /// <param name="name">The name of the cache's parameter.</param>
    /// <param name="sequencesName">The name of the sequences' parameter.</param>
    /// <param name="layerName">The name of the layer's parameter.</param>
    /// <exception cref="ArgumentException">
    /// The cache has another shape, there is not one sequence for each document, there is no such sequence, a sequence is there twice, there is not one key for each query, or a
    /// sequence would be too long.
    /// </exception>
    /// <exception cref="ArgumentNullException">There is no cache.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public void Sequences(
        PagedAttentionCache cache, ReadOnlySpan<SequenceId> sequences, int keyValueHeads, int headDim, int valueDim, int layer = 0, AttentionNorm norm = AttentionNorm.None, float normEpsilon = 0,
        AttentionRotary rotary = AttentionRotary.None, int rotaryStart = 0, bool valueFromKey = false,
        [CallerArgumentExpression(nameof(cache))] string name = "", [CallerArgumentExpression(nameof(sequences))] string sequencesName = "",
        [CallerArgumentExpression(nameof(layer))] string layerName = "")
    {
        ArgumentNullException.ThrowIfNull(cache, name);
        var shape = cache.Shape;
        if ((shape.Heads, shape.HeadDim, shape.ValueDim, shape.ValueFromKey) != (keyValueHeads, headDim, valueDim, valueFromKey)) ThrowHelper.CacheShape(name, shape, keyValueHeads, headDim, valueDim, valueFromKey);
        cache.CheckLayer(layer, layerName);
        if (_appends && _shape.Keys != _shape.Queries) ThrowHelper.OneKeyForEachQuery(_key.Name, _shape.Keys, _query.Name, _shape.Queries);
        bool documents = !_mask.DocumentStarts.IsEmpty;
        int items = documents ? _mask.DocumentStarts.Length - 1 : 1;
        if (sequences.Length != items || _shape.Batch != 1) ThrowHelper.OneSequenceForEachDocument(sequencesName, sequences.Length, items, documents ? _mask.DocumentsName : null);
        Add(MemoryBlock.Of(sequences), sequencesName, ArgumentUse.Numbers);
        var ids = MemoryMarshal.Cast<int, SequenceId>(_numbers.Take(2 * items));
        sequences.CopyTo(ids);
        var starts = documents ? _numbers.Take(items + 1) : default;
        int keys = 0;
        cache.EnterPool();
        try
        {
            for (int i = 0; i < items; i++)
            {
                if (documents) starts[i] = keys;
                int length = cache.Find(ids[i], sequencesName, i).LengthOf(layer), first = ids[..i].IndexOf(ids[i]);
                if (first >= 0) ThrowHelper.SequenceTwice(sequencesName, first, i, ids[i].ToString());
                int tokens = !_appends ? 0 : documents ? _mask.DocumentStarts[i + 1] - _mask.DocumentStarts[i] : _shape.Queries;
                if (tokens > KernelTensor.MaxTokens - length) ThrowHelper.CacheIsFull(_key.Name, tokens, $"{sequencesName}[{i}]", length, KernelTensor.MaxTokens);
                if (length + tokens > KernelTensor.MaxTokens - keys) ThrowHelper.TooManyKeys(sequencesName, KernelTensor.MaxTokens);
                keys += length + tokens;
            }
        }
        finally
        {
            cache.ExitPool();
        }

        if (documents) starts[items] = keys;
        _mask.KeyDocumentStarts = starts;
        (_paged, _sequencesName, _layer) = (cache, sequencesName, layer);
        _sequences = ids;
        _preparation = new KeyPreparation(norm, normEpsilon, rotary, rotaryStart);
        _shape = _shape with { Keys = keys, KeyValueHeads = keyValueHeads };
    }

    /// <summary>Runs a pinned call on its sequences.</summary>
    [SkipLocalsInit]
    private void RunPaged(ref ForwardArguments call, in ForwardWalks walks, ref ForwardLayout layout)
    {
        const int Usual = 16; // more sequences use memory of the library
        KeyMemory* usual = stackalloc KeyMemory[Usual];
        float* rented = null;
        var cache = _paged!;
        int taken = 0;
        bool done = false;
        cache.EnterPool();
        try
        {
            var memory = _sequences.Length <= Usual ? usual : (KeyMemory*)(rented = ScratchCache.Rent((nuint)_sequences.Length * (nuint)sizeof(KeyMemory)));
            for (; taken < _sequences.Length; taken++) Take(cache, taken);
            if (_appends) cache.Reserve(_sequences, _mask.DocumentStarts.IsEmpty ? [0, _shape.Queries] : _mask.DocumentStarts, _layer, _sequencesName);
            for (int i = 0; i < _sequences.Length; i++)
            {
                var (_, query, queries, key, keys) = _mask.Item(_shape, i);
                memory[i] = cache.Memory(cache.Taken(_sequences[i]), _layer);
                memory[i].FirstKey = key;
                if (_appends) Append(call, memory[i], cache.Shape, query, queries, keys - queries);
            }

            call.Memory = memory; // valid until the call ends: workers that begin later do not touch it
            call.Key = new StridedTensor(cache.PageTokens, cache.Shape.HeadDim, cache.Shape.HeadDim, cache.Shape.ElementBytes);
            call.Value = new StridedTensor(cache.PageTokens, cache.Shape.ValueDim, cache.Shape.ValueRowDim, cache.Shape.ElementBytes);
            call.HasScales = cache.Shape.HasScales;
            Run(ref call, walks, ref layout);
            done = true;
        }
        finally
        {
            for (int i = 0; i < taken; i++)
            {
                var sequence = cache.Taken(_sequences[i]);
                if (_appends)
                {
                    if (done) sequence.SetLength(_layer, LengthOf(i));
                    cache.End(sequence, done);
                }

                cache.Leave(sequence, _appends);
            }

            cache.ExitPool();
            if (rented != null) ScratchCache.Return(rented);
        }
    }

    /// <summary>Takes a sequence for the call, if it is as it was when the call began.</summary>
    private readonly void Take(PagedAttentionCache cache, int item)
    {
        var sequence = cache.Take(_sequences[item], _appends, _sequencesName, item);
        var (_, _, queries, _, keys) = _mask.Item(_shape, item);
        if (sequence.LengthOf(_layer) == keys - (_appends ? queries : 0)) return;
        cache.Leave(sequence, _appends);
        ThrowHelper.CacheChanged($"{_sequencesName}[{item}]");
    }

    /// <summary>The tokens of a sequence after the call.</summary>
    private readonly int LengthOf(int item) => _mask.Item(_shape, item).Keys;
}
