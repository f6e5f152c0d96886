using AttentionGen.Generator.Emit.Dispatch;
using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Tests.Harness;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Files are named as every compiler and file system takes it, whatever the names of the user are, and each by itself. Cores that differ have different names.</summary>
public class FileNameTests
{
    private const string T = Sample.Tensors, Attribute = "[AttentionGen.Attention(2, 8, Isas = AttentionGen.AttentionIsas.Portable)]";

    private static string Long(int length) => string.Concat(Enumerable.Repeat("Namespace", length / 9 + 1))[..length];

    public static TheoryData<string, string> Names => new()
    {
        { $"{Long(60)}.{Long(61)}.{Long(62)}", "partial class Llama" },
        { "Demo", $"partial class {Long(200)}" },
        { "Demo", $"partial class {Long(92)}" },
        { "Demo", $"partial class {Long(70)}" },
        { "Größe.Straße", "partial class Öffnung" },
        { "注意.機構", "partial class 核" },
        { "Demo", "partial class A\u0301\u200dB" },
        { "@namespace.@class", "partial record struct @event" },
        { "Aux.Con", "partial class Nul" },
        { "Com1", "partial class Lpt9" },
        { "Com.Lpt", "partial class Kernels" },
        { "Demo", "partial class fa207af8" },
    };

    [Theory, MemberData(nameof(Names))]
    public void Names_are_valid_and_short(string space, string type)
    {
        string[] methods = ["Attend", Long(120), "Ängström", "InError"], parameters = [T, $"{T}, int maxThreads", $"{T}, int maxThreads, Span<byte> scratch, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> sinks"];
        var kernels = methods.SelectMany(method => parameters.Select(list => $"{Attribute} static partial void {method}({list});").Append($"[AttentionGen.Attention(2, 0)] static partial void {method}({T}, Span<byte> scratch);"));
        var run = new Project($"namespace {space}; {type} {{ {string.Join(' ', kernels)} }}") { NoWarn = ["CS8981"] }.Generate();
        run.AssertCompiles();
        var inError = run.Sources.Keys.Where(name => name.EndsWith(".InError.g.cs", StringComparison.Ordinal)).ToList();
        Assert.Equal(methods.Length, inError.Count);
        Assert.Equal(methods.Length * parameters.Length, run.Sources.Keys.Count(name => !name.StartsWith("forward", StringComparison.Ordinal)) - inError.Count);
        Assert.All(run.Sources.Keys, AssertIsName);
    }

