using System.Globalization;
using System.Text;
using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Methods of the user's own: how large they may be, what they read whatever the numbers are, and that what is lifted compiles everywhere.</summary>
public class LiftingTests
{
    private const string Kernel = $"[Attention(2, 8, MaskMethod = nameof(Visible), Isas = AttentionIsas.Portable)] public static partial void Attend({Sample.Tensors});";

    /// <summary>Each helper calls the next one twice.</summary>
    [Fact]
    public Task Helpers_that_double_are_counted_and_not_lifted()
    {
        var members = new StringBuilder("static bool Visible(int query, int key) => Next0(query, key);");
        for (int i = 0; i < 15; i++) members.Append(CultureInfo.InvariantCulture, $"static bool Next{i}(int query, int key) => Next{i + 1}(query, key) || Next{i + 1}(key, query);");
        return AssertIsTooLarge($"{members} static bool Next15(int query, int key) => query < key;", " operations in 65536 method bodies after all calls are expanded in place, but the limit is 1024");
    }

    /// <summary>Each call puts its argument into the next one twice: few bodies, much text.</summary>
    [Fact]
    public Task Arguments_that_double_are_counted() => AssertIsTooLarge(
        $"static int Twice(int x) => x + x; static bool Visible(int query, int key) => {Nested("Twice", 15, "key")} < query;",
        "it has 65537 operations after all calls are expanded in place, but the limit is 1024");

    /// <summary>The value of a switch expression is compared in each arm.</summary>
    [Fact]
    public Task Values_of_switches_that_double_are_counted() => AssertIsTooLarge(
        $"static bool Visible(int query, int key) => key{string.Concat(Enumerable.Repeat(" switch { 0 => 3, 1 => 2, 2 => 1, _ => 0 }", 14))} < query;",
        "operations after all calls are expanded in place, but the limit is 1024");

    [Fact]
    public Task A_long_chain_is_counted() => AssertIsTooLarge(
        $"static bool Visible(int query, int key) => {string.Join(" || ", Enumerable.Range(0, 2500).Select(i => $"key == {i}"))};",
        "it has 9999 operations after all calls are expanded in place, but the limit is 1024");

    /// <summary>What is not lifted, as an argument that the method does not use, costs time as well.</summary>
    [Fact]
    public Task Arguments_that_are_not_used_are_counted()
    {
        var members = new StringBuilder("static int None(int x, int y) => 1; static bool Visible(int query, int key) => Next0(key) < query;");
        for (int i = 0; i < 14; i++) members.Append(CultureInfo.InvariantCulture, $"static int Next{i}(int x) => None(Next{i + 1}(x), Next{i + 1}(x + 1));");
        return AssertIsTooLarge($"{members} static int Next14(int x) => x;", "method bodies after all calls are expanded in place, but the limit is 1024");
    }

