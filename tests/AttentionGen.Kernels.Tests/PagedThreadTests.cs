using Xunit;
using static AttentionGen.Kernels.Tests.PagedCalls;

namespace AttentionGen.Kernels.Tests;

/// <summary>A paged cache and its sequences in the hands of several threads.</summary>
[Collection(nameof(Isolated))]
public class PagedThreadTests
{
    [Fact]
    public void Changes_of_a_sequence_exclude_others_and_freeing_waits_for_the_last()
    {
        using var memory = new GuardedCacheMemory();
        var kernel = Compiled.Of<float>(Plain);
        var cache = Create<float>(Plain, pageTokens: 16, pages: 10);
        SequenceId id = cache.CreateSequence(), other = cache.CreateSequence();
        cache.Append(id, new float[64 * 17], new float[48 * 17]);
        void Step() => kernel.Step(new float[256], new float[128], new float[96], [0, 1, 2], cache, [other, id], 0, 1, new float[192]);
        void Read() => kernel.Read(new float[128], [0, 1], cache, [id], 0, 1, new float[96]);

        cache.EnterPool();
        var reading = cache.Take(id, changes: false, "id");
        Read();
        cache.Read(id, 0, new float[64], new float[48]);
        cache.Free(cache.Fork(id));
        Assert.Throws<InvalidOperationException>(Step);
        Assert.Throws<InvalidOperationException>(() => cache.Append(id, [], []));
        Assert.Throws<InvalidOperationException>(() => cache.Truncate(id, 1));
        cache.Append(other, new float[64], new float[48]);
        cache.Leave(reading, changes: false);

        var changing = cache.Take(id, changes: true, "id");
        Assert.Throws<InvalidOperationException>(Read);
        Assert.Throws<InvalidOperationException>(Step);
        Assert.Throws<InvalidOperationException>(() => cache.Fork(id));
        Assert.Throws<InvalidOperationException>(() => cache.Read(id, 0, [], []));
        Assert.Equal((1, 17), (cache.LengthOf(other), cache.LengthOf(id)));
        cache.Free(id);
        Assert.Throws<ArgumentException>(() => cache.Free(id));
        Assert.Throws<ArgumentException>(Step);
        Assert.Equal((3, 1), (cache.UsedPages, cache.Sequences));
        Assert.NotEqual(id.Slot, cache.CreateSequence().Slot); // the place is not given away before the call ends
        cache.Leave(changing, changes: true);
        Assert.Equal(1, cache.UsedPages);
        Assert.Equal(id.Slot, cache.CreateSequence().Slot);

        cache.Dispose();
        cache.Dispose();
        Assert.NotEqual(0, cache.Bytes);
        Assert.Throws<ObjectDisposedException>(() => cache.CreateSequence());
        cache.ExitPool();
        Assert.Equal(0, cache.Bytes);
        foreach (var call in new Action[]
        {
            Step, Read, () => cache.CreateSequence(), () => cache.Fork(other), () => cache.Free(other), () => cache.Truncate(other, 0), () => cache.LengthOf(other),
            () => cache.Append(other, [], []), () => cache.Read(other, 0, [], []),
        })
            Assert.Throws<ObjectDisposedException>(call);
    }

    /// <summary>Sixteen threads, each with sequences of its own that share a beginning.</summary>
    [Fact]
    public void Threads_use_different_sequences_at_once()
    {
        var kernel = Compiled.Of<float>(Plain);
        using var memory = new GuardedCacheMemory();
        using var cache = Create<float>(Plain, pageTokens: 16, pages: 400);
        var root = cache.CreateSequence();
        var prompt = new Inputs(new Problem(Plain, 20, 20), seed: 99);
        cache.Append(root, prompt.Key, prompt.Value);
        var errors = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        var threads = Enumerable.Range(0, 16).Select(number => new Thread(() =>
        {
            try
            {
                for (int round = 0; round < 4; round++)
                {
                    SequenceId[] ids = [cache.Fork(root), cache.CreateSequence()];
                    for (int call = 0; call < 6; call++)
                    {
                        int[] tokens = [1 + call % 3, call == 0 ? 30 : 1];
                        var inputs = Step(kernel, cache, ids, tokens, 0, seed: number * 100 + call, out float[] output, maxThreads: 1 + number % 2);
                        Bound.Check(inputs, output);
                        Assert.Equal(prompt.Key, inputs.Key[..prompt.Key.Length]);
                    }

                    cache.Truncate(ids[0], 18);
                    Assert.Equal(prompt.Key[..(64 * 18)], Read(cache, ids[0], 0).Keys);
                    foreach (var id in ids) cache.Free(id);
                }
            }
            catch (Exception exception)
            {
                errors.Enqueue(exception);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(errors);
        Assert.Equal((2, 1), (cache.UsedPages, cache.Sequences));
        Assert.Equal(prompt.Key, Read(cache, root, 0).Keys);
    }

    /// <summary>All operations on the same sequences at once, until the cache is disposed: each succeeds or says that it may not, and none touches freed memory or another sequence.</summary>
    [Fact]
    public void Racing_calls_succeed_or_throw()
    {
        using var memory = new GuardedCacheMemory();
        var kernel = Compiled.Of<float>(Plain);
        for (int round = 0; round < 20; round++)
        {
            var cache = Create<float>(Plain, pageTokens: 16, pages: 40);
            SequenceId witness = cache.CreateSequence(), shared = cache.CreateSequence();
            float[] key = [.. Enumerable.Range(0, 64 * 20).Select(i => (float)i)], value = [.. Enumerable.Range(0, 48 * 20).Select(i => (float)i)];
            cache.Append(shared, key, value);
            cache.Append(witness, key, value);
            bool isDisposing = false;
            Exception? wrong = null;
            Action[] calls =
            [
                () => kernel.Step(new float[256], new float[128], new float[96], [0, 1, 2], cache, [shared, cache.CreateSequence()], 0, 2, new float[192]),
                () => kernel.Read(new float[128 * 3], [0, 3], cache, [shared], 0, 2, new float[96 * 3]),
                () => cache.Append(shared, new float[64], new float[48]),
                () => cache.Truncate(shared, 10),
                () => Interlocked.Exchange(ref System.Runtime.CompilerServices.Unsafe.As<SequenceId, long>(ref shared), System.Runtime.CompilerServices.Unsafe.BitCast<SequenceId, long>(cache.Fork(witness))),
                () => cache.Free(shared),
                () =>
                {
                    var id = cache.Fork(witness);
                    cache.Append(id, new float[64], new float[48]);
                    var (keys, _) = Read(cache, id, 0);
                    Assert.Equal(key, keys[..key.Length]);
                    cache.Free(id);
                },
            ];
            var threads = calls.Select(call => new Thread(() =>
            {
                for (int i = 0; i < 60; i++)
                    try
                    {
                        call();
                    }
                    catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
                    {
                        if (exception is ObjectDisposedException && !Volatile.Read(ref isDisposing)) wrong = exception;
                    }
                    catch (Exception exception)
                    {
                        wrong = exception;
                    }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            Thread.Sleep(round % 7 * 3);
            Volatile.Write(ref isDisposing, true);
            if (round % 2 == 0) cache.Dispose();
            threads.ForEach(thread => thread.Join());
            Assert.Null(wrong);
            if (round % 2 != 0)
            {
                var (keys, values) = Read(cache, witness, 0);
                Assert.Equal(key, keys);
                Assert.Equal(value, values);
                cache.Dispose();
            }

            Assert.Equal(0, cache.Bytes);
        }
    }
}
