using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Keys and values that no query sees are never touched, whichever mask hides them: each lies in a page of its own, which is protected. With few rows that is so key by key. With many, packing begins
/// where a block of keys does, so that up to a block before a key that is seen may be read; for fixed lengths all keys before one are such a block. And what lies between keys of an item that are seen
/// may be packed with them; of an item with lists of blocks, all keys that are not padding are.
/// </summary>
public class UntouchedKeyTests
{
    private const int Keys = 1000;

    private static readonly Declaration s_plain = new(4, 24) { KeyValueHeads = 1, ValueDim = 20, Strides = (0, TokenPages.Stride, TokenPages.Stride, 0) };
    private static readonly Declaration s_causal = s_plain with { Mask = AttentionMask.Causal };
    private static readonly Declaration s_started = s_plain with { Roles = Roles.MaxThreads | Roles.QueryStart };
    private static readonly Declaration s_fixed = s_plain with { KeyLength = 200 };

    /// <summary>Each kind of mask, by a name.</summary>
    private static readonly (string Kind, Declaration Declaration)[] s_kinds =
    [
        ("causal", s_started with { Mask = AttentionMask.Causal }),
        ("window before", s_started with { Mask = AttentionMask.Causal, Window = (30, -1) }),
        ("window on both sides", s_started with { Window = (30, 12) }),
        ("prefix", s_started with { Mask = AttentionMask.Causal, PrefixLength = 520 }),
        ("prefixes", s_causal with { Roles = Roles.MaxThreads | Roles.QueryStarts | Roles.PrefixLengths, Batched = true }),
        ("lengths", s_plain with { Batched = true, Roles = Roles.MaxThreads | Roles.KeyLengths }),
        ("lengths of causal rows", s_causal with { Batched = true, Roles = Roles.MaxThreads | Roles.KeyLengths, Window = (100, -1) }),
        ("documents", s_plain with { Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts }),
        ("documents with lengths", s_causal with { Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts | Roles.KeyLengths, Window = (20, -1) }),
        ("chunks", s_started with { ChunkLength = 150 }),
        ("chunks of causal rows", s_started with { Mask = AttentionMask.Causal, ChunkLength = 450 }),
        ("dilation", s_started with { Dilation = 3, Window = (60, 20) }),
        ("dilation with chunks", s_started with { Mask = AttentionMask.Causal, Dilation = 2, ChunkLength = 400 }),
        ("lists", s_plain with { Blocks = (40, 64, AttentionAxes.Query) }),
        ("lists of items with lengths", s_plain with { Blocks = (16, 32, AttentionAxes.Batch | AttentionAxes.Query), Batched = true, Roles = Roles.MaxThreads | Roles.KeyLengths }),
        ("own bounds of keys", s_plain with { MaskText = "key >= 500 && key < 530" }),
        ("own bounds of distances", s_started with { MaskText = "query - key < 20 && key < query + 3" }),
        ("own bounds of queries", s_started with { MaskText = "query < 430 && key < 40 || query >= 470 && key >= 100 && key < 140" }),
        ("own terms", s_plain with { MaskText = "key >= 390 && key < 394 || key >= 450 && key < 470 || key >= 700 && key < 710" }),
        ("own chunks", s_started with { MaskText = "query / 64 == key / 64 && key <= query" }),
        ("own blocks", s_started with { MaskText = "key / 16 <= query / 16 && key / 16 >= query / 16 - 2" }),
        ("own mask of distances and parameters", s_started with { MaskText = "key <= query && query - key < width" }),
        ("fixed causal", s_fixed with { Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.QueryStart }),
        ("fixed window", s_fixed with { Window = (10, 3), Roles = Roles.MaxThreads | Roles.QueryStart }),
        ("fixed lengths of keys", s_fixed with { Batched = true, Roles = Roles.MaxThreads | Roles.KeyLengths }),
        ("fixed own bounds of keys", s_fixed with { MaskText = "key >= 20 && key < 50" }),
        ("fixed own bounds of queries", s_fixed with { MaskText = "query < 2 && key <= query" }),
        ("fixed documents", s_fixed with { Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts }),
    ];

    private static readonly int[] s_queries = [1, 5, 100];

    // Of fixed lengths, a declaration for each.
    private static readonly (string Kind, Problem Problem)[] s_problems =
    [
        .. from kind in s_kinds
           from queries in s_queries
           where queries < 100 || kind.Declaration.Blocks.Keys == 0
           let declaration = kind.Declaration.KeyLength > 0 ? kind.Declaration with { QueryLength = queries } : kind.Declaration
           select ($"{kind.Kind}, {queries} queries", Of(declaration, queries)),
    ];

    private static readonly KernelGroup s_kernels = new(s_problems.Select(problem => problem.Problem.Declaration));

    public static TheoryData<string> Names => [.. s_problems.Select(problem => problem.Kind)];

