using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Neither the number of threads, nor other documents, nor the rest of the batch shows in the result of a layer.</summary>
public class LayerRowTests
{
    private static readonly Declaration s_attention = new(4, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Isas = LayerTests.Isas };

    private static readonly LayerDeclaration s_plain = new(s_attention, 256) { HasResidual = true }, s_integers = s_plain with { Weights = Storage.SByte }, s_crossed = s_plain with { ContextDim = 130, Weights = Storage.BFloat16 },
        s_documents = s_plain with { Attention = s_attention with { Roles = Roles.MaxThreads | Roles.DocumentStarts } }, s_batched = s_plain with { Attention = s_attention with { Batched = true } };

    private static readonly LayerKernels s_kernels = new([s_plain, s_integers, s_crossed, s_documents, s_batched]);

    public static TheoryData<string, int, int> Calls => new(
        from layer in new[] { s_plain, s_integers, s_crossed } from rows in new[] { 1, 12, 300 } select ($"{layer}", rows, layer.ContextDim > 0 ? 130 : rows));

    [Theory, MemberData(nameof(Calls))]
    public void Any_number_of_threads_gives_the_same_bits(string name, int queries, int keys)
    {
        var layer = new[] { s_plain, s_integers, s_crossed }.Single(layer => layer.ToString() == name);
        using var inputs = new LayerInputs(s_kernels, layer, new Problem(layer.Attention, queries, keys));
        float[] expected = inputs.Run();
        foreach (int threads in new[] { 2, 3, 5, 8 }) ThreadTests.AssertSameBits(expected, inputs.Run(threads));
    }

    [Theory, InlineData(1), InlineData(4)]
    public void Documents_are_calls_of_their_own(int threads)
    {
        int[] starts = [0, 1, 40, 40, 47, 200];
        using var all = new LayerInputs(s_kernels, s_documents, new Problem(s_documents.Attention, 200, 200) { DocumentStarts = starts });
        float[] expected = all.Run(threads);
        var alone = s_kernels[s_plain].Layer;
        for (int i = 0; i + 1 < starts.Length; i++)
        {
            var rows = (starts[i] * 256)..(starts[i + 1] * 256);
            float[] output = new float[rows.End.Value - rows.Start.Value];
            alone.Body(new KernelArguments { Input = all.Input.AsSpan(rows), Residual = all.Residual.AsSpan(rows), Weights = all.Weights.Weights, Output = output, MaxThreads = 1 });
            ThreadTests.AssertSameBits(expected.AsSpan(rows), output);
        }
    }

    [Theory, InlineData(1), InlineData(4)]
    public void Items_of_a_batch_are_calls_of_their_own(int threads)
    {
        const int Rows = 60, Width = 256;
        using var all = new LayerInputs(s_kernels, s_batched, new Problem(s_batched.Attention, Rows, Rows) { Batch = 3 });
        float[] expected = all.Run(threads), output = new float[Rows * Width];
        for (int b = 0; b < 3; b++)
        {
            var rows = (b * Rows * Width)..((b + 1) * Rows * Width);
            s_kernels[s_plain].Layer.Body(new KernelArguments { Input = all.Input.AsSpan(rows), Residual = all.Residual.AsSpan(rows), Weights = all.Weights.Weights, Output = output, MaxThreads = 1 });
            ThreadTests.AssertSameBits(expected.AsSpan(rows), output);
        }
    }
}
