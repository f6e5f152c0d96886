using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What the library says about layers.</summary>
public class LayerInfoTests
{
    private static readonly LayerDeclaration s_plain = new(new(4, 32) { Mask = AttentionMask.Causal, Isas = LayerTests.Isas }, 64),
        s_crossed = new(new(4, 48) { KeyValueHeads = 2, ValueDim = 16, Isas = LayerTests.Isas }, 80) { ContextDim = 32, OutputDim = 24, HasResidual = true, Weights = Storage.SByte };

    private static readonly LayerKernels s_kernels = new([s_plain, s_crossed]);

    [Fact]
    public void A_layer_runs_the_core_of_its_attention()
    {
        foreach (var (layer, name) in new[] { (s_plain, "layer_64to64_f32_h4d32_causal"), (s_crossed, "layer_80c32to24_f32_h4kv2d48v16") })
        {
            AttentionKernelInfo info = AttentionInfo.Describe(s_kernels[layer].Layer.Method), attention = AttentionInfo.Describe(s_kernels[layer].Attention.Method);
            Assert.StartsWith(name, info.Name, StringComparison.Ordinal);
            Assert.Equal((attention.Core, attention.Isa, attention.Plan, attention.ScratchBytes), (info.Core, info.Isa, info.Plan, info.ScratchBytes));
            Assert.Equal((0, 4 * 4 * (layer.Attention.HeadDim + layer.Attention.ValueDim)), (attention.LayerBytes(1, 0), info.LayerBytes(1, 0)));
            Assert.Equal(int.MaxValue * 4L * layer.Attention.KeyValueHeads * (layer.Attention.HeadDim + layer.Attention.ValueDim), info.LayerBytes(0, int.MaxValue));
        }
    }

    [Fact]
    public void The_reference_of_a_layer_is_that_of_its_attention()
    {
        foreach (var layer in new[] { s_plain, s_crossed })
        {
            AttentionReference expected = layer.Attention.Reference, actual = AttentionReference.Of(s_kernels[layer].Layer.Method);
            Assert.Equal((expected.Heads, expected.KeyValueHeads, expected.HeadDim, expected.ValueDim, expected.Mask, expected.Scale), (actual.Heads, actual.KeyValueHeads, actual.HeadDim, actual.ValueDim, actual.Mask, actual.Scale));
        }
    }
}
