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

/// <summary>The keys that some rows of a piece see, range after range: its zones.</summary>
internal unsafe ref struct KeyRanges(in ForwardArguments call, in RowPiece piece, int first, int last)
{
    private readonly KeyZone* _zones = call.Zones + piece.FirstZone;
    private readonly int _count = piece.Zones;
    private int _next;

    public KeyRange Current { get; private set; }

    public readonly KeyRanges GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_next < _count)
        {
            var zone = _zones[_next++];
            var (begin, end) = zone.Range(first, last);
            if (begin == end) continue;
            Current = new KeyRange(begin, end, From: 0, zone);
            return true;
        }

        return false;
    }
}
