using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The memory of a layer, from between protected pages: it is there as long as a call uses it, and no longer than the layer.</summary>
[Collection(nameof(Isolated))]
public sealed class LinearLifeTests : IDisposable
{
    public void Dispose()
    {
        ParallelJob.UnitTaken = null;
        Faults.Injected = null;
    }

    public static MatrixTheoryData<Storage, int> Seeds => new(LinearProblem.Types, Enumerable.Range(1, 6));

    /// <summary>Weights, input, output and residual, all of them.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void Nothing_outside_of_the_memory_of_a_layer_is_touched(Storage type, int seed)
    {
        using var memory = new GuardedCacheMemory();
        var random = new Random(100 + seed);
        for (int i = 0; i < 15; i++) LinearInputs.Check(LinearProblem.Of(random, type, 1 + random.Next(30), 1 + random.Next(300), 1 + random.Next(300)));
        foreach (int columns in new[] { 1, 8, 16, 32, 256 })
            foreach (int depth in new[] { 1, 2, 3, 4, 192, 255, 256 }) LinearInputs.Check(LinearProblem.Of(random, type, 1 + random.Next(14), depth, columns));
        Assert.Equal(0, memory.Blocks);
    }

    [Fact]
    public void A_layer_that_is_disposed_refuses_calls()
    {
        using var memory = new GuardedCacheMemory();
        var layer = new AttentionLinear<float>(3, 5, new float[15], new float[5]);
        float[] output = [.. Enumerable.Repeat(7f, 5)];
        layer.Dispose();
        Assert.Equal(0, memory.Blocks);
        layer.Dispose();
        Assert.Contains("AttentionLinear", Assert.Throws<ObjectDisposedException>(() => layer.Apply(new float[3], output)).ObjectName);
        Assert.Throws<ObjectDisposedException>(() => layer.Apply([], []));
        Assert.Throws<ObjectDisposedException>(() => layer.CopyWeightsTo(new float[15]));
        Assert.Throws<ObjectDisposedException>(() => layer.CopyBiasTo(output));
        Assert.All(output, x => Assert.Equal(7, x));
        Assert.Equal((3, 5), (layer.InputDim, layer.OutputDim));
    }

    [Fact]
    public void What_is_disposed_during_a_call_is_there_until_it_ends()
    {
        using var memory = new GuardedCacheMemory();
        var inputs = new LinearInputs(new(Storage.Wide, 30, 60, 700) { MaxThreads = 2 });
        float[] expected = inputs.Run();
        using var layer = inputs.Create();
        int during = 0;
        ParallelJob.UnitTaken = unit =>
        {
            layer.Dispose();
            during = Math.Max(during, memory.Blocks);
        };
        float[] output = new float[expected.Length];
        layer.Apply(inputs.Input, output, maxThreads: 2);
        ParallelJob.UnitTaken = null;
        ThreadTests.AssertSameBits(expected, output);
        Assert.Equal((1, 0), (during, memory.Blocks));
        Assert.Throws<ObjectDisposedException>(() => layer.Apply(inputs.Input, output));
    }

