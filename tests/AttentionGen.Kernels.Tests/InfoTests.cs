using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What the library says about kernels, and that what it says is what runs.</summary>
public class InfoTests
{
    private static readonly Declaration s_all = new(4, 80) { KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal };
    private static readonly Declaration s_plain = new(2, 64);

    internal static readonly Declaration[] Declarations =
    [
        s_all, s_all with { Isas = AttentionIsas.Portable }, s_all with { Isas = AttentionIsas.Avx2 | AttentionIsas.Portable },
        s_all with { Isas = AttentionIsas.Avx512 | AttentionIsas.Portable }, s_plain, s_plain with { Batched = true }, new(2, 16) { Scale = 0.5f },
    ];

    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void The_instruction_set_is_the_best_that_runs_here()
    {
        var best = Vector512.IsHardwareAccelerated && Avx512F.IsSupported && Avx512DQ.IsSupported ? AttentionIsas.Avx512
            : Avx2.IsSupported && Fma.IsSupported ? AttentionIsas.Avx2
            : AdvSimd.Arm64.IsSupported ? AttentionIsas.Neon
            : AttentionIsas.Portable;
        Assert.Equal(best, AttentionInfo.Isa);
    }

    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void A_process_of_the_matrix_runs_what_it_is_told_to()
    {
        Assert.SkipWhen(IsaMatrixTests.Expected is null, "This process chooses for itself.");
        string expected = IsaMatrixTests.Expected;
        Assert.Equal(expected == IsaMatrixTests.Scalar ? AttentionIsas.Portable.ToString() : expected, AttentionInfo.Isa.ToString());
        Assert.Equal(expected != IsaMatrixTests.Scalar, Vector128.IsHardwareAccelerated);
    }

    [Fact]
    public void A_kernel_is_described()
    {
        var info = AttentionInfo.Describe(Catalogue.Kernels[s_all].Method);
        Assert.Equal("forward_f32_h4kv2d80v24_causal", info.Name);
        Assert.Equal(AttentionInfo.Isa, info.Isa);
        Assert.StartsWith($"forward_f32_d80v24_causal__{info.Isa.ToString().ToLowerInvariant()}_", info.Core, StringComparison.Ordinal);
        Assert.Contains("query block 96", info.Plan, StringComparison.Ordinal);
        Assert.Equal(8 << 20, info.ScratchBytes);
    }

    [Fact]
    public void Names_say_what_was_declared()
    {
        Assert.Equal("forward_f32_h2d64", AttentionInfo.Describe(Catalogue.Kernels[s_plain].Method).Name);
        Assert.Equal("forward_f32_h2d64_batched", AttentionInfo.Describe(Catalogue.Kernels[s_plain with { Batched = true }].Method).Name);
        Assert.Equal("forward_f32_h2d16_scale0p5", AttentionInfo.Describe(Catalogue.Kernels[new Declaration(2, 16) { Scale = 0.5f }].Method).Name);
    }

    [Theory, InlineData(AttentionIsas.Portable), InlineData(AttentionIsas.Avx2 | AttentionIsas.Portable), InlineData(AttentionIsas.Avx512 | AttentionIsas.Portable)]
    public void A_kernel_runs_the_best_of_the_instruction_sets_it_has(AttentionIsas isas)
    {
        var best = isas.HasFlag(AttentionInfo.Isa) ? AttentionInfo.Isa : isas.HasFlag(AttentionIsas.Avx2) && Avx2.IsSupported ? AttentionIsas.Avx2 : AttentionIsas.Portable;
        Assert.Equal(best, AttentionInfo.Describe(Catalogue.Kernels[s_all with { Isas = isas }].Method).Isa);

        // The sets round differently, so the bits tell which of them has run.
        var inputs = new Inputs(new Problem(s_all, 40, 60));
        float[] all = inputs.Run(Catalogue.Kernels), some = inputs.Run(Catalogue.Kernels[s_all with { Isas = isas }]);
        Assert.Equal(best == AttentionInfo.Isa, all.AsSpan().SequenceEqual(some));
    }

