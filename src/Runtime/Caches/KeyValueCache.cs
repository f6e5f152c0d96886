using System.Diagnostics.CodeAnalysis;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>The keys and values of one sequence, in all layers of a model. It grows in chunks, or has a fixed capacity.</summary>
/// <typeparam name="T">The type in which they are stored: <see cref="float"/>, <see cref="Half"/>, <see cref="BFloat16"/> or <see cref="sbyte"/>.</typeparam>
/// <remarks>See <see cref="AttentionCache"/> for what threads may do.</remarks>
public sealed unsafe class KeyValueCache<T> : AttentionCache
    where T : unmanaged
{
    private readonly CachePages _pages;

    /// <summary>Creates an empty cache.</summary>
    /// <param name="keyValueHeads">The number of key heads and value heads, 1 to 4096.</param>
    /// <param name="headDim">The number of elements of a head of a key, 1 to 512; to 1024 with <paramref name="valueFromKey"/>.</param>
    /// <param name="valueDim">The number of elements of a head of a value, 1 to 512; 0 for <paramref name="headDim"/>. With <paramref name="valueFromKey"/>, at most headDim.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="capacity">The most tokens; their memory is taken at once, in one piece for each layer. 0 for a cache that grows.</param>
    /// <param name="valueFromKey">Whether the values are the first elements of the keys, which alone are stored: see <see cref="AttentionAttribute.ValueFromKey"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is another type.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory for the capacity.</exception>
    public KeyValueCache(int keyValueHeads, int headDim, int valueDim = 0, int layers = 1, int capacity = 0, bool valueFromKey = false)
        : this(CacheShape.Of<T>(keyValueHeads, headDim, valueDim, valueFromKey), layers, Within(capacity), capacity)
    {
        if (capacity > 0) ReserveFirst(capacity);
    }

    private KeyValueCache(CacheShape shape, int layers, int capacity, int pageTokens = 0)
        : base(shape, layers)
    {
        Capacity = capacity;
        _pages = new CachePages(shape, layers, pageTokens > 0 ? pageTokens : CachePages.ChunkOf(shape));
    }

    /// <summary>The most tokens; 0 for a cache that grows.</summary>
    public int Capacity { get; }

    /// <inheritdoc/>
    public override long Bytes => _pages.Bytes;

    internal override int MostTokens => Capacity > 0 ? Capacity : KernelTensor.MaxTokens;

    /// <summary>Appends tokens as they are: keys are neither normalised nor rotated.</summary>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">The lengths do not fit the shape or each other, or there is no room for the tokens.</exception>
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
            CacheRows.Write(Shape, memory, length, 0, tokens, keys, values, keyScales, valueScales);

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
    /// <exception cref="ArgumentOutOfRangeException">The cache has no such tokens.</exception>
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
            int length = LengthOf(layer);
            if (first < 0 || first > length - tokens)
                throw new ArgumentOutOfRangeException(nameof(first), first, $"{nameof(first)} is {first}, the cache has {length} tokens, of which {tokens} are asked for.");
            var memory = Memory(layer);
            CacheRows.Read(Shape, memory, first, keys, values, keyScales, valueScales);
        }
        finally
        {
            Exit(changes: false);
        }
    }

    /// <summary>Keeps the first tokens of all layers, as for editing or speculative decoding. The memory of the others stays, for tokens to come.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative, or larger than that of the longest layer.</exception>
    public void Truncate(int length)
    {
        Enter(changes: true);
        try
        {
            int longest = 0;
            for (int layer = 0; layer < Layers; layer++) longest = Math.Max(longest, LengthOf(layer));
            if ((uint)length > (uint)longest) throw new ArgumentOutOfRangeException(nameof(length), length, $"{nameof(length)} is {length}, the cache has {longest} tokens.");
            Shorten(length);
        }
        finally
        {
            Exit(changes: true);
        }
    }

    /// <summary>Makes room for tokens, so that appending them allocates nothing.</summary>
    /// <param name="tokens">The number of tokens in all, including those that are there.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or more than the capacity.</exception>
    public void EnsureCapacity(int tokens)
    {
        if (tokens < 0 || tokens > MostTokens) throw new ArgumentOutOfRangeException(nameof(tokens), tokens, $"{nameof(tokens)} is {tokens}, the cache has room for at most {MostTokens}.");
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

    /// <summary>A cache with the same tokens and memory of its own.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public KeyValueCache<T> Clone()
    {
        Enter(changes: false);
        KeyValueCache<T>? clone = null;
        try
        {
            clone = new KeyValueCache<T>(Shape, Layers, Capacity, _pages.PageTokens);
            clone._pages.CopyFrom(_pages);
            for (int layer = 0; layer < Layers; layer++) clone.SetLength(layer, LengthOf(layer));
            return clone;
        }
        catch
        {
            clone?.Dispose();
            throw;
        }
        finally
        {
            Exit(changes: false);
        }
    }

    /// <summary>
    /// Writes the cache to a stream, little-endian and with a checksum. Only the tokens that are there are written, as they are stored. The stream stays open.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Another call is changing the cache.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public void Save(Stream stream) => Save(stream, CacheKind.Whole, writer =>
    {
        writer.Number(Capacity);
        for (int layer = 0; layer < Layers; layer++) writer.Number(LengthOf(layer));
        for (int layer = 0; layer < Layers; layer++) writer.Rows(Memory(layer), 0, LengthOf(layer));
    });

    /// <summary>
    /// Reads a cache that <see cref="Save"/> has written. The stream may have more behind it, where it is left. A file is not trusted: memory is taken as tokens
    /// arrive, so that a fixed capacity limits the tokens, but its memory is taken when tokens need it, or by <see cref="EnsureCapacity"/>.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="InvalidDataException">The file ends early, is damaged, has a cache of another kind or type, or is none.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is another type.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory for the tokens.</exception>
    [SuppressMessage("Design", "CA1000", Justification = "The type of the elements is part of what is read: a file with another one is refused.")]
    public static KeyValueCache<T> Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var reader = new CacheReader(stream, CacheKind.Whole, CacheShape.Of<T>(1, 1, 1, valueFromKey: false).Element);
        int capacity = reader.Number("capacity", 0, KernelTensor.MaxTokens);
        int[] lengths = reader.Lengths(capacity > 0 ? capacity : KernelTensor.MaxTokens);
        return reader.Fill(new KeyValueCache<T>(reader.Shape, reader.Layers, capacity), cache =>
        {
            for (int layer = 0; layer < lengths.Length; layer++)
            {
                reader.Rows(cache._pages, layer, lengths[layer]);
                cache.SetLength(layer, lengths[layer]);
            }
        });
    }

    internal override void Reserve(int tokens) => _pages.Reserve(tokens);

    internal override KeyMemory Memory(int layer) => _pages.Memory(layer);

    private protected override void Free() => _pages.Dispose();

    private static int Within(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, KernelTensor.MaxTokens);
        return capacity;
    }
}
