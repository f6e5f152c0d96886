using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The memory of layers: none that is managed, as much native memory as the library says, a limit for it, and calls at the same time.</summary>
[Collection(nameof(Isolated))]
public sealed class LayerMemoryTests : IDisposable
{
    private static readonly LayerDeclaration s_plain = new(new(4, 32) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Isas = LayerTests.Isas }, 64) { HasResidual = true },
        s_crossed = new(new(2, 48) { ValueDim = 16, Isas = LayerTests.Isas }, 80) { ContextDim = 32, OutputDim = 16 },
        s_odd = new(new(3, 7) { ValueDim = 5, Mask = AttentionMask.Causal, Isas = LayerTests.Isas }, 9);

    private static readonly LayerKernels s_kernels = new([s_plain, s_crossed, s_odd]);

    private readonly long _before = AttentionOptions.MaxLayerBytes;

    public void Dispose() => AttentionOptions.MaxLayerBytes = _before;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(300, 1)]
    [InlineData(1, 2)]
    [InlineData(300, 2)]
    public void Nothing_is_allocated(int rows, int threads)
    {
        const int Calls = 20, Tries = 20;
        using var inputs = new LayerInputs(s_kernels, s_plain, new Problem(s_plain.Attention, rows, rows) { MaxThreads = threads });
        float[] output = new float[inputs.OutputLength];
        var kernel = inputs.Kernel;
        long least = long.MaxValue;
        for (int i = 0; i < Tries && least > 0; i++)
        {
            long before = Allocated();
            for (int n = 0; n < Calls; n++)
            {
                kernel.Body(new KernelArguments { Input = inputs.Input, Residual = inputs.Residual, Weights = inputs.Weights.Weights, Output = output, MaxThreads = threads });
                var spin = new SpinWait();
                while (ThreadPool.PendingWorkItemCount > 0) spin.SpinOnce(sleep1Threshold: -1); // a worker that comes too late keeps its job
            }

            if (i > 0) least = Math.Min(least, Allocated() - before);
        }

        Assert.Equal(0, least);
        long Allocated() => threads == 1 ? GC.GetAllocatedBytesForCurrentThread() : GC.GetTotalAllocatedBytes(precise: true);
    }

    /// <summary>Each of the four tensors begins at a cache line; what that takes is not counted.</summary>
    [Fact]
    public void The_bytes_of_a_layer_are_those_that_a_call_takes()
    {
        foreach (var (layer, queries, keys, padding) in new[] { (s_plain, 1, 1, 0), (s_plain, 130, 130, 0), (s_crossed, 10, 300, 0), (s_crossed, 20, 0, 0), (s_odd, 16, 16, 0), (s_odd, 1, 1, 4 * 60), (s_odd, 77, 77, 4 * 60) })
        {
            using var inputs = new LayerInputs(s_kernels, layer, new Problem(layer.Attention, queries, keys));
            long expected = 4L * (inputs.Problem.QueryLength + inputs.Problem.KeyLength + inputs.Problem.ValueLength + inputs.Problem.OutputLength);
            Assert.Equal(expected, AttentionInfo.Describe(inputs.Kernel.Method).LayerBytes(queries, keys));
            AttentionScratch.Trim();
            Assert.Equal(0, ScratchCache.LayerBytes);
            inputs.Kernel.Body(inputs.Arguments(new float[inputs.OutputLength]));
            Assert.InRange(ScratchCache.LayerBytes, expected, expected + padding);
            Assert.InRange(AttentionScratch.CachedBytes, expected, long.MaxValue);
            inputs.Kernel.Body(inputs.Arguments(new float[inputs.OutputLength]));
            Assert.InRange(ScratchCache.LayerBytes, expected, expected + padding);
            AttentionScratch.Trim();
            Assert.Equal((0, 0), (ScratchCache.LayerBytes, AttentionScratch.CachedBytes));
        }

        Assert.Equal(0, AttentionInfo.Describe(s_kernels[s_plain].Attention.Method).LayerBytes(1000, 1000));
    }

    [Fact]
    public void A_layer_that_needs_more_than_it_may()
    {
        foreach (var (layer, queries, keys, rows) in new[] { (s_plain, 3, 3, "3 rows of input"), (s_crossed, 5, 7, "5 rows of input and 7 of context"), (s_odd, 5, 5, "5 rows of input") })
        {
            using var inputs = new LayerInputs(s_kernels, layer, new Problem(layer.Attention, queries, keys));
            float[] expected = inputs.Run(), output = [.. Enumerable.Repeat(7f, expected.Length)];
            long needed = AttentionInfo.Describe(inputs.Kernel.Method).LayerBytes(queries, keys);
            AttentionOptions.MaxLayerBytes = needed;
            ThreadTests.AssertSameBits(expected, inputs.Run());
            foreach (long most in new[] { needed - 1, 0 })
            {
                AttentionOptions.MaxLayerBytes = most;
                var exception = Assert.Throws<InvalidOperationException>(() => inputs.Kernel.Body(inputs.Arguments(output)));
                foreach (string part in new[] { $"{needed} bytes", rows, $"MaxLayerBytes is {most}." }) Assert.Contains(part, exception.Message, StringComparison.Ordinal);
                Assert.All(output, x => Assert.Equal(7, x));
            }

            AttentionOptions.MaxLayerBytes = _before;
            ThreadTests.AssertSameBits(expected, inputs.Run());
        }

        AttentionOptions.MaxLayerBytes = 0;
        using var none = new LayerInputs(s_kernels, s_odd, new Problem(s_odd.Attention, 0, 0));
        none.Kernel.Body(none.Arguments([])); // needs no memory
        Assert.Throws<ArgumentOutOfRangeException>("value", () => AttentionOptions.MaxLayerBytes = -1);
        Assert.Equal(0, AttentionOptions.MaxLayerBytes);
    }

    [Fact]
    public void A_cache_is_as_before_where_a_layer_may_not_have_its_memory()
    {
        using var weights = CachedLayers.Weights();
        using var cache = CachedLayers.Cache<BFloat16>();
        float[] rows = CachedLayers.Rows(4), output = [.. Enumerable.Repeat(7f, rows.Length)];
        AttentionOptions.MaxLayerBytes = 1000;
        Assert.Throws<InvalidOperationException>(() => CachedLayers.Whole<BFloat16>()(rows, weights, cache, 0, 1, output));
        Assert.Equal(0, cache.LengthOf(0));
        Assert.All(output, x => Assert.Equal(7, x));
    }

    [Fact]
    public void Eight_threads_call_different_layers()
    {
        LayerDeclaration[] layers = [s_plain, s_crossed, s_odd];
        LayerInputs[] calls = [.. Enumerable.Range(0, 8).Select(i => layers[i % 3]).Select((layer, i) => new LayerInputs(s_kernels, layer, new Problem(layer.Attention, 20 + 37 * i, 20 + 37 * i), seed: i))];
        float[][] expected = [.. calls.Select(call => call.Run())];
        var failures = new List<Exception>();
        bool done = false;
        var threads = calls.Select((call, i) => new Thread(() =>
        {
            try
            {
                float[] output = new float[expected[i].Length];
                for (int n = 0; n < 25; n++)
                {
                    call.Kernel.Body(call.Arguments(output) with { MaxThreads = 1 + (i + n) % 3 });
                    ThreadTests.AssertSameBits(expected[i], output);
                }
            }
            catch (Exception e)
            {
                lock (failures) failures.Add(e);
            }
        })).ToList();
        var trimmer = new Thread(() =>
        {
            while (!Volatile.Read(ref done)) AttentionScratch.Trim();
        });
        trimmer.Start();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Volatile.Write(ref done, true);
        trimmer.Join();
        Assert.Empty(failures);
        foreach (var call in calls) call.Dispose();
        while (ThreadPool.PendingWorkItemCount > 0) Thread.Sleep(1);
        AttentionScratch.Trim();
        Assert.Equal(0, AttentionScratch.CachedBytes);
    }
}
