using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Wherever a kernel may be declared, what is generated for it compiles without a warning and none of ours.</summary>
public class ContextTests
{
    private const string Tensors = Sample.Tensors, Attribute = Sample.Attribute, Kernel = Sample.Kernel;

    /// <summary>Types that the generated code would meet if it did not name its own by their full names.</summary>
    private const string HostileTypes = """
        class Vec; class Vector128; class Vector256; class Vector512; class Unsafe; class Math; class MethodImpl; class MethodImplOptions; class KernelMemory; class Vectors128; class Vectors256; class Vectors512; class At; class Load; class Max;
        class ForwardCall; class KernelIsa; class AttentionKernel; class AttentionIsas; class IPrefillCore; class ForwardPlan; class PrefillBlock; class KeysToPack;
        class GeneratedCode; class Span; class ReadOnlySpan; class InvalidOperationException; class Int32; class Single; class Lanes; class HeadDim;
        """;

    [Theory]
    [InlineData("static partial class Llama")]
    [InlineData("public static partial class Llama")]
    [InlineData("partial class Llama")]
    [InlineData("abstract partial class Llama")]
    [InlineData("sealed partial class Llama")]
    [InlineData("unsafe partial class Llama", true)]
    [InlineData("partial struct Llama")]
    [InlineData("readonly partial struct Llama")]
    [InlineData("ref partial struct Llama")]
    [InlineData("readonly ref partial struct Llama")]
    [InlineData("partial record Llama")]
    [InlineData("partial record class Llama(int Size)")]
    [InlineData("partial record struct Llama(int Size)")]
    [InlineData("readonly partial record struct Llama")]
    [InlineData("partial class Llama() : IDisposable")]
    [InlineData("[Serializable] partial class Llama")]
    [InlineData("partial class @class")]
    [InlineData("partial class @record")]
    [InlineData("partial class @required")]
    [InlineData("partial class @scoped")]
    [InlineData("namespace Demo; partial class @var")]
    [InlineData("#pragma warning disable CS8981\npartial class llama")]
    [InlineData("partial class Größe")]
    public Task In_a_type(string type, bool allowUnsafe = false) =>
        Builds($$"""{{type}} { {{Kernel}} public {{(type.StartsWith("static", StringComparison.Ordinal) || type.Contains("public static") ? "static " : "")}}void Dispose() { } }""", allowUnsafe);

    [Theory]
    [InlineData("", "")]
    [InlineData("namespace Demo;", "")]
    [InlineData("namespace Demo.Models.Large;", "")]
    [InlineData("namespace Demo {", "}")]
    [InlineData("namespace Demo { namespace Models {", "} }")]
    [InlineData("namespace @namespace.@class;", "")]
    [InlineData("namespace @await.@record;", "")]
    [InlineData("namespace Foo.AttentionGen;", "")]
    [InlineData("namespace Foo.AttentionGen.CompilerServices;", "")]
    [InlineData("namespace Foo.System;", "")]
    [InlineData("namespace Foo.System.Runtime;", "")]
    [InlineData("namespace Foo.Microsoft.CodeAnalysis;", "")]
    [InlineData("namespace AttentionGen;", "")]
    [InlineData("namespace AttentionGen.Generated;", "")]
    [InlineData("namespace System;", "")]
    public Task In_a_namespace(string open, string close) => Builds($$"""
        {{open}}
        partial class Llama { [global::AttentionGen.Attention(heads: 2, headDim: 8)] static partial void Attend({{Tensors.Replace("ReadOnly", "global::System.ReadOnly").Replace(" Span", " global::System.Span")}}); }
        {{close}}
        """);

    [Fact]
    public Task In_types_within_types() => Builds($$"""
        namespace Demo;
        public partial class A { internal partial struct B { internal static void Other() { } private partial record C { public static partial class D { {{Kernel}} } } } }
        """);

