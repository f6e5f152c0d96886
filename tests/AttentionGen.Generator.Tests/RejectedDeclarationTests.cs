using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>What the compiler rejects in a declaration by itself: it says so there, and nobody else says anything, in no generated file either.</summary>
public class RejectedDeclarationTests
{
    private const string A = "[Attention(2, 8, Isas = AttentionIsas.Portable)]", T = Sample.Tensors, Q = "ReadOnlySpan<float> query, ";

    /// <summary>Members of a partial class Llama, or whole source where it begins with a bar; the ids of all that is reported, which nobody can avoid.</summary>
    public static TheoryData<string, string> Rejected => new()
    {
        { $"{A} static async partial void Attend({T});", "CS1994 CS4012" },
        { $"{A} public async partial void Attend({T});", "CS1994 CS4012" },
        { $"{A} async partial void Attend(int maxThreads);", "AG0013 CS1994" },
        { $"|public abstract partial class Llama {{ {A} public abstract partial void Attend({T}); }}", "CS0750" },
        { $"|public static partial class Llama {{ {A} public partial void Attend({T}); }}", "CS0708 CS8795" },
        { $"|public static partial class Llama {{ {A} partial void Attend({T}); }}", "CS0708" },
        { $"|public static partial class Llama {{ {A} partial void Attend({T}, int batch); }}", "AG0018 CS0708" },
        { $"{A} static partial void Attend({Q}ReadOnlySpan<float> key, ReadOnlySpan<float> key, Span<float> output);", "CS0100" },
        { $"{A} public static partial void Attend({Q}ReadOnlySpan<float> key, ReadOnlySpan<float> key, Span<float> output);", "CS0100" },
        { $"{A} static partial void Attend({T}, int maxThreads, int maxThreads);", "CS0100" },
        { $"{A} static partial void Attend({T}, int foo, int foo);", "AG0015 CS0100" },
        { $"{A} public static partial void Attend(ReadOnlySpan<float> , ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", "CS1001" },
        { $"{A} public static abstract partial void Attend({T});", "CS0112" },
        { $"{A} public static virtual partial void Attend({T});", "CS0112 CS8795" },
        { $"{A} public static override partial void Attend({T});", "CS0112 CS8795" },
        { $"{A} public static sealed partial void Attend({T});", "CS0238 CS8795" },
        { $"{A} public sealed partial void Attend({T});", "CS0238 CS8795" },
        { $"{A} public override partial void Attend({T});", "CS0115" },
        { $"{A} virtual partial void Attend({T});", "CS8798" },
        { $"{A} private virtual partial void Attend({T});", "CS0621 CS8795" },
        { $"|sealed partial class Llama {{ {A} public virtual partial void Attend({T}); }}", "CS0549 CS8795" },
        { $"|partial struct Llama {{ {A} public virtual partial void Attend({T}); }}", "CS0106 CS8795" },
        { $"|partial struct Llama {{ {A} protected partial void Attend({T}); }}", "CS0666 CS8795" },
        { $"|static partial class Llama {{ {A} protected static partial void Attend({T}); }}", "CS1057 CS8795" },
        { $"{A} public readonly partial void Attend({T});", "CS0106" },
        { $"|partial struct S {{ {A} public static readonly partial void Attend({T}); }}", "CS8657 CS8795" },
        { $"{A} public private partial void Attend({T});", "CS0107 CS8795" },
        { $"{A} public static static partial void Attend({T});", "CS1004" },
        { $"{A} public partial static void Attend({T});", "CS0267" },
        { $"{A} public static required partial void Attend({T});", "CS0106" },
        { $"{A} public static volatile partial void Attend({T});", "CS0106" },
        { $"{A} file static partial void Attend({T});", "CS0106" },
        { $"|public static partial class E {{ extension(int x) {{ {A} public static partial void Attend({T}); }} }}", "AG0019 CS0751 CS8795" },
        { $"|public static partial class E {{ extension(int x) {{ {A} partial void Attend({T}); }} }}", "AG0019 CS0751" },
        { $"|static partial class E {{ static partial class In {{ {A} public static partial void Attend(this {T}); }} }}", "CS1109 CS8795" },
        { $"{A} public static partial void Attend(this {T});", "CS1106 CS8795" },
        { $"{A} public static partial void Attend({T}, __arglist);", "CS8795" },
        { $"{A} static partial void Attend({T}, params int maxThreads);", "AG0016 CS0225" },
        { $"{A} partial void Attend({T}, out int maxThreads);", "AG0016 CS8797" },
        { $"{A} partial int Attend({T});", "AG0003 CS8796" },
        { $"struct Hidden {{ }} {A} public static partial void Attend({T}, Hidden maxThreads);", "AG0016 CS0051 CS8795" },
        { $"struct Hidden {{ }} {A} static partial void Attend({T}, Hidden maxThreads);", "AG0016" },
        { $"[Obsolete(\"x\", true)] public struct Old {{ }} {A} static partial void Attend({T}, Old maxThreads);", "AG0016 CS0619" },
        { $"[System.Diagnostics.CodeAnalysis.Experimental(\"X1\")] public struct New {{ }} {A} static partial void Attend({T}, New maxThreads);", "AG0016 X1" },
        { $"{A} static partial void Attend({T}); {A} static partial void Attend({T}) {{ }}", "AG0002 CS0579" },
        { $"{A} public static partial void Finalize(int maxThreads);", "AG0013" },
        { $"[System.Runtime.InteropServices.DllImport(\"x\")] {A} public static extern partial void Attend({T});", "AG0002" },
        { $"{A} static unsafe partial void Attend({T});", "CS0227" },
        { $"{A} static unsafe partial void Attend({T}, int* maxThreads);", "AG0016 CS0227" },
        { $"{A} public partial void Llama({T});", "CS0542" },
    };

