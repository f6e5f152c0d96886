using System.ComponentModel;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>
/// What a thread reads and writes next: rows of the tensors that a core has brought into the second-level cache while it computes, a few between
/// one tile and the next. Otherwise packing them waits for the third level or for memory, which is 3 to 5 % of a call at 512 to 1024 tokens (Zen 4).
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct ForwardAhead
{
    internal AheadRows Query, Output, Key, Value;

    /// <summary>Asks for the rows of one step.</summary>
    public void Fetch()
    {
        Query.Fetch();
        Output.Fetch();
        Key.Fetch();
        Value.Fetch();
    }
}

/// <summary>Rows that are fetched in equal parts.</summary>
internal unsafe struct AheadRows
{
    private const int Line = 64;

    private byte* _row;
    private nint _stride;
    private int _rows, _bytes, _rowsOfStep;

    /// <summary>Rows of a head from one on, each <paramref name="step"/> tokens behind the one before, in <paramref name="steps"/> parts.</summary>
    public static AheadRows Of(float* row, in StridedTensor tensor, int step, int rows, int steps) => new()
    {
        _row = (byte*)row,
        _stride = tensor.TokenStride * step * sizeof(float),
        _rows = rows,
        _bytes = tensor.Dim * sizeof(float),
        _rowsOfStep = (rows + steps - 1) / steps,
    };

    public void Fetch()
    {
        if (!Sse.IsSupported) return;
        for (int end = Math.Max(_rows - _rowsOfStep, 0); _rows > end; _rows--, _row += _stride)
        {
            for (int i = 0; i < _bytes; i += Line) Sse.Prefetch1(_row + i);
            Sse.Prefetch1(_row + _bytes - 1); // a row that begins inside a line ends in one more
        }
    }
}
