using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Tables of rotary positions. The frequencies were computed with Python in double precision, from the formulas of the papers in the form of Hugging Face Transformers (wavelengths and powers of
/// the base, where the library multiplies and divides frequencies): for YaRN <c>extrapolation = 1 / base ** (2 * i / d); interpolation = extrapolation / factor; keep = 1 - ramp(i);
/// interpolation * (1 - keep) + extrapolation * keep</c>. The angles were computed with mpmath, 40 digits: <c>cos(p * mpf(10000) ** (-mpf(2 * i) / 16))</c>.
/// </summary>
public class RotaryTableTests
{
    public static TheoryData<string, double, RotaryScaling?, double[], double> Scalings => new()
    {
        { "none", 10000, null, [1.0, 0.31622776601683794, 0.1, 0.03162277660168379, 0.01, 0.003162277660168379, 0.001, 0.00031622776601683794], 1 },
        { "linear", 10000, RotaryScaling.Linear(4), [0.25, 0.07905694150420949, 0.025, 0.007905694150420948, 0.0025, 0.0007905694150420947, 0.00025, 7.905694150420948e-05], 1 },
        {
            "NTK-aware", 10000, RotaryScaling.NtkAware(2, originalLength: 2048, length: 8192),
            [1.0, 0.2394813560059838, 0.05735131987446476, 0.013734571852269752, 0.003289173891343177, 0.0007876958236383426, 0.00018863846396516057, 4.517539514526257e-05], 1
        },
        {
            "NTK-aware, short", 10000, RotaryScaling.NtkAware(2, originalLength: 2048, length: 100),
            [1.0, 0.31622776601683794, 0.1, 0.03162277660168379, 0.01, 0.003162277660168379, 0.001, 0.00031622776601683794], 1
        },
        {
            "YaRN", 10000, RotaryScaling.Yarn(4, originalLength: 32768),
            [1.0, 0.31622776601683794, 0.1, 0.03162277660168379, 0.01, 0.0025693505988868075, 0.000625, 0.00013834964763236658], 1.138629436111989
        },
        {
            "YaRN, not rounded", 150000, RotaryScaling.Yarn(32, originalLength: 4096, truncate: false),
            [1.0, 0.2254180002028708, 0.050813274815461475, 0.006794959489732219, 0.00045648391922324086, 1.818833668168956e-05, 4.0999784818029795e-06, 9.242089502428301e-07], 1.3465735902799727
        },
        {
            "Llama 3", 500000, RotaryScaling.Llama3(8, 1, 4, originalLength: 8192),
            [1.0, 0.19392274474868576, 0.03760603093086393, 0.0072926647372171085, 0.0005248461609929547, 3.428102195952591e-05, 6.647869871181236e-06, 1.2891731721515574e-06], 1
        },
    };

    [Theory, MemberData(nameof(Scalings), DisableDiscoveryEnumeration = true)]
    public void Frequencies_are_those_of_the_papers(string name, double @base, RotaryScaling? scaling, double[] frequencies, double attentionFactor)
    {
        var table = new RotaryTable(16, 3, @base, scaling);
        for (int i = 0; i < frequencies.Length; i++) Assert.True(Math.Abs(table.Frequencies[i] / frequencies[i] - 1) < 1e-13, $"{name}: {table.Frequencies[i]} for {frequencies[i]}");
        Assert.Equal(attentionFactor, table.AttentionFactor, 1e-15);
        Assert.Equal((float)(Math.Cos(2 * table.Frequencies[3]) * attentionFactor), table.Cos(2)[3]);
    }

    [Theory]
    [InlineData(4096, 1.0, 0.08, 0.006666666666666667, 0.0005)]
    [InlineData(4097, 1.0, 0.05, 0.0025, 6.25e-05)]
    public void LongRoPE_takes_the_list_for_the_length(int positions, params double[] frequencies)
    {
        var table = new RotaryTable(8, positions, scaling: RotaryScaling.LongRope([1, 1.25, 1.5, 2], [1, 2, 4, 16], originalLength: 4096, scale: 32));
        for (int i = 0; i < frequencies.Length; i++) Assert.Equal(frequencies[i], table.Frequencies[i], 1e-15);
        Assert.Equal(1.1902380714238083, table.AttentionFactor, 1e-15);
    }

    [Fact]
    public void A_given_attention_factor_replaces_that_of_the_scaling()
    {
        Assert.Equal(0.75, new RotaryTable(8, 1, scaling: RotaryScaling.Yarn(4, 1024, attentionFactor: 0.75)).AttentionFactor);
        var table = new RotaryTable(4, 1, scaling: RotaryScaling.LongRope([1, 2], [1, 2], 1024, 4, attentionFactor: 1.5));
        Assert.Equal((1.5, 1.5f), (table.AttentionFactor, table.Cos(0)[1]));
    }

    [Theory]
    [InlineData(1, 0, 0.540302305868, 0.841470984808)]
    [InlineData(1000, 3, 0.97868269656, 0.205378137722)]
    [InlineData(131071, 5, 0.978582970563, -0.205852786534)]
    public void Angles_are_exact_to_single_precision(int position, int pair, double cos, double sin)
    {
        var table = new RotaryTable(16, 131072);
        Assert.Equal((float)cos, table.Cos(position)[pair]);
        Assert.Equal((float)sin, table.Sin(position)[pair]);
    }

    [Fact]
    public unsafe void Rows_begin_at_lines_of_the_cache()
    {
        foreach (int dim in new[] { 16, 64, 128 })
            for (int i = 0; i < 20; i++)
            {
                var table = new RotaryTable(dim, 5);
                Assert.Equal(0, (nint)table.Row(0) % 64);
                Assert.Equal(0, (nint)table.Row(3) % 64);
                Assert.Equal((dim, 5), (table.RotaryDim, table.Positions));
            }
    }

    [Fact]
    public void A_table_of_finished_cosines_and_sines_has_them()
    {
        var table = new RotaryTable(6, 4, 100);
        var copy = RotaryTable.FromCosSin([.. Enumerable.Range(0, 4).SelectMany(p => table.Cos(p).ToArray())], [.. Enumerable.Range(0, 4).SelectMany(p => table.Sin(p).ToArray())], 6);
        Assert.Equal((6, 4, 1.0, 0), (copy.RotaryDim, copy.Positions, copy.AttentionFactor, copy.Frequencies.Length));
        for (int p = 0; p < 4; p++) Assert.True(table.Cos(p).SequenceEqual(copy.Cos(p)) && table.Sin(p).SequenceEqual(copy.Sin(p)));
    }

    [Theory, InlineData(AttentionRotary.Halves), InlineData(AttentionRotary.Interleaved)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Rotate_turns_the_pairs_of_each_token_and_nothing_else(AttentionRotary pairing)
    {
        var random = new Random(5);
        foreach (int dim in new[] { 2, 4, 6, 8, 10, 14, 16, 18, 30, 32, 34, 62, 64, 66, 96, 128, 130, 512 })
        {
            var table = new RotaryTable(dim, 40, 1000);
            foreach (var (before, after, heads, tokens, position) in new[] { (0, 0, 1, 1, 39), (3, 0, 2, 3, 5), (1, 5, 3, 2, 38), (0, 2, 1, 0, 40) })
            {
                int headDim = before + dim + after;
                var declaration = new Declaration(heads, headDim) { Rotary = pairing, Rotated = (dim, before) };
                float[] rows = [.. Enumerable.Range(0, tokens * heads * headDim).Select(_ => 2 * random.NextSingle() - 1)], expected = [.. rows];
                for (int token = 0; token < tokens; token++)
                    for (int head = 0; head < heads; head++) RotaryTables.Rotate(expected.AsSpan((token * heads + head) * headDim, headDim), declaration, table, position + token);
                table.Rotate(rows, heads, headDim, position, pairing, before);
                for (int i = 0; i < rows.Length; i++)
                {
                    bool isRotated = i % headDim >= before && i % headDim < before + dim;
                    Assert.True(isRotated ? Math.Abs(expected[i] - rows[i]) <= 2e-7f : expected[i].Equals(rows[i]), $"{dim} elements from {before} on, element {i}: {rows[i]} for {expected[i]}");
                }
            }
        }
    }

    [Fact]
    public void Rotate_stays_within_the_rows_and_allocates_nothing()
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        using GuardedMemory memory = new(1 << 14);
        foreach (int dim in new[] { 2, 6, 16, 22, 34, 66 })
        {
            var table = new RotaryTable(dim, 3);
            float[] rows = [.. Enumerable.Range(0, 3 * dim).Select(i => i / 8f)];
            foreach (var pairing in new[] { AttentionRotary.Halves, AttentionRotary.Interleaved })
                foreach (bool atEnd in new[] { true, false })
                {
                    var copy = memory.Copy<float>(rows, atEnd);
                    table.Rotate(copy, 1, dim, 0, pairing);
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    table.Rotate(copy, 1, dim, 0, pairing);
                    Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
                }
        }
    }

    [Fact]
    public void Wrong_numbers_are_named()
    {
        Throws("rotaryDim is 7, an even number from 2 to 512 is needed. (Parameter 'rotaryDim')", () => new RotaryTable(7, 3));
        Throws("rotaryDim is 0, an even number from 2 to 512 is needed. (Parameter 'rotaryDim')", () => new RotaryTable(0, 3));
        Throws("positions is 0, at least 1 is needed. (Parameter 'positions')", () => new RotaryTable(8, 0));
        Throws("positions is 2147483647, at most 16777215 are possible with a rotaryDim of 128. (Parameter 'positions')", () => new RotaryTable(128, int.MaxValue));
        Throws("base is 1, but must be finite and more than 1. (Parameter 'base')", () => new RotaryTable(8, 3, 1));
        Throws("base is NaN, but must be finite and more than 1. (Parameter 'base')", () => new RotaryTable(8, 3, double.NaN));
        Throws("factor is 0.5, but must be finite and at least 1. (Parameter 'factor')", () => RotaryScaling.Linear(0.5));
        Throws("factor is NaN, but must be finite and at least 1. (Parameter 'factor')", () => RotaryScaling.NtkAware(double.NaN, 10, 10));
        Throws("length is 0, at least 1 is needed. (Parameter 'length')", () => RotaryScaling.NtkAware(2, 10, 0));
        Throws("NTK-aware scaling needs a rotaryDim of 4 or more, 2 is given. (Parameter 'scaling')", () => new RotaryTable(2, 3, scaling: RotaryScaling.NtkAware(2, 10, 20)));
        Throws("betaFast is 0.5, but must be finite and at least betaSlow, 1. (Parameter 'betaFast')", () => RotaryScaling.Yarn(2, 10, betaFast: 0.5));
        Throws("attentionFactor is 0, but must be positive and finite. (Parameter 'attentionFactor')", () => RotaryScaling.Yarn(2, 10, attentionFactor: 0));
        Throws("highFrequencyFactor is 1, but must be finite and more than lowFrequencyFactor, 1. (Parameter 'highFrequencyFactor')", () => RotaryScaling.Llama3(8, 1, 1, 10));
        Throws("originalLength is 0, at least 1 is needed. (Parameter 'originalLength')", () => RotaryScaling.Llama3(8, 1, 4, 0));
        Throws("longFactors has 2 elements, shortFactors has 1: both have one for each pair, rotaryDim / 2. (Parameter 'longFactors')", () => RotaryScaling.LongRope([1], [1, 1], 10, 2));
        Throws("shortFactors[1] is 0, but must be positive and finite. (Parameter 'shortFactors')", () => RotaryScaling.LongRope([1, 0], [1, 1], 10, 2));
        Throws("The lists of factors have 2 elements, but a rotaryDim of 8 has 4 pairs. (Parameter 'scaling')", () => new RotaryTable(8, 3, scaling: RotaryScaling.LongRope([1, 1], [1, 1], 10, 2)));
        Throws("cos has 5 elements, a multiple of rotaryDim / 2 = 2 is needed, for at least one position. (Parameter 'cos')", () => RotaryTable.FromCosSin(new float[5], new float[5], 4));
        Throws("sin has 2 elements, cos has 4: both are [positions, rotaryDim / 2]. (Parameter 'sin')", () => RotaryTable.FromCosSin(new float[4], new float[2], 4));
        Throws("rotaryDim is 5, an even number from 2 to 512 is needed. (Parameter 'rotaryDim')", () => RotaryTable.FromCosSin(new float[4], new float[4], 5));
        Throws("sin[1] is NaN, a finite number is needed. (Parameter 'sin')", () => RotaryTable.FromCosSin([1, 1], [0, float.NaN], 4));
        Throws("position is 3, the table has those from 0 to 2. (Parameter 'position')", () => new RotaryTable(8, 3).Cos(3).ToArray());
        Throws("position is -1, the table has those from 0 to 2. (Parameter 'position')", () => new RotaryTable(8, 3).Sin(-1).ToArray());
    }

    [Fact]
    public void Wrong_rows_are_named_and_left_as_they_are()
    {
        var table = new RotaryTable(8, 5);
        Rotate("heads is 0, at least 1 is needed. (Parameter 'heads')", 16, 0, 8, 0);
        Rotate("headDim is 0, at least 1 is needed. (Parameter 'headDim')", 16, 1, 0, 0);
        Rotate("rows has 17 elements, which is not a multiple of heads * headDim = 2 * 8. (Parameter 'rows')", 17, 2, 8, 0);
        Rotate("pairing is None, Halves or Interleaved is needed. (Parameter 'pairing')", 16, 2, 8, 0, AttentionRotary.None);
        Rotate("start is -1, at least 0 is needed. (Parameter 'start')", 16, 1, 16, 0, start: -1);
        Rotate("start is 9 and RotaryDim 8, but a head has only 16 elements. (Parameter 'start')", 16, 1, 16, 0, start: 9);
        Rotate("position is -1, at least 0 is needed. (Parameter 'position')", 16, 1, 16, -1);
        Rotate("position is 4, and rows has 2 tokens, but the table has 5 positions. (Parameter 'position')", 32, 2, 8, 4);

        void Rotate(string message, int length, int heads, int headDim, int position, AttentionRotary pairing = AttentionRotary.Halves, int start = 0)
        {
            float[] rows = [.. Enumerable.Repeat(7f, length)];
            Throws(message, () => table.Rotate(rows, heads, headDim, position, pairing, start));
            Assert.DoesNotContain(rows, x => x != 7);
        }
    }

    private static void Throws(string message, Func<object> call) => Throws(message, () => { call(); });

    private static void Throws(string message, Action call) => Assert.Equal(message, Assert.ThrowsAny<ArgumentException>(call).Message.ReplaceLineEndings("\n").Split('\n')[0]);
}
