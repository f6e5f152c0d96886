using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Masks and scores that the user writes as methods: the kernel against the method itself, element by element.</summary>
public class OwnMethodTests
{
    private static readonly Declaration s_plain = new(4, 24) { KeyValueHeads = 2, Roles = Roles.MaxThreads | Roles.LogSumExp };

    private static readonly string[] s_masks =
    [
        "key <= query", "query >= key && query - key < 20", "Math.Abs(query - key) <= width - 4 + 8", "Math.Abs(key - query) < 12", "key < query", "key > query + 3",
        "key <= query && (query - key < 16 || key < 4)", "key <= query && query - key < 30 || key < 4", "query / 16 == key / 16 && key <= query",
        "(query - key) % 3 == 0 && key <= query", "key != query", "head % 2 == 0 || key >= width", "!(key == 5) && (batch == 0 || key != 7)", "true", "key < 0",
        "(head == 1 ? key + 2 : key) <= query", "Math.Min(query, 30) - Math.Max(key, 10) >= -20", "key * 2 <= query * 2 + 1 & key >= 2", "query == key",
        "(float)key / (query + 1) < 0.5f",
        "segment[query] == segment[key]", "key <= query && segment[key] == segment[query]", "segment[key] < head + 2", "key < 40 ? segment[key] != 1 : table[key] > -1f",
        "segment[Math.Max(query - key, 0)] != 2 || key == query", "segment[segment[key] * 20 + head] < 4", "int.Abs(query - key) <= int.Max(segment[key], 3) * 8",
        "key < segment.Length - 560 + segment[batch]",
        "query - key is >= 0 and < 20", "query >> 4 == key >> 4", "(query ^ key) < 32 & key <= query", "(key & 3) != 1 | query == key", "segment[key] is 0 or > 2 and not 4",
        "(query - key) switch { < 0 => false, < 16 => true, _ => (key & 7) == 0 }", "head switch { 0 => key <= query, 1 when batch == 0 => true, _ => key % 3 != 0 }",
        "(key <= query) ^ (~key % 4 == 0)", "(key < 9) == (query < 9)", "(query - 40 >>> 28) + (key << 1) < 60", "table[key] is > -1.5f and < 1f",
    ];

    private static readonly string[] s_scores =
    [
        "score - slope * Math.Abs(query - key)", "score * 0.5f + (head + 1) * 0.125f", "key > query ? float.NegativeInfinity : score", "MathF.Max(score, -1f) + MathF.Min(score, 1f)",
        "MathF.Tanh(score) * 3f", "score + MathF.Sin(0.3f * key) * MathF.Cos(query)", "MathF.Sqrt(MathF.Abs(score)) - MathF.Log(1f + MathF.Abs(query - key))",
        "MathF.Exp(-MathF.Abs(score)) + batch", "MathF.FusedMultiplyAdd(score, slope, -(float)(key % 5))", "-score",
        "score + table[key]", "score + table[head] - table[query]", "score + table[Math.Clamp(key - query + 128, 0, 256)]", "score + table[key - query + 300] * slope",
        "score + table[segment[key] * 4 + head]", "score * (segment[query] == segment[key] ? 1f : 0.5f)", "key < 30 ? score : score - table[key - 30]",
        "query >= 5 ? score + table[query - 5] : score", "float.Exp2(score) - float.Log2(1f + float.Abs(score))", "float.Clamp(score, -0.5f, 1f) + float.Min(score, float.Max(slope, score))",
        "score + segment[(key * 7 + head) % 600]", "score + table[query - key + 300] + table[299 - key]",
        "(key & 3) switch { 0 => score, 1 => score * 0.5f, _ when query > 7 => score - 1f, _ => 0.25f * score }", "score is > 1f or < -1f ? 0.5f * score : score + (key >> 2 ^ query) * 0.01f",
        "score + table[Math.Clamp(query - key + 20, 0, 250)]", "score + Relative(table, key - query) + Relative(table, key)",
    ];

    private static readonly Declaration[] s_masked = [.. from mask in s_masks select s_plain with { MaskText = mask }];

    private static readonly Declaration[] s_scored = [.. from score in s_scores select s_plain with { ScoreText = score }];

