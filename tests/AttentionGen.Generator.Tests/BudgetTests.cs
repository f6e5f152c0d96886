using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Steps.Loads;
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
public partial class BudgetTests
{
    private const int MaxTextOfKernel = 184 * 1024, MaxTextOfOddKernel = 204 * 1024, MaxTextOfLowerEnd = 11 * 1024, MaxTextOfScores = 40 * 1024, MaxTextOfRotary = 10 * 1024, MaxIL = 16 * 1024, MaxMultiplyAdds = 768;

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
        Assert.InRange(all, 1, (usual ? MaxTextOfKernel : MaxTextOfOddKernel) + (spec.Visible.LowerMoves ? MaxTextOfLowerEnd : 0) - 3 * 1024); // the rest is for the user's method itself
    });

    /// <summary>Rotary positions and a norm add the copy of keys, and leave out what norms do to panels and scores.</summary>
    [Fact]
    public void Text_of_a_kernel_with_rotary_positions_is_bounded() => Assert.All(
        from dim in new[] { 64, 80, 128, 512 }
        from visible in VisibleKeys.Forms
        from kind in new[] { Rotary.Halves, Rotary.Interleaved }
        let norm = new NormStep(Norm.Rms, AttentionSpec.DefaultNormEpsilon, QueryWeight: true, KeyWeight: true, KeysApart: true)
        select new CoreSpec(dim, dim, visible, 0.3f) { Loads = new(new LoadStep[] { norm, new RotaryStep(kind, 0, dim, dim) }.ToEquatableArray()) },
        spec => Assert.InRange(s_isas.Sum(isa => CoreEmitter.Emit(KernelPlanner.Plan(spec, isa)).Length), 1, MaxTextOfKernel + (spec.Visible.LowerMoves ? MaxTextOfLowerEnd : 0) + MaxTextOfRotary - 3 * 1024));

    /// <summary>The way of packed keys alone, as it was limited before there was one for few rows.</summary>
    [Fact]
    public void Text_of_the_packed_path_is_at_most_112_KB() => Assert.All(Specs(), spec =>
    {
        int packed = s_isas.Select(isa => KernelPlanner.Plan(spec, isa)).Sum(plan => CoreEmitter.Emit(plan) is var text ? text.Length - TextOfFewRows(text) : 0);
        bool usual = spec.HeadDim % 16 == 0 && spec.ValueDim % 16 == 0;
        Assert.InRange(packed, 1, (usual ? 112 : 123) * 1024 + (spec.Visible.LowerMoves ? MaxTextOfLowerEnd : 0));
    });

    private static int TextOfFewRows(string text)
    {
        var methods = Methods(text).Where(method => OfFewRows().IsMatch(method.Name)).ToList();
        Assert.InRange(methods.Count, 6, 22);
        return methods.Sum(method => method.Length);
    }

    /// <summary>The methods of a core, each with the length of its text and of what stands before it. They are told by their indentation: to parse cores takes ten times as long as to write them.</summary>
    private static IEnumerable<(string Name, int Length)> Methods(string text)
    {
        string name = "";
        int length = 0;
        bool isExpression = false;
        foreach (string line in text.Split('\n'))
        {
            length += line.Length + 1;
            if (Head().Match(line) is { Success: true } head) (name, isExpression) = (head.Groups[1].Value, line.EndsWith("=>", StringComparison.Ordinal));
            if (!(isExpression ? line.EndsWith(';') : LastOfMember().IsMatch(line))) continue;
            if (name.Length > 0) yield return (name, length);
            (name, length, isExpression) = ("", 0, false);
        }
    }

    /// <summary>That the methods of cores are told as a parser tells them: for each mask and dialect, with strips of two widths and without.</summary>
    [Fact]
    public void Methods_are_told_by_their_indentation()
    {
        foreach (var plan in from spec in Specs() where (spec.HeadDim, spec.ValueDim) is (64, 64) or (31, 129) from isa in s_isas select KernelPlanner.Plan(spec, isa))
        {
            string text = CoreEmitter.Emit(plan);
            var parsed = CSharpSyntaxTree.ParseText(text, cancellationToken: TestContext.Current.CancellationToken).GetRoot(TestContext.Current.CancellationToken).DescendantNodes().OfType<MethodDeclarationSyntax>().ToList();
            Assert.True(parsed.Count > 12);
            Assert.Equal(parsed.Select(method => (method.Identifier.Text, method.FullSpan.Length)), Methods(text));
        }
    }

    [GeneratedRegex(@"^(Decode|BlockOf|DecodeScores(\dx\d)?|DecodeWeights|DecodeValues(\dx\d)?|Together|OneRowScores|OneRowValues|AddValues\d?|Merge|Values1x\d+(Tail)?)$")]
    private static partial Regex OfFewRows();

    [GeneratedRegex(@"^    (?:public|private) static [^=;]* (\w+)\(")]
    private static partial Regex Head();

    [GeneratedRegex("^    [^ /].*[;}]$|^    [;}]$")]
    private static partial Regex LastOfMember();

    [Fact]
    public void The_users_method_is_at_most_8_KB()
    {
        const string Roles = $"{Sample.Tensors}, int batch, ReadOnlySpan<int> queryStarts, ReadOnlySpan<int> keyLengths, int maxThreads, Span<byte> scratch";
        string source = Sample.Documented("Attention(4096, 512, KeyValueHeads = 2048, ValueDim = 511, Scale = -0.12345678f, Mask = AttentionMask.Causal, Batched = true)", Roles);
        Assert.InRange(new Project(source).Generate().Sources["Demo.Llama.Attend-batch-queryStarts-keyLengths-maxThreads-scratch.g.cs"].Length, 1, 8 * 1024);
    }

    private static readonly Dictionary<int, OpCode> s_instructions =
        typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!).ToDictionary(instruction => (int)(ushort)instruction.Value);

    private static readonly (Mask Mask, int? Left, int? Right)[] s_masks =
        [(Mask.None, null, null), (Mask.Causal, null, null), (Mask.None, 5, 3), (Mask.None, 7, null)];

    /// <summary>
    /// Kernels with all ways through them: each mask, few rows only, whole rows of small and fixed lengths. Methods are as long as tiles and strips of
    /// values make them, which differ little from head to head, so that a few heads and masks stand for all.
    /// </summary>
    private static IEnumerable<AttentionSpec> Kernels()
    {
        (int HeadDim, int ValueDim)[] dims =
        [
            (64, 64), (511, 511), (512, 512), (1, 512), (512, 1), (3, 3), (13, 16), (16, 13), (31, 33),
            (33, 31), (65, 64), (80, 24), (100, 36), (128, 128), (192, 128), (255, 257), (257, 255),
        ];
        (int Queries, int Keys)[] lengths = [(16, 16), (49, 49), (1, 0), (197, 197), (17, 505), (4, 0), (512, 511), (512, 512), (300, 20)];
        var everyMask = dims.SelectMany((d, i) => s_masks.Where((_, mask) => i < 2 || mask == i % s_masks.Length).Select(mask => Kernel(d, mask)));
        var everyLength = lengths.Select((length, i) => Kernel(dims[i], s_masks[i % s_masks.Length]) with
        {
            QueryLength = length.Queries, KeyLength = length.Keys > 0 ? length.Keys : null,
        });
        return everyMask.Concat(everyLength);

        static AttentionSpec Kernel((int HeadDim, int ValueDim) dims, (Mask Mask, int? Left, int? Right) mask) =>
            new(1, dims.HeadDim, null, dims.ValueDim, mask.Mask, 0.3f, false, Isas.All) { GivenWindowLeft = mask.Left, GivenWindowRight = mask.Right };
    }

    /// <summary>NEON, too: what is counted is what the compiler makes of the text, on any machine.</summary>
    [Theory]
    [InlineData(Isas.Avx512)]
    [InlineData(Isas.Avx2)]
    [InlineData(Isas.Neon)]
    [InlineData(Isas.Portable)]
    public void Methods_are_small_enough_for_the_JIT(object isa)
    {
        var user = new MethodSpec("", default, "static partial", "void", "Attend", default, "", "", null, true, false, false, false);
        var cores = Kernels().SelectMany(attention => KernelPlanner.Plan(new KernelSpec(user, attention)).Cores)
            .Where(core => core.Isa == (Isas)isa).DistinctBy(core => core.Name).ToList();
        Assert.Equal(["decode", "fixed length", "prefill"], cores.Select(core => core.FixedLength is not null ? "fixed length" : core.Packed is null ? "decode" : "prefill").Distinct().Order());

        var run = new Project([.. cores.Select(CoreEmitter.Emit)]).Generate(); // without a kernel: it gives the attribute that cores have
        using var image = new PEReader(run.AssertCompiles());
        var methods = Methods(image, CoreEmitter.Namespace);
        Assert.True(methods.Select(method => method.Type).Distinct().Count() >= cores.Count);
        Assert.DoesNotContain(methods, method => method.Bytes > MaxIL || method.MultiplyAdds > MaxMultiplyAdds);
        Assert.All(methods.Where(method => method.Name is "Scores" or "Weights"), method => Assert.InRange(method.MultiplyAdds, 4, MaxMultiplyAdds)); // they are found
    }

    /// <summary>Products with packed weights: three types of weights, and a method for each number of rows of a tile.</summary>
    [Fact]
    public void Products_with_packed_weights_are_small_enough_for_the_JIT()
    {
        var run = Sample.Library.Generate();
        Assert.All(run.Sources.Values, text => Assert.InRange(text.Length, 1, 256 * 1024));
        using var image = new PEReader(run.AssertCompiles());
        var methods = Methods(image, "AttentionGen.CompilerServices").Where(method => method.Type.StartsWith("linear_", StringComparison.Ordinal)).ToList();
        Assert.DoesNotContain(methods, method => method.Bytes > MaxIL || method.MultiplyAdds > MaxMultiplyAdds);
        Assert.Equal(4 * 24, methods.Where(method => method.Name == "Multiply12").Max(method => method.MultiplyAdds)); // they are found
    }

    private const string Everything = $"{Sample.Tensors}, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> sinks, ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales, "
        + "ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, Span<float> logSumExp, Span<float> scores, Span<float> maxScore, Span<float> entropy, Span<int> argmax";

    private const string Own = """
        private static bool Visible(int query, int key, int head) => key <= query && (query - key < 128 || key < 4) || key % 16 == head % 16;
            private static float Score(float score, int query, int key, int head, ReadOnlySpan<float> table) => score * MathF.Log(query + 2) - MathF.Sqrt(MathF.Abs(query - key)) + table[Math.Clamp(key - query, 0, 99)] + MathF.Sin(score);
        """;

    /// <summary>All that can be done to scores and asked for beside the output: each alone, and at once.</summary>
    public static TheoryData<string, string, string> Scored => new()
    {
        { "Mask = AttentionMask.Causal, SoftCap = 50f", Sample.Tensors, "" },
        { "Mask = AttentionMask.Causal, Alibi = true", $"{Sample.Tensors}, ReadOnlySpan<float> sinks, Span<float> logSumExp", "" },
        { "Mask = AttentionMask.Causal, BiasAxes = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key", $"{Sample.Tensors}, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep", "" },
        { "WindowLeft = 100, WindowRight = 20, QueryKeyNorm = AttentionNorm.Rms", $"{Sample.Tensors}, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight", "" },
        { "Mask = AttentionMask.Causal", $"{Sample.Tensors}, Span<float> scores, Span<float> maxScore, Span<float> entropy, Span<int> argmax", "" },
        { "MaskMethod = nameof(Visible), ScoreMethod = nameof(Score)", $"{Sample.Tensors}, ReadOnlySpan<float> table", Own },
        { "MaskMethod = nameof(Visible), ScoreMethod = nameof(Score), SoftCap = 20f, Alibi = true, RelativeBuckets = 32, Dilation = 3, QueryKeyNorm = AttentionNorm.L2", $"{Everything}, ReadOnlySpan<float> table", Own },
    };

    /// <summary>At most a fifth of a kernel: norms take 13 KB in four dialects, everything at once 36.</summary>
    [Theory, MemberData(nameof(Scored))]
    public void What_is_done_to_scores_is_bounded(string attribute, string parameters, string members)
    {
        foreach (string dims in new[] { "64", "128, ValueDim = 96", "33" })
        {
            var run = new Project(Sample.Documented($"Attention(heads: 4, headDim: {dims}, {attribute})", parameters, members: members)).Generate();
            Assert.InRange(run.Sources.Values.Sum(source => source.Length), 1, (dims == "33" ? MaxTextOfOddKernel : MaxTextOfKernel) + MaxTextOfLowerEnd + MaxTextOfScores);
            using var image = new PEReader(run.AssertCompiles());
            var methods = Methods(image, CoreEmitter.Namespace);
            Assert.DoesNotContain(methods, method => method.Bytes > MaxIL || method.MultiplyAdds > MaxMultiplyAdds);
            Assert.Contains(methods, method => method.Name is "Scores" or "Weights");
        }
    }

    private static List<(string Type, string Name, int Bytes, int MultiplyAdds)> Methods(PEReader image, string @namespace)
    {
        var reader = image.GetMetadataReader();
        return
        [
            .. from type in reader.TypeDefinitions.Select(reader.GetTypeDefinition)
               where reader.GetString(type.Namespace) == @namespace
               from method in type.GetMethods().Select(reader.GetMethodDefinition)
               where method.RelativeVirtualAddress > 0 // those of interfaces have no body
               let body = image.GetMethodBody(method.RelativeVirtualAddress)
               let calls = Calls(body.GetILReader()).Count(token => Name(reader, token) is "MulAdd" or "MulAddAt")
               select (reader.GetString(type.Name), reader.GetString(method.Name), body.GetILBytes()!.Length, calls),
        ];
    }

    private static string Name(MetadataReader reader, EntityHandle method) => method.Kind switch
    {
        HandleKind.MethodDefinition => reader.GetString(reader.GetMethodDefinition((MethodDefinitionHandle)method).Name),
        HandleKind.MemberReference => reader.GetString(reader.GetMemberReference((MemberReferenceHandle)method).Name),
        _ => Name(reader, reader.GetMethodSpecification((MethodSpecificationHandle)method).Method),
    };

    /// <summary>What a body calls.</summary>
    private static List<EntityHandle> Calls(BlobReader il)
    {
        var calls = new List<EntityHandle>();
        while (il.RemainingBytes > 0)
        {
            int code = il.ReadByte();
            var instruction = s_instructions[code == 0xFE ? 0xFE00 | il.ReadByte() : code];
            if (instruction == OpCodes.Call) calls.Add((EntityHandle)MetadataTokens.Handle(il.ReadInt32()));
            else il.Offset += OperandBytes(instruction, il);
        }

        return calls;
    }

    private static int OperandBytes(OpCode instruction, BlobReader operand) => instruction.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * operand.ReadInt32()),
        _ => 4,
    };
}
