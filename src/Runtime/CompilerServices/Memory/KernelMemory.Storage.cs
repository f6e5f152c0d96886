using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AttentionGen.CompilerServices;

// The functions for floats, for rows in the types that only storage has. Generated code names their type, so that a kernel of floats has no overloads to choose from where it matters.
public static partial class KernelMemory
{
    /// <summary>Prefetches some elements. They may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchRow<T>(ref T origin, nint offset, int count)
        where T : unmanaged => PrefetchRow(ref Floats(ref origin, offset), 0, FloatsOf<T>(count));

    /// <summary>Prefetches the cache line of an address, but not into the first-level cache. The address may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchFar<T>(ref T origin, nint offset)
        where T : unmanaged => PrefetchFar(ref Floats(ref origin, offset), 0);

    /// <summary>Prefetches the lines of four equidistant addresses, but not into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchFour<T>(ref T origin, nint apart, nint offset)
        where T : unmanaged
    {
        PrefetchFar(ref Floats(ref origin, offset), 0);
        PrefetchFar(ref Floats(ref origin, offset + apart), 0);
        PrefetchFar(ref Floats(ref origin, offset + 2 * apart), 0);
        PrefetchFar(ref Floats(ref origin, offset + 3 * apart), 0);
    }

    /// <summary>Prefetches four equidistant rows, but not into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchFourRows<T>(ref T origin, nint apart, nint offset, int count)
        where T : unmanaged
    {
        PrefetchRowFar(ref Floats(ref origin, offset), 0, FloatsOf<T>(count));
        PrefetchRowFar(ref Floats(ref origin, offset + apart), 0, FloatsOf<T>(count));
        PrefetchRowFar(ref Floats(ref origin, offset + 2 * apart), 0, FloatsOf<T>(count));
        PrefetchRowFar(ref Floats(ref origin, offset + 3 * apart), 0, FloatsOf<T>(count));
    }

    /// <summary>Prefetches a line of each of some streams, but not into the first-level cache. The addresses may be outside of allocated memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll<T>(ref T k0, ref T k1, nint offset)
        where T : unmanaged => PrefetchAll(ref Floats(ref k0, offset), ref Floats(ref k1, offset), 0);

    /// <inheritdoc cref="PrefetchAll{T}(ref T, ref T, nint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll<T>(ref T k0, ref T k1, ref T k2, nint offset)
        where T : unmanaged => PrefetchAll(ref Floats(ref k0, offset), ref Floats(ref k1, offset), ref Floats(ref k2, offset), 0);

    /// <inheritdoc cref="PrefetchAll{T}(ref T, ref T, nint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll<T>(ref T k0, ref T k1, ref T k2, ref T k3, nint offset)
        where T : unmanaged => PrefetchAll(ref Floats(ref k0, offset), ref Floats(ref k1, offset), ref Floats(ref k2, offset), ref Floats(ref k3, offset), 0);

    /// <inheritdoc cref="PrefetchAll{T}(ref T, ref T, nint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchAll<T>(ref T k0, ref T k1, ref T k2, ref T k3, ref T k4, ref T k5, nint offset)
        where T : unmanaged
    {
        PrefetchAll(ref k0, ref k1, ref k2, offset);
        PrefetchAll(ref k3, ref k4, ref k5, offset);
    }

    /// <summary>Whether all elements of some rows of several heads are finite: see <see cref="AllFinite(ref float, int, nint, int, nint, int)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllFinite(ref Half row, int count, nint stride, int heads, nint headStride, int dim) =>
        AllBelow(0x7C00, ref Unsafe.As<Half, ushort>(ref row), count, stride, heads, headStride, dim);

    /// <inheritdoc cref="AllFinite(ref Half, int, nint, int, nint, int)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllFinite(ref BFloat16 row, int count, nint stride, int heads, nint headStride, int dim) =>
        AllBelow(0x7F80, ref Unsafe.As<BFloat16, ushort>(ref row), count, stride, heads, headStride, dim);

    /// <summary>Copies the scales of rows, each <paramref name="stride"/> floats after the one before, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyScales(ref float scales, nint stride, int count, ref float copy)
    {
        int i = 0;
        if (stride == 1)
            for (; i <= count - Vector128<float>.Count; i += Vector128<float>.Count) Vector128.LoadUnsafe(ref scales, (nuint)i).StoreUnsafe(ref copy, (nuint)i);
        for (; i < count; i++) Unsafe.Add(ref copy, i) = Unsafe.Add(ref scales, i * stride);
    }

    /// <summary>Whether the magnitudes of all elements, as bits, are below those of infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AllBelow(ushort infinity, ref ushort row, int count, nint stride, int heads, nint headStride, int dim)
    {
        const ushort Magnitude = 0x7FFF;
        var largest = Vector128<ushort>.Zero;
        int rest = 0;
        for (; count > 0; count--, row = ref Unsafe.Add(ref row, stride))
        {
            ref ushort x = ref row;
            for (int head = 0; head < heads; head++, x = ref Unsafe.Add(ref x, headStride))
            {
                nint i = 0;
                for (; i + Vector128<ushort>.Count <= dim; i += Vector128<ushort>.Count) largest = Vector128.Max(largest, Vector128.LoadUnsafe(ref Unsafe.Add(ref x, i)) & Vector128.Create(Magnitude));
                for (; i < dim; i++) rest = Math.Max(rest, Unsafe.Add(ref x, i) & Magnitude);
            }
        }

        return Vector128.LessThanAll(largest, Vector128.Create(infinity)) && rest < infinity;
    }

    /// <summary>Memory of any type as floats: its address is all that matters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref float Floats<T>(ref T origin, nint offset)
        where T : unmanaged => ref Unsafe.As<T, float>(ref Unsafe.Add(ref origin, offset));

    /// <summary>The floats that take as much memory as some elements, rounded up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FloatsOf<T>(int count)
        where T : unmanaged => (count * Unsafe.SizeOf<T>() + sizeof(float) - 1) / sizeof(float);
}
