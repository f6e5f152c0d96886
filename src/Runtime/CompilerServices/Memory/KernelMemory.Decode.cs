using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AttentionGen.CompilerServices;

/// <summary>What decode asks of its rows and values.</summary>
public static partial class KernelMemory
{
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
        // Products with 0: NaN where a value is not finite. An 'or' waits a cycle for the one before, a sum three or four.
        Vector128<float> zeros = default;
        Vector256<float> wide = default;
        Vector512<float> widest = default;
        float rest = 0f;
        for (; count > 0; count--, row = ref At(ref row, stride))
        {
            ref float x = ref row;
            for (int head = 0; head < heads; head++, x = ref At(ref x, headStride))
            {
                nint i = 0;
                if (Vector512.IsHardwareAccelerated)
                    for (; i + Vector512<float>.Count <= dim; i += Vector512<float>.Count) widest |= Vector512.LoadUnsafe(ref At(ref x, i)) * Vector512<float>.Zero;
                if (Vector256.IsHardwareAccelerated)
                    for (; i + Vector256<float>.Count <= dim; i += Vector256<float>.Count) wide |= Vector256.LoadUnsafe(ref At(ref x, i)) * Vector256<float>.Zero;
                for (; i + Vector128<float>.Count <= dim; i += Vector128<float>.Count) zeros |= Vector128.LoadUnsafe(ref At(ref x, i)) * Vector128<float>.Zero;
                for (; i < dim; i++) rest += At(ref x, i) * 0f;
            }
        }

        bool finite = Vector128.EqualsAll(zeros, Vector128<float>.Zero) && rest == 0f;
        if (Vector256.IsHardwareAccelerated) finite &= Vector256.EqualsAll(wide, Vector256<float>.Zero);
        if (Vector512.IsHardwareAccelerated) finite &= Vector512.EqualsAll(widest, Vector512<float>.Zero);
        return finite;
    }
}