    [Theory, MemberData(nameof(Names), DisableDiscoveryEnumeration = true)]
    public void Keys_that_no_query_sees_are_not_touched(string name)
    {
        if (TokenPages.Missing is { } reason) Assert.Skip(reason);
        var problem = s_problems.Single(problem => problem.Kind == name).Problem;
        var kernel = s_kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(kernel);
        Bound.Check(inputs, expected);
        bool[] touchable = Touchable(inputs, kernel);
        Assert.Contains(false, touchable);
        foreach (bool atEnd in new[] { true, false })
        {
            var declaration = problem.Declaration;
            using TokenPages key = new(touchable.Length, declaration.HeadDim, atEnd), value = new(touchable.Length, declaration.ValueDim, atEnd);
            for (int token = 0; token < touchable.Length; token++)
            {
                inputs.KeyRow(token / problem.Keys, token % problem.Keys, 0).CopyTo(key.Token(token));
                inputs.ValueRow(token / problem.Keys, token % problem.Keys, 0).CopyTo(value.Token(token));
                if (touchable[token]) continue;
                key.Protect(token);
                value.Protect(token);
            }

            foreach (int threads in new[] { 1, 2 })
            {
                float[] actual = new float[expected.Length];
                actual.AsSpan().Fill(float.NaN);
                using (CallsInProgress.Add(problem))
                    kernel.Body(inputs.Arguments(inputs.Query, key.Span, value.Span, actual) with { MaxThreads = threads });
                ThreadTests.AssertSameBits(expected, actual);
            }
        }
    }

    private static Problem Of(Declaration declaration, int queries)
    {
        int keys = declaration.KeyLength > 0 ? declaration.KeyLength : Keys, batch = declaration.Batched ? 3 : 1, start = declaration.KeyLength > 0 ? 30 : 420;
        var problem = new Problem(declaration, queries, keys) { Batch = batch };
        if (declaration.Has(Roles.QueryStart)) problem = problem with { QueryStarts = [start] };
        if (declaration.Has(Roles.QueryStarts)) problem = problem with { QueryStarts = [start, 0, keys - queries] };
        if (declaration.Has(Roles.PrefixLengths)) problem = problem with { PrefixLengths = [0, 550, 3] };
        if (declaration.Has(Roles.KeyLengths)) problem = problem with { KeyLengths = [keys / 2 - 7, 0, 3] };
        if (declaration.Has(Roles.DocumentStarts))
        {
            // Documents without queries, and one without keys.
            problem = problem with { DocumentStarts = [0, 0, (queries + 1) / 2, queries, queries], KeyDocumentStarts = [0, keys / 3, keys / 3 + 20, keys / 2, keys] };
            if (declaration.Has(Roles.KeyLengths)) problem = problem with { KeyLengths = [keys / 3, 7, keys / 2 - keys / 3 - 20, 1] };
        }

        if (declaration.Blocks.Keys == 0) return problem;
        int lists = (queries + declaration.Blocks.Queries - 1) / declaration.Blocks.Queries * batch, blocks = (keys + declaration.Blocks.Keys - 1) / declaration.Blocks.Keys;
        return problem with { Lists = ([.. Enumerable.Range(0, lists + 1).Select(i => 2 * i)], [.. Enumerable.Range(0, lists).SelectMany(i => new[] { 3 + i % 3, blocks - 4 - i % 3 })]) };
    }

    /// <summary>The keys that are seen; with many rows those between as well, and those before that are packed along.</summary>
    private static bool[] Touchable(Inputs inputs, Kernel kernel)
    {
        var problem = inputs.Problem;
        var declaration = problem.Declaration;
        bool[] touchable = new bool[problem.Batch * problem.Keys];
        bool isDecode = problem.Queries * declaration.Group <= 24, isWhole = AttentionInfo.Describe(kernel.Method).Plan.Contains("fixed lengths", StringComparison.Ordinal);
        int block = isDecode ? 1 : isWhole ? problem.Keys : DecodeTests.KeyBlock(kernel);
        var seen = from b in Enumerable.Range(0, problem.Batch)
                   from i in Enumerable.Range(0, problem.Queries)
                   let item = problem.Item(b, i)
                   from j in Enumerable.Range(item.Key, item.Keys)
                   where inputs.Score(0, b, i, 0, j) > float.NegativeInfinity
                   group j by (b, item.Key);
        foreach (var keys in seen)
        {
            var (b, first) = keys.Key;
            foreach (int j in isDecode ? keys.Distinct() : Enumerable.Range(keys.Min(), keys.Max() - keys.Min() + 1))
                touchable[b * problem.Keys + j] = true;
            if (isDecode) continue;
            for (int j = Math.Max(keys.Min() - (block - 1) * declaration.Dilation, first); j < keys.Min(); j++) touchable[b * problem.Keys + j] = true;
        }

        return touchable;
    }
}
