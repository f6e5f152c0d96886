using System.Diagnostics.CodeAnalysis;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// Keys and values of many sequences in a pool of pages, for kernels with the parameters <c>cache</c> and <c>sequences</c>: what a
/// <see cref="PagedKeyValueCache{T}"/> has whatever its type. Sequences come and go, grow page by page, and share the pages of a common beginning. All
/// operations apply to all layers of a model; layers take turns, so that their lengths may differ while a token passes through the model.
/// </summary>
/// <remarks>
/// Any thread may use the cache, and many at once. Several calls may read a sequence at the same time; a call that changes it needs it alone, and throws
/// <see cref="InvalidOperationException"/> if another call is using it. A freed sequence, and a disposed cache, keep their memory until the calls end that are using it.
/// </remarks>
public abstract partial class PagedAttentionCache : IDisposable
{
    private static int s_pools;

    private readonly PagePool _pool;
    private readonly int _number = Interlocked.Increment(ref s_pools) is var count ? (int)((uint)(count - 1) % SequenceId.MaxPool) + 1 : 0;
    private readonly Stack<int> _freeSlots = new(); // guarded by the lists of the pool, as what follows
    private PagedSequence[] _slots = [];
    private int _slotCount, _sequences;
    private UseGate _gate;

    private protected PagedAttentionCache(CacheShape shape, int layers, int pageTokens, int pages)
    {
        Shape = shape;
        Layers = layers;
        _pool = new PagePool(shape, layers, pageTokens, pages);
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
    public int Layers { get; }

    /// <summary>The number of tokens of a page.</summary>
    public int PageTokens => _pool.PageTokens;

    /// <summary>The number of pages.</summary>
    public int Pages => _pool.Pages;

    /// <summary>The number of pages that no sequence has.</summary>
    public int FreePages => _pool.FreePages;

    /// <summary>The number of pages that at least one sequence has.</summary>
    public int UsedPages => Pages - FreePages;

    /// <summary>The number of sequences.</summary>
    public int Sequences => Volatile.Read(ref _sequences);

    /// <summary>The bytes of native memory.</summary>
    public long Bytes => _pool.Bytes;

    internal CacheShape Shape { get; }

    /// <summary>Creates an empty sequence. It has no page before its first token.</summary>
    /// <exception cref="InvalidOperationException">The cache has 2^20 sequences.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public SequenceId CreateSequence()
    {
        EnterPool();
        try
        {
            lock (_pool.Lists) return Add().Id;
        }
        finally
        {
            ExitPool();
        }
    }

    /// <summary>
    /// Creates a sequence with the same tokens. Both share their pages; the first of them that appends to the last one, if it is not full, makes a copy of that page.
    /// </summary>
    /// <param name="id">The sequence.</param>
    /// <exception cref="ArgumentException">There is no such sequence.</exception>
    /// <exception cref="InvalidOperationException">Another call is changing it, or the cache has 2^20 sequences.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public SequenceId Fork(SequenceId id)
    {
        var sequence = Enter(id, changes: false, nameof(id));
        try
        {
            lock (_pool.Lists)
            {
                var fork = Add(sequence.Longest);
                fork.Share(_pool, sequence.Lengths, sequence.Pages);
                return fork.Id;
            }
        }
        finally
        {
            Exit(sequence, changes: false);
        }
    }

    /// <summary>The sequences, in the order of their places in the cache. That of a freed sequence goes to the next new one.</summary>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public SequenceId[] GetSequences()
    {
        EnterPool();
        try
        {
            return [.. Living().Select(sequence => sequence.Id)];
        }
        finally
        {
            ExitPool();
        }
    }

    /// <summary>Frees a sequence. Its id is invalid at once; a call that is using it goes on, and its pages are released when that call ends.</summary>
    /// <param name="id">The sequence.</param>
    /// <exception cref="ArgumentException">There is no such sequence.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public void Free(SequenceId id)
    {
        EnterPool();
        try
        {
            var sequence = Find(id, nameof(id));
            lock (_pool.Lists)
            {
                if (sequence.IsFreed) ThrowFreed(id, nameof(id), index: -1, isReplaced: false);
                sequence.IsFreed = true;
                Volatile.Write(ref _sequences, _sequences - 1);
            }

            if (sequence.Close()) Release(sequence);
        }
        finally
        {
            ExitPool();
        }
    }

    /// <summary>Keeps the first tokens of all layers of a sequence, as for speculative decoding. Pages without tokens are released.</summary>
    /// <param name="id">The sequence.</param>
    /// <param name="length">The number of tokens to keep.</param>
    /// <exception cref="ArgumentException">There is no such sequence.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative, or larger than that of the longest layer.</exception>
    /// <exception cref="InvalidOperationException">Another call is using the sequence.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public void Truncate(SequenceId id, int length)
    {
        var sequence = Enter(id, changes: true, nameof(id));
        try
        {
            int longest = sequence.Longest;
            if ((uint)length > (uint)longest) throw new ArgumentOutOfRangeException(nameof(length), length, $"{nameof(length)} is {length}, sequence {id} has {longest} tokens.");
            sequence.Truncate(_pool, length);
        }
        finally
        {
            Exit(sequence, changes: true);
        }
    }

    /// <summary>The number of tokens of a sequence in a layer.</summary>
    /// <param name="id">The sequence.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">There is no such sequence.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public int LengthOf(SequenceId id, int layer = 0)
    {
        CheckLayer(layer);
        EnterPool();
        try
        {
            return Find(id, nameof(id)).LengthOf(layer);
        }
        finally
        {
            ExitPool();
        }
    }

    /// <summary>
    /// Frees the memory, now or when the last call ends that is using it. Later calls throw <see cref="ObjectDisposedException"/>. Disposing again has no effect.
    /// </summary>
    public void Dispose()
    {
        if (_gate.Close()) _pool.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Keeps the memory for a call until <see cref="ExitPool"/>.</summary>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    internal void EnterPool()
    {
        if (_gate.TryRead() == UseGate.Result.Closed) throw new ObjectDisposedException(GetType().Name, "The cache is disposed.");
    }

    internal void ExitPool()
    {
        if (_gate.EndRead()) _pool.Dispose();
        GC.KeepAlive(this); // the finaliser must not run during a call
    }

    /// <summary>Takes a sequence for a call until <see cref="Leave"/>. The caller has entered the pool.</summary>
    /// <param name="id">The sequence.</param>
    /// <param name="changes">Whether the call changes it.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <param name="index">The index of the sequence in the parameter, -1 if there is one sequence.</param>
    /// <exception cref="ArgumentException">There is no such sequence.</exception>
    /// <exception cref="InvalidOperationException">Another call is changing it; or is using it, and this one is to change it.</exception>
    internal PagedSequence Take(SequenceId id, bool changes, string name, int index = -1)
    {
        var sequence = Find(id, name, index);
        var result = sequence.TryEnter(changes);
        if (result == UseGate.Result.Closed) ThrowFreed(id, name, index, isReplaced: false);
        if (result == UseGate.Result.Busy) ThrowBusy(id, changes);
        return sequence;
    }

    internal void Leave(PagedSequence sequence, bool changes)
    {
        if (sequence.Leave(changes)) Release(sequence);
    }

    /// <summary>Enters the pool and takes a sequence.</summary>
    private protected PagedSequence Enter(SequenceId id, bool changes, string name)
    {
        EnterPool();
        try
        {
            return Take(id, changes, name);
        }
        catch
        {
            ExitPool();
            throw;
        }
    }

    private protected void Exit(PagedSequence sequence, bool changes)
    {
        Leave(sequence, changes);
        ExitPool();
    }

    /// <summary>The sequence of an id.</summary>
    /// <inheritdoc cref="Take"/>
    internal PagedSequence Find(SequenceId id, string name, int index = -1)
    {
        if (id == default) ThrowNone(name, index);
        var slots = Volatile.Read(ref _slots);
        if (id.Pool != _number || id.Slot >= slots.Length || slots[id.Slot] is not { } sequence) return ThrowForeign(id, name, index);
        if (sequence.Id != id) ThrowFreed(id, name, index, isReplaced: true);
        if (sequence.IsFreed) ThrowFreed(id, name, index, isReplaced: false);
        return sequence;
    }

    /// <summary>
    /// Begins changes of sequences that the caller has taken: makes room for tokens of a layer in all of them, or changes nothing. <see cref="End"/> ends the changes.
    /// </summary>
    /// <param name="ids">The sequences, each once.</param>
    /// <param name="starts">The first new token of each, counted over all, and the end of the last.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="name">The name of the parameter of sequences.</param>
    /// <exception cref="CacheFullException">There are too few pages.</exception>
    internal void Reserve(ReadOnlySpan<SequenceId> ids, ReadOnlySpan<int> starts, int layer, string name)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            var sequence = Taken(ids[i]);
            sequence.Grow(_pool, sequence.LengthOf(layer) + starts[i + 1] - starts[i]);
        }

        lock (_pool.Lists)
        {
            int free = _pool.FreePages, first = -1;
            long needed = 0;
            for (int i = 0; i < ids.Length; i++)
            {
                var sequence = Taken(ids[i]);
                int length = sequence.LengthOf(layer);
                needed += sequence.Needed(_pool, length, length + starts[i + 1] - starts[i]);
                if (first < 0 && needed > free) first = i;
            }

            if (first >= 0) throw new CacheFullException(ids[first], Text(name, ids.Length == 1 ? -1 : first), (int)Math.Min(needed, int.MaxValue), free, Pages);
            _pool.ReadyFree((int)needed);
            for (int i = 0; i < ids.Length; i++)
            {
                var sequence = Taken(ids[i]);
                int length = sequence.LengthOf(layer);
                sequence.Take(_pool, length, length + starts[i + 1] - starts[i]);
            }
        }

        for (int i = 0; i < ids.Length; i++) Taken(ids[i]).CopyShared(_pool);
    }

