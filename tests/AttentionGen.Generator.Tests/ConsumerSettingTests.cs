using System.Globalization;
using AttentionGen.Generator.Emit.Dispatch;
using AttentionGen.Generator.Syntax;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Generator.Text;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>What depends on the settings of the project that declares kernels: its optimisation, its version of C#, its analyzers.</summary>
public class ConsumerSettingTests
{
    private const string T = Sample.Tensors;

    /// <summary>A mask that cannot be lifted, over several lines and with every end of line that C# knows.</summary>
    private const string ManyLines = "query >\n    System.Math.DivRem(\r\n  query,\u0085\u2028\u2029 key).Quotient";

    [Fact]
    public async Task A_debug_build_says_once_that_its_kernels_are_slow()
    {
        var project = new Project(
            $"class Nothing {{ }}",
            $"partial class Second {{ [AttentionGen.Attention(2, 0)] static partial void Wrong({T}); [AttentionGen.Attention(2, 8)] static partial void First({T}); }}",
            $"partial class Third {{ [AttentionGen.Attention(2, 8)] static partial void A({T}); [AttentionGen.Attention(2, 8)] static partial void B({T}); }}") { IsDebug = true };
        foreach (int _ in Enumerable.Range(0, 5))
        {
            var found = (await project.Generate().AnalyzeAsync()).Where(d => d.Id == "AG0102").ToList();
            var one = Assert.Single(found); // analysis is concurrent: the same one, every time
            Assert.Equal((DiagnosticSeverity.Warning, "Demo1.cs"), (one.Severity, one.Location.SourceTree!.FilePath));
            Assert.StartsWith("This build is not optimised, which makes 'First' and 2 other kernels 10 to 24 times slower: ", one.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_optimised_build_does_not_say_it() =>
        Assert.Empty(await new Project($"partial class Llama {{ {Sample.Kernel} }}").Generate().AnalyzeAsync());

    [Theory]
    [InlineData(LanguageVersion.CSharp11, "11.0", "public static partial void")]
    [InlineData(LanguageVersion.CSharp10, "10.0", "public static partial void")]
    [InlineData(LanguageVersion.CSharp9, "9.0", "public static partial void")]
    [InlineData(LanguageVersion.CSharp8, "8.0", "static partial void")]
    [InlineData(LanguageVersion.CSharp7_3, "7.3", "static partial void")]
    [InlineData(LanguageVersion.CSharp7_2, "7.2", "static partial void")]
    public async Task An_old_version_of_C_sharp_is_one_error_at_the_declaration(LanguageVersion language, string version, string modifiers)
    {
        var markup = Markup.Parse($"namespace Demo {{ partial class Llama {{ [[|AttentionGen.Attention(2, 8)|]] {modifiers} Attend({T.Replace("ReadOnly", "System.ReadOnly").Replace(" Span", " System.Span")}); }} }}");
        var project = new Project(markup.Source) { Language = language, ImplicitUsings = false, Nullable = language >= LanguageVersion.CSharp8 };
        var found = Assert.Single(await project.Generate().BuildAsync());
        Assert.Equal(("AG0060", DiagnosticSeverity.Error, markup.Place), (found.Id, found.Severity, found.Location.SourceSpan));
        Assert.Equal(
            $"The project is compiled as C# {version}, but the kernel of 'Attend' needs C# 12: remove LangVersion from the project file, or set it to 12 or higher",
            found.GetMessage(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_message_is_one_line_whatever_it_quotes()
    {
        var project = new Project($"using AttentionGen; partial class Llama {{ [Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => {ManyLines}; }}");
        string message = Assert.Single(await project.Generate().BuildAsync()).GetMessage(CultureInfo.InvariantCulture);
        Assert.Contains("System.Math.DivRem( query, key)", message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, c => char.IsControl(c) || c is '\u2028' or '\u2029');

        var found = (project with { Properties = new() { [Syntax.AnalyzerSwitch.Property] = "true" } }).Generate().Output.GetDiagnostics(TestContext.Current.CancellationToken);
        var error = Assert.Single(found, d => d.Severity == DiagnosticSeverity.Error); // a second line would be an error, too
        Assert.Equal(("CS1029", $"#error: 'Llama.Attend: AG0028: {message}'"), (error.Id, error.GetMessage(CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData("one", "one")]
    [InlineData("one\ntwo", "one two")]
    [InlineData("one \r\n\t  two\n", "one two")]
    [InlineData("\n#endif\u0085x\u2028y\u2029z\0", "#endif x y z")]
    [InlineData("a  b\n\n\n", "a  b")]
    public void Ends_of_lines_become_blanks(string text, string line) => Assert.Equal(line, OneLine.Of(text));

    [Fact]
    public void An_error_directive_is_one_line() =>
        Assert.Equal("// <auto-generated/>\n#error one two\n#error three\n", ErrorsEmitter.Emit(["one\ntwo", "three"]));

    [Fact]
    public void What_stands_in_says_which_rule_and_why()
    {
        var project = new Project($$"""
            public static partial class Llama
            {
                [AttentionGen.Attention(2, 0, KeyValueHeads = 3)] static partial void Attend({{T}});
                [AttentionGen.Attention(2, 8, MaskMethod = "say \"\\no\\\"")] static partial void Quoted({{T}});
                public static void Call() => Attend(default, default, default, default);
                public static void CallQuoted() => Quoted(default, default, default, default);
            }
            """) { NoWarn = ["CS1591"] };
        var type = System.Runtime.Loader.AssemblyLoadContext.Default.LoadFromStream(project.Generate().AssertCompiles()).GetType("Llama")!;
        string Thrown(string method) =>
            Assert.IsType<InvalidOperationException>(Assert.Throws<System.Reflection.TargetInvocationException>(() => type.GetMethod(method)!.Invoke(null, null)).InnerException).Message;
        Assert.Equal(
            "The declaration of the kernel Llama.Attend is in error: AG0009: headDim is 0, but must be from 1 to 512; "
            + "AG0010: heads is 2 and KeyValueHeads is 3, but KeyValueHeads must divide heads: use 1 or 2", Thrown("Call"));
        Assert.Contains("'say \"\\no\\\"' cannot become vector code: the type of the kernel has no such method", Thrown("CallQuoted"), StringComparison.Ordinal);
    }
}
