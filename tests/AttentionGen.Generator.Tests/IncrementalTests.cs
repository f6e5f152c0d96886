using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>An edit of one kernel is work for one kernel.</summary>
public class IncrementalTests
{
    private static readonly Project s_project = new(Kernel("Middle", 16), Kernel("Zoo", 24));

    private static string Kernel(string type, int headDim, string parameters = Sample.Tensors) => Sample.Documented($"Attention(heads: 2, headDim: {headDim})", parameters, type);

    [Fact]
    public void Editing_a_kernel_rewrites_no_other()
    {
        var (compilation, first) = Run(s_project);
        var after = first.Again(Replace(compilation, 0, Kernel("Middle", 20)));
        Assert.Equal(
            ["Demo.Middle.Attend.g.cs", "forward_f32_d20__avx2", "forward_f32_d20__avx512", "forward_f32_d20__neon", "forward_f32_d20__portable"],
            Incremental.Rewritten(after).Select(WithoutTile).Order(StringComparer.Ordinal));
    }

    /// <summary>The mask stands in another file than the kernel.</summary>
    [Theory]
    [InlineData("key <= query && key % 3 != 0", true)]
    [InlineData("/* the same */ key <= query &&  (key % 2 != 0)", false)]
    public void Editing_a_mask_rewrites_its_kernel_if_it_means_something_else(string mask, bool rewrites)
    {
        static string Mask(string text) => $"namespace Demo;\nstatic partial class Llama\n{{\n    private static bool Visible(int query, int key) => {text};\n}}\n";
        string kernel = $$"""
            namespace Demo;
            static partial class Llama
            {
                [AttentionGen.Attention(2, 16, MaskMethod = nameof(Visible))] static partial void Attend({{Sample.Tensors}});
            }
            """;
        var (compilation, first) = Run(new Project(kernel, Mask("key <= query && key % 2 != 0")));
        var after = first.Again(Replace(compilation, 1, Mask(mask)));
        Assert.Equal(rewrites ? 5 : 0, Incremental.Rewritten(after).Count);
    }

    [Fact]
    public void Editing_heads_rewrites_no_core()
    {
        var (compilation, first) = Run(s_project);
        var after = first.Again(Replace(compilation, 0, Kernel("Middle", 16).Replace("heads: 2", "heads: 6")));
        Assert.Equal(["Demo.Middle.Attend.g.cs"], Incremental.Rewritten(after));
    }

    [Fact]
    public void Adding_a_kernel_that_sorts_before_others_rewrites_no_other()
    {
        var (compilation, first) = Run(s_project);
        var after = first.Again(compilation.AddSyntaxTrees(s_project.Tree(Kernel("Ape", 32), "Ape.cs")));
        Assert.Equal(5, Incremental.Rewritten(after).Count);
        Assert.All(Incremental.Rewritten(after), hint => Assert.True(hint.Contains("Ape") || hint.Contains("_d32_")));
        Assert.Equal(first.Sources, after.Sources.Where(source => first.Sources.ContainsKey(source.Key)));
    }

    [Fact]
    public void Adding_an_overload_that_sorts_before_another_rewrites_no_other()
    {
        var (compilation, first) = Run(new Project(Kernel("Llama", 16, $"{Sample.Tensors}, int maxThreads")));
        var after = first.Again(compilation.AddSyntaxTrees(s_project.Tree("""
            namespace Demo;
            partial class Llama
            {
                [AttentionGen.Attention(heads: 2, headDim: 32)] static partial void Attend(int maxThreads, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);
            }
            """, "Overload.cs")));
        Assert.DoesNotContain("Demo.Llama.Attend-maxThreads.g.cs", Incremental.Rewritten(after));
        Assert.Contains("Demo.Llama.Attend-maxThreads-query-key-value-output.g.cs", Incremental.Rewritten(after));
    }

    [Fact]
    public void A_core_that_kernels_share_is_written_once_and_outlives_either()
    {
        var (compilation, both) = Run(new Project(Kernel("Ape", 16), Kernel("Zoo", 16)));
        Assert.Equal(6, both.Sources.Count);
        for (int i = 0; i < 2; i++)
        {
            var one = both.Again(Replace(compilation, i, "// gone"));
            one.AssertCompiles();
            Assert.Equal(5, one.Sources.Count);
            Assert.Equal(both.Sources, one.Again(compilation).Sources);
        }
    }

    [Fact]
    public void Adding_a_kernel_that_takes_a_core_over_leaves_the_other_kernel_alone()
    {
        var (compilation, first) = Run(new Project(Kernel("Zoo", 16)));
        var after = first.Again(compilation.AddSyntaxTrees(s_project.Tree(Kernel("Ape", 16), "Ape.cs")));
        Assert.DoesNotContain("Demo.Zoo.Attend.g.cs", Incremental.Rewritten(after));
        Assert.Equal(first.Sources, after.Sources.Where(source => first.Sources.ContainsKey(source.Key)));
        after.AssertCompiles();
    }

    [Fact]
    public void An_error_in_one_declaration_leaves_other_kernels_alone()
    {
        var (compilation, first) = Run(s_project);
        var after = first.Again(Replace(compilation, 0, Kernel("Middle", 0)));
        Assert.EndsWith(".InError.g.cs", Assert.Single(Incremental.Rewritten(after)), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_step_is_tracked_under_its_name()
    {
        var run = new Project(Kernel("Good", 16), Kernel("Bad", 0)).Generate();
        var ofLibrary = Sample.Library.Generate();
        Assert.Equal(AttentionGenerator.Steps.All.Except([AttentionGenerator.Steps.LinearCores]), Incremental.OurSteps(run).Select(step => step.Name));
        Assert.Contains(AttentionGenerator.Steps.LinearCores, Incremental.OurSteps(ofLibrary).Select(step => step.Name));
    }

    /// <summary>Nobody else gets them: whoever copies the attribute, which is internal, gets nothing.</summary>
    [Fact]
    public void Products_with_packed_weights_are_written_into_the_library_alone()
    {
        string[] names = [.. Sample.Library.Generate().Sources.Keys.Select(hint => hint.EndsWith(".g.cs", StringComparison.Ordinal) ? hint[..^5] : hint)];
        Assert.Equal(["LinearCores", "linear_f32__avx2_6x2", "linear_f32__avx512_12x2", "linear_f32__neon_8x2", "linear_f32__portable_4x2"], names);
        Assert.Empty((Sample.Library with { Name = "Demo" }).Generate().Sources);
    }

    private static (CSharpCompilation, Generation) Run(Project project)
    {
        var compilation = project.Compilation();
        return (compilation, Generation.Of(project.Driver(), compilation));
    }

    private static CSharpCompilation Replace(CSharpCompilation compilation, int index, string text) =>
        compilation.ReplaceSyntaxTree(compilation.SyntaxTrees[index], s_project.Tree(text, $"Demo{index}.cs"));

    /// <summary>The tile that is planned is not the matter here.</summary>
    private static string WithoutTile(string hint) => hint.StartsWith("forward", StringComparison.Ordinal) ? hint[..hint.LastIndexOf('_')] : hint;
}
