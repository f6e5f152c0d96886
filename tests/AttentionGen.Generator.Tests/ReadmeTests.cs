using System.Text.RegularExpressions;
using AttentionGen.Generator.Tests.Harness;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>What the README says is so.</summary>
public partial class ReadmeTests
{
    private static readonly string s_text = File.ReadAllText(Repository.PathOf("README.md")).ReplaceLineEndings("\n");

    [Fact]
    public async Task The_smallest_example_compiles_and_breaks_no_rule()
    {
        string example = CSharp().Match(s_text).Groups[1].Value;
        Assert.Contains("[Attention(", example, StringComparison.Ordinal);
        Assert.Empty(await new Project("global using System;", example) { NoWarn = ["CS1591"] }.Generate().BuildAsync());
    }

    [Fact]
    public void The_generated_code_it_shows_is_generated()
    {
        string generated = File.ReadAllText(Repository.PathOf("tests", "AttentionGen.Generator.Tests", "Snapshots", "forward_f32_d64_causal__avx512_6x2.verified.cs"));
        string[] lines = [.. CSharp().Matches(s_text)[1].Groups[1].Value.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 1 && !line.StartsWith("// ...", StringComparison.Ordinal))];
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains(line, generated, StringComparison.Ordinal));
    }

    [Fact]
    public void Files_it_links_to_exist() =>
        Assert.All(
            Link().Matches(s_text).Select(match => match.Groups[1].Value).Where(link => !link.Contains("://", StringComparison.Ordinal)),
            link => Assert.True(File.Exists(Repository.PathOf(link.Split('/'))), link));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial Regex Link();
}
