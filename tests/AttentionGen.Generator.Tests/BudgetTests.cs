using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using AttentionGen.Generator.Emit;
using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>
/// What generated code may cost: text, and the size of methods. Over about a thousand tracked locals the JIT spills, over 48 KB of IL it stops
/// optimising; both are slow code in silence, so that the bounds stand well below.
/// </summary>
public class BudgetTests
{
    private const int MaxTextOfKernel = 164 * 1024, MaxTextOfOddKernel = 194 * 1024, MaxIL = 16 * 1024, MaxMultiplyAdds = 768;

    private static readonly Isas[] s_isas = [Isas.Avx512, Isas.Avx2, Isas.Neon, Isas.Portable];

    /// <summary>Below, at, above and at multiples of vectors, quads and chains, and the largest.</summary>
    private static readonly int[] s_dims =
        [1, 2, 3, 4, 5, 8, 13, 16, 17, 31, 33, 64, 65, 80, 100, 128, 129, 160, 255, 256, 384, 511, 512];

    private static IEnumerable<CoreSpec> Specs() =>
        from visible in VisibleKeys.Forms
        from headDim in s_dims
        from valueDim in new[] { headDim, s_dims[s_dims.Length - 1 - Array.IndexOf(s_dims, headDim)] }.Distinct()
        select new CoreSpec(headDim, valueDim, visible, 0.3f);

    /// <summary>
    /// Two paths in four dialects. Heads as models have them, multiples of 16, take the least; others have strips of two widths and tails. (What
    /// text costs is the build of the project that declares kernels: 0.28 s of a processor for a kernel of 156 KB, Zen 5.)
    /// </summary>
    [Fact]
    public void Text_of_a_kernel_is_bounded() => Assert.All(Specs(), spec =>
    {
        int all = s_isas.Sum(isa => CoreEmitter.Emit(KernelPlanner.Plan(spec, isa)).Length);
        bool usual = spec.HeadDim % 16 == 0 && spec.ValueDim % 16 == 0;
        Assert.InRange(all, 1, (usual ? MaxTextOfKernel : MaxTextOfOddKernel) - 3 * 1024); // the rest is for the user's method itself
    });

    /// <summary>The way of packed keys alone, as it was limited before there was one for few rows.</summary>
    [Fact]
    public void Text_of_the_packed_path_is_at_most_112_KB() => Assert.All(Specs(), spec =>
    {
        int packed = s_isas.Select(isa => KernelPlanner.Plan(spec, isa)).Sum(plan => CoreEmitter.Emit(plan) is var text ? text.Length - TextOfFewRows(text, plan) : 0);
        bool usual = spec.HeadDim % 16 == 0 && spec.ValueDim % 16 == 0;
        Assert.InRange(packed, 1, usual ? 112 * 1024 : 120 * 1024);
    });

    private static int TextOfFewRows(string text, CorePlan plan)
    {
        var ofFewRows = new Regex($@"^(AttendRows|RowQueries|RowScores|RowValues?|Finite|Merge|Values1x\d+(Tail)?)$");
        var methods = CSharpSyntaxTree.ParseText(text).GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>().Where(method => ofFewRows.IsMatch(method.Identifier.Text)).ToList();
        Assert.InRange(methods.Count, 6, 16);
        return methods.Sum(method => method.FullSpan.Length);
    }

    [Fact]
    public void The_users_method_is_at_most_8_KB()
    {
        const string Roles = $"{Sample.Tensors}, int batch, ReadOnlySpan<int> queryStarts, ReadOnlySpan<int> keyLengths, int maxThreads, Span<byte> scratch";
        string source = Sample.Documented("Attention(4096, 512, KeyValueHeads = 2048, ValueDim = 511, Scale = -0.12345678f, Mask = AttentionMask.Causal, Batched = true)", Roles);
        Assert.InRange(new Project(source).Generate().Sources["Demo.Llama.Attend-batch-queryStarts-keyLengths-maxThreads-scratch.g.cs"].Length, 1, 8 * 1024);
    }

    [Theory]
    [InlineData(Isas.Avx512)]
    [InlineData(Isas.Avx2)]
    [InlineData(Isas.Portable)]
    public void Methods_are_small_enough_for_the_JIT(object isa)
    {
        string[] texts = [.. Specs().Select(spec => CoreEmitter.Emit(KernelPlanner.Plan(spec, (Isas)isa)))];
        var run = new Project([.. texts]).Generate(); // without a kernel: it gives the attribute that cores have
        Assert.Equal(texts.Length, run.Output.SyntaxTrees.Take(texts.Length).Count(tree => MultiplyAdds(tree.GetRoot(TestContext.Current.CancellationToken)) is > 0 and <= MaxMultiplyAdds));
        using var image = new PEReader(run.AssertCompiles());
        Assert.All(BodySizes(image, CoreEmitter.Namespace), method => Assert.True(method.Bytes <= MaxIL, $"{method.Name} has {method.Bytes} bytes of IL."));
    }

    /// <summary>Those of the method that has most.</summary>
    private static int MultiplyAdds(SyntaxNode root) => root.DescendantNodes().OfType<MethodDeclarationSyntax>().Max(method =>
        method.DescendantNodes().OfType<InvocationExpressionSyntax>().Count(call =>
            call.Expression is IdentifierNameSyntax { Identifier.Text: "MulAdd" or "MulAddElement" }));

    private static List<(string Name, int Bytes)> BodySizes(PEReader image, string @namespace)
    {
        var reader = image.GetMetadataReader();
        var methods = from type in reader.TypeDefinitions.Select(reader.GetTypeDefinition)
                      where reader.GetString(type.Namespace) == @namespace
                      from method in type.GetMethods().Select(reader.GetMethodDefinition)
                      select ($"{reader.GetString(type.Name)}.{reader.GetString(method.Name)}", image.GetMethodBody(method.RelativeVirtualAddress).GetILBytes()!.Length);
        var list = methods.ToList();
        Assert.NotEmpty(list);
        return list;
    }
}