    [Theory, MemberData(nameof(Rejected))]
    public async Task A_rejected_declaration_has_the_errors_of_its_own_only(string source, string ids)
    {
        string text = source.StartsWith('|') ? "using AttentionGen;\n" + source[1..] : $"using AttentionGen;\npublic partial class Llama\n{{\n{source}\n}}";
        var project = new Project(text) { NoWarn = ["CS1591"] };
        var found = await project.Generate().BuildAsync();
        Assert.All(found, d => Assert.Equal("Demo0.cs", d.Location.SourceTree?.FilePath));
        Assert.Equal(ids.Split(' '), found.Select(d => d.Id).Distinct().Order(StringComparer.Ordinal));
        Assert.True(found.Count(d => d.Id.StartsWith("AG", StringComparison.Ordinal)) <= (ids.Contains("AG0015", StringComparison.Ordinal) ? 2 : 1), string.Join('\n', found));

        // The same where the compiler reports ours.
        var output = (project with { Properties = new() { ["build_property.AttentionGenSkipsAnalyzers"] = "true" } }).Generate().Output;
        var without = output.GetDiagnostics(TestContext.Current.CancellationToken).Where(d => d.Severity >= DiagnosticSeverity.Warning).ToList();
        Assert.All(without.Where(d => d.Id != "CS1029"), d => Assert.Equal("Demo0.cs", d.Location.SourceTree?.FilePath));
        Assert.Equal(found.Where(d => d.Id.StartsWith("AG", StringComparison.Ordinal)).Count(), without.Count(d => d.Id == "CS1029"));
    }

    /// <summary>Attributes that a generated part could repeat, or that could be in its way.</summary>
    [Theory]
    [InlineData("System.CodeDom.Compiler.GeneratedCode(\"Mine\", \"1\")")]
    [InlineData("System.CodeDom.Compiler.GeneratedCode(\"AttentionGen\", \"1\")")]
    [InlineData("System.Runtime.CompilerServices.CompilerGenerated")]
    [InlineData("System.Runtime.CompilerServices.SkipLocalsInit", true)]
    [InlineData("System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)")]
    [InlineData("System.Diagnostics.DebuggerStepThrough")]
    [InlineData("Obsolete(\"x\", true)")]
    [InlineData("System.Diagnostics.CodeAnalysis.Experimental(\"X1\")")]
    [InlineData("AttentionGen.CompilerServices.AttentionKernel(\"a\", \"b\", AttentionIsas.Portable, \"c\", 3)")]
    public async Task A_kernel_with_an_attribute_builds(string attribute, bool allowUnsafe = false)
    {
        foreach (string declaration in new[] { $"{A} [{attribute}] public static partial void Attend({T});", $"[{attribute}] {A} static partial void Attend({T});" })
            await new Project($"using AttentionGen;\npublic partial class Llama\n{{\n{declaration}\n}}") { NoWarn = ["CS1591"], AllowUnsafe = allowUnsafe }.Generate().AssertBuildsAsync();
    }

    /// <summary>And one in error has its error alone.</summary>
    [Theory]
    [InlineData("System.CodeDom.Compiler.GeneratedCode(\"Mine\", \"1\")")]
    [InlineData("Obsolete(\"x\", true)")]
    public async Task A_declaration_in_error_with_an_attribute_has_one_error(string attribute)
    {
        var error = Assert.Single(await new Project($"using AttentionGen;\npublic partial class Llama\n{{\n[Attention(2, 0), {attribute}] public static partial void Attend({T});\n}}") { NoWarn = ["CS1591"] }.Generate().BuildAsync());
        Assert.Equal("AG0009", error.Id);
    }

    /// <summary>Defaults, and who calls, are the definition's.</summary>
    [Theory]
    [InlineData("int maxThreads = 2")]
    [InlineData("[System.Runtime.InteropServices.Optional, System.Runtime.InteropServices.DefaultParameterValue(3)] int maxThreads")]
    [InlineData("int maxThreads = 2, Span<byte> scratch = default")]
    [InlineData("[System.Runtime.CompilerServices.CallerLineNumber] int maxThreads = 2")]
    public Task A_kernel_with_a_default_builds(string parameter) =>
        (new Project($"using AttentionGen;\npublic partial class Llama\n{{\n{A} static partial void Attend({T}, {parameter});\n}}") { NoWarn = ["CS1591"] }).Generate().AssertBuildsAsync();
}
