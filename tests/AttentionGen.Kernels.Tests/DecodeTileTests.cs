using System.Runtime.Intrinsics.X86;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What decode asks the library about its tiles, each against the plain way to compute it.</summary>
public class DecodeTileTests
{
    [Fact]
    public void Rows_of_a_head_make_tiles_of_four_then_of_two_then_go_one_by_one()
    {
        foreach (int kinds in new[] { 2, 4, 2 | 4 })
            for (int rows = 1; rows <= 13; rows++)
            {
                var expected = new List<(int First, int Tile)>();
                for (int row = 0; row < rows;)
                {
                    int tile = new[] { 4, 2 }.FirstOrDefault(tile => (kinds & tile) != 0 && rows - row >= tile, 1);
                    for (int i = 0; i < tile; i++) expected.Add((row, tile));
                    row += tile;
                }

                for (int head = 0; head < 3; head++)
                    for (int row = 0; row < rows; row++)
                    {
                        int tile = KernelMemory.TileOf(head * rows + row, rows, kinds, out int first);
                        Assert.Equal(expected[row], (first - head * rows, tile));
                    }
            }
    }

    [Theory, InlineData(2), InlineData(4)]
    public void A_tile_becomes_rows_and_again_a_tile(int rows)
    {
        const int Group = 8;
        if (!Avx.IsSupported) Assert.Skip("Only AVX2 has such tiles.");
        for (int keys = 1; keys <= 35; keys++)
        {
            int room = (keys + Group - 1) / Group * Group, length = room + 3;
            float[] tile = [.. Enumerable.Range(0, room * rows).Select(i => (float)i)], inRows = new float[rows * length], again = new float[room * rows];
            Vectors256.RowsOfTile(ref tile[0], rows, keys, ref inRows[0], length);
            for (int row = 0; row < rows; row++)
                for (int key = 0; key < keys; key++) Assert.Equal(tile[key * rows + row], inRows[row * length + key]);
            Vectors256.TileOfRows(ref inRows[0], length, rows, keys, ref again[0]);
            Assert.Equal(tile.Take(keys * rows), again.Take(keys * rows));
        }
    }

    [Fact]
    public void A_tile_sees_none_of_the_keys_after_those_of_its_latest_query()
    {
        for (int queries = 1; queries <= 9; queries++)
            foreach (int tile in new[] { 1, 2, 4 })
            {
                int query = 0;
                for (int row = 0; row + tile <= 3 * queries; row += tile)
                {
                    int latest = Enumerable.Range(row, tile).Max(i => i % queries), next = query;
                    for (int key = -2; key < queries + 2; key++)
                    {
                        next = query;
                        Assert.Equal(key >= latest, KernelMemory.SeesNone(ref next, tile, queries, key));
                    }

                    query = next;
                }
            }
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    public void One_element_that_is_not_finite_is_found(float value)
    {
        const int Rows = 3, Heads = 2;
        foreach (int dim in new[] { 1, 7, 8, 13, 32 })
        {
            int headStride = dim + 1, stride = Heads * headStride + 2;
            float[] rows = new float[Rows * stride];
            Array.Fill(rows, float.MaxValue);
            Assert.True(KernelMemory.AllFinite(ref rows[0], Rows, stride, Heads, headStride, dim));
            for (int i = 0; i < rows.Length; i++)
            {
                bool isElement = i % stride < Heads * headStride && i % stride % headStride < dim;
                rows[i] = value;
                Assert.Equal(!isElement, KernelMemory.AllFinite(ref rows[0], Rows, stride, Heads, headStride, dim));
                rows[i] = float.MaxValue;
            }
        }
    }
}