    [Fact]
    public void Names_that_need_no_change_are_plain()
    {
        var run = new Project($"namespace Com.Lpt.Console; partial class Kernels {{ {Attribute} static partial void Attend({T}); {Attribute} static partial void Attend({T}, int maxThreads); }}").Generate();
        Assert.Equal(["Com.Lpt.Console.Kernels.Attend-maxThreads.g.cs", "Com.Lpt.Console.Kernels.Attend.g.cs"], run.Sources.Keys.Where(name => name.StartsWith("Com", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_core_that_has_everything_has_a_short_file()
    {
        const string All = $"{T}, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> sinks, ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales, ReadOnlySpan<float> queryNormWeight, "
            + "ReadOnlySpan<float> keyNormWeight, Span<float> logSumExp, Span<float> scores, Span<float> maxScore, Span<float> entropy, Span<int> argmax";
        const string Methods = "static bool Visible(int query, int key) => key % 3 != query % 5 || key < 2; static float Score(float score, int query, int key) => score * key;";
        string Kernel(string cap) => $"[AttentionGen.Attention(2, 511, ValueDim = 509, MaskMethod = nameof(Visible), ScoreMethod = nameof(Score), SoftCap = {cap}, Alibi = true, RelativeBuckets = 32, Dilation = 3, QueryKeyNorm = AttentionGen.AttentionNorm.Rms, NormEpsilon = 1.2345678e-7f)]";
        var run = new Project($"static partial class Llama {{ {Kernel("1.2345678e-7f")} static partial void One({All}); {Kernel("1.2345688e-7f")} static partial void Two({All}); {Methods} }}").Generate();
        run.AssertCompiles();
        Assert.Equal(10, run.Sources.Count);
        Assert.All(run.Sources.Keys, AssertIsName);
    }

    /// <summary>What tells overloads apart stands in their names, so that none depends on another.</summary>
    [Theory]
    [InlineData(T, $"{Sample.TensorSpans}")]
    [InlineData($"{Sample.TensorSpans}", $"in {Sample.TensorSpans}")]
    [InlineData($"{T}, int reach", $"{T}, float reach")]
    [InlineData($"{T}, ReadOnlySpan<int> reach", $"{T}, ReadOnlySpan<float> reach")]
    [InlineData($"{T}, int reach", $"{T}, ReadOnlySpan<int> reach")]
    public void An_edit_of_an_overload_renames_no_other(string parameters, string otherParameters)
    {
        static string Type(string parameters) => parameters.Contains("<int> reach", StringComparison.Ordinal) ? "ReadOnlySpan<int>" : parameters.Contains("<float> reach", StringComparison.Ordinal) ? "ReadOnlySpan<float>" : parameters.Contains("float reach", StringComparison.Ordinal) ? "float" : "int";
        static string Kernel(string parameters, string name) => !parameters.Contains("reach", StringComparison.Ordinal)
            ? $"{Attribute} static partial void Attend({parameters});"
            : $"[AttentionGen.Attention(2, 8, Isas = AttentionGen.AttentionIsas.Portable, ScoreMethod = nameof({name}))] static partial void Attend({parameters}); "
                + $"static float {name}(float score, {Type(parameters)} reach) => score + reach{(Type(parameters).Contains('<', StringComparison.Ordinal) ? "[0]" : "")};";
        string one = Kernel(parameters, "One"), other = Kernel(otherParameters, "Other");
        string[] Names(string members)
        {
            var run = new Project($"partial class Llama {{ {members} }}").Generate();
            run.AssertCompiles();
            return [.. run.Sources.Keys.Where(name => name.StartsWith("Llama", StringComparison.Ordinal))];
        }

        string[] first = Names(one), second = Names(other);
        Assert.Equal(first.Concat(second).Order(StringComparer.Ordinal), Names(one + other).Order(StringComparer.Ordinal));
        Assert.Equal(2, first.Concat(second).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void Kernels_whose_names_differ_in_case_only_have_files_of_their_own()
    {
        string[] names = ["Attend", "attend", "ATTEND"];
        var run = new Project($"partial class Llama {{ {string.Join(' ', names.Select(name => $"{Attribute} static partial void {name}({T});"))} }}").Generate();
        run.AssertCompiles();
        Assert.Equal(3, run.Sources.Keys.Where(name => name.StartsWith("Llama.", StringComparison.Ordinal)).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    /// <summary>A kernel may be called like the file of errors that no analyzer reports.</summary>
    [Fact]
    public void A_kernel_that_is_called_like_a_file_of_the_generators_own_has_another()
    {
        var run = new Project($"partial class attentionGen {{ [global::AttentionGen.Attention(2, 8)] static partial void Errors({T}); [global::AttentionGen.Attention(2, 0)] static partial void Wrong({T}); }}")
        {
            Properties = new() { ["build_property.AttentionGenSkipsAnalyzers"] = "true" },
        }.Generate();
        Assert.Contains(FileNames.Errors, run.Sources.Keys);
        Assert.Contains(run.Sources.Keys, name => name.StartsWith("attentionGen.Errors-", StringComparison.Ordinal));
    }

    /// <summary>The name says what planning looks at, but of expressions a hash only: plans that differ are different cores, whatever their names say.</summary>
    [Fact]
    public void Cores_are_shared_by_plan_and_not_by_name()
    {
        var plans = new[] { "Ape", "Bee", "Cat" }.Select(type => PlanOf($"namespace Demo; partial class {type} {{ {Attribute} static partial void Attend({T}); }}")).ToList();
        var odd = plans[1] with { Cores = new[] { plans[1].Cores[0] with { KeyBlock = 512 } }.ToEquatableArray() };
        Assert.Equal(plans[0].Cores[0].Name, odd.Cores[0].Name);

        var layout = SourceLayout.Of([plans[2], odd, plans[0]]);
        var cores = new[] { plans[0], odd, plans[2] }.Select(plan => layout.CoresOf(plan).ToList()).ToList();
        Assert.Equal([1, 1, 0], cores.Select(of => of.Count));
        Assert.NotEqual(cores[0][0].HintName, cores[1][0].HintName);
        Assert.Equal(512, cores[1][0].Plan.KeyBlock);
        Assert.Contains($"struct {cores[1][0].Plan.Name} :", CoreEmitter.Emit(cores[1][0].Plan), StringComparison.Ordinal);
        Assert.Contains($".{cores[1][0].Plan.Name}>", KernelEmitter.Emit(layout.Place(odd).Plan), StringComparison.Ordinal);
        Assert.Contains($".{cores[0][0].Plan.Name}>", KernelEmitter.Emit(layout.Place(plans[0]).Plan), StringComparison.Ordinal);
        Assert.Contains($".{cores[0][0].Plan.Name}>", KernelEmitter.Emit(layout.Place(plans[2]).Plan), StringComparison.Ordinal);
    }

    /// <summary>Numbers that differ in their last bit, in their sign or in their exponent are different parts of names.</summary>
    [Fact]
    public void Numbers_in_names_are_told_apart()
    {
        float[] numbers = [.. new[] { 0.1f, 1f, 10f, 1e10f, 1e-10f, 1e7f, 1e-7f, 12345678f, 1e15f, 1e16f, 1.5e-45f, 3.4e38f, 0.3f, 16777216f }.SelectMany(x => new[] { x, -x, MathF.BitIncrement(x), MathF.BitDecrement(x) }), 0f, -0f];
        var names = numbers.Select(Text.Invariant.Name).ToList();
        Assert.Equal(numbers.Select(BitConverter.SingleToInt32Bits).Distinct().Count(), names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(names, name => Assert.True(name.All(char.IsAsciiLetterOrDigit), name));
    }

    /// <summary>The sign of a zero matters where it is divided by, or added to another.</summary>
    [Fact]
    public void A_score_with_another_zero_is_another_score()
    {
        static string Source(string zero) => $"static partial class Llama {{ [AttentionGen.Attention(2, 8, ScoreMethod = nameof(Score), Isas = AttentionGen.AttentionIsas.Portable)] static partial void Attend({T}); static float Score(float score, int key) => score / {zero}; }}";
        var project = new Project(Source("0f"));
        var compilation = project.Compilation();
        var first = Generation.Of(project.Driver(), compilation);
        var after = first.Again(compilation.ReplaceSyntaxTree(compilation.SyntaxTrees[0], project.Tree(Source("-0f"), "Demo0.cs")));
        Assert.Contains(after.Sources.Values, text => text.Contains("-0f", StringComparison.Ordinal));
        Assert.Equal(new Project(Source("-0f")).Generate().Sources, after.Sources);
    }

    private static KernelPlan PlanOf(string source) => Incremental.OurSteps(new Project(source).Generate()).Where(step => step.Name == AttentionGenerator.Steps.Plans)
        .SelectMany(step => step.Steps).SelectMany(step => step.Outputs).Select(item => item.Value).OfType<KernelPlan>().Single();

    private static void AssertIsName(string name)
    {
        Assert.InRange(name.Length, 1, FileNames.MaxLength);
        Assert.True(FileNames.MaxLength <= 100 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'), name);
        Assert.DoesNotContain(name.Split('.')[0].ToUpperInvariant(), new[] { "CON", "AUX", "NUL", "PRN", "COM1", "LPT9" });
        Assert.False(name.StartsWith('.') || name.Contains("..", StringComparison.Ordinal), name);
    }
}
