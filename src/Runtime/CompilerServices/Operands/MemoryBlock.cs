using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>The memory of an argument, of whatever type; there may be more bytes than a span can count.</summary>
internal readonly ref struct MemoryBlock
{
    private readonly ref byte _origin;
    private readonly nint _bytes;

    private MemoryBlock(ref byte origin, nint bytes)
    {
        _origin = ref origin;
        _bytes = bytes;
    }

    public static implicit operator MemoryBlock(ReadOnlySpan<byte> span) => new(ref MemoryMarshal.GetReference(span), span.Length);

    public static implicit operator MemoryBlock(ReadOnlySpan<float> span) => new(ref Unsafe.As<float, byte>(ref MemoryMarshal.GetReference(span)), (nint)span.Length * sizeof(float));

    public static implicit operator MemoryBlock(ReadOnlySpan<int> span) => new(ref Unsafe.As<int, byte>(ref MemoryMarshal.GetReference(span)), (nint)span.Length * sizeof(int));

    /// <summary>Gaps included.</summary>
    public static implicit operator MemoryBlock(in KernelTensor tensor) => tensor.IsEmpty ? default : new(ref Unsafe.As<float, byte>(ref tensor.Data), tensor.Length * sizeof(float));

    /// <summary>Whether both have a byte in common.</summary>
    public bool Meets(MemoryBlock other)
    {
        if (_bytes == 0 || other._bytes == 0) return false;
        nint offset = Unsafe.ByteOffset(ref other._origin, ref _origin);
        return offset < other._bytes && -offset < _bytes;
    }
}
