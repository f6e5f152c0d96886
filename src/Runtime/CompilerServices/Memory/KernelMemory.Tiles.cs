using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The weights of decode tiles: [key, row] where tiles are multiplied, [row, key] where scores become weights. Both methods move whole groups of 8 keys, so both sides have room for as many.
/// </summary>
public static partial class KernelMemory
{
    private const int GroupKeys = 8;

    /// <summary>The tile of a row among the rows of decode. The rows of each head make tiles of four, then of two, then go one by one.</summary>
    /// <param name="row">The row.</param>
    /// <param name="rows">The rows of a head.</param>
    /// <param name="kinds">The tiles that the core has: 4, 2, or both.</param>
    /// <param name="first">The first row of the tile.</param>
    /// <returns>The rows of the tile: 4, 2 or 1.</returns>
    public static int TileOf(int row, int rows, int kinds, out int first)
    {
        int inHead = row % rows, begin = 0;
        for (int tile = 4; tile > 1; tile >>= 1)
        {
            if ((kinds & tile) == 0) continue;
            int end = begin + (rows - begin) / tile * tile;
            if (inHead < end)
            {
                first = row - (inHead - begin) % tile;
                return tile;
            }

            begin = end;
        }

        first = row;
        return 1;
    }

    /// <summary>Whether no query of a tile sees a key, under a mask by which each query sees one key more than the one before. Moves on to the next tile.</summary>
    /// <param name="query">The first query of the tile. A tile may go on with the first query of the next head.</param>
    /// <param name="tile">The rows of the tile.</param>
    /// <param name="queries">The queries of each head.</param>
    /// <param name="key">The key, counted from the first that query 0 does not see.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool SeesNone(ref int query, int tile, int queries, int key)
    {
        int latest = Math.Min(query + tile, queries) - 1;
        query += query + tile < queries ? tile : tile - queries;
        return key >= latest;
    }

    /// <summary>Whether all elements of some rows of several heads are finite.</summary>
    /// <param name="row">The first row of the first head.</param>
    /// <param name="count">The rows of a head.</param>
    /// <param name="stride">Floats from row to row.</param>
    /// <param name="heads">The heads.</param>
    /// <param name="headStride">Floats from head to head.</param>
    /// <param name="dim">The elements of a row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllFinite(ref float row, int count, nint stride, int heads, nint headStride, int dim)
    {
        var zeros = Vector128<float>.Zero; // 0 times an infinite value or NaN is not 0
        float rest = 0f;
        for (; count > 0; count--, row = ref At(ref row, stride))
        {
            ref float x = ref row;
            for (int head = 0; head < heads; head++, x = ref At(ref x, headStride))
            {
                nint i = 0;
                for (; i + Vector128<float>.Count <= dim; i += Vector128<float>.Count) zeros += Vector128.LoadUnsafe(ref At(ref x, i)) * Vector128<float>.Zero;
                for (; i < dim; i++) rest += At(ref x, i) * 0f;
            }
        }

        return Vector128.EqualsAll(zeros, Vector128<float>.Zero) && rest == 0f;
    }

    /// <summary>Writes a tile [keys, rows] as rows [rows, keys], with <paramref name="rowLength"/> floats from row to row.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="rows">2 or 4.</param>
    /// <param name="keys">The number of keys.</param>
    /// <param name="target">The first row.</param>
    /// <param name="rowLength">Floats from row to row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void RowsOfTile(ref float tile, int rows, int keys, ref float target, nint rowLength)
    {
        for (int key = 0; key < keys; key += GroupKeys, target = ref At(ref target, GroupKeys))
        {
            if (rows == 4)
            {
                Vector256<float> a = Two(ref tile, 0, 16), b = Two(ref tile, 4, 20), c = Two(ref tile, 8, 24), d = Two(ref tile, 12, 28);
                Vector256<float> ac = Low(a, c), bd = Low(b, d);
                Low(ac, bd).StoreUnsafe(ref target);
                High(ac, bd).StoreUnsafe(ref At(ref target, rowLength));
                (ac, bd) = (High(a, c), High(b, d));
                Low(ac, bd).StoreUnsafe(ref At(ref target, 2 * rowLength));
                High(ac, bd).StoreUnsafe(ref At(ref target, 3 * rowLength));
            }
            else
            {
                Vector256<float> a = Two(ref tile, 0, 8), b = Two(ref tile, 4, 12), even = Low(a, b), odd = High(a, b);
                Low(even, odd).StoreUnsafe(ref target);
                High(even, odd).StoreUnsafe(ref At(ref target, rowLength));
            }

            tile = ref At(ref tile, GroupKeys * rows);
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
        for (int key = 0; key < keys; key += GroupKeys, source = ref At(ref source, GroupKeys))
        {
            Vector256<float> a = Vector256.LoadUnsafe(ref source), b = Vector256.LoadUnsafe(ref At(ref source, rowLength));
            if (rows == 4)
            {
                Vector256<float> c = Vector256.LoadUnsafe(ref At(ref source, 2 * rowLength)), d = Vector256.LoadUnsafe(ref At(ref source, 3 * rowLength));
                Vector256<float> ac = Low(a, c), bd = Low(b, d);
                StoreTwo(Low(ac, bd), ref tile, 0, 16);
                StoreTwo(High(ac, bd), ref tile, 4, 20);
                (ac, bd) = (High(a, c), High(b, d));
                StoreTwo(Low(ac, bd), ref tile, 8, 24);
                StoreTwo(High(ac, bd), ref tile, 12, 28);
            }
            else
            {
                StoreTwo(Low(a, b), ref tile, 0, 8);
                StoreTwo(High(a, b), ref tile, 4, 12);
            }

            tile = ref At(ref tile, GroupKeys * rows);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Two(ref float origin, nint lower, nint upper) =>
        Vector256.Create(Vector128.LoadUnsafe(ref At(ref origin, lower)), Vector128.LoadUnsafe(ref At(ref origin, upper)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTwo(Vector256<float> x, ref float origin, nint lower, nint upper)
    {
        x.GetLower().StoreUnsafe(ref At(ref origin, lower));
        x.GetUpper().StoreUnsafe(ref At(ref origin, upper));
    }

    /// <summary>The lower elements of two vectors in turn, for each half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Low(Vector256<float> x, Vector256<float> y) =>
        Avx.IsSupported ? Avx.UnpackLow(x, y) : Vector256.Create(Low(x.GetLower(), y.GetLower()), Low(x.GetUpper(), y.GetUpper()));

    /// <summary>The upper elements of two vectors in turn, for each half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> High(Vector256<float> x, Vector256<float> y) =>
        Avx.IsSupported ? Avx.UnpackHigh(x, y) : Vector256.Create(High(x.GetLower(), y.GetLower()), High(x.GetUpper(), y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Low(Vector128<float> x, Vector128<float> y) =>
        Sse.IsSupported ? Sse.UnpackLow(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y)
        : Vector128.Create(x.ToScalar(), y.ToScalar(), x.GetElement(1), y.GetElement(1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> High(Vector128<float> x, Vector128<float> y) =>
        Sse.IsSupported ? Sse.UnpackHigh(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y)
        : Vector128.Create(x.GetElement(2), y.GetElement(2), x.GetElement(3), y.GetElement(3));
}
