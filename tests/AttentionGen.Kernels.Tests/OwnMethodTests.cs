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
    ];

    private static readonly string[] s_scores =
    [
        "score - slope * Math.Abs(query - key)", "score * 0.5f + (head + 1) * 0.125f", "key > query ? float.NegativeInfinity : score", "MathF.Max(score, -1f) + MathF.Min(score, 1f)",
        "MathF.Tanh(score) * 3f", "score + MathF.Sin(0.3f * key) * MathF.Cos(query)", "MathF.Sqrt(MathF.Abs(score)) - MathF.Log(1f + MathF.Abs(query - key))",
        "MathF.Exp(-MathF.Abs(score)) + batch", "MathF.FusedMultiplyAdd(score, slope, -(float)(key % 5))", "-score",
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

    internal static readonly Declaration[] Declarations = [.. s_masked, .. s_scored, .. s_both];

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
}
