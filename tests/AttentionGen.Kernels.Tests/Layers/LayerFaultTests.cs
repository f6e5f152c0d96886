using AttentionGen.CompilerServices;
using Xunit;
using static AttentionGen.Kernels.Tests.CachedLayers;

namespace AttentionGen.Kernels.Tests;

/// <summary>What can fail inside a call of a layer, and weights that are disposed meanwhile: cache and output stay as they were, and nothing is kept.</summary>
[Collection(nameof(Isolated))]
public sealed class LayerFaultTests : IDisposable
{
    /// <summary>Enough for the projections of two threads.</summary>
    private const int Tokens = 160, Before = 5;

    private static readonly Fault[] s_kinds = [Fault.NativeMemory, Fault.Job, Fault.Array, Fault.Queue];

    public void Dispose()
    {
        Faults.Injected = null;
        ParallelJob.UnitTaken = null;
    }

    public static MatrixTheoryData<int, int> Calls => new([1, Tokens], [1, 2]);

    /// <summary>The n-th allocation fails, for every n: in the projections, in the attention, and where the output would be written.</summary>
    [Theory, MemberData(nameof(Calls))]
    public void Memory_that_runs_out_anywhere(int tokens, int threads)
    {
        using var memory = new GuardedCacheMemory();
        var layer = Whole<float>();
        float[] rows = Rows(tokens), first = Rows(Before, seed: 2), expected = new float[rows.Length], output = new float[rows.Length];
        using (var good = Weights())
        {
            using var cache = Cache<float>();
            layer(first, good, cache, 0, 1, new float[first.Length]);
            layer(rows, good, cache, 0, threads, expected);
        }

        WaitForWorkers();
        AttentionScratch.Trim();
        long blocks = ScratchCache.LiveBlocks;
        int failed = 0;
        bool isMet = true;
        for (int n = 0; isMet; n++)
        {
            Assert.InRange(n, 0, 100);
            using var weights = Weights(); // freed before the protected memory is, also where the test fails
            using var cache = Cache<float>();
            layer(first, weights, cache, 0, 1, new float[first.Length]);
            var (keys, values) = cache.Floats(0, Before, 0);
            WaitForWorkers();
            AttentionScratch.Trim();
            output.AsSpan().Fill(7);
            int faults = 0;
            Faults.Injected = kind =>
            {
                if (s_kinds.Contains(kind) && Interlocked.Increment(ref faults) == n + 1) throw new InsufficientMemoryException("injected");
            };
            try
            {
                layer(rows, weights, cache, 0, threads, output);
                ThreadTests.AssertSameBits(expected, output);
                Assert.Equal(Before + tokens, cache.LengthOf(0));
            }
            catch (OutOfMemoryException)
            {
                failed++;
                Assert.All(output, x => Assert.Equal(7, x));
                Assert.Equal(Before, cache.LengthOf(0));
                Assert.Equal((keys, values), cache.Floats(0, Before, 0), (x, y) => x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2));
                Faults.Injected = null;
                layer(rows, weights, cache, 0, threads, output);
                ThreadTests.AssertSameBits(expected, output);
            }

            Faults.Injected = null;
            isMet = faults > n;
            weights.Dispose();
            cache.Dispose();
            Assert.Equal(0, memory.Blocks); // no call holds the weights any more
        }

