using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The keys that are packed together, as a list of ranges. Each range begins with a block of keys. Blocks thus begin at fixed keys, and no result depends on
/// the other keys that are packed. The keys between two ranges are left out.
/// </summary>
internal struct PackedKeys
{
    private Ranges _ranges;
    private int _count;

    /// <summary>The number of packed keys, including the padding of blocks between ranges.</summary>
    public long Length { get; private set; }

    public readonly int Count => _count;

    public readonly PackedRange this[int index] => Unsafe.Add(ref Unsafe.As<Ranges, PackedRange>(ref Unsafe.AsRef(in _ranges)), index);

    public void Clear() => (_count, Length) = (0, 0);

    /// <summary>Adds the keys from the start of a key block on.</summary>
    public void Add(int begin, int end, int block)
    {
        // In most cases there is one range, which the new keys extend.
        if (_count <= 1 && (_count == 0 || (begin <= _ranges[0].End && end >= _ranges[0].Begin)))
        {
            if (_count == 0) _ranges[0] = new PackedRange { Begin = begin, End = end };
            else (_ranges[0].Begin, _ranges[0].End) = (Math.Min(_ranges[0].Begin, begin), Math.Max(_ranges[0].End, end));
            (_count, Length) = (1, _ranges[0].End - _ranges[0].Begin);
            return;
        }

        int index = _count;
        while (index > 0 && _ranges[index - 1].Begin > begin) index--;
        if (_count < Ranges.Most)
        {
            for (int i = _count++; i > index; i--) _ranges[i] = _ranges[i - 1];
            _ranges[index] = new PackedRange { Begin = begin, End = end };
        }
        else
        {
            // The list is full: the range before grows, and the keys in between are packed, too.
            index = Math.Max(index - 1, 0);
            _ranges[index].Begin = Math.Min(_ranges[index].Begin, begin);
            _ranges[index].End = Math.Max(_ranges[index].End, end);
        }

        // Merges a range that begins at the end of another or in its last block.
        int kept = 0;
        for (int i = 1; i < _count; i++)
        {
            if (_ranges[i].Begin - _ranges[kept].Begin <= RoundUp(_ranges[kept].End - _ranges[kept].Begin, block)) _ranges[kept].End = Math.Max(_ranges[kept].End, _ranges[i].End);
            else _ranges[++kept] = _ranges[i];
        }

        _count = kept + 1;
        Length = 0;
        for (int i = 0; i < _count; i++)
        {
            _ranges[i].Offset = i == 0 ? 0 : _ranges[i - 1].Offset + RoundUp(_ranges[i - 1].End - _ranges[i - 1].Begin, block);
            Length = _ranges[i].Offset + _ranges[i].End - _ranges[i].Begin;
        }
    }

    /// <summary>Whether all these keys are among the packed ones between two offsets.</summary>
    public readonly bool Holds(in PackedKeys other, long from, long to)
    {
        for (int i = 0; i < other._count; i++)
        {
            bool holds = false;
            for (int j = 0; j < _count && !holds; j++)
            {
                long offset = _ranges[j].Offset - _ranges[j].Begin;
                holds = other._ranges[i].Begin >= _ranges[j].Begin && other._ranges[i].End <= _ranges[j].End
                    && other._ranges[i].Begin + offset >= from && other._ranges[i].End + offset <= to;
            }

            if (!holds) return false;
        }

        return true;
    }

    private static long RoundUp(long keys, int block) => (keys + block - 1) / block * block;

    [InlineArray(Most)]
    private struct Ranges
    {
        /// <summary>Room for few ranges is enough: the zones of consecutive rows merge in most cases.</summary>
        public const int Most = 8;

        private PackedRange _first;
    }
}

/// <summary>A range of packed keys, and its offset among them.</summary>
internal struct PackedRange
{
    public int Begin, End;
    public long Offset;

    public readonly void Deconstruct(out int begin, out int end, out long offset) => (begin, end, offset) = (Begin, End, Offset);
}
