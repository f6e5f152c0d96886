using System.Diagnostics.CodeAnalysis;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The keys and values of many sequences in a pool of pages, in all layers of a model (continuous batching). A kernel with the parameters <c>cache</c> and
/// <c>sequences</c> appends to some of them and attends, in one call.
/// </summary>
/// <typeparam name="T">The type in which they are stored: <see cref="float"/>, <see cref="Half"/>, <see cref="BFloat16"/> or <see cref="sbyte"/>.</typeparam>
/// <remarks>See <see cref="PagedAttentionCache"/> for what threads may do.</remarks>
public sealed unsafe class PagedKeyValueCache<T> : PagedAttentionCache
    where T : unmanaged
{
    /// <summary>Creates a cache without sequences. The memory of its pages is taken at once.</summary>
    /// <param name="keyValueHeads">The number of key heads and value heads, 1 to 4096.</param>
    /// <param name="headDim">The number of elements of a head of a key, 1 to 512; to 1024 with <paramref name="valueFromKey"/>.</param>
    /// <param name="pages">The number of pages.</param>
    /// <param name="valueDim">The number of elements of a head of a value, 1 to 512; 0 for <paramref name="headDim"/>. With <paramref name="valueFromKey"/>, at most headDim.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="pageTokens">The number of tokens of a page: 16, 32 or 64. Small pages waste less memory, large ones are a little faster.</param>
    /// <param name="valueFromKey">Whether the values are the first elements of the keys, which alone are stored: see <see cref="AttentionAttribute.ValueFromKey"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is another type.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public PagedKeyValueCache(int keyValueHeads, int headDim, int pages, int valueDim = 0, int layers = 1, int pageTokens = 32, bool valueFromKey = false)
        : this(CacheShape.Of<T>(keyValueHeads, headDim, valueDim, valueFromKey), Positive(layers, nameof(layers)), PageSize(pageTokens), Positive(pages, nameof(pages)))
    {
        try
        {
            EnsureCapacity(pages);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private PagedKeyValueCache(CacheShape shape, int layers, int pageTokens, int pages)
        : base(shape, layers, pageTokens, pages)
    {
    }

    /// <summary>Appends tokens to a sequence, as they are: keys are neither normalised nor rotated.</summary>
    /// <param name="id">The sequence.</param>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">There is no such sequence, or the lengths do not fit the shape or each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="CacheFullException">There are too few free pages.</exception>
    /// <exception cref="InvalidOperationException">Another call is using the sequence.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public void Append(SequenceId id, ReadOnlySpan<T> keys, ReadOnlySpan<T> values, int layer = 0) => Append(id, keys, values, [], [], layer);

    /// <summary>Appends tokens as they are: with <typeparamref name="T"/> = <see cref="sbyte"/>, integers and a scale for each head of a token, such as <see cref="Int8Rows.Quantize"/> makes.</summary>
    /// <param name="id">The sequence.</param>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="keyScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type.</param>
    /// <param name="valueScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type, or if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <inheritdoc cref="Append(SequenceId, ReadOnlySpan{T}, ReadOnlySpan{T}, int)"/>
    public void Append(SequenceId id, ReadOnlySpan<T> keys, ReadOnlySpan<T> values, ReadOnlySpan<float> keyScales, ReadOnlySpan<float> valueScales, int layer = 0)
    {
        CheckLayer(layer);
        int tokens = CacheRows.Tokens(Shape, keys.Length, values.Length, keyScales.Length, valueScales.Length);
        CacheRows.CheckScales(keyScales, nameof(keyScales));
        CacheRows.CheckScales(valueScales, nameof(valueScales));
        var sequence = Enter(id, changes: true, nameof(id));
        bool done = false;
        try
        {
            int length = sequence.LengthOf(layer);
            CacheRows.CheckRoom(nameof(keys), tokens, length, KernelTensor.MaxTokens);
            Reserve(new ReadOnlySpan<SequenceId>(in id), [0, tokens], layer, nameof(id));
            var memory = Memory(sequence, layer);
            CacheRows.Write(Shape, memory, length, 0, tokens, keys, values, keyScales, valueScales);

            sequence.SetLength(layer, length + tokens);
            done = true;
        }
        finally
        {
            End(sequence, done);
            Exit(sequence, changes: true);
        }
    }

    /// <summary>Copies tokens of a sequence, as they are stored.</summary>
    /// <param name="id">The sequence.</param>
    /// <param name="first">The first token.</param>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">There is no such sequence, or the lengths do not fit the shape or each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer, or the sequence has no such tokens.</exception>
    /// <exception cref="InvalidOperationException">Another call is changing the sequence.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public void Read(SequenceId id, int first, Span<T> keys, Span<T> values, int layer = 0) => Read(id, first, keys, values, [], [], layer);

    /// <summary>Copies tokens, as they are stored: with <typeparamref name="T"/> = <see cref="sbyte"/>, integers and a scale for each head of a token.</summary>
    /// <param name="id">The sequence.</param>
    /// <param name="first">The first token.</param>
    /// <param name="keys">[tokens, keyValueHeads, headDim].</param>
    /// <param name="values">[tokens, keyValueHeads, valueDim]; empty if the values are parts of the keys.</param>
    /// <param name="keyScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type.</param>
    /// <param name="valueScales">[tokens, keyValueHeads]; empty if <typeparamref name="T"/> is another type, or if the values are parts of the keys.</param>
    /// <param name="layer">The layer.</param>
    /// <inheritdoc cref="Read(SequenceId, int, Span{T}, Span{T}, int)"/>
    public void Read(SequenceId id, int first, Span<T> keys, Span<T> values, Span<float> keyScales, Span<float> valueScales, int layer = 0)
    {
        CheckLayer(layer);
        int tokens = CacheRows.Tokens(Shape, keys.Length, values.Length, keyScales.Length, valueScales.Length);
        var sequence = Enter(id, changes: false, nameof(id));
        try
        {
            int length = sequence.LengthOf(layer);
            if (first < 0 || first > length - tokens)
                throw new ArgumentOutOfRangeException(nameof(first), first, $"{nameof(first)} is {first}, sequence {id} has {length} tokens, of which {tokens} are asked for.");
            var memory = Memory(sequence, layer);
            CacheRows.Read(Shape, memory, first, keys, values, keyScales, valueScales);
        }
        finally
        {
            Exit(sequence, changes: false);
        }
    }

    /// <summary>
    /// Reads a cache that <see cref="PagedAttentionCache.Save"/> has written, with the sequences in the same order (<see cref="PagedAttentionCache.GetSequences"/>).
    /// Sequences that shared a page share it again. The stream may have more behind the cache, where it is left. A file is not trusted: memory is taken for the
    /// pages that have tokens, as they arrive. That of the others is taken when tokens need it, or by <see cref="PagedAttentionCache.EnsureCapacity"/>.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="maxBytes">
    /// The most native memory for the pages with tokens. A page has room for its tokens in all layers, even if the file has one of them: a limit keeps a hostile
    /// file from taking more memory than the program has.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxBytes"/> is negative.</exception>
    /// <exception cref="InvalidDataException">
    /// The file ends early, is damaged, has a cache of another kind or type, is none, or needs more than <paramref name="maxBytes"/>.
    /// </exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is another type.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory for the pages.</exception>
    [SuppressMessage("Design", "CA1000", Justification = "The type of the elements is part of what is read: a file with another one is refused.")]
    public static PagedKeyValueCache<T> Load(Stream stream, long maxBytes = long.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        using var reader = new CacheReader(stream, CacheKind.Paged, CacheShape.Of<T>(1, 1, 1, valueFromKey: false).Element);
        int pageTokens = reader.Number("number of tokens of a page", 16, 64);
        if (!IsPageSize(pageTokens)) CacheReader.Refuse($"The number of tokens of a page is {pageTokens}, 16, 32 or 64 is needed");
        int pages = reader.Number("number of pages", 1, (int)Math.Min(int.MaxValue, nint.MaxValue / PagePool.PageBytesOf(reader.Shape, reader.Layers, pageTokens)));
        return reader.Fill(new PagedKeyValueCache<T>(reader.Shape, reader.Layers, pageTokens, pages), cache => cache.Read(reader, maxBytes));
    }

    private static int Positive(int number, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number, name);
        return number;
    }

    private static int PageSize(int pageTokens) => IsPageSize(pageTokens)
        ? pageTokens
        : throw new ArgumentOutOfRangeException(nameof(pageTokens), pageTokens, $"{nameof(pageTokens)} is {pageTokens}, but must be 16, 32 or 64.");

    private static bool IsPageSize(int pageTokens) => pageTokens is 16 or 32 or 64;
}
