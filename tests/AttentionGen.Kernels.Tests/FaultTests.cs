using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What can fail inside a call whose arguments are right: memory, and the queue of the thread pool. Nothing leaks, nothing is touched after the call, and the next call works.</summary>
[Collection(nameof(Isolated))]
public sealed class FaultTests : IDisposable
{
    private static readonly Declaration s_plain = new(4, 64);

    private static readonly Declaration s_cut = new(4, 64)
    {
        Mask = AttentionMask.Causal, Buckets = 32, Roles = Roles.MaxThreads | Roles.LogSumExp | Roles.DocumentStarts | Roles.KeyDocumentStarts | Roles.KeyLengths,
    };

    internal static readonly Declaration[] Declarations = [s_plain, s_cut];

    public void Dispose() => Faults.Injected = null;

    public static TheoryData<Problem> Problems =>
    [
        new Problem(s_plain, 200, 300) { MaxThreads = 4 },
        new Problem(s_plain, 1, 3000) { MaxThreads = 4 },
        new Problem(s_cut, 340, 340) { MaxThreads = 4, DocumentStarts = [0, 1, 2, 140, 340], KeyDocumentStarts = [0, 1, 2, 140, 340], KeyLengths = [1, 1, 138, 200] },
    ];

    /// <summary>Whatever fails for the n-th time, once with and once without memory kept from before.</summary>
    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Memory_that_runs_out_anywhere(Problem problem)
    {
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels);
        AttentionScratch.Trim();
        long blocks = ScratchCache.LiveBlocks;
        int failed = 0;

        // With several threads, any of them may meet the fault, and only the caller's makes the call fail; alone, the caller meets it.
        var alone = new Inputs(inputs, problem with { MaxThreads = 1 });
        foreach (var (trimmed, run) in new[] { (false, inputs), (true, inputs), (true, alone) })
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
                    ThreadTests.AssertSameBits(expected, run.Run(Catalogue.Kernels));
                }
                catch (OutOfMemoryException)
                {
                    failed++;
                }

                Faults.Injected = null;
                isMet = faults > n;
                ThreadTests.AssertSameBits(expected, run.Run(Catalogue.Kernels));
                Assert.InRange(n, 0, 100);
            }
        }

        Assert.InRange(failed, 1, 100);
        WaitForWorkers();
        AttentionScratch.Trim();
        Assert.Equal(blocks, ScratchCache.LiveBlocks);
        AssertStillParallel(inputs);
    }

    /// <summary>More often than there are jobs: each that is lost is made up for.</summary>
    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void A_queue_that_throws(Problem problem)
    {
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels);
        for (int i = 0; i < 100; i++)
        {
            int queued = 0;
            Faults.Injected = fault =>
            {
                if (fault == Fault.Queue && queued++ == i % 3) throw i % 2 == 0 ? new InsufficientMemoryException() : new NotSupportedException();
            };
            ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels)); // the caller finishes alone, whatever was thrown
            Faults.Injected = null;
            ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
        }

        AssertStillParallel(inputs);
    }

    /// <summary>A call that fails waits for the workers that have begun: its memory is the caller's again.</summary>
    [Fact]
    public void Nothing_is_written_after_a_call_that_failed()
    {
        var inputs = new Inputs(new Problem(s_plain, 600, 900) { MaxThreads = 4 });
        var kernel = Catalogue.Kernels[s_plain];
        float[] output = new float[inputs.Problem.OutputLength];
        int caller = Environment.CurrentManagedThreadId, written = 0;
        for (int i = 0; i < 50; i++)
        {
            using var begun = new ManualResetEventSlim();
            AttentionScratch.Trim();
            Faults.Injected = fault =>
            {
                if (fault != Fault.NativeMemory) return;
                if (Environment.CurrentManagedThreadId != caller) begun.Set();
                else if (begun.Wait(TimeSpan.FromSeconds(5))) throw new InsufficientMemoryException();
            };
            output.AsSpan().Fill(7);
            try
            {
                inputs.Run(kernel, output);
            }
            catch (OutOfMemoryException)
            {
                if (output.AsSpan().ContainsAnyExcept(7f)) written++; // a worker was at it
            }

            output.AsSpan().Fill(7);
            Thread.SpinWait(200_000);
            Assert.False(output.AsSpan().ContainsAnyExcept(7f), "the output was written after the call");
        }

        Assert.InRange(written, 1, 50);
    }

    /// <summary>Each worker of a call has a part of the caller's scratch memory by its index: one that begins when another has gone does not get the index of a third.</summary>
    [Fact]
    public void Workers_have_indices_of_their_own()
    {
        Faults.Injected = _ => throw new InsufficientMemoryException(); // the pool starts none: they begin here in a known order
        using var job = new Relay();
        var threads = new[] { new Thread(job.Start), new Thread(job.Execute), new Thread(job.Execute), new Thread(job.Execute), new Thread(job.Execute) };
        foreach (var thread in threads[..3])
        {
            thread.Start();
            job.WaitForNext();
        }

        job.End(worker: 1);
        threads[1].Join();
        threads[3].Start();
        job.WaitForNext();
        threads[4].Start(); // one more than there is room for
        threads[4].Join();
        for (int worker = 0; worker < 4; worker++) job.End(worker);
        foreach (var thread in threads) thread.Join();
        Assert.Equal([0, 1, 2, 3], job.Indices);
    }

    private static void AssertStillParallel(Inputs inputs)
    {
        WaitForWorkers();
        int queued = 0;
        Faults.Injected = fault =>
        {
            if (fault == Fault.Queue) Interlocked.Increment(ref queued);
        };
        inputs.Run(Catalogue.Kernels);
        Faults.Injected = null;
        Assert.InRange(queued, 1, 6);
    }

    private static void WaitForWorkers()
    {
        while (ThreadPool.PendingWorkItemCount > 0) Thread.Sleep(1);
        Thread.Sleep(20); // those that have been taken leave
    }

    /// <summary>Workers that end when they are told to.</summary>
    private sealed class Relay : ParallelJob, IDisposable
    {
        private readonly ManualResetEventSlim[] _ends = [new(), new(), new(), new()];
        private readonly SemaphoreSlim _begun = new(0);
        private readonly List<int> _indices = [];

        public IReadOnlyList<int> Indices => _indices;

        public void Start() => Run(units: 4, threads: 4);

        public void Execute() => ((IThreadPoolWorkItem)this).Execute();

        public void WaitForNext() => Assert.True(_begun.Wait(TimeSpan.FromMinutes(1)), "a worker did not begin");

        public void End(int worker) => _ends[worker].Set();

        protected override void Work(int worker)
        {
            lock (_indices) _indices.Add(worker);
            _begun.Release();
            _ends[worker].Wait();
        }

        public void Dispose()
        {
            _begun.Dispose();
            foreach (var end in _ends) end.Dispose();
        }

        protected override void Release()
        {
        }

        protected override void Lose()
        {
        }
    }
}