    [Theory]
    [InlineData("segment[key] > 0 & segment[query] > 0", "Query | Key")]
    [InlineData("key < 4 & segment[key] > 0", "Key")]
    [InlineData("key < 4 | segment[key] > 0", "Key")]
    [InlineData("key < 4 ^ segment[head] > 0", "Head")]
    [InlineData("key < 4 && segment[key] > 0", "None")]
    [InlineData("key < 4 || segment[key] > 0", "None")]
    [InlineData("key < 4 ? segment[key] > 0 : segment[query] > 0", "None")]
    [InlineData("segment[key] > 0 ? segment[head] > 0 : segment[query] > 0", "Key")]
    [InlineData("key < 4 && (segment[key] > 0 & segment[query] > 0)", "None")]
    [InlineData("segment[key] is > 3 and < 5", "Key")]
    [InlineData("key > 3 && segment[key] is > 3 and < 5", "None")]
    [InlineData("segment[key] switch { 0 => segment[query] > 0, _ when segment[head] > 0 => true, _ => false }", "Key")]
    [InlineData("Both(key < 4, segment[key] > 0)", "Key")]
    [InlineData("First(key < 4, segment[query])", "Query")]
    [InlineData("key < 4 && Both(true, segment[key] > 0)", "None")]
    [InlineData("Any(segment, key)", "Key")]
    [InlineData("segment[key + 1] > 0", "None")]
    public void A_span_that_C_sharp_indexes_in_any_case_is_checked(string mask, string axes)
    {
        var run = Project($$"""
            [Attention(2, 8, MaskMethod = nameof(Visible), Isas = AttentionIsas.Portable)] public static partial void Attend({{Sample.Tensors}}, ReadOnlySpan<int> segment);
            static bool Visible(int query, int key, int head, ReadOnlySpan<int> segment) => {{mask}};
            static bool Both(bool x, bool y) => x && y;
            static bool First(bool x, int y) => x;
            static bool Any(ReadOnlySpan<int> span, int index) => span[index] > 0;
            """).Generate();
        run.AssertCompiles();
        string text = run.Sources.Values.Single(source => source.Contains("call.Span(", StringComparison.Ordinal)), needed = string.Join(" | ", axes.Split(" | ").Select(axis => $"global::AttentionGen.AttentionAxes.{axis}"));
        Assert.Contains($"call.Span(0, segment, {needed});", text, StringComparison.Ordinal);
    }

    /// <summary>Also where the project checks ints: how code runs is not what a mask is, and ints wrap in kernels.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task What_can_be_lifted_compiles(bool checkOverflow)
    {
        string[] masks =
        [
            "query - key is >= 0 and < 8", "key is not (3 or > 7)", "segment[key] is 0 or int.MinValue", "(key < 4) is true", "(key < head) is false", "slope * key is < 0.5f", "slope is > 1 and not 7", "slope is float.NaN || key < 3",
            "key switch { < 4 => true, >= 4 and < 8 => key > query, _ => false }", "(key < 4) switch { true => query > 3, false => query < 3 }", "(key & 3) switch { 0 or 1 => head, _ when query > 8 => 3, _ => query } < key",
            "key >> 3 == query >> 3", "(key << 2 ^ query) < 64", "(~key & 1) == 0", "key >>> 1 < query", "(query >> 33) + (int.MaxValue << 1) < key", "key < 3 ^ query > 5", "(key < 3) == (query < 5)", "(key < 3) != (query < 5)",
            "unchecked(query * 65536 * 65536 + key) > 3", "(unchecked(key - query)) < 3", "(query - 3 & ~1) * head < key", "checked(key < query)", "checked(0.5f * key) < slope", "query - key < 3 & head + 1 < 7",
        ];
        var members = masks.Select((mask, i) => $"""
            [Attention(2, 8, MaskMethod = nameof(Visible{i}), Isas = AttentionIsas.Portable)] public static partial void Attend{i}({Sample.Tensors}, ReadOnlySpan<int> segment, float slope);
            static bool Visible{i}(int query, int key, int head, ReadOnlySpan<int> segment, float slope) => {mask};
            """);
        var project = Project(string.Join('\n', members)) with { CheckOverflow = checkOverflow };
        await project.Generate().AssertBuildsAsync();
    }

    private static async Task AssertIsTooLarge(string members, string reason)
    {
        var error = Assert.Single(await Project($"{Kernel} {members}").Generate().BuildAsync());
        Assert.Equal("AG0028", error.Id);
        Assert.Contains(reason, error.GetMessage(null), StringComparison.Ordinal);
        Assert.EndsWith(": compute less for each pair, or read values from a span that the caller fills", error.GetMessage(null), StringComparison.Ordinal);
    }

    private static string Nested(string function, int depth, string argument) => string.Concat(Enumerable.Repeat(function + "(", depth)) + argument + new string(')', depth);

    private static Project Project(string members) => new($"using AttentionGen;\npublic static partial class Llama\n{{\n{members}\n}}") { NoWarn = ["CS1591", "CS8794"] };
}
