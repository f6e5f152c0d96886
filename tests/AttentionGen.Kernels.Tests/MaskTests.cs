using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Masks that cut rows and keys: prefix, documents, chunks, dilation, lists of blocks, and all of these with what else there is.</summary>
public class MaskTests
{
    private static readonly Declaration s_plain = new(4, 24) { KeyValueHeads = 2, Roles = Roles.MaxThreads | Roles.LogSumExp };
    private static readonly Declaration s_causal = s_plain with { Mask = AttentionMask.Causal };

    private static readonly Declaration[] s_prefixed =
    [
        s_causal with { PrefixLength = 20 },
        s_causal with { PrefixLength = 100, Window = (30, -1) },
        s_causal with { Roles = s_causal.Roles | Roles.PrefixLength | Roles.QueryStart },
        s_causal with { Batched = true, Roles = s_causal.Roles | Roles.PrefixLengths | Roles.KeyLengths },
        s_causal with { PrefixLength = 33, MaskText = "key % 7 != 3", Alibi = true },
        s_causal with { PrefixLength = 33, MaskText = "key <= query + 5" },
    ];

    private static readonly Declaration[] s_first =
    [
        s_causal with { FirstKeys = 4, Window = (20, -1) },
        s_causal with { FirstKeys = 70, Window = (15, -1), Roles = s_causal.Roles | Roles.QueryStart, Alibi = true },
        s_plain with { FirstKeys = 3, Window = (0, -1) },
        s_plain with { FirstKeys = 33, Window = (10, 5), Bias = AttentionAxes.Query | AttentionAxes.Key },
        s_causal with { FirstKeys = 20, PrefixLength = 40, Window = (8, -1) },
        s_causal with { FirstKeys = 40, PrefixLength = 20, Window = (8, -1) },
        s_causal with { FirstKeys = 5, Window = (30, -1), MaskText = "query - key < 12" },
        s_causal with { FirstKeys = 17, Window = (30, -1), MaskText = "key % 3 == 0 || key >= 60 && key < 90 || query - key < 5", Keep = AttentionAxes.Key },
        s_causal with { FirstKeys = 50, PrefixLength = 60, Window = (9, -1), MaskText = "key != query - 1 && key != 7" },
        s_causal with { FirstKeys = 9, ChunkLength = 40, Window = (16, -1) },
        s_causal with { FirstKeys = 30, Dilation = 4, Window = (24, -1) },
        s_plain with { FirstKeys = 6, Window = (12, -1), Buckets = 8, MaxDistance = 40 },
    ];

    private static readonly Declaration[] s_chunked =
    [
        s_plain with { ChunkLength = 16 },
        s_causal with { ChunkLength = 100 },
        s_causal with { ChunkLength = 33, Window = (20, -1), Roles = s_causal.Roles | Roles.QueryStart },
        s_causal with { ChunkLength = 50, PrefixLength = 20, Bias = AttentionAxes.Query | AttentionAxes.Key, Alibi = true },
        s_plain with { ChunkLength = 40, ScoreText = "score + 0.01f * (key - 2 * query)", Keep = AttentionAxes.Key },
        s_plain with { Dilation = 3 },
        s_causal with { Dilation = 4, Window = (64, -1) },
        s_causal with { Dilation = 2, ChunkLength = 45, Alibi = true, Roles = s_causal.Roles | Roles.QueryStart },
        s_causal with { Dilation = 5, Bias = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key, Keep = AttentionAxes.Query | AttentionAxes.Key, ScoreText = "score + 0.01f * (key - 2 * query)" },
        s_plain with { Dilation = 3, MaskText = "key % 2 == 0 || query < key", Layout = AttentionLayout.HeadMajor },
        s_causal with { MaskText = "query / 24 == key / 24" },
        s_plain with { MaskText = "(query - key) % 3 == 0 && query - key < 30" },
        s_plain with { MaskText = "key / 16 <= query / 16" },
        s_plain with { MaskText = "key / 16 <= query / 16 && key / 16 >= query / 16 - 2", Alibi = true },
        s_plain with { MaskText = "key >= query / 32 * 32 - 7 && key < query + 9" },
    ];

    private static readonly Declaration[] s_united =
    [
        .. from text in new[]
           {
               "key <= query && (query - key < 32 || key < 4)", "key < 4 || query - key < 32 && key <= query", "query < 16 || key <= query", "key >= 10 && key < 50 || key >= 70 && key < query",
               "Math.Abs(query - key) < 8 || Math.Abs(query - key) > 40 && key % 2 == 0", "Math.Max(key - query, key - 60) <= 0", "Math.Min(key, query - key) < width", "key != query",
               "key <= query && (query - key < width || key < width / 4)", "!(key > query || key < 8 && query > 20)", "query < 40 ? key < 40 : key <= query", "query >= 30 && query < 60 && key < 45 || key + 10 <= query",
               "key < 0", "key >= 100", "key <= query - 70", "2 * key <= query * 2 - 5 && 3 * key >= 14", "head < 2 && key <= query || key < 5 || query - key < 10 && query >= key",
           }
           select s_plain with { MaskText = text },
        s_plain with { MaskText = "key <= query && (query - key < 32 || key < 4)", Keep = AttentionAxes.Query | AttentionAxes.Key, SoftCap = 5 },
        s_plain with { MaskText = "key <= query && (query - key < 32 || key % 16 == 0)" },
        s_plain with { MaskText = "key <= query && (query - key < 32 || key % 16 == 0)", Bias = AttentionAxes.Key },
    ];

