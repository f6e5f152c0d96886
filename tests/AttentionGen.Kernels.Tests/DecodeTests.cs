using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Few query rows (queries times heads of a group): keys and values are read as they lie in memory, in chunks whose states are merged. From some
/// number of rows on keys are packed instead; the tests go beyond that number.
/// </summary>
public class DecodeTests
{
    private const int MostRows = 40;

    private static readonly int[] s_groups = [1, 2, 3, 4, 7, 8];

    private static readonly int[] s_keys = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 255, 256, 257, 383, 384, 385];

    private static readonly AttentionMask[] s_masks = Enum.GetValues<AttentionMask>();

    /// <summary>Shapes of which other tests have the cores.</summary>
    private static readonly Declaration[] s_groupings =
    [
        .. from dims in new[] { (64, 64), (80, 24), (16, 16) }
           from mask in s_masks
           from heads in s_groups
           select new Declaration(heads, dims.Item1) { KeyValueHeads = 1, ValueDim = dims.Item2, Mask = mask },
    ];

    private static readonly Declaration[] s_windows =
    [
        .. from dims in new[] { (64, 64), (80, 24), (16, 16) }
           from window in new[] { (0, 0), (2, -1), (40, 3), (300, 0), (-1, 2) }
           from heads in s_groups
           select new Declaration(heads, dims.Item1) { KeyValueHeads = 1, ValueDim = dims.Item2, Window = window },
    ];

    private static readonly Declaration[] s_padded =
    [
        .. from heads in s_groups
           from mask in s_masks
           from window in mask == AttentionMask.Causal ? new[] { (-1, -1), (7, -1) } : [(-1, -1)]
           select new Declaration(2 * heads, 80)
           {
               KeyValueHeads = 2, ValueDim = 24, Mask = mask, Window = window, Batched = true,
               Roles = Roles.MaxThreads | Roles.KeyLengths | (mask == AttentionMask.Causal ? Roles.QueryStarts : Roles.None),
           },
    ];

    private static readonly Declaration s_negative = new(2, 16) { KeyValueHeads = 1, Scale = -0.3f };

    private static readonly Declaration[] s_singleRows =
    [
        .. from headDim in new[] { 16, 64, 128 }
           from layout in Enum.GetValues<AttentionLayout>()
           select new Declaration(3, headDim) { Mask = AttentionMask.Causal, Layout = layout, Roles = Roles.MaxThreads | Roles.QueryStart },
    ];

    internal static readonly Declaration[] Declarations = [.. s_groupings, .. s_windows, .. s_padded, .. s_singleRows, Started(64), Started(80), s_negative];

    public static TheoryData<Declaration> Groupings => [.. s_groupings, .. s_windows];

    [Theory, MemberData(nameof(Groupings), DisableDiscoveryEnumeration = true)]
    public void Every_number_of_rows(Declaration declaration)
    {
        for (int queries = 1; (queries - 1) * declaration.Heads < MostRows; queries++)
            for (int i = queries % 4; i < s_keys.Length; i += 4) Check(new Problem(declaration, queries, s_keys[(i + declaration.Heads) % s_keys.Length]));
    }

    public static TheoryData<Declaration> EveryHeadDim => [.. HeadDimTests.SingleHeads];

    [Theory, MemberData(nameof(EveryHeadDim), DisableDiscoveryEnumeration = true)]
    public void Every_head_dimension(Declaration declaration)
    {
        foreach (var (queries, keys) in new[] { (1, 1), (1, 6), (1, 67), (2, 5), (3, 3), (4, 8), (5, 34), (6, 2), (7, 9), (9, 65) })
        {
            var inputs = new Inputs(new Problem(declaration, queries, keys));
            Bound.Check(inputs, inputs.Run(HeadDimTests.Kernels));
        }
    }

    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void A_negative_scale()
    {
        foreach (int queries in new[] { 1, 5, 8 }) Check(new Problem(s_negative, queries, 70));
    }

    public static MatrixTheoryData<AttentionMask, int> Edges => new(s_masks, [1, 2, 3, 31, 32, 33, 64, 65]);

    /// <summary>Below, at and above whole blocks of keys: a chunk is a block, or several of them where there are many.</summary>
    [Theory, MemberData(nameof(Edges))]
    public void Keys_at_the_edges_of_chunks(AttentionMask mask, int blocks)
    {
        var one = s_groupings.First(d => d.Mask == mask && d.Heads == 1 && d.HeadDim == 16);
        var three = one with { Heads = 3 };
        int edge = blocks * KeyBlock(one);
        foreach (int keys in new[] { edge - 1, edge, edge + 1, edge + 3 })
        {
            Check(new Problem(one, 1, keys));
            Check(new Problem(three, 3, keys) { MaxThreads = 3 });
        }
    }

    public static MatrixTheoryData<int, int> SingleRows => new([16, 64, 128], [1, 4, 20, 1007, 1023, 1024, 1025, 1043, 2049, (33 * 1024) + 5]);

    /// <summary>A single row for each head takes other loops and longer blocks of 1024 keys: the same bits wherever keys lie, by one thread or several.</summary>
    [Theory, MemberData(nameof(SingleRows))]
    public void A_single_row_for_each_head(int headDim, int keys)
    {
        foreach (int seen in new[] { keys, Math.Max(keys - 7, 1) })
        {
            float[]? expected = null;
            foreach (var declaration in s_singleRows.Where(d => d.HeadDim == headDim))
            {
                foreach (int threads in new[] { 1, 3 })
                {
                    var inputs = new Inputs(new Problem(declaration, 1, keys) { QueryStarts = [seen - 1], MaxThreads = threads });
                    float[] output = inputs.Run(Catalogue.Kernels);
                    if (expected is null) Bound.Check(inputs, output);
                    else ThreadTests.AssertSameBits(expected, output);
                    expected ??= output;
                }
            }
        }
    }

    public static TheoryData<Declaration> PaddedDeclarations => [.. s_padded];

    /// <summary>In a batch: rows that see some keys or none, chunks that some rows see or none, as starts and lengths say.</summary>
    [Theory, MemberData(nameof(PaddedDeclarations), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Starts_and_lengths(Declaration declaration)
    {
        int block = KeyBlock(declaration);
        bool causal = declaration.Mask == AttentionMask.Causal;
        foreach (int queries in new[] { 1, 2, 5 })
            foreach (int keys in new[] { 1, 9, 33, block + 5 })
                Check(new Problem(declaration, queries, keys)
                {
                    Batch = 6, KeyLengths = [keys, 0, 1, (keys + 1) / 2, keys - 1, keys],
                    QueryStarts = causal ? [0, 3, int.MaxValue - 1, keys / 2, keys, Math.Max(keys - 8, 0)] : null,
                });
    }

    public static MatrixTheoryData<int, int> HiddenChunks => new([64, 80], [1, 2]);

    /// <summary>Queries around the first key of a chunk: to the first of them the chunk does not exist, NaN in it or not.</summary>
    [Theory, MemberData(nameof(HiddenChunks))]
    public void A_chunk_that_some_rows_do_not_see(int headDim, int chunk)
    {
        const int Queries = 5;
        var declaration = Started(headDim);
        int first = chunk * KeyBlock(declaration);
        for (int start = first - Queries - 1; start <= first + 1; start++)
        {
            var problem = new Problem(declaration, Queries, first + 9) { QueryStarts = [start] };
            Check(problem);
            var inputs = new Inputs(problem);
            for (int j = first; j < problem.Keys; j++)
            {
                inputs.KeyRow(0, j, 0).Fill(float.NegativeInfinity);
                inputs.ValueRow(0, j, 0).Fill(float.NaN);
            }

            Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
        }
    }

    [Theory, InlineData(1, 7), InlineData(2, 8), InlineData(3, 5), InlineData(4, 3), InlineData(8, 2)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Rows_before_the_first_key_are_zero(int group, int queries)
    {
        foreach (int headDim in new[] { 64, 80 })
            for (int keys = 0; keys < queries; keys++)
            {
                var declaration = s_groupings.First(d => d.Heads == group && d.HeadDim == headDim && d.Mask == AttentionMask.Causal);
                var inputs = new Inputs(new Problem(declaration, queries, keys));
                float[] output = inputs.Run(Catalogue.Kernels);
                int blind = (queries - keys) * group * declaration.ValueDim;
                Assert.All(output[..blind], x => Assert.Equal(0f, x));
                Assert.All(output[blind..], x => Assert.NotEqual(0f, x));
            }
    }

    public static MatrixTheoryData<int, int, float> Diagonals =>
        new([64, 80], [1, 3, 4], [float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity]);

    /// <summary>The last keys are seen by the last queries only. What is wrong with one reaches those, and changes no bit of the others.</summary>
    [Theory, MemberData(nameof(Diagonals))]
    public void What_is_wrong_on_the_diagonal_reaches_the_rows_behind_it(int headDim, int group, float poison)
    {
        const int Queries = 4;
        var declaration = s_groupings.First(d => d.Heads == group && d.HeadDim == headDim && d.Mask == AttentionMask.Causal);
        int block = KeyBlock(declaration), row = group * declaration.ValueDim;
        foreach (int keys in new[] { 4, 5, 9, 33, block - 1, block + 1, block + 2, block + 4, 2 * block + 3 })
        {
            float[] expected = new Inputs(new Problem(declaration, Queries, keys)).Run(Catalogue.Kernels);
            for (int i = 0; i < Queries; i++)
            {
                var value = new Inputs(new Problem(declaration, Queries, keys));
                value.ValueRow(0, keys - Queries + i, 0)[^1] = poison;
                Verify(value, i);

                var key = new Inputs(new Problem(declaration, Queries, keys));
                key.KeyRow(0, keys - Queries + i, 0)[^1] = poison;
                Verify(key, i);

                for (int j = keys - Queries + i; j < keys; j++)
                {
                    key.KeyRow(0, j, 0).Fill(poison);
                    key.ValueRow(0, j, 0).Fill(poison);
                }

                Verify(key, i);
            }

            void Verify(Inputs inputs, int i)
            {
                float[] output = inputs.Run(Catalogue.Kernels);
                Bound.Check(inputs, output);
                Assert.Equal(expected[..(i * row)], output[..(i * row)]);
            }
        }
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Padding_changes_no_bit(float poison)
    {
        foreach (var declaration in s_padded.Where(d => d.Heads / d.KeyValueHeads <= 4))
        {
            int block = KeyBlock(declaration);
            var problem = new Problem(declaration, 3, block + 40)
            {
                Batch = 5, KeyLengths = [0, 1, 37, block, block + 39],
                QueryStarts = declaration.Has(Roles.QueryStarts) ? [0, 0, 36, block - 2, block + 38] : null,
            };
            var inputs = new Inputs(problem);
            float[] expected = inputs.Run(Catalogue.Kernels);
            for (int b = 0; b < problem.Batch; b++)
                for (int j = problem.Length(b); j < problem.Keys; j++)
                    for (int h = 0; h < declaration.KeyValueHeads; h++)
                    {
                        inputs.ValueRow(b, j, h).Fill(poison);
                        inputs.KeyRow(b, j, h).Fill(poison);
                    }

            ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
        }
    }

    public static MatrixTheoryData<AttentionMask, string> Courses =>
        new(s_masks, ["rising", "falling", "zigzag", "far below", "far below at last", "huge below", "one key"]);

    /// <summary>Maxima of chunks in all orders, so that merging scales down what there is, or what comes, to nothing or nearly so.</summary>
    [Theory, MemberData(nameof(Courses))]
    public void Maxima_that_change_from_chunk_to_chunk(AttentionMask mask, string course)
    {
        // Some dozens of rows, for the bound is one of the largest error; four at a time.
        var declaration = s_groupings.First(d => d.Mask == mask && d.Heads == 4 && d.HeadDim == 64);
        var kernel = Catalogue.Kernels[declaration];
        int block = KeyBlock(declaration);
        foreach (float size in new[] { 4, 9, 80 })
        {
            var inputs = HostileInputTests.Levels(new Inputs(new Problem(declaration, 24, 4 * block + 13)), j => course switch
            {
                "rising" => size * (j / block),
                "falling" => -size * (j / block),
                "zigzag" => size * (j / block % 2),
                "far below" => j / block == 0 ? -100 * size : 0,
                "far below at last" => j / block == 4 ? -100 * size : 0,
                "huge below" => j / block is 0 or 2 ? -1e30f * size : 0,
                _ => j == 2 * block + 5 ? 3 * size : 0,
            });
            float[] output = inputs.RunInPieces(kernel, queries: 4);
            Bound.Check(inputs, output, plainLimit: 1e-3);
            ThreadTests.AssertSameBits(output, new Inputs(inputs, inputs.Problem with { MaxThreads = 3 }).RunInPieces(kernel, queries: 4));
        }
    }

    public static MatrixTheoryData<AttentionMask, int> InfiniteChunks => new(s_masks, [0, 1, 2, 3, 4, 5]);

    /// <summary>Chunks of scores of -infinity: their weights are 0, and their values are visible all the same.</summary>
    [Theory, MemberData(nameof(InfiniteChunks))]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Chunks_of_negative_infinity(AttentionMask mask, int course)
    {
        var declaration = s_groupings.First(d => d.Mask == mask && d.Heads == 2 && d.HeadDim == 64);
        int block = KeyBlock(declaration);
        var problem = new Problem(declaration, 7, 3 * block + 20);
        Func<int, bool> isInfinite = course switch
        {
            0 => j => j < block,
            1 => j => j >= 3 * block,
            2 => j => j / block == 1,
            3 => j => j / block != 1,
            4 => j => j != 2 * block + 7,
            _ => _ => true,
        };
        Check(Fill());

        var value = Fill();
        value.ValueRow(0, Enumerable.Range(0, problem.Keys - 7).Last(isInfinite), 0)[5] = float.NaN;
        Check(value);
        value.ValueRow(0, Enumerable.Range(0, problem.Keys - 7).Last(isInfinite), 0)[5] = float.PositiveInfinity;
        Check(value);

        Inputs Fill()
        {
            var inputs = new Inputs(problem);
            for (int i = 0; i < problem.Queries; i++)
                for (int h = 0; h < 2; h++) inputs.QueryRow(0, i, h)[3] = 1;
            for (int j = 0; j < problem.Keys; j++)
                if (isInfinite(j)) inputs.KeyRow(0, j, 0)[3] = float.NegativeInfinity;
            return inputs;
        }

        static void Check(Inputs inputs) => Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void Huge_scores_of_both_signs(AttentionMask mask)
    {
        // Keys in pairs that nearly tie, as among many rows.
        var declaration = s_groupings.First(d => d.Mask == mask && d.Heads == 4 && d.HeadDim == 64);
        var inputs = new Inputs(new Problem(declaration, 4, 1100));
        foreach (ref float x in inputs.Query.AsSpan()) x *= 100;
        foreach (ref float x in inputs.Key.AsSpan()) x *= 100;
        for (int j = 0; j < inputs.Problem.Keys; j += 2)
        {
            inputs.KeyRow(0, j, 0).CopyTo(inputs.KeyRow(0, j + 1, 0));
            foreach (ref float x in inputs.KeyRow(0, j + 1, 0)) x += inputs.Normal() / 100;
        }

        Bound.Check(inputs, inputs.Run(Catalogue.Kernels), plainLimit: 1e-2);
    }

    /// <summary>Calls that share their heads' keys over threads leave the shared memory and jobs to each other.</summary>
    [Fact]
    public void Eight_threads_call_one_kernel_with_different_data()
    {
        var declaration = s_groupings.First(d => d.Mask == AttentionMask.Causal && d.Heads == 4 && d.HeadDim == 64);
        var kernel = Catalogue.Kernels[declaration];
        var calls = Enumerable.Range(0, 8).Select(i => new Inputs(new Problem(declaration, 1 + i % 4, 1500 + 300 * i), seed: i)).ToArray();
        float[][] expected = [.. calls.Select(call => call.Run(kernel))];
        var failures = new List<Exception>();
        var threads = calls.Select((call, i) => new Thread(() =>
        {
            try
            {
                var shared = new Inputs(call, call.Problem with { MaxThreads = 2 + i % 3 });
                for (int n = 0; n < 40; n++) ThreadTests.AssertSameBits(expected[i], shared.Run(kernel));
            }
            catch (Exception e)
            {
                lock (failures) failures.Add(e);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(failures);
    }

    /// <summary>Keys of a block, or of a chunk where there are not many.</summary>
    internal static int KeyBlock(Declaration declaration) => KeyBlock(Catalogue.Kernels[declaration]);

    internal static int KeyBlock(Kernel kernel)
    {
        string plan = AttentionInfo.Describe(kernel.Method).Plan;
        return int.Parse(Regex.Match(plan, @"key block (\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private static Declaration Started(int headDim) => new(2, headDim)
    {
        KeyValueHeads = 1, ValueDim = headDim == 80 ? 24 : headDim, Mask = AttentionMask.Causal, Roles = Roles.QueryStart | Roles.MaxThreads,
    };

    private static void Check(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }
}
