using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace AttentionGen.CompilerServices;

internal static partial class Narrowing
{
    private const float LargestInteger = 127;

    /// <summary>
    /// Stores a row as integers in [-127, 127] with one scale for all: its largest magnitude / 127. An integer is x / scale, divided in single precision and
    /// rounded, ties to even. A product with the reciprocal would be faster, but would round ties by chance, and the reciprocal of a small scale is infinite.
    /// </summary>
    /// <returns>
    /// The scale. 0 for a row of zeros. NaN for a row with NaN or infinity, the integers of which are 0: all of it becomes NaN again. A subnormal scale is
    /// rounded up, so that no quotient is beyond 127; one near the largest float is rounded down, so that 127 scales are finite. Integers times the scale differ
    /// from the row by half a scale at most, but for the rounding of quotients and products.
    /// </returns>
    public static float Quantize(ReadOnlySpan<float> source, Span<sbyte> target)
    {
        target = target[..source.Length];
        float largest = Largest(source), scale = largest / LargestInteger;
        if (largest == 0 || !float.IsFinite(largest))
        {
            target.Clear();
            return largest == 0 ? 0 : float.NaN;
        }

        if (!float.IsNormal(scale) && scale * (double)LargestInteger < largest) scale = MathF.BitIncrement(scale);
        if (float.IsInfinity(scale * LargestInteger)) scale = MathF.BitDecrement(scale);
        Divide(source, scale, target);
        return scale;
    }

