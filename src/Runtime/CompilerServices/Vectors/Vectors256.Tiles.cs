using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The weights of decode tiles: [key, row] where tiles are multiplied, [row, key] where scores become weights. Both methods move whole groups of 8 keys, so both sides have room for as many.
/// </summary>
public static partial class Vectors256
{
    private const int Width = 8;

    /// <summary>Writes a tile [keys, rows] as rows [rows, keys], with <paramref name="rowLength"/> floats from row to row.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="rows">2 or 4.</param>
    /// <param name="keys">The number of keys.</param>
    /// <param name="target">The first row.</param>
    /// <param name="rowLength">Floats from row to row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void RowsOfTile(ref float tile, int rows, int keys, ref float target, nint rowLength)
    {
        for (int key = 0; key < keys; key += Width, target = ref Unsafe.Add(ref target, Width))
        {
            if (rows == 4)
            {
                Vector256<float> a = Two(ref tile, 0, 16), b = Two(ref tile, 4, 20), c = Two(ref tile, 8, 24), d = Two(ref tile, 12, 28);
                Vector256<float> ac = Avx.UnpackLow(a, c), bd = Avx.UnpackLow(b, d);
                Avx.UnpackLow(ac, bd).StoreUnsafe(ref target);
                Avx.UnpackHigh(ac, bd).StoreUnsafe(ref Unsafe.Add(ref target, rowLength));
                (ac, bd) = (Avx.UnpackHigh(a, c), Avx.UnpackHigh(b, d));
                Avx.UnpackLow(ac, bd).StoreUnsafe(ref Unsafe.Add(ref target, 2 * rowLength));
                Avx.UnpackHigh(ac, bd).StoreUnsafe(ref Unsafe.Add(ref target, 3 * rowLength));
            }
            else
            {
                Vector256<float> a = Two(ref tile, 0, 8), b = Two(ref tile, 4, 12), even = Avx.UnpackLow(a, b), odd = Avx.UnpackHigh(a, b);
                Avx.UnpackLow(even, odd).StoreUnsafe(ref target);
                Avx.UnpackHigh(even, odd).StoreUnsafe(ref Unsafe.Add(ref target, rowLength));
            }

            tile = ref Unsafe.Add(ref tile, Width * rows);
        }
    }

    /// <summary>Writes rows [rows, keys] as a tile [keys, rows].</summary>
    /// <param name="source">The first row.</param>
    /// <param name="rowLength">Floats from row to row.</param>
    /// <param name="rows">2 or 4.</param>
    /// <param name="keys">The number of keys.</param>
    /// <param name="tile">The tile.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void TileOfRows(ref float source, nint rowLength, int rows, int keys, ref float tile)
    {
        for (int key = 0; key < keys; key += Width, source = ref Unsafe.Add(ref source, Width))
        {
            Vector256<float> a = Vector256.LoadUnsafe(ref source), b = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, rowLength));
            if (rows == 4)
            {
                Vector256<float> c = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, 2 * rowLength)), d = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, 3 * rowLength));
                Vector256<float> ac = Avx.UnpackLow(a, c), bd = Avx.UnpackLow(b, d);
                StoreTwo(Avx.UnpackLow(ac, bd), ref tile, 0, 16);
                StoreTwo(Avx.UnpackHigh(ac, bd), ref tile, 4, 20);
                (ac, bd) = (Avx.UnpackHigh(a, c), Avx.UnpackHigh(b, d));
                StoreTwo(Avx.UnpackLow(ac, bd), ref tile, 8, 24);
                StoreTwo(Avx.UnpackHigh(ac, bd), ref tile, 12, 28);
            }
            else
            {
                StoreTwo(Avx.UnpackLow(a, b), ref tile, 0, 8);
                StoreTwo(Avx.UnpackHigh(a, b), ref tile, 4, 12);
            }

            tile = ref Unsafe.Add(ref tile, Width * rows);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Two(ref float origin, nint lower, nint upper) =>
        Vector256.Create(Vector128.LoadUnsafe(ref Unsafe.Add(ref origin, lower)), Vector128.LoadUnsafe(ref Unsafe.Add(ref origin, upper)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTwo(Vector256<float> x, ref float origin, nint lower, nint upper)
    {
        x.GetLower().StoreUnsafe(ref Unsafe.Add(ref origin, lower));
        x.GetUpper().StoreUnsafe(ref Unsafe.Add(ref origin, upper));
    }
}
