using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>Native memory of caches and weights, aligned to 64 bytes. The garbage collector is told of it.</summary>
internal static unsafe class OwnedMemory
{
    public const nuint Alignment = 64;

    /// <summary>Where tests take the memory from, such as from between protected pages; null outside of tests.</summary>
    public static (Func<nuint, nint> Allocate, Action<nint, nuint> Free)? Injected { get; set; }

    /// <summary>Bytes, up to a multiple of the alignment.</summary>
    /// <exception cref="OverflowException">There are too many.</exception>
    public static nint Aligned(nint bytes) => checked(bytes + (nint)Alignment - 1) & -(nint)Alignment;

    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public static byte* Allocate(nuint bytes)
    {
        Faults.Before(Fault.NativeMemory);
        var memory = (byte*)(Injected is { } test ? test.Allocate(bytes) : (nint)NativeMemory.AlignedAlloc(bytes, Alignment));
        GC.AddMemoryPressure((long)bytes);
        return memory;
    }

    public static void Free(byte* memory, nuint bytes)
    {
        if (Injected is { } test) test.Free((nint)memory, bytes);
        else NativeMemory.AlignedFree(memory);
        GC.RemoveMemoryPressure((long)bytes);
    }
}
