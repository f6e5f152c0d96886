using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Generator.Text;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>
/// A few chosen outputs, photographed under the names that they have in generated code. Everything else is executed, not photographed.
/// </summary>
public class SnapshotTests
{
    private const string D64Causal = "Attention(heads: 4, headDim: 64, Mask = AttentionMask.Causal)";
    private const string AllRoles =
        $"{Sample.Tensors}, int batch, ReadOnlySpan<int> queryStarts, ReadOnlySpan<int> keyLengths, int maxThreads, Span<byte> scratch";

    private const string Scored = $"{Sample.Tensors}, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> sinks, Span<float> logSumExp";

    private const string Own = $"{Sample.Tensors}, ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales, ReadOnlySpan<int> segment, ReadOnlySpan<float> table";

    private const string Rotary = $"{Sample.Tensors}, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, RotaryTable rotary, int queryStart";

    private const string RotaryAttribute = "Attention(heads: 8, headDim: 128, KeyValueHeads = 2, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.Rms, Rotary = AttentionRotary.Halves)";

    private const string Cached = $"{Sample.Tensors}, KeyValueCache<BFloat16> cache, int layer, RotaryTable rotary";

    private const string Paged = $"{Sample.Tensors}, ReadOnlySpan<int> documentStarts, PagedKeyValueCache<BFloat16> cache, ReadOnlySpan<SequenceId> sequences, int layer, RotaryTable rotary";

    private const string PagedIntegers = $"{Sample.Tensors}, ReadOnlySpan<int> documentStarts, PagedKeyValueCache<sbyte> cache, ReadOnlySpan<SequenceId> sequences";

    private const string Layer = "ReadOnlySpan<float> input, ReadOnlySpan<float> context, AttentionWeights<BFloat16> weights, ReadOnlySpan<float> residual, Span<float> output, int maxThreads";

    private const string CachedAttribute = "Attention(heads: 8, headDim: 128, KeyValueHeads = 2, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves)";

    private const string OwnMethods = """
        private static bool Visible(int query, int key, ReadOnlySpan<int> segment) => segment[query] == segment[key];
            private static float Score(float score, int query, int key, int head, ReadOnlySpan<float> table) => score + table[key - query + 100] * table[Math.Clamp(key / 2, 0, table.Length - 1)] + table[head];
        """;

    private const string Terms = """
        private static bool Visible(int query, int key, int reach) => (key <= query && query - key <= reach) || key < 4 || key / 64 == query / 64;
        """;

    private const string TermsAttribute = "Attention(heads: 4, headDim: 64, MaskMethod = nameof(Visible))";

    private const string OwnAttribute = "Attention(heads: 4, headDim: 64, MaskMethod = nameof(Visible), ScoreMethod = nameof(Score), RelativeBuckets = 32)";

    /// <summary>Not a source, but that of the library itself.</summary>
    private const string Library = nameof(Sample.Library);

