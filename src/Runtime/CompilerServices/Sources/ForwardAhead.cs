using System.ComponentModel;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Rows of the tensors that a thread reads and writes next. A core prefetches them into the second-level cache while it computes, a few after each tile.
/// Otherwise packing waits for the third-level cache or for memory, which costs 3 to 5 % of a call at 512 to 1024 tokens (Zen 4).
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct ForwardAhead
{
    internal AheadRows Query, Output, Key, Value;

    /// <summary>Prefetches the rows of one step.</summary>
    public void Fetch()
    {
        Query.Fetch();
        Output.Fetch();
        Key.Fetch();
        Value.Fetch();
    }
}

/// <summary>Rows that are prefetched in equal parts.</summary>
internal unsafe struct AheadRows
{
    private const int Line = 64;

    private byte* _row;
    private nint _stride;
    private int _rows, _bytes, _rowsOfStep;

    /// <summary>Rows of a head from one on, each <paramref name="step"/> tokens after the one before, in <paramref name="steps"/> parts.</summary>
    public static AheadRows Of(byte* row, in StridedTensor tensor, int step, int rows, int steps) => new()
    {
        _row = row,
        _stride = tensor.TokenStride * step * tensor.ElementBytes,
        _rows = rows,
        _bytes = tensor.Dim * tensor.ElementBytes,
        _rowsOfStep = (rows + steps - 1) / steps,
    };

    public void Fetch()
    {
        if (!Sse.IsSupported) return;
        for (int end = Math.Max(_rows - _rowsOfStep, 0); _rows > end; _rows--, _row += _stride)
        {
            // A row that begins inside a line ends in one more line.
            for (byte* line = (byte*)((nint)_row & -Line), last = _row + _bytes; line < last; line += Line) Sse.Prefetch1(line);
        }
    }
}