    private static readonly Declaration[] s_packed =
    [
        s_plain with { Roles = s_plain.Roles | Roles.DocumentStarts },
        s_causal with { Roles = s_causal.Roles | Roles.DocumentStarts },
        s_causal with { Roles = s_causal.Roles | Roles.DocumentStarts, Window = (40, -1), Alibi = true, Bias = AttentionAxes.Query | AttentionAxes.Key },
        s_causal with { Roles = s_causal.Roles | Roles.DocumentStarts | Roles.KeyDocumentStarts, MaskText = "key <= query && (query - key < 32 || key < 4) && batch != 1" },
        s_causal with { Roles = s_causal.Roles | Roles.DocumentStarts | Roles.PrefixLengths | Roles.KeyLengths | Roles.QueryStarts, Layout = AttentionLayout.HeadMajor },
        s_causal with { Roles = s_causal.Roles | Roles.DocumentStarts, ChunkLength = 40, Dilation = 2 },
        s_causal with { Roles = s_causal.Roles | Roles.DocumentStarts, FirstKeys = 5, Window = (10, -1) },
    ];

    private static readonly Declaration[] s_sparse =
    [
        s_causal with { Blocks = (64, 64, AttentionAxes.Query) },
        s_plain with { Blocks = (16, 32, AttentionAxes.Head | AttentionAxes.Query) },
        s_causal with { Blocks = (130, 96, AttentionAxes.Query), Window = (150, -1), Alibi = true },
        s_causal with { Blocks = (1, 32, AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query), Batched = true, Roles = s_causal.Roles | Roles.KeyLengths },
        s_plain with { Blocks = (48, 64, AttentionAxes.Query), MaskText = "key <= query && (query - key < 32 || key >= 40 && key < 100)" },
        s_causal with { Blocks = (64, 32, AttentionAxes.Query), FirstKeys = 40, Window = (20, -1) },
        s_plain with { Blocks = (64, 32, AttentionAxes.Query), ChunkLength = 0, MaskText = "query / 100 == key / 100" },
    ];

    internal static readonly Declaration[] Declarations = [s_causal, .. s_prefixed, .. s_first, .. s_chunked, .. s_united, .. s_packed, .. s_sparse];

    public static TheoryData<Problem> Problems
    {
        get
        {
            var problems = new TheoryData<Problem>();
            foreach (var declaration in s_prefixed.Concat(s_first).Concat(s_chunked).Concat(s_united).Where(declaration => !declaration.Batched))
            {
                foreach (var (queries, keys) in new[] { (1, 130), (3, 300), (50, 50), (110, 230) })
                {
                    problems.Add(new Problem(declaration, queries, keys)
                    {
                        QueryStarts = declaration.Has(Roles.QueryStart) ? [Math.Max(keys - queries - 7, 0)] : null,
                        PrefixLengths = declaration.Has(Roles.PrefixLength) ? [queries % 2 == 0 ? 75 : 0] : null,
                    });
                }
            }

            foreach (int queries in new[] { 1, 30, 150 })
                problems.Add(new Problem(s_prefixed[3], queries, 150) { Batch = 4, KeyLengths = [150, 0, 77, 130], PrefixLengths = [40, 10, 200, 0] });

            int[][] documents = [[0, 1, 2, 3, 3, 10, 60, 61, 150], [0, 0, 100, 140, 150, 150], [0, 75, 150]];
            foreach (var declaration in s_packed)
            {
                foreach (int[] starts in documents)
                {
                    int count = starts.Length - 1;
                    problems.Add(new Problem(declaration, 150, declaration.Has(Roles.KeyDocumentStarts) ? 300 : 150)
                    {
                        DocumentStarts = starts,
                        KeyDocumentStarts = declaration.Has(Roles.KeyDocumentStarts) ? [.. starts.Select(start => 2 * start)] : null,
                        PrefixLengths = declaration.Has(Roles.PrefixLengths) ? [.. Enumerable.Range(0, count).Select(i => 5 * i)] : null,
                        KeyLengths = declaration.Has(Roles.KeyLengths) ? [.. Enumerable.Range(0, count).Select(i => (starts[i + 1] - starts[i]) * 3 / 4)] : null,
                        QueryStarts = declaration.Has(Roles.QueryStarts) ? [.. Enumerable.Range(0, count).Select(i => i % 3)] : null,
                    });
                }
            }

            foreach (var declaration in s_sparse)
                foreach (var (queries, keys) in new[] { (1, 200), (3, 300), (64, 64), (130, 270) }) problems.Add(WithLists(declaration, queries, keys, density: 0.4));
            problems.Add(WithLists(s_sparse[0], 150, 1500, density: 0.1));
            problems.Add(WithLists(s_sparse[1], 100, 1200, density: 0.9));
            problems.Add(WithLists(s_sparse[1], 200, 300, density: 0));
            return problems;
        }
    }