    /// <summary>What is to be seen; the source; the part of the generated file's name that tells it from the others.</summary>
    private static readonly (string Title, string Source, string File)[] s_cases =
    [
        ("Core, d64 causal, AVX-512", Sample.Documented(D64Causal), "__avx512_"),
        ("Core, d64 causal, AVX2", Sample.Documented(D64Causal), "__avx2_"),
        ("Core, d64 causal, NEON", Sample.Documented(D64Causal), "__neon_"),
        ("Core, d64 causal, portable", Sample.Documented(D64Causal), "__portable_"),
        ("Core, d64 without mask, AVX-512", Sample.Documented("Attention(heads: 4, headDim: 64)"), "__avx512_"),
        ("Core, values padded to whole vectors, AVX2", Sample.Documented("Attention(heads: 1, headDim: 20, ValueDim = 13)"), "__avx2_"),
        ("Core, decoding, AVX2", Sample.Documented("Attention(heads: 8, headDim: 128, KeyValueHeads = 2, Mask = AttentionMask.Causal, QueryLength = 1)"), "__avx2_"),
        ("Core, small and fixed, AVX-512", Sample.Documented("Attention(heads: 3, headDim: 32, QueryLength = 49, KeyLength = 49)"), "__avx512_"),
        ("Core, small and fixed, a key behind the last panel, AVX2", Sample.Documented("Attention(heads: 3, headDim: 32, QueryLength = 49, KeyLength = 49)"), "__avx2_"),
        ("Core, hard attention, AVX2", Sample.Documented("Attention(heads: 4, headDim: 64, Mask = AttentionMask.Causal, Selection = AttentionSelection.Hard)"), "__avx2_"),
        ("Core, scores changed in every way, AVX-512", Sample.Documented("Attention(heads: 4, headDim: 64, Mask = AttentionMask.Causal, SoftCap = 50f, Alibi = true)", Scored), "__avx512_"),
        ("Core, spans of the user's own, a bias of relative positions, scales, AVX2", Sample.Documented(OwnAttribute, Own, members: OwnMethods), "__avx2_"),
        ("Layer, with a context of another width", Sample.Documented("MultiHeadAttention(modelDim: 512, heads: 8, headDim: 64, KeyValueHeads = 4, ContextDim = 768, OutputDim = 256)", Layer), "Demo.Llama.Attend"),
        ("Kernel, spans of the user's own, a bias of relative positions, scales", Sample.Documented(OwnAttribute, Own, members: OwnMethods), "Demo.Llama.Attend"),
        ("Core, a mask of several terms, NEON", Sample.Documented(TermsAttribute, $"{Sample.Tensors}, int reach", members: Terms), "__neon_"),
        ("Kernel, a mask of several terms", Sample.Documented(TermsAttribute, $"{Sample.Tensors}, int reach", members: Terms), "Demo.Llama.Attend"),
        ("Core, rotary positions and norms, AVX2", Sample.Documented(RotaryAttribute, Rotary), "__avx2_"),
        ("Kernel, rotary positions and norms", Sample.Documented(RotaryAttribute, Rotary), "Demo.Llama.Attend"),
        ("Core, keys of 16 bits in a cache, rotary positions, AVX-512", Sample.Documented(CachedAttribute, Cached), "__avx512_"),
        ("Core, integers in pages of a cache, AVX2", Sample.Documented("Attention(heads: 8, headDim: 64, KeyValueHeads = 2, Mask = AttentionMask.Causal)", PagedIntegers), "__avx2_"),
        ("Kernel, a cache, rotary positions", Sample.Documented(CachedAttribute, Cached), "Demo.Llama.Attend"),
        ("Kernel, sequences of a paged cache, rotary positions", Sample.Documented(CachedAttribute, Paged), "Demo.Llama.Attend"),
        ("Kernel, heads first, strides, tensor spans, fixed lengths",
            Sample.Documented(
                "Attention(heads: 4, headDim: 64, Layout = AttentionLayout.HeadMajor, KeyStride = 192, QueryLength = 16, KeyLength = 16, Batched = true)",
                $"in {Sample.TensorSpan} query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch"),
            "Demo.Llama.Attend"),
        ("Kernel, batched, grouped, all roles",
            Sample.Documented("Attention(heads: 32, headDim: 128, KeyValueHeads = 8, Mask = AttentionMask.Causal, Batched = true)", AllRoles), "Demo.Llama.Attend"),
        ("Products with packed weights, AVX-512", Library, "linear_f32__avx512_"),
        ("Products with packed weights, the choice", Library, "LinearCores"),
        ("Stand-in for a declaration in error", Sample.Documented("Attention(heads: 4, headDim: 0)"), "Demo.Llama.Attend"),
    ];

    /// <summary>The declarations, and what tells the generated file that is shown from the others.</summary>
    internal static IEnumerable<(string Source, string File)> Declarations => s_cases.Where(it => it.Source != Library).Select(it => (it.Source, it.File));

    public static TheoryData<string> Titles => [.. s_cases.Select(it => it.Title)];

    [Theory, MemberData(nameof(Titles))]
    public void Text_is_the_verified_one(string title)
    {
        var (name, text) = Photograph(title);
        Snapshot.Match(name, text);
    }

    [Fact]
    public void Each_verified_file_belongs_to_a_test() => Snapshot.AssertNoneBut(s_cases.Select(it => Photograph(it.Title).Name));

    [Theory, MemberData(nameof(Titles))]
    public void Text_ends_lines_by_LF_and_has_no_blanks_at_their_ends(string title)
    {
        string text = Photograph(title).Text;
        Assert.DoesNotContain('\r', text);
        Assert.DoesNotContain('\t', text);
        Assert.DoesNotContain(text.Split('\n'), line => line.EndsWith(' '));
        Assert.EndsWith("}\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\n\n\n", text, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Titles))]
    public void Lines_are_short_enough_to_read(string title) =>
        Assert.DoesNotContain(ProjectOf(title).Generate().Sources.Values.SelectMany(text => text.Split('\n')), line => line.Length > LineBreaks.MaxLength);

    [Theory, MemberData(nameof(Titles))]
    public void A_second_run_writes_the_same(string title)
    {
        var project = ProjectOf(title);
        Assert.Equal(project.Generate().Sources, project.Generate().Sources);
    }

    [Theory, MemberData(nameof(Titles))]
    public void An_unrelated_edit_computes_nothing_again(string title) => Incremental.AssertUnrelatedEditsChangeNothing(ProjectOf(title));

    [Theory, MemberData(nameof(Titles))]
    public void It_compiles_without_a_warning(string title)
    {
        foreach (var (language, checkOverflow) in new[] { (LanguageVersion.CSharp12, false), (LanguageVersion.Preview, false), (LanguageVersion.Preview, true) })
            (ProjectOf(title) with { CheckOverflow = checkOverflow, Language = language }).Generate().AssertCompiles();
    }

    private static Project ProjectOf(string title) => s_cases.Single(it => it.Title == title).Source is var source && source == Library ? Sample.Library : new(source);

    private static (string Name, string Text) Photograph(string title)
    {
        string file = s_cases.Single(it => it.Title == title).File;
        var (hint, text) = ProjectOf(title).Generate().Sources.Single(source => source.Key.Contains(file, StringComparison.Ordinal));
        return (hint[..^".g.cs".Length], text);
    }
}