    [Theory]
    [InlineData("static partial void")]
    [InlineData("public static partial void")]
    [InlineData("private static partial void")]
    [InlineData("internal static partial void")]
    [InlineData("protected static partial void")]
    [InlineData("protected internal static partial void")]
    [InlineData("private protected static partial void")]
    [InlineData("static internal partial void")]
    [InlineData("partial void")]
    [InlineData("public partial void")]
    [InlineData("public virtual partial void")]
    [InlineData("public new static partial void")]
    [InlineData("public override partial void")]
    [InlineData("public sealed override partial void")]
    [InlineData("public static unsafe partial void", true)]
    [InlineData("public /* a comment */ static\n  // another\n  partial void")]
    public Task With_modifiers(string modifiers, bool allowUnsafe = false)
    {
        string inherited = modifiers.Contains("override") ? "public virtual" : "public static";
        string baseType = modifiers.Contains("new") || modifiers.Contains("override") ? $"class Base {{ {inherited} void Attend({Tensors}) {{ }} }}" : "class Base;";
        return Builds($"{baseType} partial class Llama : Base {{ {Attribute} {modifiers} Attend({Tensors}); }}", allowUnsafe);
    }

    [Fact]
    public Task As_a_readonly_member_of_a_struct() => Builds($"partial struct Llama {{ {Attribute} public readonly partial void Attend({Tensors}); }}");

    [Fact]
    public Task As_the_implementation_of_an_interface() => Builds($$"""
        interface IAttend { void Attend({{Tensors}}); }
        partial class Llama : IAttend { {{Attribute}} public partial void Attend({{Tensors}}); }
        """);

    [Theory]
    [InlineData("Span<float> output, ReadOnlySpan<float> value, ReadOnlySpan<float> key, ReadOnlySpan<float> query")]
    [InlineData("ReadOnlySpan<float> Query, ReadOnlySpan<float> KEY, ReadOnlySpan<float> Value, Span<float> outPut")]
    [InlineData("scoped ReadOnlySpan<float> query, scoped ReadOnlySpan<float> key, scoped ReadOnlySpan<float> value, scoped Span<float> output")]
    [InlineData("System.ReadOnlySpan<System.Single> query, global::System.ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output")]
    [InlineData("ReadOnlySpan<float> @query, ReadOnlySpan<float> @key, ReadOnlySpan<float> @value, Span<float> @output, int @maxThreads = 4")]
    [InlineData("[Role(AttentionRole.Query)] ReadOnlySpan<float> @in, ReadOnlySpan<float> key, ReadOnlySpan<float> value, [Role(AttentionRole.Output)] Span<float> @out")]
    [InlineData("[Role(AttentionRole.Query)] ReadOnlySpan<float> call, [Role(AttentionRole.Key)] ReadOnlySpan<float> call_, ReadOnlySpan<float> value, Span<float> output")]
    [InlineData("[Role(AttentionRole.Query)] ReadOnlySpan<float> scoped, [Role(AttentionRole.Key)] ReadOnlySpan<float> var, ReadOnlySpan<float> value, Span<float> output")]
    [InlineData("[Role(AttentionRole.Query)] ReadOnlySpan<float> global, [Role(AttentionRole.Key)] ReadOnlySpan<float> nameof, ReadOnlySpan<float> value, Span<float> output")]
    [InlineData("[Role(AttentionRole.Key)] ReadOnlySpan<float> query, [Role(AttentionRole.Query)] ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output")]
    [InlineData("[Role((AttentionRole)2)] ReadOnlySpan<float> v, [Role(role: AttentionRole.Query)] ReadOnlySpan<float> q, ReadOnlySpan<float> key, Span<float> output")]
    [InlineData($"{Tensors}, ReadOnlySpan<int> keyLengths, Span<byte> scratch, int maxThreads")]
    [InlineData($"{Tensors}, [System.Diagnostics.CodeAnalysis.SuppressMessage(\"a\", \"b\")] int maxThreads = 1 + 1")]
    [InlineData("ReadOnlySpan<Number> query, Numbers key, Numbers value, Span<Number> output")]
    public Task With_parameters(string parameters) => Builds($$"""
        using Number = float; using Numbers = System.ReadOnlySpan<float>; using AttentionGen;
        partial class Llama { {{Attribute}} static partial void Attend({{parameters}}); }
        """);