    /// <summary>For plain loops over all pairs.</summary>
    public static TheoryData<Problem> SmallProblems => [.. Problems.Where(row => row.Data.Queries * row.Data.Keys <= 25_000)];

    private static Problem WithLists(Declaration declaration, int queries, int keys, double density)
    {
        var random = new Random(queries + keys);
        var (queryBlock, keyBlock, axes) = declaration.Blocks;
        int batch = declaration.Batched ? 3 : 1, lists = (queries + queryBlock - 1) / queryBlock;
        if ((axes & AttentionAxes.Head) != 0) lists *= declaration.KeyValueHeads;
        if ((axes & AttentionAxes.Batch) != 0) lists *= batch;
        List<int> starts = [0], blocks = [];
        for (int list = 0; list < lists; list++)
        {
            blocks.AddRange(Enumerable.Range(0, (keys + keyBlock - 1) / keyBlock).Where(_ => random.NextDouble() < density));
            starts.Add(blocks.Count);
        }

        return new Problem(declaration, queries, keys) { Batch = batch, KeyLengths = declaration.Has(Roles.KeyLengths) ? [keys, keys / 2, 0] : null, Lists = ([.. starts], [.. blocks]) };
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void A_kernel_sees_what_its_declaration_says(Problem problem)
    {
        _ = Catalogue.Kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
        Bound.CheckLogSumExp(inputs);
        float[] alone = inputs.Run(Catalogue.Kernels);
        ThreadTests.AssertSameBits(alone, new Inputs(inputs, problem with { MaxThreads = 3 }).Run(Catalogue.Kernels));
    }

    /// <summary>The reference itself: with the mask as the words of the declaration say it, pair by pair.</summary>
    [Theory, MemberData(nameof(SmallProblems), DisableDiscoveryEnumeration = true)]
    public void The_reference_sees_the_same(Problem problem)
    {
        _ = Catalogue.Kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        var declaration = problem.Declaration;
        double[] weights = new double[problem.Batch * declaration.Heads * problem.Queries * problem.Keys];
        declaration.Reference.Attend(
            inputs.Query, inputs.Key, inputs.Value, new double[problem.OutputLength], problem.Batch, problem.QueryStarts, problem.KeyLengths, weights, inputs.Operands());
        int index = 0;
        for (int b = 0; b < problem.Batch; b++)
            for (int h = 0; h < declaration.Heads; h++)
                for (int i = 0; i < problem.Queries; i++)
                    for (int j = 0; j < problem.Keys; j++, index++)
                        Assert.True(weights[index] > 0 == inputs.Score(0, b, i, h, j) > float.NegativeInfinity, $"{problem}: batch {b}, head {h}, query {i}, key {j} has the weight {weights[index]}");
    }

    /// <summary>What no query of a head sees may be anything.</summary>
    [Theory, MemberData(nameof(SmallProblems), DisableDiscoveryEnumeration = true)]
    public void What_is_hidden_changes_no_bit(Problem problem)
    {
        _ = Catalogue.Kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels);
        int group = problem.Declaration.Group;
        for (int b = 0; b < problem.Batch; b++)
        {
            for (int j = 0; j < problem.Keys; j++)
            {
                for (int h = 0; h < problem.Declaration.KeyValueHeads; h++)
                {
                    bool seen = Enumerable.Range(0, problem.Queries).Any(i => Enumerable.Range(h * group, group).Any(head => inputs.Score(0, b, i, head, j) > float.NegativeInfinity));
                    if (seen) continue;
                    inputs.KeyRow(b, j, h).Fill(float.NaN);
                    inputs.ValueRow(b, j, h).Fill(j % 2 == 0 ? float.NaN : float.PositiveInfinity);
                }
            }
        }

        ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
    }

    /// <summary>A document has the bits of a call of its own.</summary>
    [Theory, InlineData(1), InlineData(7), InlineData(40), InlineData(90), InlineData(190)]
    public void Packed_documents_are_separate_calls(int length)
    {
        var declaration = s_packed[1];
        int[] starts = [0, 3, 3 + length, 200 + length, 201 + length, 400];
        var packed = new Inputs(new Problem(declaration, starts[^1], starts[^1]) { DocumentStarts = starts, MaxThreads = 2 });
        float[] output = packed.Run(Catalogue.Kernels);
        int query = 4 * 24, key = 2 * 24;
        for (int i = 0; i + 1 < starts.Length; i++)
        {
            int from = starts[i], count = starts[i + 1] - from;
            var alone = new KernelArguments
            {
                Query = packed.Query.AsSpan(from * query, count * query), Key = packed.Key.AsSpan(from * key, count * key), Value = packed.Value.AsSpan(from * key, count * key),
                Output = new float[count * query], LogSumExp = new float[4 * count], MaxThreads = 1,
            };
            Catalogue.Kernels[s_causal].Body(alone);
            ThreadTests.AssertSameBits(alone.Output.ToArray(), output.AsSpan(from * query, count * query).ToArray());
        }
    }
}
