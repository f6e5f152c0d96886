using System.Text.RegularExpressions;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>A rule, its row in the release file and its page say the same; the examples on the page are compiled.</summary>
public partial class DiagnosticPagesTests
{
    private static readonly string s_directory = Repository.PathOf("docs", "diagnostics");

    /// <summary>What is wrong by a setting of the project, and the setting that is its way out.</summary>
    private static readonly Dictionary<string, string> s_settings = new() { ["AG0060"] = "<LangVersion>12</LangVersion>", ["AG0102"] = "<Optimize>true</Optimize>" };

    /// <summary>The diagnostics of the package's build files: id, severity, help link.</summary>
    private static readonly (string Id, string Severity, string Help)[] s_ofBuild =
    [
        .. System.Xml.Linq.XDocument.Load(Repository.PathOf("src", "Runtime", "buildTransitive", "AttentionGen.targets")).Descendants()
            .Where(element => element.Name.LocalName is "Error" or "Warning")
            .Select(element => (element.Attribute("Code")!.Value, element.Name.LocalName.ToLowerInvariant(), element.Attribute("HelpLink")!.Value))
            .OrderBy(row => row.Item1, StringComparer.Ordinal),
    ];

    public static TheoryData<string> Ids => [.. Rules.All.Select(rule => rule.Id)];

    public static TheoryData<string> IdsOfBuild => [.. s_ofBuild.Select(row => row.Id)];

    [Fact]
    public void Ids_are_given_once_and_in_order() => Assert.Equal(Rules.All.Select(rule => rule.Id).Distinct().Order(), Rules.All.Select(rule => rule.Id));

    [Fact]
    public void All_lists_every_rule()
    {
        var fields = typeof(Rules).GetFields(System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public).Select(field => field.GetValue(null)).OfType<DiagnosticDescriptor>();
        Assert.Equal(fields, Rules.All);
        Assert.Equal(Rules.All, new AttentionAnalyzer().SupportedDiagnostics.Concat(new CallAnalyzer().SupportedDiagnostics).OrderBy(rule => rule.Id, StringComparer.Ordinal));
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
        Assert.Equal(Rules.All.Select(rule => rule.Id).Concat(s_ofBuild.Select(row => row.Id)).Order(StringComparer.Ordinal).Select(id => id + ".md").Append("README.md"), Directory.GetFiles(s_directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public void The_index_lists_each_page() =>
        Assert.Equal(
            Rules.All.Select(rule => $"| [{rule.Id}]({rule.Id}.md) | {Severity(rule)} | {rule.Title} |")
                .Concat(s_ofBuild.Select(row => $"| [{row.Id}]({row.Id}.md) | {row.Severity} | {Page(row.Id).Split('\n')[0][(row.Id.Length + 4)..]} |")).Order(StringComparer.Ordinal),
            File.ReadAllLines(Path.Combine(s_directory, "README.md")).Where(line => line.StartsWith("| [", StringComparison.Ordinal)));

    [Theory, MemberData(nameof(Ids))]
    public void A_page_begins_with_title_and_severity(string id)
    {
        var rule = Rules.All.Single(rule => rule.Id == id);
        Assert.StartsWith($"# {id}: {rule.Title}\n\nSeverity: {Severity(rule)}\n\n", Page(id), StringComparison.Ordinal);
        Assert.EndsWith($"/docs/diagnostics/{id}.md", rule.HelpLinkUri, StringComparison.Ordinal);
        Assert.Equal(["Wrong", "Right", "Why"], Heading().Matches(Page(id)).Select(match => match.Groups[1].Value));
    }

    [Theory, MemberData(nameof(IdsOfBuild))]
    public void A_diagnostic_of_the_build_files_has_a_page_of_the_same_form(string id)
    {
        var (_, severity, help) = s_ofBuild.Single(row => row.Id == id);
        Assert.Matches($"^# {id}: [^\n]+\n\nSeverity: {severity}\n\n", Page(id));
        Assert.Equal($"$(AttentionGenHelp){id}.md", help);
        Assert.Equal(["Wrong", "Right", "Why"], Heading().Matches(Page(id)).Select(match => match.Groups[1].Value));
        Assert.DoesNotContain(Rules.All, rule => rule.Id == id);
    }

    [Theory, MemberData(nameof(Ids))]
    public async Task What_a_page_calls_wrong_gives_its_diagnostic(string id)
    {
        var examples = Examples(id, "Wrong");
        Assert.NotEmpty(examples);
        foreach (string example in examples)
        {
            var found = await Compile(example, id);
            Assert.Equal([id], found.Select(d => d.Id).Where(found => found.StartsWith("AG", StringComparison.Ordinal)));
            Assert.All(found.Where(d => d.Id != id), d => Assert.Contains(d.Id, Page(id), StringComparison.Ordinal)); // the compiler's own, if the page says so
        }
    }

    [Theory, MemberData(nameof(Ids))]
    public async Task What_a_page_calls_right_compiles(string id)
    {
        var examples = Examples(id, "Right");
        if (s_settings.TryGetValue(id, out string? setting)) Assert.Contains(setting, Page(id), StringComparison.Ordinal);
        else Assert.NotEmpty(examples);
        foreach (string example in examples.Concat(setting is null ? [] : Examples(id, "Wrong"))) Assert.Empty(await Compile(example));
    }

    /// <summary>Compiles an example, with the setting that is wrong where the rule is one about settings.</summary>
    private static Task<System.Collections.Immutable.ImmutableArray<Diagnostic>> Compile(string example, string wrong = "") => new Project("global using AttentionGen;", example)
    {
        IsDebug = wrong == "AG0102",
        Language = wrong == "AG0060" ? LanguageVersion.CSharp11 : LanguageVersion.Preview,
        NoWarn = ["CS1591"],
    }.Generate().BuildAsync();

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
