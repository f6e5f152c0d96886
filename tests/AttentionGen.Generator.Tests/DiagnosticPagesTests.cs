using System.Text.RegularExpressions;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>A rule, its row in the release file and its page say the same; the examples on the page are compiled.</summary>
public partial class DiagnosticPagesTests
{
    private static readonly string s_directory = Repository.PathOf("docs", "diagnostics");

    public static TheoryData<string> Ids => [.. Rules.All.Select(rule => rule.Id)];

    [Fact]
    public void Ids_are_given_once_and_in_order() => Assert.Equal(Rules.All.Select(rule => rule.Id).Distinct().Order(), Rules.All.Select(rule => rule.Id));

    [Fact]
    public void All_lists_every_rule()
    {
        var fields = typeof(Rules).GetFields(System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public).Select(field => field.GetValue(null)).OfType<DiagnosticDescriptor>();
        Assert.Equal(fields, Rules.All);
        Assert.Equal(Rules.All, new AttentionAnalyzer().SupportedDiagnostics);
    }

    [Fact]
    public void The_release_files_have_a_row_for_each_rule()
    {
        var rows = new[] { "AnalyzerReleases.Shipped.md", "AnalyzerReleases.Unshipped.md" }
            .SelectMany(file => File.ReadAllLines(Repository.PathOf("src", "Generator", file))).Where(line => line.StartsWith("AG", StringComparison.Ordinal)).Order();
        Assert.Equal(Rules.All.Select(rule => $"{rule.Id} | {rule.Category} | {rule.DefaultSeverity} | {rule.Title}"), rows);
    }

    [Fact]
    public void There_is_a_page_for_each_rule_and_no_other() =>
        Assert.Equal(Rules.All.Select(rule => rule.Id + ".md").Append("README.md"), Directory.GetFiles(s_directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public void The_index_lists_each_page() =>
        Assert.Equal(
            Rules.All.Select(rule => $"| [{rule.Id}]({rule.Id}.md) | {Severity(rule)} | {rule.Title} |"),
            File.ReadAllLines(Path.Combine(s_directory, "README.md")).Where(line => line.StartsWith("| [", StringComparison.Ordinal)));

    [Theory, MemberData(nameof(Ids))]
    public void A_page_begins_with_title_and_severity(string id)
    {
        var rule = Rules.All.Single(rule => rule.Id == id);
        Assert.StartsWith($"# {id}: {rule.Title}\n\nSeverity: {Severity(rule)}\n\n", Page(id), StringComparison.Ordinal);
        Assert.EndsWith($"/docs/diagnostics/{id}.md", rule.HelpLinkUri, StringComparison.Ordinal);
        Assert.Equal(["Wrong", "Right", "Why"], Heading().Matches(Page(id)).Select(match => match.Groups[1].Value));
    }

    [Theory, MemberData(nameof(Ids))]
    public async Task What_a_page_calls_wrong_gives_its_diagnostic(string id)
    {
        var examples = Examples(id, "Wrong");
        Assert.NotEmpty(examples);
        foreach (string example in examples)
        {
            var found = await Compile(example, isDebug: id == "AG0102");
            Assert.Equal([id], found.Select(d => d.Id).Where(found => found.StartsWith("AG", StringComparison.Ordinal)));
            Assert.All(found.Where(d => d.Id != id), d => Assert.Contains(d.Id, Page(id), StringComparison.Ordinal)); // the compiler's own, if the page says so
        }
    }

    [Theory, MemberData(nameof(Ids))]
    public async Task What_a_page_calls_right_compiles(string id)
    {
        var examples = Examples(id, "Right");
        if (id == "AG0102") Assert.Contains("<Optimize>true</Optimize>", Page(id), StringComparison.Ordinal); // its way out is a setting
        else Assert.NotEmpty(examples);
        foreach (string example in examples.Concat(id == "AG0102" ? Examples(id, "Wrong") : [])) Assert.Empty(await Compile(example, isDebug: false));
    }

    private static Task<System.Collections.Immutable.ImmutableArray<Diagnostic>> Compile(string example, bool isDebug) =>
        new Project("global using AttentionGen;", example) { IsDebug = isDebug, NoWarn = ["CS1591"] }.Generate().BuildAsync();

    private static List<string> Examples(string id, string heading)
    {
        string page = Page(id), section = page[(page.IndexOf($"\n## {heading}\n", StringComparison.Ordinal) + 1)..];
        int end = section.IndexOf("\n## ", StringComparison.Ordinal);
        return [.. Example().Matches(end < 0 ? section : section[..end]).Select(match => match.Groups[1].Value)];
    }

    private static string Page(string id) => File.ReadAllText(Path.Combine(s_directory, id + ".md")).ReplaceLineEndings("\n");

    private static string Severity(DiagnosticDescriptor rule) => rule.DefaultSeverity.ToString().ToLowerInvariant();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("^## (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
