namespace AttentionGen.CompilerServices;

/// <summary>Keys of a sequence that some of its rows see, in a zone.</summary>
/// <param name="Begin">The first key.</param>
/// <param name="End">The key behind the last.</param>
/// <param name="From">Where keys before, which no row sees, may be taken along from.</param>
/// <param name="Zone">The zone.</param>
internal readonly record struct KeyRange(int Begin, int End, int From, KeyZone Zone)
{
    public int Count => End - Begin;

    /// <summary>A part of it against rows from <paramref name="row"/> on.</summary>
    public ForwardRun Run(int begin, int end, int row, int packed) => new()
    {
        Key = begin,
        Keys = end - begin,
        Packed = packed,
        Least = Math.Max(Zone.Begin - begin, 0),
        Visible = (nint)Math.Min(row + Zone.High - begin, int.MaxValue),
        Hidden = (nint)Math.Max(row + Zone.Low - begin, int.MinValue),
        Decided = Zone.Decided,
    };
}

/// <summary>The keys that some rows of a piece see, range after range: those of its zones, of which a list may let through some blocks only.</summary>
internal unsafe ref struct KeyRanges
{
    private readonly KeyZone* _zones;
    private readonly int _count, _first, _last, _keyBlock;
    private readonly ReadOnlySpan<int> _list;
    private int _zone, _begin, _end, _block;

    /// <param name="call">The call.</param>
    /// <param name="piece">The piece.</param>
    /// <param name="keyHead">The key-value head, which may have lists of its own.</param>
    /// <param name="first">The first of the rows.</param>
    /// <param name="last">The last of them.</param>
    public KeyRanges(in ForwardArguments call, in RowPiece piece, int keyHead, int first, int last)
    {
        _zones = call.Zones + piece.FirstZone;
        (_count, _first, _last) = (piece.Zones, first, last);
        if (piece.List < 0) return;
        _list = call.Lists.List(call.Sequences[piece.Sequence].Batch, keyHead, piece.List);
        (_keyBlock, _block) = (call.Lists.KeyBlock, _list.Length);
    }

    public KeyRange Current { get; private set; }

    public readonly KeyRanges GetEnumerator() => this;

    public bool MoveNext()
    {
        while (true)
        {
            // Blocks of the list that follow each other are one range.
            while (_block < _list.Length)
            {
                long from = (long)_list[_block++] * _keyBlock, to = from + _keyBlock;
                if (to <= _begin) continue;
                if (from >= _end)
                {
                    _block = _list.Length;
                    break;
                }

                for (; _block < _list.Length && (long)_list[_block] * _keyBlock == to; _block++) to += _keyBlock;
                Current = new KeyRange((int)Math.Max(from, _begin), (int)Math.Min(to, _end), (int)from, _zones[_zone - 1]);
                return true;
            }

            if (_zone == _count) return false;
            (_begin, _end) = _zones[_zone++].Range(_first, _last);
            if (_begin == _end) continue;
            if (_keyBlock > 0)
            {
                _block = 0;
                continue;
            }

            Current = new KeyRange(_begin, _end, From: 0, _zones[_zone - 1]);
            return true;
        }
    }
}
