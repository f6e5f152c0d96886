using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

// Generated code calls these and the functions of the vector classes instead of those of .NET. They compile to the same instructions, but none is generic, an
// extension or one of many overloads. The C# compiler therefore binds a call in a tenth of the time, and a kernel has thousands of calls.

/// <summary>References to floats in pinned or native memory.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class KernelMemory
{
    /// <summary>The float at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref float At(ref float origin, nint offset) => ref Unsafe.Add(ref origin, offset);

    /// <summary>Prefetches some floats. They may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void PrefetchRow(ref float origin, nint offset, int count)
    {
        if (!Sse.IsSupported) return;
        const int Line = 64 / sizeof(float);
        for (int i = 0; i < count; i += Line) Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset + i)));
    }

    /// <summary>Prefetches the cache line of an address, but not into the first-level cache. The address may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void PrefetchFar(ref float origin, nint offset)
    {
        if (Sse.IsSupported) Sse.Prefetch1(Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)));
    }

    /// <summary>Prefetches the lines of four equidistant addresses, but not into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchFour(ref float origin, nint apart, nint offset)
    {
        PrefetchFar(ref origin, offset);
        PrefetchFar(ref origin, offset + apart);
        PrefetchFar(ref origin, offset + 2 * apart);
        PrefetchFar(ref origin, offset + 3 * apart);
    }

    /// <summary>Prefetches a line of each of some streams, but not into the first-level cache. The addresses may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll(ref float k0, ref float k1, nint offset)
    {
        PrefetchFar(ref k0, offset);
        PrefetchFar(ref k1, offset);
    }

    /// <summary>Prefetches a line of each of some streams, but not into the first-level cache. The addresses may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll(ref float k0, ref float k1, ref float k2, nint offset)
    {
        PrefetchFar(ref k0, offset);
        PrefetchFar(ref k1, offset);
        PrefetchFar(ref k2, offset);
    }

    /// <summary>Prefetches a line of each of some streams, but not into the first-level cache. The addresses may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll(ref float k0, ref float k1, ref float k2, ref float k3, nint offset)
    {
        PrefetchAll(ref k0, ref k1, offset);
        PrefetchAll(ref k2, ref k3, offset);
    }

    /// <summary>Prefetches a line of each of some streams, but not into the first-level cache. The addresses may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll(ref float k0, ref float k1, ref float k2, ref float k3, ref float k4, ref float k5, nint offset)
    {
        PrefetchAll(ref k0, ref k1, ref k2, offset);
        PrefetchAll(ref k3, ref k4, ref k5, offset);
    }

    /// <summary>Prefetches four equidistant rows, but not into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchFourRows(ref float origin, nint apart, nint offset, int count)
    {
        PrefetchRowFar(ref origin, offset, count);
        PrefetchRowFar(ref origin, offset + apart, count);
        PrefetchRowFar(ref origin, offset + 2 * apart, count);
        PrefetchRowFar(ref origin, offset + 3 * apart, count);
    }

    /// <summary>
    /// Prefetches some floats, but not into the first-level cache. They may be outside of allocated memory. It asks for one line of each pair, because the
    /// processor fetches the other.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void PrefetchRowFar(ref float origin, nint offset, int count)
    {
        if (!Sse.IsSupported) return;
        const int Pair = 128 / sizeof(float);
        for (int i = 0; i < count; i += Pair) Sse.Prefetch1(Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset + i)));
    }

    /// <summary>The element at an offset, of any type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T At<T>(ref T origin, nint offset)
        where T : unmanaged => ref Unsafe.Add(ref origin, offset);

    /// <summary>Whether a weight is that of a hidden key: -0. Other weights are positive or +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Hidden(float weight) => BitConverter.SingleToInt32Bits(weight) == int.MinValue;

    /// <summary>An element of a span; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Element(ref float span, int length, int index) => (uint)index < (uint)length ? Unsafe.Add(ref span, index) : 0f;

    /// <summary>The absolute value. The least int has none and stays as it is, because nothing throws in a kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Magnitude(int x) => x < 0 ? unchecked(-x) : x;

    /// <summary>The last bytes of some memory, at most 8, with the first byte lowest. The other bytes are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Bytes(ref byte origin, int count)
    {
        ulong bytes = 0;
        for (int i = Math.Min(count, 8) - 1; i >= 0; i--) bytes = bytes << 8 | Unsafe.Add(ref origin, i);
        return bytes;
    }
}
