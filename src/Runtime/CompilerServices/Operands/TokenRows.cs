using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>Rows of a pinned tensor: equidistant tokens of one head or of several. Strides count elements of any type.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe struct TokenRows
{
    private readonly void* _first;
    private readonly float* _scales;

    internal TokenRows(void* first, nint stride, nint headStride = 0, float* scales = null, int scaleStride = 0)
    {
        _first = first;
        _scales = scales;
        Stride = stride;
        HeadStride = headStride;
        ScaleStride = scaleStride;
    }

    /// <summary>Elements from row to row of a head.</summary>
    public nint Stride { get; }

    /// <summary>Elements from head to head; 0 for a single head.</summary>
    public nint HeadStride { get; }

    /// <summary>Floats from scale to scale, where rows are integers.</summary>
    public nint ScaleStride { get; }

    /// <summary>The scale of the first row, where rows are integers.</summary>
    public ref float Scales => ref *_scales;

    /// <summary>The first element of the first row.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T First<T>()
        where T : unmanaged => ref *(T*)_first;
}
