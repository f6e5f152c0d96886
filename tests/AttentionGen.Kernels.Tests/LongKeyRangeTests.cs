using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>More keys than a worker packs at a time: 1536 of 512 + 512 elements fit into its 8 MiB.</summary>
public class LongKeyRangeTests
{
    /// <summary>Narrower and wider than what is packed at a time, on either side.</summary>
    private static readonly (int Left, int Right)[] s_windows = [(50, 50), (1440, 0), (1535, -1), (1700, 40), (-1, 1600), (2500, 700)];

    /// <summary>Zones that lie apart, overlap in keys, begin among them, and leave keys to the mask itself.</summary>
    private static readonly string[] s_masks =
    [
        "key <= query && (query - key < 1700 || key < 700)", "Math.Abs(query - key) > 1200", "key >= 300 && key < 1900 || query - key < 50 && key <= query", "key <= query && (query - key < 1600 || key % 7 == 0)",
    ];

    private static readonly Declaration s_sparse = new(1, 512) { Mask = AttentionMask.Causal, Blocks = (64, 96, AttentionAxes.Query) };

    internal static readonly Declaration[] Declarations =
    [
        .. from mask in Enum.GetValues<AttentionMask>()
           from roles in new[] { Roles.MaxThreads, Roles.MaxThreads | Roles.KeyLengths }
           select new Declaration(1, 512) { Mask = mask, Batched = roles.HasFlag(Roles.KeyLengths), Roles = roles },
        .. from window in s_windows select new Declaration(1, 512) { Window = window },
        .. from mask in s_masks select new Declaration(1, 512) { MaskText = mask },
        s_sparse,
    ];

    public static MatrixTheoryData<int, int> Windows => new(Enumerable.Range(0, s_windows.Length), [1, 2]);

    /// <summary>Each block of rows begins at another key, and some blocks are computed from keys that are packed together.</summary>
    [Theory, MemberData(nameof(Windows))]
    public void Windows_over_several_stretches_of_keys(int window, int threads)
    {
        var declaration = Declarations.First(d => d.Window == s_windows[window]);
        var inputs = new Inputs(new Problem(declaration, 1900, 3300) { MaxThreads = threads });
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels), queries: [0, 1, 95, 96, 767, 768, 1000, 1535, 1536, 1899]);
    }

    [Theory, InlineData(0, 1), InlineData(0, 2), InlineData(1, 1), InlineData(2, 1), InlineData(3, 2)]
    public void Zones_over_several_stretches_of_keys(int mask, int threads)
    {
        var declaration = Declarations.First(d => d.MaskText == s_masks[mask]);
        _ = Catalogue.Kernels[declaration];
        var inputs = new Inputs(new Problem(declaration, 1900, 3300) { MaxThreads = threads });
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels), queries: [0, 1, 95, 96, 767, 768, 1000, 1535, 1536, 1899]);
    }

    /// <summary>Every second block, in each row of lists the others: more runs than a core takes at a time.</summary>
    [Theory, InlineData(1), InlineData(2)]
    public void Lists_over_several_stretches_of_keys(int threads)
    {
        const int Queries = 200, Keys = 7000;
        List<int> starts = [0], blocks = [];
        for (int list = 0; list < (Queries + 63) / 64; list++)
        {
            blocks.AddRange(Enumerable.Range(0, (Keys + 95) / 96).Where(block => block % 2 == list % 2));
            starts.Add(blocks.Count);
        }

        var inputs = new Inputs(new Problem(s_sparse, Queries, Keys) { Lists = ([.. starts], [.. blocks]), MaxThreads = threads });
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }

    private static Declaration Of(AttentionMask mask, bool lengths) => Declarations.First(d => d.Mask == mask && d.Blocks.Keys == 0 && d.MaskText.Length == 0 && d.Window == (-1, -1) && d.Has(Roles.KeyLengths) == lengths);

    [Theory, InlineData(AttentionMask.None, 1), InlineData(AttentionMask.Causal, 1), InlineData(AttentionMask.Causal, 2)]
    public void Several_stretches_of_keys_and_several_groups_of_query_blocks(AttentionMask mask, int threads)
    {
        // 9 blocks of 96 rows: the states of 8 are kept at a time.
        var inputs = new Inputs(new Problem(Of(mask, lengths: false), 800, 3300) { MaxThreads = threads });
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels), queries: [0, 1, 31, 32, 95, 96, 400, 767, 768, 799]);
    }

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void Lengths_at_the_edges_of_a_stretch(AttentionMask mask)
    {
        foreach (int keys in new[] { 1535, 1536, 1537, 3072, 3073 })
        {
            var inputs = new Inputs(new Problem(Of(mask, lengths: false), 9, keys));
            Bound.Check(inputs, inputs.Run(Catalogue.Kernels), queries: [0, 8]);
        }
    }

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void Short_and_long_items_in_a_batch(AttentionMask mask)
    {
        var problem = new Problem(Of(mask, lengths: true), 20, 2000) { Batch = 4, KeyLengths = [2000, 5, 0, 1700] };
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels), queries: [0, 13, 19]);
    }

    [Fact]
    public void Causal_rows_that_see_only_the_first_stretch_or_nothing()
    {
        // The first query stands before the first key, the last one at the last key.
        var inputs = new Inputs(new Problem(Of(AttentionMask.Causal, lengths: false), 1800, 1700));
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels), queries: [0, 99, 100, 101, 191, 192, 1000, 1535, 1536, 1635, 1636, 1637, 1799]);
    }
}
