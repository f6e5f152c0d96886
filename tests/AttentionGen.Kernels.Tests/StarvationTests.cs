using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Kernels take help from the thread pool and do not depend on it.</summary>
[Collection(nameof(Isolated))]
public class StarvationTests
{
    internal static readonly Declaration[] Declarations = [new(4, 64), new(4, 64) { Roles = Roles.None }];

    private static readonly TimeSpan s_forever = TimeSpan.FromMinutes(1);

    [Theory, InlineData(300, 300), InlineData(2, 1000)]
    public void Calls_finish_while_every_pool_thread_is_blocked(int queries, int keys)
    {
        var inputs = new Inputs(new Problem(Declarations[0], queries, keys) { MaxThreads = 4 });
        var kernel = Catalogue.Kernels[Declarations[0]];
        float[] expected = inputs.Run(kernel);
        var results = new List<float[]>();
        using var gate = new ManualResetEventSlim();
        using var left = new CountdownEvent(500); // more than the pool adds threads in the time
        for (int i = 0; i < left.InitialCount; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ =>
            {
                gate.Wait();
                left.Signal();
            }, null);
        }

        // More calls than the library keeps jobs: their late workers all wait behind the gate.
        var caller = new Thread(() =>
        {
            for (int i = 0; i < 50; i++) results.Add(inputs.Run(kernel));
        });
        caller.Start();
        bool finished = caller.Join(s_forever);
        gate.Set();
        Assert.True(finished, "the call waits for threads of the pool");
        Assert.True(left.Wait(s_forever, TestContext.Current.CancellationToken));
        Assert.Equal(50, results.Count);
        Assert.All(results, result => ThreadTests.AssertSameBits(expected, result));

        // The late workers have found closed jobs; what they left behind still works.
        for (int i = 0; i < 50; i++) ThreadTests.AssertSameBits(expected, inputs.Run(kernel));
    }

    [Fact]
    public void Calls_from_within_the_pool_finish()
    {
        var inputs = new Inputs(new Problem(Declarations[0], 200, 200) { MaxThreads = 4 });
        var kernel = Catalogue.Kernels[Declarations[0]];
        float[] expected = inputs.Run(kernel);
        int same = 0;
        Parallel.For(0, 64, _ =>
        {
            if (inputs.Run(kernel).AsSpan().SequenceEqual(expected)) Interlocked.Increment(ref same);
        });
        Assert.Equal(64, same);
    }

    [Fact]
    public void The_option_of_the_process_bounds_the_threads_and_changes_no_bit()
    {
        var inputs = new Inputs(new Problem(Declarations[1], 300, 300));
        int before = AttentionOptions.MaxDegreeOfParallelism;
        Assert.Equal(Environment.ProcessorCount, before);
        float[] expected = inputs.Run(Catalogue.Kernels);
        try
        {
            foreach (int threads in new[] { 1, 2, 5 })
            {
                AttentionOptions.MaxDegreeOfParallelism = threads;
                Assert.Equal(threads, AttentionOptions.MaxDegreeOfParallelism);
                ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
            }

            AttentionOptions.MaxDegreeOfParallelism = 1;
            long queued = ThreadPool.CompletedWorkItemCount + ThreadPool.PendingWorkItemCount;
            for (int i = 0; i < 20; i++) inputs.Run(Catalogue.Kernels);
            Assert.InRange(ThreadPool.CompletedWorkItemCount + ThreadPool.PendingWorkItemCount - queued, 0, 10); // not one a call; others use the pool, too
            Assert.Throws<ArgumentOutOfRangeException>(() => AttentionOptions.MaxDegreeOfParallelism = 0);
            Assert.Equal(1, AttentionOptions.MaxDegreeOfParallelism);
        }
        finally
        {
            AttentionOptions.MaxDegreeOfParallelism = before;
        }
    }
}