        Assert.InRange(failed, 1, 100);
        WaitForWorkers();
        AttentionScratch.Trim();
        Assert.Equal(blocks, ScratchCache.LiveBlocks);
    }

    /// <summary>
    /// The n-th operation of the call's own thread fails in a way of its own, for every n. Before the attention the call fails and changes nothing; from then on nothing can fail: the queue and a job
    /// are not needed, and memory is there.
    /// </summary>
    [Theory, MemberData(nameof(Calls))]
    public void Anything_else_that_fails(int tokens, int threads)
    {
        using var weights = Weights();
        using var cache = Cache<float>();
        var layer = Whole<float>();
        float[] rows = Rows(tokens), first = Rows(Before, seed: 2), expected = new float[rows.Length], output = new float[rows.Length];
        layer(first, weights, cache, 0, 1, new float[first.Length]);
        layer(rows, weights, cache, 0, threads, expected);
        cache.Truncate(Before);
        var (keys, values) = cache.Floats(0, Before, 0);
        int failed = 0, done = 0, caller = Environment.CurrentManagedThreadId;
        bool isMet = true;
        for (int n = 0; isMet; n++)
        {
            Assert.InRange(n, 0, 100);
            WaitForWorkers();
            AttentionScratch.Trim();
            output.AsSpan().Fill(7);
            int faults = 0;
            var last = default(Fault);
            Faults.Injected = kind =>
            {
                if (Environment.CurrentManagedThreadId != caller || faults++ != n) return;
                last = kind;
                throw new NotSupportedException("injected");
            };
            bool isDone = true;
            try
            {
                layer(rows, weights, cache, 0, threads, output);
            }
            catch (NotSupportedException)
            {
                isDone = false;
            }

            Faults.Injected = null;
            isMet = faults > n;
            if (isMet) Assert.True(isDone == (last is Fault.Queue or Fault.Job), $"{last} as the operation {n}");
            if (isDone) ThreadTests.AssertSameBits(expected, output);
            else Assert.All(output, x => Assert.Equal(7, x));
            Assert.Equal(isDone ? Before + tokens : Before, cache.LengthOf(0));
            Assert.Equal((keys, values), cache.Floats(0, Before, 0), (x, y) => x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2));
            cache.Truncate(Before);
            _ = isDone ? done++ : failed++;
        }

        Assert.InRange(failed, 1, 100);
        Assert.InRange(done, tokens == Tokens ? threads : 1, 100); // with two threads, some of the operations were those of the queue
    }

    [Fact]
    public void Sequences_whose_memory_fails()
    {
        using var weights = Weights();
        using var cache = new PagedKeyValueCache<sbyte>(2, 32, pages: 40, valueDim: 24, pageTokens: 16);
        SequenceId a = cache.CreateSequence(), b = cache.CreateSequence();
        var layer = Paged<sbyte>();
        float[] rows = Rows(50), output = new float[rows.Length];
        int failed = 0;
        bool isMet = true;
        for (int n = 0; isMet; n++)
        {
            Assert.InRange(n, 0, 100);
            AttentionScratch.Trim();
            output.AsSpan().Fill(7);
            int faults = 0, pages = cache.UsedPages;
            Faults.Injected = _ =>
            {
                if (faults++ == n) throw new InsufficientMemoryException("injected");
            };
            try
            {
                layer(rows, weights, [0, 1, 50], cache, [a, b], 0, 1, output);
            }
            catch (OutOfMemoryException)
            {
                failed++;
                Assert.All(output, x => Assert.Equal(7, x));
                Assert.Equal((0, 0, pages), (cache.LengthOf(a), cache.LengthOf(b), cache.UsedPages));
            }

            Faults.Injected = null;
            isMet = faults > n;
        }

        Assert.InRange(failed, 1, 100);
        Assert.Equal((1, 49), (cache.LengthOf(a), cache.LengthOf(b)));
    }

    /// <summary>The memory of weights whose packing fails is freed.</summary>
    [Fact]
    public void Weights_whose_memory_fails_leave_nothing()
    {
        using var memory = new GuardedCacheMemory();
        float[] matrix = new float[64];
        for (int n = 0; n < 4; n++)
            foreach (var create in new Func<object>[] { () => AttentionWeights.Separate<float>(8, 2, 4, matrix, matrix, matrix, matrix), () => AttentionWeights.Fused<sbyte>(8, 2, 4, new float[192], matrix) })
            {
                int left = n;
                Faults.Injected = _ =>
                {
                    if (left-- == 0) throw new InsufficientMemoryException("injected");
                };
                Assert.Throws<InsufficientMemoryException>(create);
                Faults.Injected = null;
                Assert.Equal(0, memory.Blocks);
            }
    }

    [Theory, InlineData(1), InlineData(2)]
    public void Weights_that_another_thread_disposes_during_a_call(int threads)
    {
        using var memory = new GuardedCacheMemory(); // what is freed is protected
        using var cache = Cache<float>();
        var layer = Whole<float>();
        float[] rows = Rows(Tokens), expected = new float[rows.Length], output = new float[rows.Length];
        using (var good = Weights()) layer(rows, good, cache, 0, 1, expected);
        bool isReached = true;
        int unit = 0;
        for (; isReached; unit++)
        {
            cache.Truncate(0);
            int before = memory.Blocks, left = unit, during = 0;
            using var weights = Weights();
            ParallelJob.UnitTaken = _ =>
            {
                if (Interlocked.Decrement(ref left) != -1) return;
                var other = new Thread(weights.Dispose);
                other.Start();
                other.Join();
                during = memory.Blocks;
            };
            layer(rows, weights, cache, 0, threads, output);
            ParallelJob.UnitTaken = null;
            ThreadTests.AssertSameBits(expected, output);
            isReached = left < 0;
            if (isReached && GuardedMemory.Missing is null) Assert.Equal((before + 4, before), (during, memory.Blocks));
            weights.Dispose();
            Assert.Throws<ObjectDisposedException>(() => layer(rows, weights, cache, 0, threads, output));
            Assert.Equal(Tokens, cache.LengthOf(0));
        }

        Assert.InRange(unit, 6, 100); // projections, attention and projection
    }

    /// <summary>Calls that throw have given back what they held.</summary>
    [Fact]
    public void Wrong_calls_hold_nothing()
    {
        using var memory = new GuardedCacheMemory();
        var layer = Whole<float>();
        float[] rows = Rows(3);
        using var weights = Weights();
        using var cache = Cache<float>();
        AttentionScratch.Trim();
        long blocks = ScratchCache.LiveBlocks;
        Assert.ThrowsAny<ArgumentException>(() => layer(rows, weights, cache, 2, 1, new float[rows.Length]));
        Assert.ThrowsAny<ArgumentException>(() => layer(rows, weights, null!, 0, 1, new float[rows.Length]));
        Assert.ThrowsAny<ArgumentException>(() => layer(rows, weights, cache, 0, 0, new float[rows.Length]));
        var dead = Cache<float>();
        dead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => layer(rows, weights, dead, 0, 1, new float[rows.Length]));
        weights.Value.Dispose();
        Assert.Throws<ObjectDisposedException>(() => layer(rows, weights, cache, 0, 1, new float[rows.Length]));
        weights.Dispose();
        cache.Dispose();
        AttentionScratch.Trim();
        Assert.Equal((0, blocks), (memory.Blocks, ScratchCache.LiveBlocks));
    }

    private static void WaitForWorkers()
    {
        while (ThreadPool.PendingWorkItemCount > 0) Thread.Sleep(1);
        Thread.Sleep(5); // those that have been taken leave
    }
}
