using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// Keys and values in a cache. New tokens are written behind those that are there, and count as tokens of the cache when the call has succeeded.
public unsafe ref partial struct ForwardCall
{
    /// <summary>Starts a call whose keys and values lie in a cache: see <see cref="Cache"/>.</summary>
    /// <inheritdoc cref="Tensors(int, int, in KernelTensor, in KernelTensor, in KernelTensor, in KernelTensor)"/>
    public void Tensors(int left, int right, in KernelTensor query, in KernelTensor output)
    {
        query.CheckTokens("heads", "headDim");
        output.CheckTokens(query.Batch, query.Tokens);
        if (output.OverlapsItself()) ThrowHelper.OverlapsItself(output.Name);
        if (output.Overlaps(query)) ThrowHelper.Overlap(output.Name, query.Name);
        Begin(left, right, query, default, default, output);
    }

    /// <summary>The cache of the keys and values. Keys and values that the call has as tensors are appended to it, one token for each query.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="keyValueHeads">The declared number of key-value heads.</param>
    /// <param name="headDim">The declared elements of a key.</param>
    /// <param name="valueDim">The declared elements of a value.</param>
    /// <param name="layer">The layer of the cache.</param>
    /// <param name="norm">How keys are normalised before they are stored.</param>
    /// <param name="normEpsilon">The epsilon of the norm.</param>
    /// <param name="rotary">How keys are rotated before they are stored. <see cref="Rotary"/> gives the table.</param>
    /// <param name="rotaryStart">The first rotated element.</param>
    /// <param name="valueFromKey">Whether the values are the first elements of the keys.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <param name="layerName">The name of the layer's parameter.</param>
    /// <exception cref="ArgumentException">
    /// The cache has another shape, there is not one key for each query, or there is no room for the keys.
    /// </exception>
    /// <exception cref="ArgumentNullException">There is no cache.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public void Cache(
        AttentionCache cache, int keyValueHeads, int headDim, int valueDim, int layer = 0, AttentionNorm norm = AttentionNorm.None, float normEpsilon = 0,
        AttentionRotary rotary = AttentionRotary.None, int rotaryStart = 0, bool valueFromKey = false,
        [CallerArgumentExpression(nameof(cache))] string name = "", [CallerArgumentExpression(nameof(layer))] string layerName = "")
    {
        ArgumentNullException.ThrowIfNull(cache, name);
        var shape = cache.Shape;
        if ((shape.Heads, shape.HeadDim, shape.ValueDim, shape.ValueFromKey) != (keyValueHeads, headDim, valueDim, valueFromKey)) ThrowHelper.CacheShape(name, shape, keyValueHeads, headDim, valueDim, valueFromKey);
        cache.CheckLayer(layer, layerName);
        int length = cache.LengthOf(layer), tokens = _appends ? _shape.Queries : 0;
        if (_appends)
        {
            if (_shape.Keys != _shape.Queries) ThrowHelper.OneKeyForEachQuery(_key.Name, _shape.Keys, _query.Name, _shape.Queries);
            if (tokens > cache.MostTokens - length) ThrowHelper.CacheIsFull(_key.Name, tokens, name, length, cache.MostTokens);
        }

        (_cache, _cacheName, _layer, _cached) = (cache, name, layer, length);
        _preparation = new KeyPreparation(norm, normEpsilon, rotary, rotaryStart);
        _shape = _shape with { Keys = length + tokens, KeyValueHeads = keyValueHeads };
    }

    /// <summary>Writes new tokens behind those of a sequence.</summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">The memory of the sequence, with room for them.</param>
    /// <param name="shape">The shape of the cache.</param>
    /// <param name="first">The first of the tokens in the call.</param>
    /// <param name="tokens">Their number.</param>
    /// <param name="cached">The number of tokens before them in the sequence.</param>
    private readonly void Append(in ForwardArguments call, in KeyMemory memory, CacheShape shape, int first, int tokens, int cached)
    {
        StridedTensor key = call.Key, value = call.Value;
        var weights = (float*)ForwardOperands.Slot(call.Operands, AttentionRole.KeyNormWeight)->Data;
        var plain = default(KeyPreparation);
        int keyBytes = key.Dim * shape.ElementBytes, valueBytes = value.Dim * shape.ElementBytes;
        for (int token = first; token < first + tokens; token++)
        {
            int position = cached + token - first;
            for (int head = 0; head < shape.Heads; head++)
            {
                float* keyScale = shape.HasScales ? memory.KeyScale(position, head) : null, valueScale = shape.HasScales ? memory.ValueScale(position, head) : null;
                _preparation.Store(key.Row(0, token, head), key.ElementBytes, memory.Key(position, head, keyBytes), keyScale, shape.HeadDim, shape.Element, weights, _rotary, position);
                if (!shape.ValueFromKey) plain.Store(value.Row(0, token, head), value.ElementBytes, memory.Value(position, head, valueBytes), valueScale, shape.ValueDim, shape.Element, null, null, position);
            }
        }

        CacheRows.Mark(shape, memory, cached, cached + tokens);
    }

    /// <summary>Runs a pinned call on its cache.</summary>
    private void RunCached(ref ForwardArguments call, in ForwardWalks walks, ref ForwardLayout layout)
    {
        var cache = _cache!;
        cache.Enter(_appends);
        try
        {
            if (cache.LengthOf(_layer) != _cached) ThrowHelper.CacheChanged(_cacheName);
            cache.Check(_mask.Left, _mask.FirstKeys, _mask.Start(0, _shape.Queries, _shape.Keys), _layer, _shape.Keys, _cacheName, _query.Name);
            var memory = _appends ? cache.Prepare(_layer, _shape.Queries) : cache.Memory(_layer);
            if (_appends) Append(call, memory, cache.Shape, first: 0, _shape.Queries, _cached);
            call.Memory = &memory; // valid until the call ends: workers that begin later do not touch it
            call.Key = new StridedTensor(memory.PageTokens, cache.Shape.HeadDim, cache.Shape.HeadDim, cache.Shape.ElementBytes);
            call.Value = new StridedTensor(memory.PageTokens, cache.Shape.ValueDim, cache.Shape.ValueRowDim, cache.Shape.ElementBytes);
            call.HasScales = cache.Shape.HasScales;
            Run(ref call, walks, ref layout);
            if (_appends) cache.Keep(_layer, _shape.Queries);
        }
        finally
        {
            cache.Exit(_appends);
        }
    }
}
