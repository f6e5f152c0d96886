using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Rows of integers with scales as callers make them, and what caches say to scales that are wrong. <see cref="StorageTypeTests"/> has the conversion of a row.</summary>
public class Int8RowsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(100)]
    public void Each_row_has_its_own_scale(int dim)
    {
        var random = new Random(dim);
        float[] sizes = [1, 0, 1e-3f, 1e30f, 50, float.NaN, 1e-30f, float.PositiveInfinity, 3], rows = new float[sizes.Length * dim];
        for (int i = 0; i < rows.Length; i++) rows[i] = sizes[i / dim] * (random.NextSingle() + (i % 2 == 0 ? 0.1f : -1.1f));
        var expected = Stored.Round<sbyte>(rows, dim);
        sbyte[] integers = new sbyte[rows.Length];
        float[] scales = new float[sizes.Length], back = new float[rows.Length];
        integers.AsSpan().Fill(99);
        scales.AsSpan().Fill(99);
        back.AsSpan().Fill(99);
        Int8Rows.Quantize(rows, dim, integers, scales);
        Int8Rows.Dequantize(integers, scales, dim, back);
        Assert.Equal(expected.Elements, integers);
        Assert.Equal(expected.Scales, scales);
        Assert.Equal(expected.Floats, back);
        Assert.Equal([1, 5, 7], Enumerable.Range(0, sizes.Length).Where(row => scales[row] is 0 or float.NaN));

        Int8Rows.Quantize([], dim, [], []);
        Int8Rows.Dequantize([], [], dim, []);
    }

    [Fact]
    public void Wrong_lengths_are_refused_and_nothing_is_written()
    {
        float[] rows = [.. Enumerable.Range(1, 13).Select(i => (float)i)], scales = [9, 9, 9, 9, 9];
        sbyte[] integers = [.. Enumerable.Repeat((sbyte)9, 13)];
        foreach (int dim in new[] { 0, -1 })
        {
            Throws<ArgumentOutOfRangeException>("dim", () => Int8Rows.Quantize(rows, dim, integers, scales));
            Throws<ArgumentOutOfRangeException>("dim", () => Int8Rows.Dequantize(integers, scales, dim, rows));
        }

        Throws<ArgumentException>("rows", () => Int8Rows.Quantize(rows, 4, integers, scales), "rows has 13 elements, which is not a multiple of dim = 4.");
        Throws<ArgumentException>("integers", () => Int8Rows.Quantize(rows.AsSpan(0, 12), 4, integers.AsSpan(0, 11), scales.AsSpan(0, 3)), "integers has 11 elements, rows has 12: Quantize needs as many.");
        Throws<ArgumentException>("integers", () => Int8Rows.Quantize(rows.AsSpan(0, 12), 4, integers, scales.AsSpan(0, 3)), "integers has 13 elements");
        Throws<ArgumentException>("scales", () => Int8Rows.Quantize(rows.AsSpan(0, 12), 4, integers.AsSpan(0, 12), scales), "scales has 5 elements, but there are 3 rows.");
        Throws<ArgumentException>("scales", () => Int8Rows.Quantize(rows.AsSpan(0, 12), 4, integers.AsSpan(0, 12), []), "scales has 0 elements, but there are 3 rows.");
        Throws<ArgumentException>("rows", () => Int8Rows.Dequantize(integers, scales, 4, rows), "rows has 13 elements");
        Throws<ArgumentException>("integers", () => Int8Rows.Dequantize(integers, scales.AsSpan(0, 3), 4, rows.AsSpan(0, 12)), "integers has 13 elements, rows has 12: Dequantize needs as many.");
        Throws<ArgumentException>("scales", () => Int8Rows.Dequantize(integers.AsSpan(0, 12), scales.AsSpan(0, 2), 4, rows.AsSpan(0, 12)), "scales has 2 elements, but there are 3 rows.");
        Assert.Equal(Enumerable.Range(1, 13).Select(i => (float)i), rows);
        Assert.All(integers, x => Assert.Equal(9, x));
        Assert.All(scales, x => Assert.Equal(9, x));
    }

    /// <summary>Appends keys, values and their scales to the second layer of a cache, or reads them from its token 0 on.</summary>
    private delegate void Use<T>(T[] keys, T[] values, float[] keyScales, float[] valueScales)
        where T : unmanaged;

    [Fact]
    public void Wrong_scales_are_refused_and_change_nothing()
    {
        using var whole = new KeyValueCache<sbyte>(2, 3, valueDim: 1, layers: 2);
        using var ring = new RingKeyValueCache<sbyte>(2, 3, window: 3, slack: 2, valueDim: 1, layers: 2);
        using var paged = new PagedKeyValueCache<sbyte>(2, 3, pages: 4, valueDim: 1, layers: 2, pageTokens: 16);
        var id = paged.CreateSequence();
        Check(
            (keys, values, keyScales, valueScales) => whole.Append(keys, values, keyScales, valueScales, layer: 1), (keys, values, keyScales, valueScales) => whole.Read(0, keys, values, keyScales, valueScales, layer: 1),
            (keys, values) => whole.Append(keys, values), (keys, values) => whole.Read(0, keys, values), () => whole.LengthOf(1));
        Check(
            (keys, values, keyScales, valueScales) => ring.Append(keys, values, keyScales, valueScales, layer: 1), (keys, values, keyScales, valueScales) => ring.Read(0, keys, values, keyScales, valueScales, layer: 1),
            (keys, values) => ring.Append(keys, values), (keys, values) => ring.Read(0, keys, values), () => ring.LengthOf(1));
        Check(
            (keys, values, keyScales, valueScales) => paged.Append(id, keys, values, keyScales, valueScales, layer: 1),
            (keys, values, keyScales, valueScales) => paged.Read(id, 0, keys, values, keyScales, valueScales, layer: 1),
            (keys, values) => paged.Append(id, keys, values), (keys, values) => paged.Read(id, 0, keys, values), () => paged.LengthOf(id, 1));

        static void Check(Use<sbyte> append, Use<sbyte> read, Action<sbyte[], sbyte[]> appendWithout, Action<sbyte[], sbyte[]> readWithout, Func<int> length)
        {
            sbyte[] keys = [.. Enumerable.Range(-6, 12).Select(i => (sbyte)i)], values = [1, 2, 3, 4];
            float[] keyScales = [0, 1, float.NaN, float.MaxValue], valueScales = [-0f, float.Epsilon, 2, 3];
            append(keys, values, keyScales, valueScales);

            string without = "keyScales has 0 elements, but the integers of 2 tokens need a scale for each head: [2, 2], 4 elements.";
            Throws<ArgumentException>("keyScales", () => appendWithout(keys, values), without);
            Throws<ArgumentException>("keyScales", () => readWithout([.. keys], [.. values]), without);
            foreach (var use in new[] { append, read })
            {
                Throws<ArgumentException>("keyScales", () => use([.. keys], [.. values], new float[3], new float[4]), "keyScales has 3 elements, but the integers of 2 tokens need a scale for each head: [2, 2], 4 elements.");
                Throws<ArgumentException>("keyScales", () => use([.. keys], [.. values], new float[5], new float[4]), "keyScales has 5 elements");
                Throws<ArgumentException>("valueScales", () => use([.. keys], [.. values], new float[4], []), "valueScales has 0 elements");
                Throws<ArgumentException>("valueScales", () => use([], [], [], new float[2]), "valueScales has 2 elements, but the integers of 0 tokens need a scale for each head: [0, 2], 0 elements.");
            }

            foreach (var (bad, text) in new[] { (-1f, "-1"), (-float.Epsilon, "-1E-45"), (float.PositiveInfinity, "Infinity"), (float.NegativeInfinity, "-Infinity") })
            {
                Throws<ArgumentException>("keyScales", () => append(keys, values, [1, 1, 1, bad], new float[4]), $"keyScales[3] is {text}, but a scale is 0 or more, or NaN.");
                Throws<ArgumentException>("valueScales", () => append(keys, values, new float[4], [1, bad, 1, 1]), $"valueScales[1] is {text}, but a scale is 0 or more, or NaN.");
            }

            Assert.Equal(2, length());
            sbyte[] storedKeys = new sbyte[12], storedValues = new sbyte[4];
            float[] storedKeyScales = new float[4], storedValueScales = new float[4];
            read(storedKeys, storedValues, storedKeyScales, storedValueScales);
            Assert.Equal(keys, storedKeys);
            Assert.Equal(values, storedValues);
            Assert.Equal(keyScales.Select(BitConverter.SingleToInt32Bits), storedKeyScales.Select(BitConverter.SingleToInt32Bits));
            Assert.Equal(valueScales.Select(BitConverter.SingleToInt32Bits), storedValueScales.Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Fact]
    public void Only_integers_have_scales()
    {
        using var whole = new KeyValueCache<float>(2, 3, valueDim: 1);
        using var ring = new RingKeyValueCache<Half>(2, 3, window: 3, slack: 2, valueDim: 1);
        using var paged = new PagedKeyValueCache<BFloat16>(2, 3, pages: 4, valueDim: 1);
        var id = paged.CreateSequence();
        whole.Append(new float[6], new float[2], [], []);
        ring.Append(new Half[6], new Half[2], [], []);
        paged.Append(id, new BFloat16[6], new BFloat16[2], [], []);
        const string Keys = "keyScales has 2 elements, but only a cache of sbyte stores scales.", Values = "valueScales has 2 elements, but only a cache of sbyte stores scales.";
        Throws<ArgumentException>("keyScales", () => whole.Append(new float[6], new float[2], new float[2], []), Keys);
        Throws<ArgumentException>("valueScales", () => whole.Read(0, new float[6], new float[2], [], new float[2]), Values);
        Throws<ArgumentException>("keyScales", () => ring.Append(new Half[6], new Half[2], new float[2], new float[2]), Keys);
        Throws<ArgumentException>("valueScales", () => ring.Read(0, new Half[6], new Half[2], [], new float[2]), Values);
        Throws<ArgumentException>("valueScales", () => paged.Append(id, new BFloat16[6], new BFloat16[2], [], new float[2]), Values);
        Throws<ArgumentException>("keyScales", () => paged.Read(id, 0, new BFloat16[6], new BFloat16[2], new float[2], []), Keys);
        Assert.Equal((1, 1, 1), (whole.Length, ring.Length, paged.LengthOf(id)));
    }

    private static void Throws<TException>(string parameter, Action call, string message = "")
        where TException : ArgumentException
    {
        var exception = Assert.Throws<TException>(call);
        Assert.Equal(parameter, exception.ParamName);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
