using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>The memory of an argument of any type. A span of bytes cannot hold 2^31 floats.</summary>
internal readonly ref struct MemoryBlock
{
    public readonly ref byte Origin;

    private MemoryBlock(ref byte origin, nint bytes)
    {
        Origin = ref origin;
        Bytes = bytes;
    }

    public nint Bytes { get; }

    public static MemoryBlock Of<T>(ReadOnlySpan<T> span)
        where T : unmanaged => new(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(span)), (nint)span.Length * Unsafe.SizeOf<T>());

    /// <summary>The memory of a tensor, including the gaps between its elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MemoryBlock Of(in KernelTensor tensor) => tensor.IsEmpty ? default : new(ref tensor.Data, tensor.Length * tensor.ElementBytes);

    /// <summary>The memory as a span of elements.</summary>
    public ReadOnlySpan<T> As<T>()
        where T : unmanaged => MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref Origin), (int)(Bytes / Unsafe.SizeOf<T>()));

    /// <summary>Whether the two blocks share a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Meets(in MemoryBlock other)
    {
        if (Bytes == 0 || other.Bytes == 0) return false;
        nint offset = Unsafe.ByteOffset(ref other.Origin, ref Origin);
        return offset < other.Bytes && -offset < Bytes;
    }
}
