using System.Collections.Concurrent;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Norms on several threads: the same bits, threads that do take part, and no allocation.</summary>
[Collection(nameof(Isolated))]
public class NormThreadTests
{
    private static readonly TimeSpan s_forever = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(768, 401)]
    [InlineData(20011, 17)]
    [InlineData(3, 100_001)]
    public void Any_number_of_threads_gives_the_same_bits(int width, int rows)
    {
        var (input, residual, weight, bias) = NormRowTests.Inputs(rows, width, mean: 1, deviation: 1);
        foreach (bool centred in new[] { true, false })
        {
            float[] expected = NormRowTests.Run(input, residual, weight, bias, centred, maxThreads: 1);
            foreach (int threads in new[] { 0, 2, 3, 8 }) ThreadTests.AssertSameBits(expected, NormRowTests.Run(input, residual, weight, bias, centred, threads));
        }
    }

    /// <summary>Each thread waits with its first unit until there are as many as there should be.</summary>
    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 0)]
    [InlineData(0, 2)]
    public void As_many_threads_take_units_as_may(int maxThreads, int expected)
    {
        int before = AttentionOptions.MaxDegreeOfParallelism;
        var (input, residual, weight, bias) = NormRowTests.Inputs(rows: 400, width: 768, mean: 0, deviation: 1);
        var threads = new ConcurrentDictionary<int, bool>();
        using var met = new CountdownEvent(Math.Max(expected, 1));
        ParallelJob.UnitTaken = _ =>
        {
            if (!threads.TryAdd(Environment.CurrentManagedThreadId, true)) return;
            if (!met.IsSet) met.Signal();
            met.Wait(s_forever, CancellationToken.None);
        };
        try
        {
            AttentionOptions.MaxDegreeOfParallelism = 2;
            _ = NormRowTests.Run(input, residual, weight, bias, centred: true, maxThreads);
            _ = NormRowTests.Run(input[..76800], [], weight, bias, centred: true, maxThreads); // too little work: no other thread is asked
        }
        finally
        {
            ParallelJob.UnitTaken = null;
            AttentionOptions.MaxDegreeOfParallelism = before;
        }

        Assert.Equal(expected, threads.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nothing_is_allocated(int maxThreads)
    {
        const int Calls = 20, Tries = 20;
        var (input, residual, weight, bias) = NormRowTests.Inputs(rows: 200, width: 768, mean: 0, deviation: 1);
        float[] output = new float[input.Length];
        long least = long.MaxValue;
        for (int i = 0; i < Tries && least > 0; i++)
        {
            long before = Allocated(maxThreads);
            for (int n = 0; n < Calls; n++)
            {
                NormRowTests.Apply(input, residual, weight, bias, output, centred: n % 2 == 0, maxThreads);
                Activations.FinishGate(input, residual, [], [], [], [], [], output);
                foreach (var kind in LayerReference.OneOperand) Activations.Finish(input, [], [], residual, kind, output);
                var spin = new SpinWait();
                while (ThreadPool.PendingWorkItemCount > 0) spin.SpinOnce(sleep1Threshold: -1); // a worker that comes too late keeps its job
            }

            least = Math.Min(least, Allocated(maxThreads) - before);
        }

        Assert.Equal(0, least);
    }

    private static long Allocated(int threads) => threads == 1 ? GC.GetAllocatedBytesForCurrentThread() : GC.GetTotalAllocatedBytes(precise: true);
}