    /// <summary>What methods of the user's own take is theirs: a name makes no role of it where the type is another.</summary>
    [Theory]
    [InlineData("float maxScore", "Math.Min(score, maxScore)")]
    [InlineData("int argmax", "query == argmax ? score : 0")]
    [InlineData("float bias", "score + bias")]
    [InlineData("ReadOnlySpan<int> bias", "score + bias[key]")]
    [InlineData("float entropy, ReadOnlySpan<int> scores", "score * entropy + scores[key]")]
    public Task With_parameters_of_own_methods_that_are_named_like_roles(string parameters, string score) => Builds($$"""
        using System; using AttentionGen;
        partial class Llama
        {
            [Attention(2, 8, ScoreMethod = nameof(Score))] static partial void Attend({{Tensors}}, {{parameters}});
            static float Score(float score, int query, int key, {{parameters}}) => {{score}};
        }
        """);

    [Theory]
    [InlineData("scoped Span<float> scores, Span<float> maxScore")]
    [InlineData("scoped ReadOnlySpan<float> bias, Span<byte> scratch")]
    public Task With_operands_that_are_scoped(string parameters) => Builds($"using System; using AttentionGen; partial class Llama {{ {Attribute} static partial void Attend({Tensors}, {parameters}); }}");

    [Theory]
    [InlineData("this")]
    [InlineData("this scoped")]
    public Task As_an_extension_method(string modifiers) => Builds($"static partial class Llama {{ {Attribute} public static partial void Attend({modifiers} {Tensors}); }}");

    [Theory]
    [InlineData("heads: 2, headDim: 8")]
    [InlineData("headDim: 8, heads: 2")]
    [InlineData("2, 8")]
    [InlineData("2, headDim: 8")]
    [InlineData("Count, Count * sizeof(long) / 2 + (int)0.5")]
    [InlineData("2, 8, Scale = 1")]
    [InlineData("2, 8, Scale = 'a'")]
    [InlineData("2, 8, Scale = -1e-30f, Mask = (AttentionGen.AttentionMask)1, ValueDim = Count, KeyValueHeads = 1")]
    [InlineData("2, 8, Isas = AttentionGen.AttentionIsas.Avx2 | AttentionGen.AttentionIsas.Portable, Batched = false")]
    [InlineData("2, 8, Scale = float.Epsilon")]
    [InlineData("2, 8, Scale = 2e38f")]
    public Task With_arguments(string arguments) =>
        Builds($"partial class Llama {{ const int Count = 2; [AttentionGen.Attention({arguments})] static partial void Attend({Tensors}); }}");

    [Theory]
    [InlineData("@class")]
    [InlineData("@await")]
    [InlineData("@partial")]
    [InlineData("@scoped")]
    [InlineData("call")]
    [InlineData("ForwardCall")]
    [InlineData("AttentionGen")]
    [InlineData("Größe")]
    public Task Under_a_name(string name) => Builds($"partial class Llama {{ [global::AttentionGen.Attention(2, 8)] static partial void {name}({Tensors}); }}");

    [Fact]
    public Task With_overloads() => Builds($$"""
        namespace Demo;
        partial class Llama
        {
            {{Kernel}}
            {{Attribute}} static partial void Attend({{Tensors}}, int maxThreads);
            {{Attribute}} static partial void Attend({{Tensors}}, ReadOnlySpan<int> keyLengths);
            {{Attribute}} static partial void Attend(int maxThreads, {{Tensors}});
            {{Attribute}} static partial void Attend(Span<float> output, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value);
            static void Attend() { }
        }
        """);

    [Fact]
    public Task Under_names_that_differ_only_in_case() => Builds($$"""
        namespace A { partial class Llama { {{Kernel}} {{Kernel.Replace("Attend(", "attend(")}} } partial class LLama { {{Kernel}} } }
        namespace a { partial class Llama { {{Kernel}} } }
        """);

