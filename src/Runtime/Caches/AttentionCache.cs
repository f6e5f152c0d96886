using System.Diagnostics.CodeAnalysis;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// Keys and values of the tokens of a sequence, for kernels with a parameter <c>cache</c>. A cache has the keys and values of
/// all layers of a model; layers take turns, so that their lengths may differ while a token passes through the model.
/// </summary>
/// <remarks>
/// Any thread may use a cache. Several calls may read it at the same time; a call that changes it needs it alone, and throws
/// <see cref="InvalidOperationException"/> if another call is running. A running call keeps the memory: <see cref="Dispose()"/> then frees it when that call ends.
/// </remarks>
public abstract class AttentionCache : IDisposable
{
    private readonly int[] _lengths;
    private UseGate _gate;

    private protected AttentionCache(CacheShape shape, int layers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layers);
        Shape = shape;
        _lengths = new int[layers];
    }

    /// <summary>The number of key heads and value heads.</summary>
    public int KeyValueHeads => Shape.Heads;

    /// <summary>The number of elements of a head of a key.</summary>
    public int HeadDim => Shape.HeadDim;

    /// <summary>The number of elements of a head of a value.</summary>
    public int ValueDim => Shape.ValueDim;

    /// <summary>Whether the values are the first elements of the keys, which alone are stored: see <see cref="AttentionAttribute.ValueFromKey"/>.</summary>
    public bool ValueFromKey => Shape.ValueFromKey;

    /// <summary>The number of layers.</summary>
    public int Layers => _lengths.Length;

    /// <summary>The number of tokens in the first layer.</summary>
    public int Length => LengthOf(0);

    /// <summary>The bytes of native memory.</summary>
    public abstract long Bytes { get; }

    internal CacheShape Shape { get; }

    /// <summary>The number of tokens in a layer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public int LengthOf(int layer)
    {
        CheckLayer(layer);
        return Volatile.Read(ref _lengths[layer]);
    }

    /// <summary>
    /// Frees the memory, now or when the call ends that is using it. Later calls throw <see cref="ObjectDisposedException"/>. Disposing again has no effect.
    /// </summary>
    public void Dispose()
    {
        if (_gate.Close()) Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes the cache for a call until <see cref="Exit"/>.</summary>
    /// <exception cref="InvalidOperationException">Another call is changing it; or is using it, and this one is to change it.</exception>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    internal void Enter(bool changes)
    {
        var result = changes ? _gate.TryChange() : _gate.TryRead();
        if (result == UseGate.Result.Closed) throw new ObjectDisposedException(GetType().Name, "The cache is disposed.");
        if (result == UseGate.Result.Busy)
            throw new InvalidOperationException($"Another call is {(changes ? "using" : "changing")} this cache: calls that change a cache must follow one another.");
    }

    internal void Exit(bool changes)
    {
        if (changes) Leave();
        if (changes ? _gate.EndChange() : _gate.EndRead()) Free();
        GC.KeepAlive(this); // the finaliser must not run during a call
    }

    /// <summary>Writes the cache while others may read it.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="kind">The kind of cache.</param>
    /// <param name="write">Writes what the kind has behind the numbers of all kinds.</param>
    private protected void Save(Stream stream, CacheKind kind, Action<CacheWriter> write)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Enter(changes: false);
        try
        {
            using var writer = new CacheWriter(stream, kind, Shape, Layers);
            write(writer);
            writer.End();
        }
        finally
        {
            Exit(changes: false);
        }
    }

    /// <summary>Makes room for tokens in all layers. Nothing else changes, even where it throws.</summary>
    internal abstract void Reserve(int tokens);

    /// <summary>Makes room for the first tokens, at the end of a constructor: if that fails, nothing stays.</summary>
    private protected void ReserveFirst(int tokens)
    {
        try
        {
            Reserve(tokens);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The most tokens of a layer.</summary>
    internal abstract int MostTokens { get; }

    /// <summary>Where the keys and values of a layer lie. It is valid while a call has the cache.</summary>
    internal abstract KeyMemory Memory(int layer);

    /// <summary>Where a call writes the tokens that it appends to a layer, and reads these and the others that it sees. It makes room for them.</summary>
    internal virtual KeyMemory Prepare(int layer, int tokens)
    {
        Reserve(LengthOf(layer) + tokens);
        return Memory(layer);
    }

    /// <summary>Counts the tokens that a call has written after <see cref="Prepare"/>.</summary>
    internal virtual void Keep(int layer, int tokens) => SetLength(layer, LengthOf(layer) + tokens);

    /// <summary>Checks that the cache has the tokens that the queries of a call may see.</summary>
    /// <param name="left">The left side of the window, -1 without one.</param>
    /// <param name="firstKeys">The number of keys that it does not hide.</param>
    /// <param name="start">The position of the first query.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="keys">The number of tokens, with those that the call appends.</param>
    /// <param name="name">The name of the cache's parameter.</param>
    /// <param name="queryName">The name of the queries' parameter.</param>
    internal virtual void Check(int left, int firstKeys, long start, int layer, int keys, string name, string queryName)
    {
    }

    /// <summary>The end of a call that may have prepared.</summary>
    private protected virtual void Leave()
    {
    }

    /// <summary>Sets the length of a layer, after its rows are written.</summary>
    internal void SetLength(int layer, int length) => Volatile.Write(ref _lengths[layer], length);

    /// <summary>Shortens all layers.</summary>
    private protected void Shorten(int length)
    {
        for (int layer = 0; layer < Layers; layer++) SetLength(layer, Math.Min(_lengths[layer], length));
    }

    private protected abstract void Free();

    internal void CheckLayer(int layer, string name = "layer") => CacheRows.CheckLayer(layer, Layers, name);
}