    /// <summary>A user's source with overloads compiles where it says which one it means, and gets that one.</summary>
    [Fact]
    public void One_of_several_overloads_is_described()
    {
        const string Tensors = "ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output";
        var type = KernelGroup.CompileSource($$"""
            using System; using AttentionGen;
            public static partial class Overloaded
            {
                [Attention(2, 8, Isas = AttentionIsas.Portable)] public static partial void Attend({{Tensors}});
                [Attention(2, 16, Isas = AttentionIsas.Portable)] public static partial void Attend({{Tensors}}, int maxThreads);
                [Attention(2, 24, Isas = AttentionIsas.Portable)] public static partial void Alone({{Tensors}});
                public delegate void Plain({{Tensors}});
                public delegate void Threaded({{Tensors}}, int maxThreads);
                public static string[] Names() =>
                [
                    AttentionInfo.Describe<Plain>(Attend).Name, AttentionInfo.Describe<Threaded>(Attend).Name, AttentionInfo.Describe(Alone).Name, AttentionInfo.Describe(new Threaded(Attend)).Name,
                    AttentionInfo.Describe<Action<ReadOnlySpan<float>, ReadOnlySpan<float>, ReadOnlySpan<float>, Span<float>>>(Attend).Name, AttentionInfo.Describe((Delegate)(Plain)Attend).Name,
                ];
            }
            """).GetType("Overloaded")!;
        Assert.Equal(
            ["forward_f32_h2d8", "forward_f32_h2d16", "forward_f32_h2d24", "forward_f32_h2d16", "forward_f32_h2d8", "forward_f32_h2d8"],
            (string[])type.GetMethod("Names")!.Invoke(null, null)!);
        Assert.Throws<ArgumentNullException>(() => AttentionInfo.Describe<Action>(null!));
    }

    [Fact]
    public void What_is_no_kernel_is_not_described()
    {
        Assert.Equal("kernel", Assert.Throws<ArgumentException>(() => AttentionInfo.Describe(Names_say_what_was_declared)).ParamName);
        Assert.Equal("kernel", Assert.Throws<ArgumentException>(() => AttentionReference.Of(Names_say_what_was_declared)).ParamName);
        Assert.Throws<ArgumentNullException>(() => AttentionInfo.Describe(null!));
        Assert.Throws<ArgumentNullException>(() => AttentionReference.Of(null!));
    }

    [Fact]
    public void The_reference_of_a_kernel_is_that_of_its_declaration()
    {
        Assert.NotEmpty(Catalogue.Kernels.All);
        Assert.All(Catalogue.Kernels.All, kernel =>
        {
            if (kernel.Declaration.UsesParameters)
            {
                Assert.Contains("of the kernel, whose value is not known here", Assert.Throws<ArgumentException>(() => AttentionReference.Of(kernel.Method)).Message, StringComparison.Ordinal);
                return;
            }

            var expected = kernel.Declaration.Reference;
            var actual = AttentionReference.Of(kernel.Method);
            Assert.Equal((expected.Heads, expected.KeyValueHeads, expected.HeadDim, expected.ValueDim), (actual.Heads, actual.KeyValueHeads, actual.HeadDim, actual.ValueDim));
            Assert.Equal((expected.Mask, expected.Scale, expected.SoftCap, expected.Alibi), (actual.Mask, actual.Scale, actual.SoftCap, actual.Alibi));
            Assert.Equal(
                (expected.RelativeBuckets, expected.RelativeMaxDistance, expected.RelativeBidirectional), (actual.RelativeBuckets, actual.RelativeMaxDistance, actual.RelativeBidirectional));
            Assert.Equal((expected.Visible is null, expected.Score is null), (actual.Visible is null, actual.Score is null));
            foreach (var (query, key, head) in new[] { (3, 2, 0), (2, 40, 1), (17, 5, 2) })
            {
                Assert.Equal(expected.Visible?.Invoke(query, key, head, 0), actual.Visible?.Invoke(query, key, head, 0));
                Assert.Equal(expected.Score?.Invoke(0.75, query, key, head, 0), actual.Score?.Invoke(0.75, query, key, head, 0));
            }
        });
    }
}
