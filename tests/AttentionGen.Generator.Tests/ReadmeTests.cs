using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Tests.Harness;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>What README.md, docs/reference.md and docs/benchmarks.md say is so: their examples compile, their tables are those of the code and of the results, their links lead somewhere.</summary>
public partial class ReadmeTests
{
    private const string Begin = "<!-- benchmarks: written by `benchmarks/AttentionGen.Benchmarks -- readme` -->\n", End = "<!-- end of benchmarks -->";

    private static readonly string s_readme = Read("README.md"), s_reference = Read("docs", "reference.md"), s_benchmarks = Read("docs", "benchmarks.md");

    /// <summary>All documents of the repository, as paths below its root.</summary>
    public static TheoryData<string> Documents =>
    [
        "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "THIRD-PARTY-NOTICES.md", "benchmarks/README.md",
        .. new[] { "docs", "benchmarks/results" }.SelectMany(folder => Directory.GetFiles(Repository.PathOf(folder.Split('/')), "*.md", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    [Fact]
    public void It_is_a_screen_and_a_half()
    {
        string[] lines = s_readme.TrimEnd().Split('\n');
        Assert.InRange(lines.Length, 1, 100);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 140));
    }

    [Fact]
    public async Task The_smallest_example_compiles_and_breaks_no_rule()
    {
        string example = CSharp().Match(s_readme).Groups[1].Value;
        Assert.Contains("[Attention(", example, StringComparison.Ordinal);
        Assert.Empty(await new Project("global using System;", example) { NoWarn = ["CS1591"] }.Generate().BuildAsync());
    }

    [Fact]
    public void The_generated_code_it_shows_is_generated()
    {
        string generated = Read("tests", "AttentionGen.Generator.Tests", "Snapshots", "forward_f32_d64_causal__avx512_6x2.verified.cs");
        string[] lines = [.. CSharp().Matches(s_readme)[1].Groups[1].Value.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 1 && !line.StartsWith("// ...", StringComparison.Ordinal))];
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains(line, generated, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("dotnet run -c Release --project samples/QuickStart")]
    [InlineData("dotnet test -c Release")]
    public void Its_commands_are_those_that_CI_runs(string command)
    {
        Assert.Matches($"(?m)^{Regex.Escape(command)} ", s_readme);
        Assert.Matches($"(?m)^{Regex.Escape(command)} ", Read(".ci", "run"));
    }

    /// <summary>The short table has at most ten rows, each with our time and the ratio to the fastest peer, for both instruction sets, and the names of these peers.</summary>
    [Fact]
    public void Its_table_has_the_times_of_the_results()
    {
        var files = new[] { "amd-epyc-zen-4.avx512", "amd-epyc-zen-4.avx2" }.Select(file => Results(file).Where(result => result.Threads == 1).ToLookup(result => result.Shape)).ToList();
        var rows = Rows(s_readme);
        Assert.InRange(rows.Count, 1, 10);
        Assert.All(rows, row =>
        {
            var peers = new List<string>();
            for (int i = 0; i < files.Count; i++)
            {
                var shape = files[i][row[0].Split(':')[0]].ToList();
                var ours = shape.First(result => result.Contender == "AttentionGen");
                var best = shape.Where(result => result.Contender != "AttentionGen").MinBy(result => result.Ms)!;
                IsTime(row[1 + 2 * i], ours);
                Assert.Equal(best.Ms / ours.Ms, double.Parse(row[2 + 2 * i], CultureInfo.InvariantCulture), 0.0051);
                peers.Add(best.Contender);
            }

            Assert.Equal(string.Join(',', peers.Distinct()), row[^1].Replace(" ", "", StringComparison.Ordinal), ignoreCase: true);
        });
    }

    /// <summary>The full tables have a row for each shape, number of threads and file of results, in that order.</summary>
    [Fact]
    public void The_benchmarks_page_has_all_results()
    {
        var shapes = Directory.GetFiles(Repository.PathOf("benchmarks", "results"), "*.json").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)
            .SelectMany(file => Results(file!).GroupBy(result => result.Threads).SelectMany(threads => threads.GroupBy(result => result.Shape))).ToList();
        var rows = Rows(s_benchmarks);
        Assert.Equal(shapes.Select(shape => shape.Key), rows.Select(row => row[0].Split(':')[0]));
        Assert.All(rows.Zip(shapes), pair =>
        {
            var (row, shape) = pair;
            string[] contenders = ["AttentionGen", "AttentionGen", "OnnxRuntime", "Ggml", "TensorPrimitives"];
            for (int i = 0; i < contenders.Length; i++)
            {
                var result = shape.Where(result => result.Contender == contenders[i]).Skip(i == 1 ? 1 : 0).FirstOrDefault();
                if (result is null) Assert.Equal("-", row[i + 1]);
                else IsTime(row[i + 1].Split(',')[0], result);
            }
        });
    }

    [Fact]
    public async Task The_examples_of_the_reference_compile()
    {
        string[] examples = [.. CSharp().Matches(s_reference).Select(match => match.Groups[1].Value)];
        Assert.True(examples.Length > 3, $"{examples.Length} examples");
        var sources = examples.Select((example, i) => example.Contains("Attention(", StringComparison.Ordinal) && example.Contains(" partial void ", StringComparison.Ordinal)
            ? $"public static partial class Example{i}\n{{\n{example}\n}}"
            : $"public static class Example{i}\n{{\npublic static void Run(float[] query, float[] key, float[] value, float[] output)\n{{\n{example}\n}}\n}}");
        string[] all = ["global using AttentionGen;", CSharp().Match(s_readme).Groups[1].Value.Replace("using AttentionGen;", "", StringComparison.Ordinal), .. sources];
        Assert.Empty(await new Project(all) { NoWarn = ["CS1591"] }.Generate().BuildAsync());
    }

