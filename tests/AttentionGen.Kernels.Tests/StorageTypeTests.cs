using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The types in which caches store rows, and the conversions of rows: bit for bit against formulas in double precision.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class StorageTypeTests
{
    private const int Longest = 70; // more than twice the widest block of 16 bits, and more than one of 8 bits

    private static readonly CultureInfo s_invariant = CultureInfo.InvariantCulture;

    /// <summary>A float format of 16 bits as its definition has it.</summary>
    private sealed record Format(int ExponentBits)
    {
        public static readonly Format Half = new(5), BFloat16 = new(8);

        private int StoredBits => 15 - ExponentBits;

        private int Bias => (1 << ExponentBits - 1) - 1;

        private double Max => (2 - Math.ScaleB(1, -StoredBits)) * Math.ScaleB(1, Bias);

        public double Value(ushort bits)
        {
            int exponent = bits >> StoredBits & (1 << ExponentBits) - 1, significand = bits & (1 << StoredBits) - 1;
            double magnitude =
                exponent == (1 << ExponentBits) - 1 ? significand == 0 ? double.PositiveInfinity : double.NaN
                : exponent == 0 ? Math.ScaleB(significand, 1 - Bias - StoredBits)
                : Math.ScaleB(significand + (1 << StoredBits), exponent - Bias - StoredBits);
            return bits < 0x8000 ? magnitude : -magnitude;
        }

        /// <summary>The nearest value, ties to even, found by division by the unit in the last place.</summary>
        public double Nearest(double x)
        {
            if (x == 0 || !double.IsFinite(x)) return x;
            double unit = Math.ScaleB(1, Math.Max(Math.ILogB(x), 1 - Bias) - StoredBits);
            double rounded = Math.Round(x / unit, MidpointRounding.ToEven) * unit;
            return Math.Abs(rounded) > Max ? Math.CopySign(double.PositiveInfinity, x) : rounded;
        }

        /// <summary>All finite values, the ties above them in magnitude, and the floats beside both.</summary>
        public float[] Cases()
        {
            var cases = new List<float>();
            for (int bits = 0; bits < 0x10000; bits++)
            {
                double value = Value((ushort)bits);
                if (!double.IsFinite(value)) continue;
                double unit = Math.ScaleB(1, Math.Max(value == 0 ? int.MinValue : Math.ILogB(value), 1 - Bias) - StoredBits);
                double tie = value + Math.CopySign(unit / 2, value);
                foreach (float x in new[] { (float)value, (float)tie }) cases.AddRange([MathF.BitDecrement(x), x, MathF.BitIncrement(x)]);
                Assert.Equal(tie, (float)tie);
            }

            return [.. cases];
        }
    }

    private static readonly float[] s_special =
    [
        0f, -0f, float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN, -float.NaN,
        .. new[] { 0x7F800001u, 0xFF800001u, 0x7F80FFFFu, 0x7FBFFFFFu, 0xFFBF0000u, 0x7FC00001u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0x7F802000u, 0x7F801FFFu, 0x007FFFFFu, 0x80800000u }
            .Select(BitConverter.UInt32BitsToSingle),
    ];

    /// <summary>Floats of all bit patterns alike.</summary>
    private static float[] RandomFloats(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => BitConverter.Int32BitsToSingle((int)random.NextInt64(1L << 32)))];
    }

    private static ushort[] AllBits => [.. Enumerable.Range(0, 0x10000).Select(bits => (ushort)bits)];

    /// <summary>Fails unless two floats have the same bits.</summary>
    private static void Same(float expected, float actual, object what)
    {
        if (BitConverter.SingleToUInt32Bits(expected) != BitConverter.SingleToUInt32Bits(actual))
            Assert.Fail($"{what}: {expected:R} (0x{BitConverter.SingleToUInt32Bits(expected):X8}) expected, {actual:R} (0x{BitConverter.SingleToUInt32Bits(actual):X8}) found");
    }

    /// <summary>Fails unless two doubles are the same, with their signs, or both are NaN.</summary>
    private static void SameValue(double expected, double actual, object what)
    {
        bool same = double.IsNaN(expected) ? double.IsNaN(actual) : BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(actual);
        if (!same) Assert.Fail($"{what}: {expected:R} expected, {actual:R} found");
    }

    [Fact]
    public void All_bfloat16_values_widen_exactly()
    {
        BFloat16[] source = [.. AllBits.Select(BFloat16.FromBits)];
        var wide = new float[source.Length];
        Narrowing.Widen(source, wide);
        for (int bits = 0; bits < source.Length; bits++)
        {
            double expected = Format.BFloat16.Value((ushort)bits);
            SameValue(expected, wide[bits], bits);
            SameValue(expected, (double)source[bits], bits);
            Same((float)source[bits], wide[bits], bits);
            Assert.Equal((uint)bits << 16, BitConverter.SingleToUInt32Bits(wide[bits]));
            Assert.Equal(bits, source[bits].ToBits());
        }
    }

    [Fact]
    public void All_halves_widen_exactly()
    {
        Half[] source = [.. AllBits.Select(BitConverter.UInt16BitsToHalf)];
        var wide = new float[source.Length];
        Narrowing.Widen(source, wide);
        for (int bits = 0; bits < source.Length; bits++)
        {
            SameValue(Format.Half.Value((ushort)bits), wide[bits], bits);
            Same((float)source[bits], wide[bits], bits);
        }
    }

    [Fact]
    public void Floats_become_the_nearest_bfloat16()
    {
        float[] source = [.. Format.BFloat16.Cases(), .. RandomFloats(300_000, 1), .. s_special];
        var narrow = new BFloat16[source.Length];
        Narrowing.Narrow(source, narrow);
        for (int i = 0; i < source.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(source[i]);
            if (float.IsNaN(source[i])) Assert.Equal((ushort)(bits >> 16 | 0x40), narrow[i].ToBits()); // quiet, with sign and upper payload
            else SameValue(Format.BFloat16.Nearest(source[i]), (double)narrow[i], $"{source[i]:R}");
            Assert.Equal(((BFloat16)source[i]).ToBits(), narrow[i].ToBits());
        }
    }

    [Fact]
    public void Floats_become_the_nearest_half()
    {
        float[] source = [.. Format.Half.Cases(), .. RandomFloats(300_000, 2), .. RandomFloats(300_000, 3).Select(x => x % 70000), .. s_special];
        var narrow = new Half[source.Length];
        Narrowing.Narrow(source, narrow);
        for (int i = 0; i < source.Length; i++)
        {
            SameValue(Format.Half.Nearest(source[i]), (double)narrow[i], $"{source[i]:R}");
            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)source[i]), BitConverter.HalfToUInt16Bits(narrow[i]));
        }
    }

    /// <summary>A double just beside a tie is that tie as a float: it must not be rounded twice.</summary>
    [Fact]
    public void Doubles_become_the_nearest_bfloat16()
    {
        var random = new Random(4);
        double[] doubles =
        [
            .. Format.BFloat16.Cases().SelectMany(x => new double[] { x, Math.BitIncrement((double)x), Math.BitDecrement((double)x) }),
            .. Enumerable.Range(0, 100_000).Select(_ => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue))),
            .. Enumerable.Range(0, 100_000).Select(_ => Math.ScaleB(2 * random.NextDouble() - 1, random.Next(-160, 140))),
            double.MaxValue, double.MinValue, double.Epsilon, -double.Epsilon, double.PositiveInfinity, double.NegativeInfinity, 0, -0d,
        ];
        foreach (double x in doubles)
            if (!double.IsNaN(x)) SameValue(Format.BFloat16.Nearest(x), (double)(BFloat16)x, $"{x:R}");

        foreach (ulong bits in new ulong[] { 0x7FF8000000000000ul, 0xFFF8000000000000, 0x7FF0000000000001, 0xFFFBA00000000000, 0x7FF0200000000000 })
            Assert.Equal((ushort)(bits >> 48 & 0x8000 | 0x7FC0 | bits >> 45 & 0x7F), ((BFloat16)BitConverter.UInt64BitsToDouble(bits)).ToBits());
    }

    [Fact]
    public void Integers_and_halves_become_the_nearest_bfloat16()
    {
        var random = new Random(5);
        int[] integers = [.. Enumerable.Range(-70_000, 140_001), .. Enumerable.Range(0, 100_000).Select(_ => random.Next(int.MinValue, int.MaxValue)), (1 << 30) + (1 << 22) + 1, int.MinValue, int.MaxValue];
        foreach (int x in integers) SameValue(Format.BFloat16.Nearest(x), (double)(BFloat16)x, x);

        foreach (ushort bits in AllBits)
        {
            SameValue(Format.BFloat16.Nearest(Format.Half.Value(bits)), (double)(BFloat16)BitConverter.UInt16BitsToHalf(bits), bits);
            SameValue(Format.Half.Nearest(Format.BFloat16.Value(bits)), (double)(Half)BFloat16.FromBits(bits), bits);
        }
    }

    [Fact]
    public void A_bfloat16_is_two_bytes_with_the_constants_of_its_format()
    {
        Assert.Equal(2, Unsafe.SizeOf<BFloat16>());
        Assert.Equal(
            [0x0000, 0x3F80, 0xBF80, 0x8000, 0x0001, 0x7F7F, 0xFF7F, 0x7F80, 0xFF80, 0xFFC0],
            new[]
            {
                BFloat16.Zero, BFloat16.One, BFloat16.NegativeOne, BFloat16.NegativeZero, BFloat16.Epsilon, BFloat16.MaxValue, BFloat16.MinValue, BFloat16.PositiveInfinity,
                BFloat16.NegativeInfinity, BFloat16.NaN,
            }.Select(value => (int)value.ToBits()));
        foreach (ushort bits in AllBits)
        {
            var value = BFloat16.FromBits(bits);
            float wide = (float)value;
            Assert.Equal(
                (float.IsNaN(wide), float.IsInfinity(wide), float.IsFinite(wide), float.IsNegative(wide), float.IsSubnormal(wide), float.IsNormal(wide)),
                (BFloat16.IsNaN(value), BFloat16.IsInfinity(value), BFloat16.IsFinite(value), BFloat16.IsNegative(value), BFloat16.IsSubnormal(value), BFloat16.IsNormal(value)));
            Same(MathF.Abs(wide), (float)BFloat16.Abs(value), bits);
            Assert.Equal((ushort)(bits ^ 0x8000), (-value).ToBits());
        }
    }

    [Fact]
    public void Bfloat16_values_compare_as_floats()
    {
        BFloat16[] values =
        [
            .. new ushort[] { 0, 0x8000, 1, 0x8001, 0x007F, 0x0080, 0x3F7F, 0x3F80, 0x3F81, 0xBF80, 0x7F7F, 0xFF7F, 0x7F80, 0xFF80, 0x7FC0, 0xFFC0, 0x7F81, 0xFFFF }.Select(BFloat16.FromBits),
        ];
        foreach (var x in values)
        {
            foreach (var y in values)
            {
                float a = (float)x, b = (float)y;
                Assert.Equal((a == b, a != b, a < b, a <= b, a >= b, a > b), (x == y, x != y, x < y, x <= y, x >= y, x > y));
                Assert.Equal((a.Equals(b), a.CompareTo(b)), (x.Equals(y), x.CompareTo(y)));
                Assert.Equal((a.Equals((object)b), a.CompareTo((object)b)), (x.Equals((object)y), x.CompareTo((object)y)));
                if (x.Equals(y)) Assert.Equal(x.GetHashCode(), y.GetHashCode());
            }

            Assert.False(x.Equals((object)1f));
            Assert.False(x.Equals(null));
            Assert.Equal(1, x.CompareTo(null));
            Assert.Throws<ArgumentException>(() => x.CompareTo(1f));
        }
    }

    [Fact]
    public void Text_of_a_bfloat16_is_that_value()
    {
        Span<char> text = stackalloc char[32];
        foreach (ushort bits in AllBits)
        {
            var value = BFloat16.FromBits(bits);
            string expected = value.ToString(null, s_invariant);
            Assert.True(value.TryFormat(text, out int length, provider: s_invariant));
            Assert.Equal(expected, text[..length].ToString());
            Assert.Equal(((float)value).ToString(s_invariant), expected);
            var parsed = BFloat16.Parse(expected, s_invariant);
            Assert.True(BFloat16.TryParse(text[..length], s_invariant, out var same));
            Assert.Equal(BFloat16.IsNaN(value) ? BFloat16.NaN.ToBits() : bits, parsed.ToBits());
            Assert.Equal(parsed.ToBits(), same.ToBits());
        }

        Assert.Equal("1.50", $"{(BFloat16)1.5f:F2}");
        Assert.False(BFloat16.One.TryFormat([], out _));
    }

    [Theory]
    [InlineData("1.00390625", 0x3F80)] // a tie, to even
    [InlineData("1.003906250000000000000000000000000000000000000000001", 0x3F81)]
    [InlineData("  +00010039062500000000000000000000000000000000000000001e-49", 0x3F81)]
    [InlineData("0.0000100390624999999999999999999999999999999999999999e5", 0x3F80)]
    [InlineData("-1.01171875", 0xBF82)] // a tie, to even
    [InlineData("-1.0117187499999999999999999999999999999999", 0xBF81)]
    [InlineData("65,792", 0x4780)] // a tie, to even
    [InlineData("65,792.00", 0x4780)]
    [InlineData("65,792.0000000000000000000000000000000000000001e0", 0x4781)]
    [InlineData("65792e0000", 0x4780)]
    [InlineData("1e99999", 0x7F80)]
    [InlineData("-1e-99999", 0x8000)]
    [InlineData("Infinity", 0x7F80)]
    public void Text_is_rounded_once(string text, int bits)
    {
        Assert.Equal(bits, BFloat16.Parse(text, s_invariant).ToBits());
        Assert.True(BFloat16.TryParse(text, s_invariant, out var value));
        Assert.Equal(bits, value.ToBits());
    }

    /// <summary>Every tie as text, exactly, a little below and a little above it.</summary>
    [Fact]
    public void Text_beside_each_tie_goes_to_its_side()
    {
        var comma = new NumberFormatInfo { NumberDecimalSeparator = ",", NumberGroupSeparator = "." };
        for (int bits = 0; bits < 0x7F80; bits++)
        {
            double tie = BitConverter.UInt32BitsToSingle((uint)bits << 16 | 0x8000);
            string exact = tie.ToString("E110", s_invariant);
            int e = exact.IndexOf('E', StringComparison.Ordinal);
            Assert.Equal('0', exact[e - 1]); // all digits are there
            Assert.False(exact.StartsWith("9.99999999999999", StringComparison.Ordinal) || exact.StartsWith("1.00000000000000", StringComparison.Ordinal)); // near no power of ten

            int last = exact.AsSpan(0, e).LastIndexOfAnyExcept('0', '.');
            string below = exact[..last] + (char)(exact[last] - 1) + exact[(last + 1)..e].Replace('0', '9') + exact[e..], above = exact[..(e - 1)] + "1" + exact[e..];
            Assert.Equal((bits + 1) & ~1, BFloat16.Parse(exact, s_invariant).ToBits());
            Assert.Equal(bits, BFloat16.Parse(below, s_invariant).ToBits());
            Assert.Equal(bits + 1, BFloat16.Parse(above, s_invariant).ToBits());
            Assert.Equal(bits + 1 | 0x8000, BFloat16.Parse("-" + above.Replace('.', ','), comma).ToBits());
        }
    }

    [Fact]
    public void What_is_no_number_is_no_bfloat16()
    {
        Assert.Throws<FormatException>(() => BFloat16.Parse("1.2.3", s_invariant));
        Assert.Throws<FormatException>(() => BFloat16.Parse("x".AsSpan(), s_invariant));
        Assert.Throws<ArgumentNullException>(() => BFloat16.Parse(null!, s_invariant));
        Assert.False(BFloat16.TryParse(null, s_invariant, out var value));
        Assert.False(BFloat16.TryParse("1x".AsSpan(), s_invariant, out value));
        Assert.Equal(0, value.ToBits());
    }

    private delegate void Conversion<TSource, TTarget>(ReadOnlySpan<TSource> source, Span<TTarget> target);

    /// <summary>Rows of every length at both edges of their pages: each element as a row of one has it, and nothing else is touched.</summary>
    private static void AllLengths<TSource, TTarget>(TSource[] source, Conversion<TSource, TTarget> convert, Func<int, int, TTarget> expected)
        where TSource : unmanaged
        where TTarget : unmanaged
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        for (int length = 0; length <= Longest; length++)
        {
            foreach (var edge in new[] { Edge.Beginning, Edge.End, Edge.Middle })
            {
                using var pages = new GuardedPages(2 * 4096, 2);
                ReadOnlySpan<TSource> row = pages.Copy<TSource>("source", source.AsSpan(length, length), edge);
                var target = pages.Take<TTarget>("target", length, edge, offset: 0, alignment: 1);
                convert(row, target);
                pages.Check($"{length} elements");
                for (int i = 0; i < length; i++) Assert.Equal(expected(length, i), target[i]);
            }

            var longer = new TTarget[length + 3];
            convert(source.AsSpan(length, length), longer);
            Assert.Equal(new TTarget[3], longer[length..]);
            if (length == 0) continue;
            var shorter = new TTarget[length - 1];
            Assert.ThrowsAny<ArgumentException>(() => convert(source.AsSpan(length, length), shorter));
            Assert.Equal(new TTarget[length - 1], shorter);
        }
    }

    [Fact]
    public void Rows_of_every_length_become_halves_and_floats_again()
    {
        float[] floats = [.. s_special, .. RandomFloats(2 * Longest, 6).Select(x => x % 70000)];
        AllLengths<float, ushort>(
            floats, (source, target) => Narrowing.Narrow(source, MemoryMarshal.Cast<ushort, Half>(target)), (length, i) => BitConverter.HalfToUInt16Bits((Half)floats[length + i]));
        Half[] halves = [.. floats.Select(x => (Half)x)];
        AllLengths<Half, uint>(
            halves, (source, target) => Narrowing.Widen(source, MemoryMarshal.Cast<uint, float>(target)), (length, i) => BitConverter.SingleToUInt32Bits((float)halves[length + i]));
    }

    [Fact]
    public void Rows_of_every_length_become_bfloat16_and_floats_again()
    {
        float[] floats = [.. s_special, .. RandomFloats(2 * Longest, 7)];
        AllLengths<float, ushort>(
            floats, (source, target) => Narrowing.Narrow(source, MemoryMarshal.Cast<ushort, BFloat16>(target)), (length, i) => ((BFloat16)floats[length + i]).ToBits());
        BFloat16[] narrow = [.. floats.Select(x => (BFloat16)x)];
        AllLengths<BFloat16, uint>(
            narrow, (source, target) => Narrowing.Widen(source, MemoryMarshal.Cast<uint, float>(target)), (length, i) => (uint)narrow[length + i].ToBits() << 16);
    }

    [Fact]
    public void Rows_of_every_length_become_integers_and_floats_again()
    {
        var random = new Random(8);
        float[] floats = [.. Enumerable.Range(0, 3 * Longest).Select(_ => random.NextSingle() - 0.5f)];
        AllLengths<float, sbyte>(
            floats, (source, target) => Narrowing.Quantize(source, target),
            (length, i) =>
            {
                float scale = floats.AsSpan(length, length).ToArray().Max(MathF.Abs) / 127;
                return (sbyte)MathF.Round(floats[length + i] / scale, MidpointRounding.ToEven);
            });
        sbyte[] integers = [.. Enumerable.Range(0, 3 * Longest).Select(_ => (sbyte)random.Next(-127, 128))];
        AllLengths<sbyte, float>(integers, (source, target) => Narrowing.Dequantize(source, 0.1f, target), (length, i) => integers[length + i] * 0.1f);
    }

    /// <summary>Quantises a row, and checks what holds for all finite rows.</summary>
    private static (float Scale, sbyte[] Integers) Quantized(float[] row)
    {
        var integers = new sbyte[row.Length];
        Array.Fill(integers, (sbyte)99);
        float scale = Narrowing.Quantize(row, integers);
        var back = new float[row.Length];
        Narrowing.Dequantize(integers, scale, back);
        Assert.True(scale >= 0 && float.IsFinite(scale));
        for (int i = 0; i < row.Length; i++)
        {
            Assert.InRange(integers[i], -127, 127);
            Assert.Equal(scale == 0 ? 0 : MathF.Round(row[i] / scale, MidpointRounding.ToEven), integers[i]);
            Same(integers[i] * scale, back[i], i);
            // A quotient up to 127 is rounded, and so is the product.
            double error = Math.Abs((double)back[i] - row[i]), most = scale * (0.5 + 127 * Math.ScaleB(1, -23));
            if (!(error <= most)) Assert.Fail($"{row[i]:R} came back as {back[i]:R} with scale {scale:R}");
        }

        return (scale, integers);
    }

    [Fact]
    public void Integers_differ_from_a_row_by_half_a_scale_at_most()
    {
        var random = new Random(9);
        for (int i = 0; i < 2000; i++)
        {
            float size = MathF.ScaleB(1 + random.NextSingle(), random.Next(-110, 120));
            float[] row = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => (2 * random.NextSingle() - 1) * size)];
            var (scale, integers) = Quantized(row);
            Assert.Equal(row.Max(MathF.Abs) / 127, scale);
            Assert.Contains(integers, x => x is 127 or -127);
        }
    }

    [Fact]
    public void Rows_of_zeros_have_scale_0()
    {
        foreach (int length in new[] { 0, 1, 7, 16, 70, 128 })
        {
            float[] row = new float[length];
            if (length > 1) row[1] = -0f;
            var (scale, integers) = Quantized(row);
            Same(0, scale, length);
            Assert.Equal(new sbyte[length], integers);
        }
    }

    [Theory]
    [InlineData(1f, 127)]
    [InlineData(-1f, -127)]
    [InlineData(127f, 127)]
    [InlineData(3e-39f, 127)]
    public void A_row_of_one_element_keeps_it(float x, sbyte expected)
    {
        var (scale, integers) = Quantized([x]);
        Assert.Equal([expected], integers);
        Assert.Equal(MathF.Abs(x), 127 * scale, MathF.Abs(x) * 1e-4f);
    }

    [Fact]
    public void Ties_of_quotients_go_to_even()
    {
        float[] row = [.. Enumerable.Range(-126, 253).Select(i => i + 0.5f).Where(x => Math.Abs(x) < 127), 127f];
        var (scale, integers) = Quantized(row);
        Assert.Equal(1f, scale);
        Assert.All(integers[..^1], x => Assert.Equal(0, x % 2));
    }

    [Fact]
    public void Rows_with_NaN_or_infinity_become_NaN()
    {
        var random = new Random(10);
        foreach (float bad in new[] { float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity, BitConverter.UInt32BitsToSingle(0x7F800001), BitConverter.UInt32BitsToSingle(0xFFFFFFFF) })
        {
            for (int length = 1; length <= Longest; length++)
            {
                float[] row = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle())];
                row[random.Next(length)] = bad;
                var integers = new sbyte[length];
                Array.Fill(integers, (sbyte)99);
                float scale = Narrowing.Quantize(row, integers);
                Assert.True(float.IsNaN(scale));
                Assert.Equal(new sbyte[length], integers);
                var back = new float[length];
                Narrowing.Dequantize(integers, scale, back);
                Assert.All(back, x => Assert.True(float.IsNaN(x)));
            }
        }
    }

    [Fact]
    public void Rows_near_the_largest_float_stay_finite()
    {
        float largest = float.MaxValue;
        for (int i = 0; i < 1000; i++, largest = MathF.BitDecrement(largest))
        {
            var (_, integers) = Quantized([largest, -largest, largest / 2, -1f, .. new float[30]]);
            Assert.Equal([127, -127], integers[..2]);
        }
    }

    /// <summary>A subnormal scale has few bits: max / 127 may be 0, or so small that quotients exceed 127.</summary>
    [Fact]
    public void Rows_with_a_subnormal_scale_stay_in_range()
    {
        var random = new Random(11);
        for (int most = 1; most < 2000; most++)
        {
            float unit = float.Epsilon, largest = most * unit;
            float[] row = [largest, -largest, .. Enumerable.Range(0, 38).Select(_ => random.Next(-most, most + 1) * unit)];
            var (scale, _) = Quantized(row);
            Assert.Equal((most + 126) / 127 * unit, scale);
        }

        for (float largest = 127 * MathF.ScaleB(1, -126) * 1.001f; largest > 0; largest = MathF.BitDecrement(largest * 0.97f)) Quantized([largest, -largest / 3, largest / 2, .. new float[20]]);
    }
}