    private static readonly Declaration[] s_both =
    [
        s_plain with { MaskText = s_masks[6], ScoreText = s_scores[0], Mask = AttentionMask.Causal, Window = (40, -1), SoftCap = 4 },
        s_plain with { MaskText = s_masks[8], ScoreText = s_scores[1], Bias = AttentionAxes.Query | AttentionAxes.Key, Keep = AttentionAxes.Key, Roles = s_plain.Roles | Roles.Sinks },
        s_plain with { MaskText = s_masks[6], Batched = true, Roles = s_plain.Roles | Roles.QueryStarts | Roles.KeyLengths },
        s_plain with { MaskText = s_masks[11], ScoreText = s_scores[0], Batched = true, Roles = s_plain.Roles | Roles.QueryStart },
        s_plain with { MaskText = s_masks[8], QueryLength = 33, KeyLength = 65 },
    ];

    internal static Declaration[] Declarations => [.. s_masked, .. s_scored, .. s_both, s_padded, s_guarded, s_spans, s_eager];

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_masked.Concat(s_scored).Concat(s_both.Take(2))
           from lengths in new[] { (1, 1), (1, 70), (3, 300), (40, 40), (110, 270) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        .. from queries in new[] { 2, 70 } select new Problem(s_both[2], queries, 90) { Batch = 4, KeyLengths = [90, 0, 33, 71], QueryStarts = [0, 3, 5, 100] },
        .. from queries in new[] { 2, 70 } select new Problem(s_both[3], queries, 90) { Batch = 2, QueryStarts = [17] },
        new Problem(s_both[4], 33, 65),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void A_kernel_computes_what_the_methods_say(Problem problem)
    {
        _ = Catalogue.Kernels[problem.Declaration]; // what the inputs ask for is compiled with the kernel
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
        Bound.CheckLogSumExp(inputs);
    }

    public static TheoryData<string, Declaration> BuiltIn => new()
    {
        { "key <= query", s_plain with { Mask = AttentionMask.Causal } },
        { "query >= key && query - key < 20", s_plain with { Mask = AttentionMask.Causal, Window = (19, -1) } },
        { "Math.Abs(key - query) < 12", s_plain with { Window = (11, 11) } },
        { "true", s_plain },
    };

    /// <summary>A mask that only the distance decides is the built-in one: the same core.</summary>
    [Theory, MemberData(nameof(BuiltIn))]
    public void A_mask_of_distances_becomes_bounds(string mask, Declaration builtIn)
    {
        var group = new KernelGroup([builtIn, s_plain with { MaskText = mask }]);
        string Core(Declaration declaration) => AttentionInfo.Describe(group[declaration].Method).Core;
        Assert.Equal(Core(builtIn), Core(s_plain with { MaskText = mask }));
    }

    /// <summary>What the method hides does not exist.</summary>
    [Theory, InlineData(1), InlineData(6), InlineData(90)]
    public void What_the_method_hides_changes_no_bit(int queries)
    {
        var declaration = s_plain with { MaskText = "!(key == 5) && (batch == 0 || key != 7)" };
        _ = Catalogue.Kernels[declaration];
        var inputs = new Inputs(new Problem(declaration, queries, 200));
        float[] expected = inputs.Run(Catalogue.Kernels);
        for (int head = 0; head < declaration.KeyValueHeads; head++)
        {
            inputs.KeyRow(0, 5, head).Fill(float.NaN);
            inputs.ValueRow(0, 5, head).Fill(float.PositiveInfinity);
        }

        ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
    }

    private static readonly Declaration s_padded = s_plain with { ScoreText = "score + table[key - 7] + table[query - 30] + table[90 - key] + table[segment[key] * 50 - 60]" };

    private static readonly Declaration s_guarded = s_plain with
    {
        ScoreText = "score + (key >= 7 && key < table.Length + 7 ? table[key - 7] : 0f) + (query >= 30 && query < table.Length + 30 ? table[query - 30] : 0f) "
            + "+ (key <= 90 && 90 - key < table.Length ? table[90 - key] : 0f) "
            + "+ (key < segment.Length ? segment[key] * 50 - 60 >= 0 && segment[key] * 50 - 60 < table.Length ? table[segment[key] * 50 - 60] : 0f : table.Length > 60 ? 0f : 0f)",
    };

    /// <summary>An index outside of a span reads 0.</summary>
    [Theory, InlineData(1), InlineData(6), InlineData(90)]
    public void An_index_outside_of_a_span_reads_0(int queries)
    {
        _ = Catalogue.Kernels[s_padded];
        var inputs = new Inputs(new Problem(s_padded, queries, 200));
        var guarded = new Inputs(inputs, inputs.Problem with { Declaration = s_guarded });
        float[] actual = new float[inputs.Problem.OutputLength], expected = new float[actual.Length];
        foreach (int length in new[] { 0, 1, 5, 16, 17, 100, 200 })
        {
            Catalogue.Kernels[s_padded].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, actual) with { Table = Own.Table.AsSpan(0, length) });
            Catalogue.Kernels[s_guarded].Body(guarded.Arguments(inputs.Query, inputs.Key, inputs.Value, expected) with { Table = Own.Table.AsSpan(0, length) });
            ThreadTests.AssertSameBits(expected, actual);
        }
    }

    /// <summary>Nothing outside of a span is read, whatever the index is.</summary>
    [Theory, InlineData(1), InlineData(6), InlineData(40)]
    public void Spans_between_protected_pages(int queries)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        using GuardedMemory table = new(1 << 12), segment = new(1 << 12);
        foreach (var declaration in new[] { s_padded, s_guarded, s_plain with { ScoreText = "score + table[key]" }, s_plain with { MaskText = "segment[query] == segment[key]" } })
            for (int keys = queries; keys < queries + 40; keys++)
            {
                _ = Catalogue.Kernels[declaration];
                var inputs = new Inputs(new Problem(declaration, queries, keys));
                float[] expected = new float[inputs.Problem.OutputLength], actual = new float[expected.Length];
                float[] numbers = Own.Table[..keys];
                int[] segments = [.. Own.Segment[..keys].Select((x, i) => i % 11 == 3 ? x * 100_000_000 - 800_000_000 : x)];
                Catalogue.Kernels[declaration].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, expected) with { Table = numbers, Segment = segments });
                foreach (bool atEnd in new[] { true, false })
                {
                    Catalogue.Kernels[declaration].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, actual) with
                    {
                        Table = table.Copy<float>(numbers, atEnd), Segment = segment.Copy<int>(segments, atEnd),
                    });
                    ThreadTests.AssertSameBits(expected, actual);
                }
            }
    }

    private static readonly Declaration s_spans = s_plain with
    {
        ScoreText = "score + table[key] + segment[query] + (key < 3 ? table[head] : 0f)", Roles = s_plain.Roles | Roles.QueryStart | Roles.Scratch,
    };

    [Fact]
    public void Spans_of_wrong_lengths_and_places_are_told()
    {
        var inputs = new Inputs(new Problem(s_spans, 5, 9) { QueryStarts = [10] });
        float[] output = new float[inputs.Problem.OutputLength], shared = new float[10_000];
        Throws("table has 8 elements, one for each of the 9 keys is needed. (Parameter 'table')", good => good with { Table = new float[8] });
        Throws("segment has 14 elements, one for each of the 15 positions of queries, from 0 on is needed. (Parameter 'segment')", good => good with { Segment = new int[14] });
        Throws("output overlaps table. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", good => good with { Table = output.AsSpan(0, 9) });
        Throws("logSumExp overlaps table. The output is written while the inputs are read: give it memory of its own. (Parameter 'logSumExp')", good => good with { LogSumExp = shared.AsSpan(0, 20), Table = shared.AsSpan(19, 9) });
        Throws("scratch overlaps table. It is written while the tensors are in use: give it memory of its own. (Parameter 'scratch')", good => good with { Scratch = MemoryMarshal.AsBytes(shared.AsSpan(0, 9000)), Table = shared.AsSpan(100, 9) });

        void Throws(string message, Change change)
        {
            output.AsSpan().Fill(7);
            string actual = "";
            try
            {
                Catalogue.Kernels[s_spans].Body(change(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output)));
            }
            catch (ArgumentException exception)
            {
                actual = exception.Message;
            }

            Assert.Equal(message, actual);
            Assert.DoesNotContain(output, x => x != 7);
        }
    }

    private static readonly Declaration s_eager = s_plain with { MaskText = "key < 4 & segment[key] < 9" };

    /// <summary>C# computes both sides of an operator that is no short cut.</summary>
    [Fact]
    public void A_span_that_either_side_indexes_is_checked()
    {
        _ = Catalogue.Kernels[s_eager];
        var inputs = new Inputs(new Problem(s_eager, 5, 9));
        float[] output = new float[inputs.Problem.OutputLength];
        output.AsSpan().Fill(7);
        var exception = Assert.Throws<ArgumentException>(() => Catalogue.Kernels[s_eager].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output) with { Segment = new int[8] }));
        Assert.Equal("segment has 8 elements, one for each of the 9 keys is needed. (Parameter 'segment')", exception.Message);
        Assert.DoesNotContain(output, x => x != 7);
    }

    private delegate KernelArguments Change(KernelArguments arguments);
}
