using System.Diagnostics.CodeAnalysis;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// A sequence of a paged cache: its block table and the lengths of its layers. Who is behind its gate may use it; a call that changes it is alone there.
/// A change has three steps: pages are reserved, rows are written behind the length, and either the length is set or the pages are given back.
/// </summary>
internal sealed unsafe class PagedSequence(SequenceId id, int layers)
{
    private const int FirstRoom = 64, None = -1;

    private readonly int[] _lengths = new int[layers];

    private UseGate _gate;

    // The table. The addresses are pinned, since kernels read them; _replaced has the shared pages of which a change has made copies.
    private nint[] _addresses = [];
    private int[] _pages = [], _replaced = [];
    private int _count;

    // The change in progress: the number of pages before it, and the first one that it may write.
    private int _kept, _first;
    private bool _changes;

    public SequenceId Id { get; } = id;

    /// <summary>Whether it is freed. Written while the lists of the pool are locked.</summary>
    public bool IsFreed { get; set; }

    public int LengthOf(int layer) => Volatile.Read(ref _lengths[layer]);

    public void SetLength(int layer, int length) => Volatile.Write(ref _lengths[layer], length);

    /// <summary>The number of tokens of the longest layer.</summary>
    public int Longest
    {
        get
        {
            int longest = 0;
            for (int layer = 0; layer < _lengths.Length; layer++) longest = Math.Max(longest, LengthOf(layer));
            return longest;
        }
    }

    public UseGate.Result TryEnter(bool changes) => changes ? _gate.TryChange() : _gate.TryRead();

    /// <returns>Whether the sequence is freed and nobody is left, so that its pages are to be released.</returns>
    public bool Leave(bool changes) => changes ? _gate.EndChange() : _gate.EndRead();

    /// <inheritdoc cref="Leave"/>
    public bool Close() => _gate.Close();

    /// <summary>Where the keys and values of a layer lie, as long as the caller is behind the gate.</summary>
    public KeyMemory Memory(PagePool pool, int layer)
    {
        fixed (nint* addresses = _addresses)
            return pool.Memory((byte**)addresses, layer); // the array is pinned
    }

    /// <summary>Makes the table long enough. It changes nothing else.</summary>
    public void Grow(PagePool pool, int tokens)
    {
        int needed = Blocks(pool, tokens), room = Math.Max(_pages.Length, FirstRoom);
        if (needed <= _pages.Length) return;
        while (room < needed) room *= 2;
        Faults.Before(Fault.Array);
        nint[] addresses = GC.AllocateArray<nint>(room, pinned: true);
        int[] pages = new int[room], replaced = new int[room];
        _addresses.CopyTo(addresses, 0);
        _pages.CopyTo(pages, 0);
        (_addresses, _pages, _replaced) = (addresses, pages, replaced);
    }

    /// <summary>The number of pages that a change needs: those of new tokens, and copies of shared ones. The lists are locked.</summary>
    public int Needed(PagePool pool, int from, int to)
    {
        int needed = Math.Max(Blocks(pool, to) - _count, 0);
        if (from == to) return needed;
        for (int i = from / pool.PageTokens; i < Math.Min(_count, Blocks(pool, to)); i++)
            if (pool.IsShared(_pages[i])) needed++;
        return needed;
    }

    /// <summary>Begins a change that writes the tokens of an interval, and takes its pages. The lists are locked, and there are enough pages.</summary>
    public void Take(PagePool pool, int from, int to)
    {
        (_kept, _first, _changes) = (_count, from == to ? _count : from / pool.PageTokens, true);
        int blocks = Blocks(pool, to);
        for (int i = _first; i < _kept; i++)
        {
            _replaced[i] = None;
            if (i >= blocks || !pool.IsShared(_pages[i])) continue;
            _replaced[i] = _pages[i]; // the reference stays until the change ends, so that it can be undone
            Set(pool, i, pool.Take());
        }

        for (; _count < blocks; _count++) Set(pool, _count, pool.Take());
    }

    /// <summary>Copies the shared pages that the change replaces. Others may read them meanwhile; nobody writes a shared page.</summary>
    public void CopyShared(PagePool pool)
    {
        for (int i = _first; i < _kept; i++)
            if (_replaced[i] != None) pool.Copy(_replaced[i], _pages[i]);
    }

    /// <summary>Ends a change, if there is one. It gives back the pages that are not needed: those from before, or the new ones.</summary>
    public void End(PagePool pool, bool done)
    {
        if (!_changes) return;
        _changes = false;
        bool hasReplaced = false;
        for (int i = _first; i < _kept; i++) hasReplaced |= _replaced[i] != None;
        if (done && !hasReplaced) return;
        lock (pool.Lists)
        {
            for (int i = _first; i < _kept; i++)
            {
                if (_replaced[i] == None) continue;
                pool.Release(done ? _replaced[i] : _pages[i]);
                if (!done) Set(pool, i, _replaced[i]);
            }

            if (!done) ReleaseFrom(pool, _kept);
        }
    }

    /// <summary>Shortens all layers, and releases pages without tokens.</summary>
    public void Truncate(PagePool pool, int length)
    {
        for (int layer = 0; layer < _lengths.Length; layer++) SetLength(layer, Math.Min(LengthOf(layer), length));
        lock (pool.Lists) ReleaseFrom(pool, Blocks(pool, Longest));
    }

    /// <summary>The lengths of all layers, as long as the caller is behind the gate.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>The pages of the table, as long as the caller is behind the gate.</summary>
    public ReadOnlySpan<int> Pages => _pages.AsSpan(0, _count);

    /// <summary>Gives a new sequence pages, which others may have, too. The lists are locked, and the table has room.</summary>
    public void Share(PagePool pool, ReadOnlySpan<int> lengths, ReadOnlySpan<int> pages)
    {
        for (; _count < pages.Length; _count++)
        {
            pool.Share(pages[_count]);
            Set(pool, _count, pages[_count]);
        }

        for (int layer = 0; layer < lengths.Length; layer++) SetLength(layer, lengths[layer]);
    }

    /// <summary>Releases the pages from one on. The lists are locked.</summary>
    public void ReleaseFrom(PagePool pool, int first)
    {
        while (_count > first) pool.Release(_pages[--_count]);
    }

    private void Set(PagePool pool, int block, int page)
    {
        _pages[block] = page;
        _addresses[block] = pool.Address(page);
    }

    private static int Blocks(PagePool pool, int tokens) => (int)(((long)tokens + pool.PageTokens - 1) / pool.PageTokens);
}