    /// <summary>Ends the change of a sequence, if there is one: it has as many tokens as before, or new ones.</summary>
    internal void End(PagedSequence sequence, bool done) => sequence.End(_pool, done);

    /// <summary>The sequence of an id that the caller has taken. Its slot has no other one before the caller leaves it.</summary>
    internal PagedSequence Taken(SequenceId id) => Volatile.Read(ref _slots)[id.Slot];

    /// <summary>Where the keys and values of a sequence lie in a layer. It is valid while a call has the sequence.</summary>
    internal KeyMemory Memory(PagedSequence sequence, int layer) => sequence.Memory(_pool, layer);

    internal void CheckLayer(int layer, string name = "layer") => CacheRows.CheckLayer(layer, Layers, name);

    /// <summary>Adds a sequence whose table has room for tokens. The lists are locked.</summary>
    private PagedSequence Add(int tokens = 0)
    {
        bool isNew = !_freeSlots.TryPeek(out int slot);
        if (isNew)
        {
            slot = _slotCount;
            if (slot == SequenceId.MaxSlots) throw new InvalidOperationException($"The cache has had {SequenceId.MaxSlots} sequences at a time, which is the most.");
        }

        var sequence = new PagedSequence(new SequenceId(_number, slot, isNew ? 1 : _slots[slot].Id.Generation + 1), Layers);
        sequence.Grow(_pool, tokens);
        if (slot == _slots.Length)
        {
            var larger = new PagedSequence[Math.Max(2 * slot, 16)];
            _slots.CopyTo(larger, 0);
            Volatile.Write(ref _slots, larger);
        }

        // Nothing fails from here on.
        if (isNew) _slotCount++;
        else _freeSlots.Pop();
        Volatile.Write(ref _slots[slot], sequence);
        Volatile.Write(ref _sequences, _sequences + 1);
        return sequence;
    }

