using System.Diagnostics.CodeAnalysis;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The keys and values of the last tokens of one sequence, in all layers of a model, for kernels with a left window
/// (<see cref="AttentionAttribute.WindowLeft"/>). Its memory is fixed: the window, the slack, and the first keys that
/// <see cref="AttentionAttribute.FirstKeys"/> keeps visible. A new token takes the place of the oldest one.
/// </summary>
/// <typeparam name="T">The type in which they are stored: <see cref="float"/>, <see cref="Half"/>, <see cref="BFloat16"/> or <see cref="sbyte"/>.</typeparam>
/// <remarks>
/// Positions are absolute: <see cref="AttentionCache.Length"/> counts all tokens that were ever appended, and a call has the result that it would have over a
/// cache of all of them. A call may append any number of tokens. Up to <see cref="Slack"/> of them are written in place; with more, the call gathers the
/// tokens that its queries see in other memory, and stores the last ones when it has succeeded.
/// See <see cref="AttentionCache"/> for what threads may do.
/// </remarks>
public sealed unsafe class RingKeyValueCache<T> : AttentionCache
    where T : unmanaged
{
    private const int MostTokensOfPart = 1 << 20; // as for declarations

    private readonly CachePages _pages;
    private readonly int[] _firsts; // the first token of each layer that the ring has, beside the first keys
    private byte* _gathered;        // memory of a call that appends more than fits in place, or null
    private KeyMemory _gatheredMemory;

    /// <summary>Creates an empty ring and takes its memory.</summary>
    /// <param name="keyValueHeads">The number of key heads and value heads, 1 to 4096.</param>
    /// <param name="headDim">The number of elements of a head of a key, 1 to 512; to 1024 with <paramref name="valueFromKey"/>.</param>
    /// <param name="window">The <see cref="AttentionAttribute.WindowLeft"/> of the kernels, 0 to 1048575: a query sees so many keys before its own.</param>
    /// <param name="slack">
    /// The number of further tokens, 1 to 1048576: so many can be appended in place, and so many can be cut off by <see cref="Truncate"/>.
    /// </param>
    /// <param name="valueDim">The number of elements of a head of a value, 1 to 512; 0 for <paramref name="headDim"/>. With <paramref name="valueFromKey"/>, at most headDim.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="firstKeys">The <see cref="AttentionAttribute.FirstKeys"/> of the kernels, 0 to 1048576: the ring keeps these for good.</param>
    /// <param name="valueFromKey">Whether the values are the first elements of the keys, which alone are stored: see <see cref="AttentionAttribute.ValueFromKey"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is another type.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public RingKeyValueCache(int keyValueHeads, int headDim, int window, int slack, int valueDim = 0, int layers = 1, int firstKeys = 0, bool valueFromKey = false)
        : this(CacheShape.Of<T>(keyValueHeads, headDim, valueDim, valueFromKey), layers, window, slack, firstKeys)
    {
        ReserveFirst(Places);
    }

    private RingKeyValueCache(CacheShape shape, int layers, int window, int slack, int firstKeys)
        : base(shape, layers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(window);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(window, MostTokensOfPart);
        ArgumentOutOfRangeException.ThrowIfLessThan(slack, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(slack, MostTokensOfPart);
        ArgumentOutOfRangeException.ThrowIfNegative(firstKeys);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstKeys, MostTokensOfPart);
        (Window, Slack, FirstKeys) = (window, slack, firstKeys);
        _firsts = new int[layers];
        // Equal pages waste little. A loaded ring takes them one by one; as all rings of the same numbers have the same, it goes on with the bits of the saved one.
        int pages = (Places - 1) / CachePages.ChunkOf(shape) + 1;
        _pages = new CachePages(shape, layers, (Places - 1) / pages + 1);
    }

    /// <summary>The number of keys before its own that a query sees.</summary>
    public int Window { get; }

    /// <summary>The number of tokens that can be appended in place, and cut off.</summary>
    public int Slack { get; }

    /// <summary>The number of first tokens that stay.</summary>
    public int FirstKeys { get; }

    /// <summary>The tokens of the first layer that are still there, beside those before <see cref="FirstKeys"/>, which stay.</summary>
    public Range Retained => RetainedOf(0);

    /// <inheritdoc/>
    public override long Bytes => _pages.Bytes;

    internal override int MostTokens => KernelTensor.MaxTokens;

    private int RingTokens => Window + Slack;

    /// <summary>The places of a layer: those of the first keys, then those of the ring.</summary>
    private int Places => FirstKeys + RingTokens;

    /// <summary>The tokens of a layer that are still there, beside those before <see cref="FirstKeys"/>, which stay.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public Range RetainedOf(int layer)
    {
        int length = LengthOf(layer);
        return Math.Min(FirstOf(layer), length)..length;
    }

    /// <summary>Appends tokens as they are: keys are neither normalised nor rotated.</summary>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">The lengths do not fit the shape or each other, or there would be more than 2^30 tokens.</exception>
    public void Append(ReadOnlySpan<T> keys, ReadOnlySpan<T> values, int layer = 0) => Append(keys, values, [], [], layer);

    /// <summary>Appends tokens as they are: with <typeparamref name="T"/> = <see cref="sbyte"/>, integers and a scale for each head of a token, such as <see cref="Int8Rows.Quantize"/> makes.</summary>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="keyScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type.</param>
    /// <param name="valueScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type, or if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <inheritdoc cref="Append(ReadOnlySpan{T}, ReadOnlySpan{T}, int)"/>
    public void Append(ReadOnlySpan<T> keys, ReadOnlySpan<T> values, ReadOnlySpan<float> keyScales, ReadOnlySpan<float> valueScales, int layer = 0)
    {
        CheckLayer(layer);
        int tokens = CacheRows.Tokens(Shape, keys.Length, values.Length, keyScales.Length, valueScales.Length);
        CacheRows.CheckScales(keyScales, nameof(keyScales));
        CacheRows.CheckScales(valueScales, nameof(valueScales));
        Enter(changes: true);
        try
        {
            int length = LengthOf(layer);
            CacheRows.CheckRoom(nameof(keys), tokens, length, MostTokens);
            Reserve(length + tokens);
            var memory = Memory(layer);
            Forget(layer, length + tokens);
            // The first keys, and the tokens in whose place no later one comes.
            int kept = Math.Clamp(FirstKeys - length, 0, tokens), last = Math.Clamp(FirstOf(layer) - length, kept, tokens);
            CacheRows.Write(Shape, memory, length, 0, kept, keys, values, keyScales, valueScales);
            CacheRows.Write(Shape, memory, length, last, tokens, keys, values, keyScales, valueScales);
            SetLength(layer, length + tokens);
        }
        finally
        {
            Exit(changes: true);
        }
    }

    /// <summary>Copies tokens, as they are stored.</summary>
    /// <param name="first">The first token.</param>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">The lengths do not fit the shape or each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The ring does not have these tokens, or no longer.</exception>
    public void Read(int first, Span<T> keys, Span<T> values, int layer = 0) => Read(first, keys, values, [], [], layer);

    /// <summary>Copies tokens, as they are stored: with <typeparamref name="T"/> = <see cref="sbyte"/>, integers and a scale for each head of a token.</summary>
    /// <param name="first">The first token.</param>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="keyScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type.</param>
    /// <param name="valueScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type, or if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <inheritdoc cref="Read(int, Span{T}, Span{T}, int)"/>
    public void Read(int first, Span<T> keys, Span<T> values, Span<float> keyScales, Span<float> valueScales, int layer = 0)
    {
        CheckLayer(layer);
        int tokens = CacheRows.Tokens(Shape, keys.Length, values.Length, keyScales.Length, valueScales.Length);
        Enter(changes: false);
        try
        {
            int length = LengthOf(layer), kept = FirstOf(layer);
            if (first < 0 || first > length - tokens)
                throw new ArgumentOutOfRangeException(nameof(first), first, $"{nameof(first)} is {first}, the cache has {length} tokens, of which {tokens} are asked for.");
            if (tokens > 0 && Math.Max(first, FirstKeys) < Math.Min(kept, first + tokens))
                throw new ArgumentOutOfRangeException(nameof(first), first, $"{nameof(first)} is {first}, but the cache retains {Kept(kept, length)}.");
            var memory = Memory(layer);
            CacheRows.Read(Shape, memory, first, keys, values, keyScales, valueScales);
        }
        finally
        {
            Exit(changes: false);
        }
    }

    /// <summary>
    /// Keeps the first tokens of all layers, as for speculative decoding. It works if the ring still has the window of the next token, that is,
    /// back to <see cref="Slack"/> tokens less than the largest length so far. 0 always works and empties the ring.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The length is negative, larger than that of the longest layer, or so small that a layer no longer has the window. Nothing has changed.
    /// </exception>
    public void Truncate(int length)
    {
        Enter(changes: true);
        try
        {
            int longest = 0;
            for (int layer = 0; layer < Layers; layer++) longest = Math.Max(longest, LengthOf(layer));
            if ((uint)length > (uint)longest) throw new ArgumentOutOfRangeException(nameof(length), length, $"{nameof(length)} is {length}, the cache has {longest} tokens.");
            for (int layer = 0; layer < Layers; layer++)
            {
                int needed = Math.Max(FirstKeys, length - Window), kept = FirstOf(layer);
                if (length >= LengthOf(layer) || needed >= Math.Min(kept, length)) continue;
                throw new ArgumentOutOfRangeException(nameof(length), length,
                    $"{nameof(length)} is {length}, where a query sees keys from {needed} on, but layer {layer} retains {Kept(kept, LengthOf(layer))}: a length of {kept + Window} or more is possible, or 0.");
            }

            Shorten(length);
            for (int layer = 0; layer < Layers; layer++) Volatile.Write(ref _firsts[layer], Math.Min(_firsts[layer], LengthOf(layer)));
        }
        finally
        {
            Exit(changes: true);
        }
    }

    /// <summary>A ring with the same tokens and memory of its own.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public RingKeyValueCache<T> Clone()
    {
        Enter(changes: false);
        try
        {
            var clone = new RingKeyValueCache<T>(KeyValueHeads, HeadDim, Window, Slack, ValueDim, Layers, FirstKeys, ValueFromKey);
            clone._pages.CopyFrom(_pages);
            for (int layer = 0; layer < Layers; layer++)
            {
                clone._firsts[layer] = _firsts[layer];
                clone.SetLength(layer, LengthOf(layer));
            }

            return clone;
        }
        finally
        {
            Exit(changes: false);
        }
    }

    /// <summary>
    /// Writes the ring to a stream, little-endian and with a checksum: the tokens that it has, as they are stored, and the numbers that say which these are.
    /// The stream stays open.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Another call is changing the ring.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    public void Save(Stream stream) => Save(stream, CacheKind.Ring, writer =>
    {
        writer.Numbers([Window, Slack, FirstKeys]);
        for (int layer = 0; layer < Layers; layer++) writer.Number(LengthOf(layer));
        for (int layer = 0; layer < Layers; layer++) writer.Number(RetainedOf(layer).Start.Value);
        for (int layer = 0; layer < Layers; layer++)
        {
            var (first, end) = (RetainedOf(layer).Start.Value, LengthOf(layer));
            // Place by place, so that memory follows the file when it is read. A cut-off token has left its place empty.
            writer.Rows(_pages.Memory(layer), 0, UsedPlaces(first, end), place => place < FirstKeys || TokenAt(place, first) < end);
        }
    });

    /// <summary>
    /// Reads a ring that <see cref="Save"/> has written. The stream may have more behind it, where it is left. A file is not trusted: memory is taken as tokens
    /// arrive. A ring that was not full thus takes the rest of its memory when tokens need it, or by <see cref="EnsureCapacity"/>.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="InvalidDataException">The file ends early, is damaged, has a cache of another kind or type, or is none.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is another type.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory for the tokens.</exception>
    [SuppressMessage("Design", "CA1000", Justification = "The type of the elements is part of what is read: a file with another one is refused.")]
    public static RingKeyValueCache<T> Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var reader = new CacheReader(stream, CacheKind.Ring, CacheShape.Of<T>(1, 1, 1, valueFromKey: false).Element);
        int window = reader.Number("window", 0, MostTokensOfPart - 1), slack = reader.Number("slack", 1, MostTokensOfPart), firstKeys = reader.Number("number of first keys", 0, MostTokensOfPart);
        int[] lengths = reader.Lengths(KernelTensor.MaxTokens), firsts = new int[lengths.Length];
        for (int layer = 0; layer < lengths.Length; layer++)
        {
            // No ring has more tokens than places, or less than the window of the next token.
            int length = lengths[layer];
            firsts[layer] = reader.Number($"first token of layer {layer}, which has a length of {length},", Math.Max(0, length - window - slack), Math.Min(length, Math.Max(firstKeys, length - window)));
        }

        return reader.Fill(new RingKeyValueCache<T>(reader.Shape, reader.Layers, window, slack, firstKeys), ring =>
        {
            for (int layer = 0; layer < lengths.Length; layer++)
            {
                reader.Rows(ring._pages, layer, ring.UsedPlaces(firsts[layer], lengths[layer]));
                ring._firsts[layer] = firsts[layer];
                ring.SetLength(layer, lengths[layer]);
                // The reader has marked places.
                CacheRows.Mark(ring.Shape, ring.Memory(layer), 0, Math.Min(firstKeys, lengths[layer]));
                CacheRows.Mark(ring.Shape, ring.Memory(layer), Math.Max(firstKeys, firsts[layer]), lengths[layer]);
            }
        });
    }

    /// <summary>Makes room for tokens, so that appending them to a loaded ring allocates nothing. A ring of a constructor has all its memory.</summary>
    /// <param name="tokens">The number of tokens in all, including those that are there.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    /// <exception cref="InvalidOperationException">Another call is using the ring.</exception>
    /// <exception cref="ObjectDisposedException">The ring is disposed.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public void EnsureCapacity(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        Enter(changes: true);
        try
        {
            Reserve(tokens);
        }
        finally
        {
            Exit(changes: true);
        }
    }

    internal override void Reserve(int tokens) => _pages.Reserve(Math.Min(tokens, Places));

    internal override KeyMemory Memory(int layer) => _pages.Memory(layer) with { Kept = FirstKeys, Ring = RingTokens };

    /// <summary>
    /// Makes room for tokens that a call appends: in place, where the queries of the call see none of the tokens that are overwritten, or in other memory with
    /// the tokens that they see. What is overwritten in place can no longer come back by <see cref="Truncate"/>, even if the call fails.
    /// </summary>
    internal override KeyMemory Prepare(int layer, int tokens)
    {
        int length = LengthOf(layer), seen = Math.Max(FirstKeys, length - Window);
        Reserve(length + tokens);
        if (length + tokens - RingTokens <= seen)
        {
            Forget(layer, length + tokens);
            return Memory(layer);
        }

        int gathered = length + tokens - Math.Min(seen, length + tokens - 1);
        var layout = new PageLayout(Shape, (nint)FirstKeys + gathered);
        _gathered = (byte*)ScratchCache.Rent((nuint)checked((nint)OwnedMemory.Alignment + layout.Bytes));
        *(byte**)_gathered = _gathered + OwnedMemory.Alignment; // the list of its one page
        _gatheredMemory = layout.Memory((byte**)_gathered) with { Kept = FirstKeys, Ring = gathered };
        _gatheredMemory.RemoveMark();
        var memory = Memory(layer);
        Copy(memory, _gatheredMemory, 0, Math.Min(FirstKeys, length));
        Copy(memory, _gatheredMemory, seen, length);
        return _gatheredMemory;
    }

    internal override void Keep(int layer, int tokens)
    {
        int length = LengthOf(layer), end = length + tokens;
        if (_gathered != null)
        {
            Forget(layer, end);
            var memory = Memory(layer);
            Copy(_gatheredMemory, memory, length, Math.Min(FirstKeys, end));
            Copy(_gatheredMemory, memory, Math.Max(length, Math.Max(FirstKeys, FirstOf(layer))), end);
        }

        SetLength(layer, end);
    }

    private protected override void Leave()
    {
        if (_gathered == null) return;
        ScratchCache.Return((float*)_gathered);
        _gathered = null;
    }

    private protected override void Free() => _pages?.Dispose();

    internal override void Check(int left, int firstKeys, long start, int layer, int keys, string name, string queryName)
    {
        if (left != Window || firstKeys != FirstKeys) ThrowHelper.RingWindow(name, Window, FirstKeys, left, firstKeys);
        long seen = Math.Max(FirstKeys, start - Window);
        if (seen < Math.Min(FirstOf(layer), keys)) ThrowHelper.RingForgets(name, Kept(FirstOf(layer), LengthOf(layer)), queryName, start, seen);
    }

    private int FirstOf(int layer) => Volatile.Read(ref _firsts[layer]);

    /// <summary>The places that tokens have come to: all, once a token has taken the place of another.</summary>
    private int UsedPlaces(int first, int length) => first > FirstKeys ? Places : length;

    /// <summary>The token whose place it is, from the first one on that the ring has.</summary>
    private int TokenAt(int place, int first) => first <= FirstKeys ? place : first + (place - first % RingTokens + RingTokens) % RingTokens;

    /// <summary>Notes which tokens are overwritten when the layer has a length.</summary>
    private void Forget(int layer, int length) => Volatile.Write(ref _firsts[layer], Math.Max(_firsts[layer], length - RingTokens));

    private string Kept(int first, int length) => FirstKeys == 0 ? $"the tokens {first} to {length - 1}" : $"the tokens {first} to {length - 1} and those before {FirstKeys}";

    private void Copy(in KeyMemory from, in KeyMemory to, int first, int end)
    {
        int keyBytes = HeadDim * sizeof(T), valueBytes = Shape.StoredValueDim * sizeof(T);
        for (int token = first; token < end; token++)
            for (int head = 0; head < KeyValueHeads; head++)
            {
                Buffer.MemoryCopy(from.Key(token, head, keyBytes), to.Key(token, head, keyBytes), keyBytes, keyBytes);
                Buffer.MemoryCopy(from.Value(token, head, valueBytes), to.Value(token, head, valueBytes), valueBytes, valueBytes);
                if (!Shape.HasScales) continue;
                *to.KeyScale(token, head) = *from.KeyScale(token, head);
                *to.ValueScale(token, head) = *from.ValueScale(token, head);
            }

        CacheRows.Mark(Shape, to, first, end);
    }
}
