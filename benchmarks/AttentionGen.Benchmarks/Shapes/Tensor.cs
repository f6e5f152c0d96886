using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.Benchmarks.Shapes;

/// <summary>Floats that stay where they are, on a cache line: for spans, memory and native code alike.</summary>
internal sealed class Tensor
{
    private const int LineBytes = 64;

    private readonly float[] _array;
    private readonly int _first;

    public Tensor(int length)
    {
        _array = GC.AllocateUninitializedArray<float>(length + LineBytes / sizeof(float), pinned: true);
        nint past = Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0) % LineBytes;
        _first = (int)((LineBytes - past) % LineBytes / sizeof(float));
        Length = length;
    }

    public int Length { get; }

    public long Bytes => (long)Length * sizeof(float);

    public Span<float> Span => _array.AsSpan(_first, Length);

    public Memory<float> Memory => _array.AsMemory(_first, Length);

    public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_array, _first);
}