    /// <summary>The sequences that are not freed, in the order of their slots.</summary>
    private List<PagedSequence> Living()
    {
        lock (_pool.Lists)
        {
            var living = new List<PagedSequence>(_sequences);
            foreach (var sequence in _slots.AsSpan(0, _slotCount))
                if (!sequence.IsFreed) living.Add(sequence);
            return living;
        }
    }

    /// <summary>Releases the pages and the slot of a freed sequence that nobody uses any more.</summary>
    private void Release(PagedSequence sequence)
    {
        lock (_pool.Lists)
        {
            sequence.ReleaseFrom(_pool, 0);
            if (sequence.Id.Generation < SequenceId.MaxGeneration) _freeSlots.Push(sequence.Id.Slot); // a further sequence could not be told from an old one
        }
    }

    private static string Text(string name, int index) => index < 0 ? name : $"{name}[{index}]";

    [DoesNotReturn]
    private static void ThrowBusy(SequenceId id, bool changes) =>
        throw new InvalidOperationException($"Another call is {(changes ? "using" : "changing")} sequence {id}: calls that change a sequence must follow one another.");

    [DoesNotReturn]
    private static void ThrowNone(string name, int index) =>
        throw new ArgumentException($"{Text(name, index)} is the default value, which is no sequence: use what {nameof(CreateSequence)} or {nameof(Fork)} has returned.", name);

    [DoesNotReturn]
    private static PagedSequence ThrowForeign(SequenceId id, string name, int index) => throw new ArgumentException($"{Text(name, index)} {id} is a sequence of another cache.", name);

    [DoesNotReturn]
    private static void ThrowFreed(SequenceId id, string name, int index, bool isReplaced) =>
        throw new ArgumentException($"{Text(name, index)} {id} is freed{(isReplaced ? ", and a newer sequence has its place" : "")}.", name);
}
