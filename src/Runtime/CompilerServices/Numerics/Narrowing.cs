using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Converts rows of floats to the types in which caches store them, and back. A target is at least as long as its source, and they do not overlap.
/// </summary>
/// <remarks>
/// A row is cut into blocks of the widest vectors that fit into it. The last block is moved back so that it ends where the row ends: it converts some elements
/// again, to the same result. Nothing outside the row is read or written. Rows shorter than a block of the narrowest vectors go element by element.
/// </remarks>
internal static partial class Narrowing
{
    /// <summary>Each element as <c>(Half)x</c>, bit for bit: the nearest half, ties to even.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<Half> target) => Narrow<HalfFormat>(source, MemoryMarshal.Cast<Half, ushort>(target[..source.Length]));

    /// <summary>Each element as <c>(BFloat16)x</c>, bit for bit: the nearest bfloat16, ties to even.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<BFloat16> target) => Narrow<BFloat16Format>(source, MemoryMarshal.Cast<BFloat16, ushort>(target[..source.Length]));

    /// <summary>Each element as <c>(float)x</c>, bit for bit; exact.</summary>
    public static void Widen(ReadOnlySpan<Half> source, Span<float> target) => Widen<HalfFormat>(MemoryMarshal.Cast<Half, ushort>(source), target[..source.Length]);

    /// <summary>Each element as <c>(float)x</c>, bit for bit; exact.</summary>
    public static void Widen(ReadOnlySpan<BFloat16> source, Span<float> target) => Widen<BFloat16Format>(MemoryMarshal.Cast<BFloat16, ushort>(source), target[..source.Length]);

    private static void Narrow<TFormat>(ReadOnlySpan<float> source, Span<ushort> target) where TFormat : IFormat
    {
        ref float from = ref MemoryMarshal.GetReference(source);
        ref ushort to = ref MemoryMarshal.GetReference(target);
        int length = source.Length;
        if (Vector512.IsHardwareAccelerated && length >= Vector512<ushort>.Count)
        {
            int last = length - Vector512<ushort>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector512<ushort>.Count, last))
            {
                var lower = TFormat.Narrow(Vector512.LoadUnsafe(ref from, (nuint)i));
                var upper = TFormat.Narrow(Vector512.LoadUnsafe(ref from, (nuint)(i + Vector512<float>.Count)));
                Vector512.Narrow(lower, upper).StoreUnsafe(ref to, (nuint)i);
                if (i == last) return;
            }
        }

        if (Vector256.IsHardwareAccelerated && length >= Vector256<ushort>.Count)
        {
            int last = length - Vector256<ushort>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector256<ushort>.Count, last))
            {
                var lower = TFormat.Narrow(Vector256.LoadUnsafe(ref from, (nuint)i));
                var upper = TFormat.Narrow(Vector256.LoadUnsafe(ref from, (nuint)(i + Vector256<float>.Count)));
                Vector256.Narrow(lower, upper).StoreUnsafe(ref to, (nuint)i);
                if (i == last) return;
            }
        }

        if (Vector128.IsHardwareAccelerated && length >= Vector128<ushort>.Count)
        {
            int last = length - Vector128<ushort>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector128<ushort>.Count, last))
            {
                var lower = TFormat.Narrow(Vector128.LoadUnsafe(ref from, (nuint)i));
                var upper = TFormat.Narrow(Vector128.LoadUnsafe(ref from, (nuint)(i + Vector128<float>.Count)));
                Vector128.Narrow(lower, upper).StoreUnsafe(ref to, (nuint)i);
                if (i == last) return;
            }
        }

        for (int i = 0; i < length; i++) target[i] = TFormat.Narrow(source[i]);
    }

    private static void Widen<TFormat>(ReadOnlySpan<ushort> source, Span<float> target) where TFormat : IFormat
    {
        ref ushort from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(target);
        int length = source.Length;
        if (Vector512.IsHardwareAccelerated && length >= Vector512<ushort>.Count)
        {
            int last = length - Vector512<ushort>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector512<ushort>.Count, last))
            {
                var (lower, upper) = Vector512.Widen(Vector512.LoadUnsafe(ref from, (nuint)i));
                TFormat.Widen(lower).StoreUnsafe(ref to, (nuint)i);
                TFormat.Widen(upper).StoreUnsafe(ref to, (nuint)(i + Vector512<float>.Count));
                if (i == last) return;
            }
        }

        if (Vector256.IsHardwareAccelerated && length >= Vector256<ushort>.Count)
        {
            int last = length - Vector256<ushort>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector256<ushort>.Count, last))
            {
                var (lower, upper) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
                TFormat.Widen(lower).StoreUnsafe(ref to, (nuint)i);
                TFormat.Widen(upper).StoreUnsafe(ref to, (nuint)(i + Vector256<float>.Count));
                if (i == last) return;
            }
        }

        if (Vector128.IsHardwareAccelerated && length >= Vector128<ushort>.Count)
        {
            int last = length - Vector128<ushort>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector128<ushort>.Count, last))
            {
                var (lower, upper) = Vector128.Widen(Vector128.LoadUnsafe(ref from, (nuint)i));
                TFormat.Widen(lower).StoreUnsafe(ref to, (nuint)i);
                TFormat.Widen(upper).StoreUnsafe(ref to, (nuint)(i + Vector128<float>.Count));
                if (i == last) return;
            }
        }

        for (int i = 0; i < length; i++) target[i] = TFormat.Widen(source[i]);
    }
}