    /// <summary>Each call has its result or says that the layer is disposed.</summary>
    [Fact]
    public void A_layer_that_is_disposed_while_others_call_it()
    {
        using var memory = new GuardedCacheMemory();
        var inputs = new LinearInputs(new(Storage.SByte, 9, 100, 300) { Bias = true });
        float[] expected = inputs.Run();
        for (int round = 0; round < 30; round++)
        {
            using var layer = inputs.Create();
            using var begun = new CountdownEvent(4);
            var failures = new List<Exception>();
            var threads = Enumerable.Range(0, 4).Select(i => new Thread(() =>
            {
                float[] output = new float[expected.Length];
                try
                {
                    for (int n = 0; ; n++)
                    {
                        layer.Apply(inputs.Input, output, maxThreads: 1 + i % 2);
                        ThreadTests.AssertSameBits(expected, output);
                        if (n == 0) begun.Signal();
                    }
                }
                catch (ObjectDisposedException)
                {
                }
                catch (Exception e)
                {
                    lock (failures) failures.Add(e);
                    if (!begun.IsSet) begun.Signal();
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            Assert.True(begun.Wait(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
            layer.Dispose();
            threads.ForEach(thread => thread.Join());
            Assert.Empty(failures);
            Assert.Equal(0, memory.Blocks);
        }
    }

    [Fact]
    public void What_nobody_disposed_is_freed()
    {
        using var memory = new GuardedCacheMemory();
        Forget();
        Assert.Equal(1, memory.Blocks);
        Collect();
        Assert.Equal(0, memory.Blocks);
    }

    /// <summary>Memory that fails is an exception of the constructor; what it has not got is not freed.</summary>
    [Fact]
    public void A_layer_for_which_there_is_no_memory_leaves_nothing_behind()
    {
        int allocated = 0, freed = 0;
        OwnedMemory.Injected = (bytes => allocated++ < 0 ? 0 : throw new InsufficientMemoryException(), (_, _) => freed++);
        try
        {
            for (int i = 0; i < 3; i++) TryCreate();
            Collect();
            Assert.Equal((3, 0), (allocated, freed));
        }
        finally
        {
            OwnedMemory.Injected = null;
        }

        LinearInputs.Check(new(Storage.SByte, 3, 5, 7));
    }

    /// <summary>Whatever fails for the n-th time, with and without memory kept from before: the call has its result or fails as a whole, and the next works.</summary>
    [Theory, InlineData(1, 1), InlineData(40, 1), InlineData(1, 4), InlineData(40, 4)]
    public void Memory_that_runs_out_in_a_call(int rows, int threads)
    {
        using var memory = new GuardedCacheMemory();
        var inputs = new LinearInputs(new(Storage.Wide, rows, 700, 900) { Bias = true, Residual = Residual.Separate, MaxThreads = threads });
        using var layer = inputs.Create();
        float[] expected = inputs.Run(layer);
        AttentionScratch.Trim();
        long blocks = ScratchCache.LiveBlocks;
        int failed = 0;
        foreach (bool trimmed in new[] { false, true })
        {
            bool isMet = true;
            for (int n = 0; isMet; n++)
            {
                if (trimmed) AttentionScratch.Trim();
                int faults = 0;
                Faults.Injected = _ =>
                {
                    if (Interlocked.Increment(ref faults) == n + 1) throw new InsufficientMemoryException();
                };
                try
                {
                    ThreadTests.AssertSameBits(expected, inputs.Run(layer));
                }
                catch (OutOfMemoryException)
                {
                    failed++;
                }

                Faults.Injected = null;
                isMet = faults > n;
                ThreadTests.AssertSameBits(expected, inputs.Run(layer));
                Assert.InRange(n, 0, 100);
            }
        }

        if (threads == 1) Assert.InRange(failed, 1, 100); // with more, another thread may meet the fault, and the call does without it
        while (ThreadPool.PendingWorkItemCount > 0) Thread.Sleep(1);
        Thread.Sleep(20); // workers that have been taken leave
        AttentionScratch.Trim();
        Assert.Equal(blocks, ScratchCache.LiveBlocks);
    }

    [Theory, InlineData(Storage.Wide), InlineData(Storage.BFloat16), InlineData(Storage.SByte)]
    public void A_call_allocates_nothing(Storage type)
    {
        foreach (int rows in new[] { 0, 1, 4, 40 })
            foreach (int threads in new[] { 1, 2 })
            {
                var inputs = new LinearInputs(new(type, rows, 600, 900) { Bias = true, Activation = AttentionActivation.SiluGate, Residual = Residual.Separate });
                using var layer = inputs.Create();
                float[] output = new float[rows * 900];
                Func<long> allocated = threads == 1 ? GC.GetAllocatedBytesForCurrentThread : () => GC.GetTotalAllocatedBytes(precise: true);
                long least = long.MaxValue;
                for (int i = 0; i < 20 && least > 0; i++) // something else may run now and then
                {
                    long before = allocated();
                    for (int n = 0; n < 10; n++)
                    {
                        layer.Apply(inputs.Input, output, inputs.Residual, threads);
                        var spin = new SpinWait();
                        while (ThreadPool.PendingWorkItemCount > 0) spin.SpinOnce(sleep1Threshold: -1); // a worker that comes late keeps its job
                    }

                    if (i > 0) least = Math.Min(least, allocated() - before);
                }

                Assert.Equal(0, least);
            }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget() => _ = new AttentionLinear<float>(30, 50, new float[1500]);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TryCreate() => Assert.ThrowsAny<OutOfMemoryException>(() => new AttentionLinear<sbyte>(30, 50, new float[1500]));

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