    [Theory]
    [InlineData("")]
    [InlineData("namespace Demo;")]
    [InlineData("namespace AttentionGen.Demo;")]
    public Task Among_types_with_the_names_that_it_uses(string @namespace) => Builds($$"""
        {{@namespace}}
        {{HostileTypes}}
        namespace System2 { }
        partial class Llama
        {
            [global::AttentionGen.Attention(2, 8, Mask = global::AttentionGen.AttentionMask.Causal)] static partial void Attend({{Tensors}}, int queryStart);
            static void Create() { } static void LoadUnsafe() { } static void Sum() { } static void Max() { }
        }
        """.Replace("namespace System2 { }", ""));

    [Fact]
    public Task Among_members_with_the_names_that_it_uses() => Builds($$"""
        namespace Demo;
        partial class Llama
        {
            {{Kernel}}
            static int System => 1; static int AttentionGen2 => 2; static class ForwardCall { } static class KernelIsa { } static class Span { }
        }
        """);

    [Fact]
    public Task In_a_namespace_that_holds_namespaces_named_as_those_that_it_uses() => Builds($$"""
        namespace Demo.System { class Span; class Math; }
        namespace Demo.AttentionGen { class Attention; namespace CompilerServices { class ForwardCall; } }
        namespace Demo { partial class Llama { [global::AttentionGen.Attention(2, 8)] static partial void Attend({{Tensors}}); } }
        """);

    [Fact]
    public Task Under_global_usings_that_bring_the_same_names() => Builds($$"""
        global using static System.Math; global using static System.MathF; global using Vec = System.String; global using Unsafe = System.Object;
        global using System.Numerics; global using static System.Runtime.Intrinsics.Vector64;
        partial class Llama { {{Kernel}} }
        """);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_and_without_implicit_usings(bool implicitUsings)
    {
        string source = $"using System;\npartial class Llama {{ {Kernel} {Attribute} static partial void Bad(); }}";
        await Builds(source.Replace($"{Attribute} static partial void Bad();", ""), implicitUsings: implicitUsings);
        var bad = await (new Project(source) { ImplicitUsings = implicitUsings }).Generate().BuildAsync();
        Assert.Equal(["AG0013"], bad.Select(d => d.Id));
    }

    [Theory]
    [InlineData(LanguageVersion.CSharp12)]
    [InlineData(LanguageVersion.CSharp13)]
    [InlineData(LanguageVersion.Preview)]
    public async Task In_a_version_of_the_language(LanguageVersion language) =>
        await (new Project($"partial class Llama {{ {Kernel} }}") { Language = language }).Generate().AssertBuildsAsync();

    [Fact]
    public void In_assemblies_that_see_the_internals_of_each_other()
    {
        string Source(string name) => $$"""
            [assembly: System.Runtime.CompilerServices.InternalsVisibleTo("Second")]
            namespace {{name}}; public partial class Llama { {{Kernel}} }
            """;
        var first = Quiet(new Project(Source("First")) { Name = "First" }).Generate();
        var second = new Project(Source("Second") + "class Caller { void Call() => First.Llama.Attend(default, default, default, default); }")
        {
            Name = "Second", References = [MetadataReference.CreateFromStream(first.AssertCompiles())],
        };
        var run = Quiet(second).Generate();
        run.AssertCompiles();
        Assert.NotEmpty(run.Sources.Keys.Intersect(first.Sources.Keys));
    }

    [Fact]
    public void Undocumented_kernels_bring_no_warning_but_the_users_own()
    {
        var output = new Project($"public partial class Llama {{ {Kernel} }}").Generate().Output;
        Assert.Equal(
            ["CS1591 Demo0.cs", "CS1591 Demo0.cs"],
            output.GetDiagnostics(TestContext.Current.CancellationToken).Where(d => d.Severity >= DiagnosticSeverity.Warning).Select(d => $"{d.Id} {d.Location.SourceTree!.FilePath}"));
    }

    private static Task Builds(string source, bool allowUnsafe = false, bool implicitUsings = true) =>
        Quiet(new Project(source) { AllowUnsafe = allowUnsafe, ImplicitUsings = implicitUsings }).Generate().AssertBuildsAsync();

    /// <summary>Undocumented members are the users' own matter.</summary>
    private static Project Quiet(Project project) => project with { NoWarn = ["CS1591"] };
}
