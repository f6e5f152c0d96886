using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>The keys of one zone that at least one of some rows sees.</summary>
internal readonly unsafe struct KeyRange(int begin, int end, int from, KeyZone* zone)
{
    /// <summary>The first key, and the key after the last.</summary>
    public readonly int Begin = begin, End = end;

    /// <summary>The first key that may be read. No row sees the keys from here to <see cref="Begin"/>.</summary>
    public readonly int From = from;

    public readonly KeyZone* Zone = zone;

    public int Count => End - Begin;

    /// <summary>A part of the range as a run, against rows from <paramref name="row"/> on.</summary>
    /// <param name="begin">The first key.</param>
    /// <param name="end">The key after the last.</param>
    /// <param name="row">The first row.</param>
    /// <param name="firstKey">The address of the first key.</param>
    /// <param name="firstValue">The address of its value.</param>
    /// <param name="pages">The elements from the first page to each, if keys lie in pages.</param>
    /// <param name="pageKeys">The number of keys of a page.</param>
    /// <param name="keyScale">The address of the scale of the key, if it has one.</param>
    /// <param name="valueScale">The address of the scale of the value.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyRun Run(int begin, int end, int row, void* firstKey, void* firstValue, nint* pages = null, int pageKeys = 0, float* keyScale = null, float* valueScale = null) => new()
    {
        FirstKey = firstKey,
        FirstValue = firstValue,
        FirstPage = pages,
        PageKeys = pageKeys,
        FirstKeyScale = keyScale,
        FirstValueScale = valueScale,
        Key = begin,
        Count = end - begin,
        Least = Math.Max(Zone->Begin - begin, 0),
        Visible = Within(row + Zone->High - begin),
        Hidden = Within(row + Zone->Low - begin),
        Decided = Zone->Decided,
    };

    /// <summary>Clamps a bound. Beyond all keys of a run its value has no effect; this limit leaves room to add rows and keys in an int.</summary>
    private static nint Within(long bound) => (nint)Math.Clamp(bound, -(1 << 30), 1 << 30);
}

/// <summary>The ranges of keys that at least one row of a block sees: the zones of a piece, of which a list may select some blocks only.</summary>
internal unsafe struct KeyRanges
{
    private readonly int _first, _last, _keyBlock;
    private readonly KeyZone* _end;
    private readonly int* _list, _listEnd;
    private KeyZone* _next;
    private int* _block;
    private int _begin, _to;

    /// <param name="call">The call.</param>
    /// <param name="piece">The piece.</param>
    /// <param name="keyHead">The key-value head: lists may differ by head.</param>
    /// <param name="first">The first row.</param>
    /// <param name="last">The last row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyRanges(in ForwardArguments call, in RowPiece piece, int keyHead, int first, int last)
    {
        _next = call.Zones + piece.FirstZone;
        _end = _next + piece.Zones;
        _first = first;
        _last = last;
        if (piece.List < 0) return;
        _list = call.Lists.List(call.Sequences[piece.Sequence].Batch, keyHead, piece.List, out int count);
        _block = _listEnd = _list + count;
        _keyBlock = call.Lists.KeyBlock;
    }

    public KeyRange Current { get; private set; }

    public readonly KeyRanges GetEnumerator() => this;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_keyBlock > 0) return MoveToBlock();
        while (_next < _end)
        {
            var zone = _next++;
            var (begin, end) = zone->Range(_first, _last);
            if (begin == end) continue;
            Current = new KeyRange(begin, end, from: 0, zone);
            return true;
        }

        return false;
    }

    /// <summary>Advances to the next range of a list. Consecutive blocks of the list form one range.</summary>
    private bool MoveToBlock()
    {
        while (true)
        {
            while (_block < _listEnd)
            {
                long from = (long)*_block++ * _keyBlock, to = from + _keyBlock;
                if (to <= _begin) continue;
                if (from >= _to) break; // the other blocks of the list are after the zone, too
                for (; _block < _listEnd && (long)*_block * _keyBlock == to; _block++) to += _keyBlock;
                Current = new KeyRange((int)Math.Max(from, _begin), (int)Math.Min(to, _to), (int)from, _next - 1);
                return true;
            }

            do
            {
                if (_next == _end) return false;
                (_begin, _to) = (_next++)->Range(_first, _last);
            }
            while (_begin == _to);
            _block = (int*)_list;
        }
    }
}
