using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Windows: a row sees so many keys before its position and so many behind it, inclusive. What no row sees is not touched.</summary>
public class WindowTests
{
    private const int Far = 100_000;

    /// <summary>Rows (queries times heads of a group) that take the way of few rows on every instruction set.</summary>
    private const int FewRows = 6;

    /// <summary>Below, at and above the rows of tiles, the keys of panels and the blocks of rows and of keys of all dialects; wider than any call.</summary>
    private static readonly int[] s_widths = [0, 1, .. Around(4, 6, 8, 12, 16, 32, 64, 96, 256, 384), 2000];

    private static readonly Declaration[] s_widest =
    [
        .. from width in s_widths
           from closed in new[] { (width, -1), (width, width / 2), (-1, width) }
           select new Declaration(2, 64) { KeyValueHeads = 1, Window = closed },
        .. from width in s_widths select new Declaration(2, 64) { KeyValueHeads = 1, Mask = AttentionMask.Causal, Window = (width, -1) },
    ];

    /// <summary>Windows of queries that stand anywhere, in heads of whole vectors and others.</summary>
    private static readonly Declaration[] s_started =
    [
        .. from dims in new[] { (64, 64), (80, 24) }
           from window in new[] { (40, 0), (40, 9), (7, -1), (-1, 5), (300, 20), (1000, 0) }
           select new Declaration(2, dims.Item1) { KeyValueHeads = 1, ValueDim = dims.Item2, Window = window, Roles = Roles.MaxThreads | Roles.QueryStart },
    ];

    private static readonly Declaration s_batched = new(4, 80)
    {
        KeyValueHeads = 2, ValueDim = 24, Window = (30, 4), Batched = true, Roles = Roles.MaxThreads | Roles.QueryStarts | Roles.KeyLengths,
    };

    internal static readonly Declaration[] Declarations = [.. s_widest, .. s_started, s_batched];

    public static TheoryData<Problem> Widths =>
    [
        .. from declaration in s_widest
           from lengths in new[] { (1, 400), (3, 70), (100, 100), (97, 500) } // few rows, and packed keys
           select new Problem(declaration, lengths.Item1, lengths.Item2),
    ];

    [Theory, MemberData(nameof(Widths), DisableDiscoveryEnumeration = true)]
    public void The_output_is_within_the_error_bound(Problem problem) => Check(problem);

    public static TheoryData<Declaration> Started => [.. s_started];