    [Fact]
    public void The_reference_has_each_property_of_the_attribute()
    {
        var names = Names(Section(s_reference, "## The attribute"));
        var properties = typeof(AttentionAttribute).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(property => property.Name);
        Assert.Equal(properties.Order(StringComparer.OrdinalIgnoreCase), names.Order(StringComparer.OrdinalIgnoreCase), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>A row for each role, in the order of the table of roles, with the types that it may have.</summary>
    [Fact]
    public void The_reference_has_the_table_of_operands()
    {
        const string Begin = "<!-- operands -->\n", End = "<!-- end of operands -->";
        int begin = s_reference.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, end = s_reference.IndexOf(End, StringComparison.Ordinal);
        Assert.InRange(begin, Begin.Length, end);
        static string Row(RoleRow row) =>
            $"| `{row.Name}` | {string.Join(" or ", row.UsualTypes.Select(type => $"`{RoleTable.Short(type)}`"))}{row.OtherElements} | {(row.Operand.Shape.Length == 0 ? "-" : row.Operand.Shape)} | {row.Operand.Text} |\n";
        string table = "| parameter | type | shape | meaning |\n|---|---|---|---|\n" + string.Concat(RoleTable.Rows.Select(Row));
        if (Snapshot.MayUpdate()) File.WriteAllText(Repository.PathOf("docs", "reference.md"), s_reference[..begin] + table + s_reference[end..]);
        else Assert.Equal(table, s_reference[begin..end]);
    }

    [Theory, MemberData(nameof(Documents))]
    public void Files_a_document_links_to_exist(string document)
    {
        string text = Read(document.Split('/')), folder = Path.GetDirectoryName(Repository.PathOf(document.Split('/')))!;
        Assert.All(
            Link().Matches(CSharp().Replace(text, "")).Select(match => match.Groups[1].Value).Where(link => !link.Contains("://", StringComparison.Ordinal)),
            link =>
            {
                string[] parts = link.Split('#');
                string path = parts[0].Length == 0 ? Repository.PathOf(document.Split('/')) : Path.GetFullPath(Path.Combine([folder, .. parts[0].Split('/')]));
                Assert.True(File.Exists(path) || Directory.Exists(path), link);
                if (parts.Length > 1) Assert.Contains(parts[1], Heading().Matches(File.ReadAllText(path)).Select(match => match.Groups[1].Value.Trim().ToLowerInvariant().Replace(' ', '-')));
            });
    }

    /// <summary>A term has one meaning, and a reference to a term leads to it.</summary>
    [Fact]
    public void The_glossary_has_each_term_once()
    {
        string glossary = Read("docs", "glossary.md");
        string[] terms = [.. Term().Matches(glossary).SelectMany(match => match.Groups[1].Value.Split(", "))];
        Assert.True(terms.Length > 50, $"{terms.Length} terms");
        Assert.Equal(terms.Distinct(), terms);
        Assert.All(Reference().Matches(glossary[glossary.IndexOf("\n## ", StringComparison.Ordinal)..]).Select(match => match.Groups[1].Value), term => Assert.Contains(term.TrimEnd('s'), terms.Select(name => name.TrimEnd('s'))));
    }

    private static string Read(params string[] parts) => File.ReadAllText(Repository.PathOf(parts)).ReplaceLineEndings("\n");

    private static string Section(string text, string heading)
    {
        string section = text[(text.IndexOf($"\n{heading}\n", StringComparison.Ordinal) + 1)..];
        int end = section.IndexOf("\n## ", StringComparison.Ordinal);
        return end < 0 ? section : section[..end];
    }

    /// <summary>What stands between backquotes in the first column of a table.</summary>
    private static List<string> Names(string section) =>
        [.. section.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).SelectMany(line => Split(line)[0].Split(", ")).Select(name => name.Trim('`'))];

    /// <summary>The rows with shapes between the markers of a document: cells without the bars.</summary>
    private static List<string[]> Rows(string text)
    {
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.InRange(begin, 0, end);
        return [.. text[begin..end].Split('\n').Where(line => ShapeRow().IsMatch(line)).Select(Split)];
    }

    private static string[] Split(string row) => [.. row.Trim('|', ' ').Split(" | ").Select(cell => cell.Trim('|', ' '))];

    private static void IsTime(string cell, Result result)
    {
        Assert.EndsWith(" ms", cell, StringComparison.Ordinal);
        string number = cell[..^3];
        int point = number.IndexOf('.', StringComparison.Ordinal), decimals = point < 0 ? 0 : number.Length - point - 1;
        Assert.Equal(result.Ms, double.Parse(number, CultureInfo.InvariantCulture), 0.501 * Math.Pow(10, -decimals));
    }

    private static List<Result> Results(string file)
    {
        using var json = JsonDocument.Parse(Read("benchmarks", "results", file + ".json"));
        return [.. json.RootElement.EnumerateArray().Select(result => new Result(
            result.GetProperty("shape").GetString()!, result.GetProperty("threads").GetInt32(), result.GetProperty("contender").GetString()!, result.GetProperty("medianMs").GetDouble()))];
    }

    /// <summary>What a table shows of a result in benchmarks/results; the first of ours over a shape is token-major.</summary>
    private sealed record Result(string Shape, int Threads, string Contender, double Ms);

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^- \*\*([^*]+)\*\*", RegexOptions.Multiline)]
    private static partial Regex Term();

    [GeneratedRegex(@"(?<!\*)\*([^* \n][^*\n]*)\*(?!\*)")]
    private static partial Regex Reference();

    [GeneratedRegex(@"^\| [A-Z][^:|]*: ")]
    private static partial Regex ShapeRow();
}
