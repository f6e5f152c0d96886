using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

// The rotation of the pairs of a row, in place: (x, y) becomes (x cos - y sin, x sin + y cos). The angles of a row are its cosines, then its sines. Kernels and RotaryTable call the
// same code, so that keys have the same bits whoever rotates them.

public static partial class Vectors512
{
    /// <summary>Rotates the pairs (x[i], x[i + half]); for pinned or native memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RotateHalves(ref float row, ref float angles, int half)
    {
        int whole = half / 16 * 16, rest = half % 16;
        for (nint i = 0; i < whole; i += 16)
        {
            Vector512<float> x = Load(ref row, i), y = Load(ref row, i + half), cos = Load(ref angles, i), sin = Load(ref angles, i + half);
            Store(MulAdd(-y, sin, x * cos), ref row, i);
            Store(MulAdd(x, sin, y * cos), ref row, i + half);
        }

        if (rest > 0)
        {
            Vector512<float> x = LoadFirst(ref row, whole, rest), y = LoadFirst(ref row, whole + half, rest);
            Vector512<float> cos = LoadFirst(ref angles, whole, rest), sin = LoadFirst(ref angles, whole + half, rest);
            StoreFirst(MulAdd(-y, sin, x * cos), ref row, whole, rest);
            StoreFirst(MulAdd(x, sin, y * cos), ref row, whole + half, rest);
        }
    }

    /// <summary>Rotates the pairs (x[2 i], x[2 i + 1]) of some elements; for pinned or native memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RotatePairs(ref float row, ref float angles, int count)
    {
        int whole = count / 16 * 16, rest = count % 16, half = count / 2;
        for (nint i = 0; i < whole; i += 16)
            Store(Rotated(Load(ref row, i), Twice(Vectors256.Load(ref angles, i / 2)), Twice(Vectors256.Load(ref angles, half + i / 2))), ref row, i);

        if (rest > 0)
        {
            Vector512<float> cos = Twice(Vectors256.LoadFirst(ref angles, whole / 2, rest / 2)), sin = Twice(Vectors256.LoadFirst(ref angles, half + whole / 2, rest / 2));
            StoreFirst(Rotated(LoadFirst(ref row, whole, rest), cos, sin), ref row, whole, rest);
        }
    }

    /// <summary>Each element twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Twice(Vector256<float> x) =>
        Avx512F.PermuteVar16x32(x.ToVector512Unsafe(), Vector512.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Rotated(Vector512<float> x, Vector512<float> cos, Vector512<float> sin) =>
        MulAdd(Avx512F.Permute4x32(x, 0xB1), sin ^ Vector512.Create(0x80000000UL).AsSingle(), x * cos);
}

public static partial class Vectors256
{
    /// <inheritdoc cref="Vectors512.RotateHalves"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RotateHalves(ref float row, ref float angles, int half)
    {
        int whole = half / 8 * 8, rest = half % 8;
        for (nint i = 0; i < whole; i += 8)
        {
            Vector256<float> x = Load(ref row, i), y = Load(ref row, i + half), cos = Load(ref angles, i), sin = Load(ref angles, i + half);
            Store(MulAdd(-y, sin, x * cos), ref row, i);
            Store(MulAdd(x, sin, y * cos), ref row, i + half);
        }

        if (rest > 0)
        {
            Vector256<float> x = LoadFirst(ref row, whole, rest), y = LoadFirst(ref row, whole + half, rest);
            Vector256<float> cos = LoadFirst(ref angles, whole, rest), sin = LoadFirst(ref angles, whole + half, rest);
            StoreFirst(MulAdd(-y, sin, x * cos), ref row, whole, rest);
            StoreFirst(MulAdd(x, sin, y * cos), ref row, whole + half, rest);
        }
    }

    /// <inheritdoc cref="Vectors512.RotatePairs"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RotatePairs(ref float row, ref float angles, int count)
    {
        int whole = count / 8 * 8, rest = count % 8, half = count / 2;
        for (nint i = 0; i < whole; i += 8)
            Store(Rotated(Load(ref row, i), Twice(Vectors128.Load(ref angles, i / 2)), Twice(Vectors128.Load(ref angles, half + i / 2))), ref row, i);

        if (rest > 0)
        {
            Vector256<float> cos = Twice(Vectors128.LoadFirst(ref angles, whole / 2, rest / 2)), sin = Twice(Vectors128.LoadFirst(ref angles, half + whole / 2, rest / 2));
            StoreFirst(Rotated(LoadFirst(ref row, whole, rest), cos, sin), ref row, whole, rest);
        }
    }

    /// <summary>Each element twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Twice(Vector128<float> x) => Avx2.PermuteVar8x32(x.ToVector256Unsafe(), Vector256.Create(0, 0, 1, 1, 2, 2, 3, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Rotated(Vector256<float> x, Vector256<float> cos, Vector256<float> sin) =>
        MulAdd(Avx.Permute(x, 0xB1), sin ^ Vector256.Create(0x80000000UL).AsSingle(), x * cos);
}

public static partial class Vectors128
{
    /// <inheritdoc cref="Vectors512.RotateHalves"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RotateHalves(ref float row, ref float angles, int half)
    {
        int whole = half / 4 * 4, rest = half % 4;
        for (nint i = 0; i < whole; i += 4)
        {
            Vector128<float> x = Load(ref row, i), y = Load(ref row, i + half), cos = Load(ref angles, i), sin = Load(ref angles, i + half);
            Store(MulAdd(-y, sin, x * cos), ref row, i);
            Store(MulAdd(x, sin, y * cos), ref row, i + half);
        }

        if (rest > 0)
        {
            Vector128<float> x = LoadFirst(ref row, whole, rest), y = LoadFirst(ref row, whole + half, rest);
            Vector128<float> cos = LoadFirst(ref angles, whole, rest), sin = LoadFirst(ref angles, whole + half, rest);
            StoreFirst(MulAdd(-y, sin, x * cos), ref row, whole, rest);
            StoreFirst(MulAdd(x, sin, y * cos), ref row, whole + half, rest);
        }
    }

    /// <inheritdoc cref="Vectors512.RotatePairs"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RotatePairs(ref float row, ref float angles, int count)
    {
        int whole = count / 4 * 4, half = count / 2;
        for (nint i = 0; i < whole; i += 4) Store(Rotated(Load(ref row, i), Twice(LoadFirst(ref angles, i / 2, 2)), Twice(LoadFirst(ref angles, half + i / 2, 2))), ref row, i);

        // A pair may be left.
        if (whole < count) StoreFirst(Rotated(LoadFirst(ref row, whole, 2), Vector128.Create(Unsafe.Add(ref angles, whole / 2)), Vector128.Create(Unsafe.Add(ref angles, half + whole / 2))), ref row, whole, 2);
    }

    /// <summary>Each of the first two elements twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Twice(Vector128<float> x) => Vector128.Shuffle(x, Vector128.Create(0, 0, 1, 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Rotated(Vector128<float> x, Vector128<float> cos, Vector128<float> sin) =>
        MulAdd(Vector128.Shuffle(x, Vector128.Create(1, 0, 3, 2)), sin ^ Vector128.Create(0x80000000UL).AsSingle(), x * cos);
}