    /// <summary>Lower and upper bounds that pass the edges of blocks of keys, both ends of the keys, and all of them.</summary>
    [Theory, MemberData(nameof(Started), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Queries_that_stand_anywhere(Declaration declaration)
    {
        int keys = 2 * DecodeTests.KeyBlock(declaration) + 30;
        foreach (int start in new[] { 0, 1, 39, 255, 256, 257, 295, 296, 297, 383, 384, 385, 424, 425, keys - 3, keys + 5, keys + 41, int.MaxValue })
            foreach (int queries in new[] { 2, 30 }) Check(new Problem(declaration, queries, keys) { QueryStarts = [start] });
    }

    /// <summary>Each item of a batch has a window of its own, at its start or its end, behind its last key, or in nothing.</summary>
    [Theory, InlineData(3), InlineData(100)]
    public void Items_of_a_batch_have_windows_of_their_own(int queries) => Check(new Problem(s_batched, queries, 600)
    {
        Batch = 6, KeyLengths = [600, 0, 1, 300, 599, 500], QueryStarts = [0, 3, 0, 299, 330, 100],
    });

    public static TheoryData<Declaration> ClosedBefore => [.. s_started.Where(declaration => declaration.Window.Left >= 0)];

    /// <summary>Some queries see the last key; those behind them have lost it.</summary>
    [Theory, MemberData(nameof(ClosedBefore), DisableDiscoveryEnumeration = true)]
    public void Rows_whose_window_begins_behind_the_last_key_are_zero(Declaration declaration)
    {
        const int Keys = 50;
        foreach (int queries in new[] { 6, 150 })
            foreach (int sighted in new[] { 0, 1, 3, 130 })
            {
                int start = Math.Max(Keys + declaration.Window.Left - sighted, 0), seeing = Math.Clamp(Keys + declaration.Window.Left - start, 0, queries);
                float[] output = new Inputs(new Problem(declaration, queries, Keys) { QueryStarts = [start] }).Run(Catalogue.Kernels);
                int row = declaration.Heads * declaration.ValueDim;
                Assert.All(output[..(seeing * row)], x => Assert.NotEqual(0f, x));
                Assert.All(output[(seeing * row)..], x => Assert.Equal(0f, x));
            }
    }

    [Theory, InlineData(4, 5), InlineData(4, 1), InlineData(150, 20), InlineData(150, 100)]
    public void Rows_whose_window_ends_before_the_first_key_are_zero(int queries, int keys)
    {
        foreach (var declaration in s_widest.Where(d => d.Mask == AttentionMask.None && d.Window.Right is 0 or 1 or 8 or 33))
        {
            float[] output = new Inputs(new Problem(declaration, queries, keys)).Run(Catalogue.Kernels); // the last query stands at the last key
            int blind = Math.Max(queries - keys - declaration.Window.Right, 0) * declaration.Heads * declaration.ValueDim;
            Assert.All(output[..blind], x => Assert.Equal(0f, x));
            Assert.All(output[blind..], x => Assert.NotEqual(0f, x));
        }
    }

    public static MatrixTheoryData<Declaration, int, float> Poisons =>
        new(s_started, [5, 110], [float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity]);

    /// <summary>
    /// On both sides, also in tiles and panels that only some rows see: a key, all before it, all behind it. The rows that see one of them follow
    /// IEEE, the others have the bits that they had.
    /// </summary>
    [Theory, MemberData(nameof(Poisons), DisableDiscoveryEnumeration = true)]
    public void What_a_window_hides_changes_no_bit(Declaration declaration, int queries, float poison)
    {
        const int Start = 250, Keys = 700;
        var problem = new Problem(declaration, queries, Keys) { QueryStarts = [Start] };
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels), keys = [.. inputs.Key], values = [.. inputs.Value];
        int row = declaration.Heads * declaration.ValueDim;
        var edges = from query in new[] { 0, 1, 5, 12, 33, queries / 2, queries - 2, queries - 1 }
                    let seen = problem.Visible(0, query)
                    from key in new[] { seen.First - 1, seen.First, seen.End - 1, seen.End }
                    where key is >= 0 and < Keys
                    select key;
        foreach (int key in edges.Distinct())
        {
            foreach (var (from, to) in new[] { (key, key + 1), (0, key + 1), (key, Keys) })
            {
                keys.CopyTo(inputs.Key, 0);
                values.CopyTo(inputs.Value, 0);
                for (int j = from; j < to; j++)
                {
                    inputs.ValueRow(0, j, 0).Fill(poison);
                    if (to - from > 1) inputs.KeyRow(0, j, 0).Fill(poison);
                }

                float[] output = inputs.Run(Catalogue.Kernels);
                for (int i = 0; i < queries; i++)
                {
                    var (first, end) = problem.Visible(0, i);
                    if (Math.Max(first, from) >= Math.Min(end, to)) ThreadTests.AssertSameBits(expected.AsSpan(i * row, row), output.AsSpan(i * row, row));
                    else Assert.All(output[(i * row)..((i + 1) * row)], x => Assert.False(float.IsFinite(x)));
                }
            }
        }
    }

    public static MatrixTheoryData<Declaration, int> StartedFew => new(s_started, [1, 3, 16, 110]);

    /// <summary>
    /// Keys that lie before the first one that some row sees, or behind the last one, are on protected pages. Packing begins where a block of keys
    /// does, so that with many rows up to a block before the first is read; with few rows nothing is.
    /// </summary>
    [Theory, MemberData(nameof(StartedFew), DisableDiscoveryEnumeration = true)]
    public void Keys_that_no_row_sees_are_not_touched(Declaration declaration, int queries)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        int block = DecodeTests.KeyBlock(declaration), keys = 6 * block;
        var kernel = Catalogue.Kernels[declaration];
        int keyBytes = sizeof(float) * keys * declaration.HeadDim, valueBytes = sizeof(float) * keys * declaration.ValueDim;
        using GuardedMemory key = new(keyBytes, guard: keyBytes), value = new(valueBytes, guard: valueBytes);
        foreach (int start in new[] { 0, 3 * block - 1, 3 * block, 4 * block + 77, keys - 1 })
        {
            var inputs = new Inputs(new Problem(declaration, queries, keys) { QueryStarts = [start] });
            float[] expected = inputs.Run(kernel);
            var (first, end) = (inputs.Problem.Visible(0, 0).First, inputs.Problem.Visible(0, queries - 1).End);
            if (queries * declaration.Group > FewRows) first = first / block * block;
            foreach (bool atEnd in new[] { true, false })
            {
                float[] actual = new float[expected.Length];
                kernel.Body(new KernelArguments
                {
                    Query = inputs.Query, Output = actual, QueryStarts = inputs.Problem.QueryStarts, MaxThreads = 1,
                    Key = key.CopyPart<float>(inputs.Key, (first * declaration.HeadDim)..(end * declaration.HeadDim), atEnd),
                    Value = value.CopyPart<float>(inputs.Value, (first * declaration.ValueDim)..(end * declaration.ValueDim), atEnd),
                });
                ThreadTests.AssertSameBits(expected, actual);
            }
        }
    }

    /// <summary>As in a long chat: what lies before the window and behind it is as if it were not there.</summary>
    [Theory, InlineData(1), InlineData(4), InlineData(200)]
    public void A_call_far_inside_a_long_sequence_has_the_bits_of_one_with_only_its_keys(int queries)
    {
        var declaration = s_started.First(d => d.HeadDim == 64 && d.Window == (1000, 0));
        var all = new Inputs(new Problem(declaration, queries, Far + 20_000) { QueryStarts = [Far] });
        float[] output = all.Run(Catalogue.Kernels);
        Bound.Check(all, output, queries: [.. new[] { 0, queries / 2, queries - 1 }.Distinct()]);

        const int Cut = 97 * 768; // whole blocks of all dialects
        var near = new Inputs(new Problem(declaration, queries, Far + queries - Cut) { QueryStarts = [Far - Cut] });
        all.Query.CopyTo(near.Query, 0);
        all.Key.AsSpan(Cut * declaration.HeadDim, near.Key.Length).CopyTo(near.Key);
        all.Value.AsSpan(Cut * declaration.ValueDim, near.Value.Length).CopyTo(near.Value);
        ThreadTests.AssertSameBits(output, near.Run(Catalogue.Kernels));
    }

    private static void Check(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }

    private static IEnumerable<int> Around(params int[] edges) => edges.SelectMany(edge => new[] { edge - 1, edge, edge + 1 });
}
