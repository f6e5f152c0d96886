using System.Text.RegularExpressions;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Views.Tests.Harness;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>docs/views.md says what is so.</summary>
public sealed partial class DocumentTests
{
    private static readonly string s_page = File.ReadAllText(Repository.PathOf("docs", "views.md")).ReplaceLineEndings("\n");

    [Fact]
    public void It_has_the_thresholds()
    {
        var rules = new HeadRules();
        foreach (string number in new[] { $"{100 * rules.Share:0} %", $"{100 * rules.LocalShare:0} %", $"{rules.LocalDistance} tokens", $"{rules.Lift:0} times", $"{100 * rules.DiffuseEntropy:0} %", $"{rules.ConcentratedWeight:0.0}" })
            Assert.Contains(number, s_page, StringComparison.Ordinal);
    }

    [Fact]
    public void It_has_the_size_of_the_page()
    {
        using var stream = new MemoryStream();
        Pages.Maps(stream);
        Assert.Contains(FormattableString.Invariant($"6 layers x 12 heads x 64 tokens are {stream.Length / 1e6:0.0} MB"), s_page, StringComparison.Ordinal);
    }

    /// <summary>The first example declares the kernel, the others are statements.</summary>
    [Fact]
    public void Its_examples_compile()
    {
        string[] examples = [.. Example().Matches(s_page).Select(match => match.Groups[1].Value)];
        Assert.Equal(3, examples.Length);
        const string Names = "string[] tokens, float[] query, float[] key, float[] value, float[] output, float[] weights, float[] entropy, float[] maxScore, float[] logSumExp, float[] largest";
        string source = $"using System; using System.IO; using AttentionGen.Views;\n{examples[0]}\npublic static class Example {{ public static void Maps({Names}) {{\n{examples[1]}\n}} public static void Masks() {{\n{examples[2]}\n}} }}";
        source = "using AttentionGen;\n" + source.Replace("using AttentionGen;\n", "", StringComparison.Ordinal);
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create("Examples", [CSharpSyntaxTree.ParseText(source, cancellationToken: TestContext.Current.CancellationToken)], references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        CSharpGeneratorDriver.Create(new Generator.AttentionGenerator()).RunGeneratorsAndUpdateCompilation(compilation, out var generated, out _, TestContext.Current.CancellationToken);
        Assert.Empty(generated.GetDiagnostics(TestContext.Current.CancellationToken).Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).Select(diagnostic => diagnostic.ToString()));
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