    /// <summary>The integers times their scale, in single precision. All are NaN if the scale is.</summary>
    public static void Dequantize(ReadOnlySpan<sbyte> source, float scale, Span<float> target)
    {
        target = target[..source.Length];
        ref sbyte from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(target);
        int length = source.Length;
        if (Vector512.IsHardwareAccelerated && length >= Vector512<sbyte>.Count)
        {
            int last = length - Vector512<sbyte>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector512<sbyte>.Count, last))
            {
                var (lower, upper) = Vector512.Widen(Vector512.LoadUnsafe(ref from, (nuint)i));
                var ((first, second), (third, fourth)) = (Vector512.Widen(lower), Vector512.Widen(upper));
                (Vector512.ConvertToSingle(first) * scale).StoreUnsafe(ref to, (nuint)i);
                (Vector512.ConvertToSingle(second) * scale).StoreUnsafe(ref to, (nuint)(i + Vector512<float>.Count));
                (Vector512.ConvertToSingle(third) * scale).StoreUnsafe(ref to, (nuint)(i + 2 * Vector512<float>.Count));
                (Vector512.ConvertToSingle(fourth) * scale).StoreUnsafe(ref to, (nuint)(i + 3 * Vector512<float>.Count));
                if (i == last) return;
            }
        }

        if (Vector256.IsHardwareAccelerated && length >= Vector256<sbyte>.Count)
        {
            int last = length - Vector256<sbyte>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector256<sbyte>.Count, last))
            {
                var (lower, upper) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
                var ((first, second), (third, fourth)) = (Vector256.Widen(lower), Vector256.Widen(upper));
                (Vector256.ConvertToSingle(first) * scale).StoreUnsafe(ref to, (nuint)i);
                (Vector256.ConvertToSingle(second) * scale).StoreUnsafe(ref to, (nuint)(i + Vector256<float>.Count));
                (Vector256.ConvertToSingle(third) * scale).StoreUnsafe(ref to, (nuint)(i + 2 * Vector256<float>.Count));
                (Vector256.ConvertToSingle(fourth) * scale).StoreUnsafe(ref to, (nuint)(i + 3 * Vector256<float>.Count));
                if (i == last) return;
            }
        }

        if (Vector128.IsHardwareAccelerated && length >= Vector128<sbyte>.Count)
        {
            int last = length - Vector128<sbyte>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector128<sbyte>.Count, last))
            {
                var (lower, upper) = Vector128.Widen(Vector128.LoadUnsafe(ref from, (nuint)i));
                var ((first, second), (third, fourth)) = (Vector128.Widen(lower), Vector128.Widen(upper));
                (Vector128.ConvertToSingle(first) * scale).StoreUnsafe(ref to, (nuint)i);
                (Vector128.ConvertToSingle(second) * scale).StoreUnsafe(ref to, (nuint)(i + Vector128<float>.Count));
                (Vector128.ConvertToSingle(third) * scale).StoreUnsafe(ref to, (nuint)(i + 2 * Vector128<float>.Count));
                (Vector128.ConvertToSingle(fourth) * scale).StoreUnsafe(ref to, (nuint)(i + 3 * Vector128<float>.Count));
                if (i == last) return;
            }
        }

        for (int i = 0; i < length; i++) target[i] = source[i] * scale;
    }

    /// <summary>The largest magnitude, and NaN or infinity where there is one: magnitudes of floats are ordered as their bits are, those beyond all finite ones.</summary>
    private static float Largest(ReadOnlySpan<float> source)
    {
        const int magnitude = 0x7FFFFFFF;
        var bits = MemoryMarshal.Cast<float, int>(source);
        ref int from = ref MemoryMarshal.GetReference(bits);
        int length = source.Length;
        if (Vector512.IsHardwareAccelerated && length >= Vector512<int>.Count)
        {
            int last = length - Vector512<int>.Count;
            var largest = Vector512<int>.Zero;
            for (int i = 0; ; i = Math.Min(i + Vector512<int>.Count, last))
            {
                largest = Vector512.Max(largest, Vector512.LoadUnsafe(ref from, (nuint)i) & Vector512.Create(magnitude));
                if (i == last) return BitConverter.Int32BitsToSingle(Highest(largest));
            }
        }

        if (Vector256.IsHardwareAccelerated && length >= Vector256<int>.Count)
        {
            int last = length - Vector256<int>.Count;
            var largest = Vector256<int>.Zero;
            for (int i = 0; ; i = Math.Min(i + Vector256<int>.Count, last))
            {
                largest = Vector256.Max(largest, Vector256.LoadUnsafe(ref from, (nuint)i) & Vector256.Create(magnitude));
                if (i == last) return BitConverter.Int32BitsToSingle(Highest(largest));
            }
        }

        if (Vector128.IsHardwareAccelerated && length >= Vector128<int>.Count)
        {
            int last = length - Vector128<int>.Count;
            var largest = Vector128<int>.Zero;
            for (int i = 0; ; i = Math.Min(i + Vector128<int>.Count, last))
            {
                largest = Vector128.Max(largest, Vector128.LoadUnsafe(ref from, (nuint)i) & Vector128.Create(magnitude));
                if (i == last) return BitConverter.Int32BitsToSingle(Highest(largest));
            }
        }

        int most = 0;
        foreach (int each in bits) most = Math.Max(most, each & magnitude);
        return BitConverter.Int32BitsToSingle(most);
    }

    /// <summary>The quotients, rounded to integers, ties to even.</summary>
    private static void Divide(ReadOnlySpan<float> source, float scale, Span<sbyte> target)
    {
        ref float from = ref MemoryMarshal.GetReference(source);
        ref sbyte to = ref MemoryMarshal.GetReference(target);
        int length = source.Length;
        if (Vector512.IsHardwareAccelerated && length >= Vector512<sbyte>.Count)
        {
            int last = length - Vector512<sbyte>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector512<sbyte>.Count, last))
            {
                var first = Integers(Vector512.LoadUnsafe(ref from, (nuint)i), scale);
                var second = Integers(Vector512.LoadUnsafe(ref from, (nuint)(i + Vector512<float>.Count)), scale);
                var third = Integers(Vector512.LoadUnsafe(ref from, (nuint)(i + 2 * Vector512<float>.Count)), scale);
                var fourth = Integers(Vector512.LoadUnsafe(ref from, (nuint)(i + 3 * Vector512<float>.Count)), scale);
                Vector512.Narrow(Vector512.Narrow(first, second), Vector512.Narrow(third, fourth)).StoreUnsafe(ref to, (nuint)i);
                if (i == last) return;
            }
        }

        if (Vector256.IsHardwareAccelerated && length >= Vector256<sbyte>.Count)
        {
            int last = length - Vector256<sbyte>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector256<sbyte>.Count, last))
            {
                var first = Integers(Vector256.LoadUnsafe(ref from, (nuint)i), scale);
                var second = Integers(Vector256.LoadUnsafe(ref from, (nuint)(i + Vector256<float>.Count)), scale);
                var third = Integers(Vector256.LoadUnsafe(ref from, (nuint)(i + 2 * Vector256<float>.Count)), scale);
                var fourth = Integers(Vector256.LoadUnsafe(ref from, (nuint)(i + 3 * Vector256<float>.Count)), scale);
                Vector256.Narrow(Vector256.Narrow(first, second), Vector256.Narrow(third, fourth)).StoreUnsafe(ref to, (nuint)i);
                if (i == last) return;
            }
        }

        if (Vector128.IsHardwareAccelerated && length >= Vector128<sbyte>.Count)
        {
            int last = length - Vector128<sbyte>.Count;
            for (int i = 0; ; i = Math.Min(i + Vector128<sbyte>.Count, last))
            {
                var first = Integers(Vector128.LoadUnsafe(ref from, (nuint)i), scale);
                var second = Integers(Vector128.LoadUnsafe(ref from, (nuint)(i + Vector128<float>.Count)), scale);
                var third = Integers(Vector128.LoadUnsafe(ref from, (nuint)(i + 2 * Vector128<float>.Count)), scale);
                var fourth = Integers(Vector128.LoadUnsafe(ref from, (nuint)(i + 3 * Vector128<float>.Count)), scale);
                Vector128.Narrow(Vector128.Narrow(first, second), Vector128.Narrow(third, fourth)).StoreUnsafe(ref to, (nuint)i);
                if (i == last) return;
            }
        }

        for (int i = 0; i < length; i++) target[i] = (sbyte)BitConverter.SingleToInt32Bits(source[i] / scale + Levels.Whole);
    }

    /// <summary>Levels.Whole added to a quotient rounds it to an integer, ties to even. The lowest byte of the sum is that integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Integers(Vector512<float> values, float scale) => (values / Vector512.Create(scale) + Vector512.Create(Levels.Whole)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Integers(Vector256<float> values, float scale) => (values / Vector256.Create(scale) + Vector256.Create(Levels.Whole)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Integers(Vector128<float> values, float scale) => (values / Vector128.Create(scale) + Vector128.Create(Levels.Whole)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Highest(Vector512<int> values) => Highest(Vector256.Max(values.GetLower(), values.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Highest(Vector256<int> values) => Highest(Vector128.Max(values.GetLower(), values.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Highest(Vector128<int> values)
    {
        values = Vector128.Max(values, Vector128.Shuffle(values, Vector128.Create(2, 3, 0, 1)));
        return Math.Max(values[0], values[1]);
    }
}
