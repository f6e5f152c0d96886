using AttentionGen.CompilerServices;
using Xunit;
using static AttentionGen.Kernels.Tests.PagedCalls;

namespace AttentionGen.Kernels.Tests;

/// <summary>A paged cache where memory runs out.</summary>
[Collection(nameof(Isolated))]
public class PagedFaultTests
{
    [Fact]
    public void A_call_whose_memory_fails_changes_nothing()
    {
        var kernel = Compiled.Of<float>(Plain);
        float[] key = [.. Enumerable.Range(0, 64 * 100).Select(i => (float)i)], value = [.. Enumerable.Range(0, 48 * 100).Select(i => (float)i)];
        foreach (var kind in new[] { Fault.NativeMemory, Fault.Array })
        {
            bool done = false;
            int failed = 0;
            for (int failing = 0; !done; failing++)
            {
                Assert.InRange(failing, 0, 50);
                using var cache = Create<float>(Plain, pageTokens: 16, pages: 400, layers: 2);
                SequenceId a = cache.CreateSequence(), b = cache.CreateSequence();
                cache.Append(a, key.AsSpan(0, 64 * 20), value.AsSpan(0, 48 * 20));
                SequenceId[] ids = [a, b, cache.Fork(a), .. Enumerable.Range(0, 20).Select(_ => cache.CreateSequence())];
                int[] tokens = [3, 1200, 1, .. Enumerable.Repeat(1, 20)], starts = Starts(tokens);
                int used = cache.UsedPages;
                AttentionScratch.Trim();
                int left = failing;
                try
                {
                    Faults.Injected = fault =>
                    {
                        if (fault == kind && left-- == 0) throw new InsufficientMemoryException("injected");
                    };
                    kernel.Step(new float[128 * starts[^1]], new float[64 * starts[^1]], new float[48 * starts[^1]], starts, cache, ids, 0, 1, new float[96 * starts[^1]]);
                    done = true;
                }
                catch (OutOfMemoryException)
                {
                    failed++;
                    Assert.Equal((used, 20, 0, 20), (cache.UsedPages, cache.LengthOf(a), cache.LengthOf(b), cache.LengthOf(ids[2])));
                }
                finally
                {
                    Faults.Injected = null;
                }

                foreach (var id in new[] { a, ids[2] })
                {
                    var (keys, values) = Read(cache, id, 0);
                    Assert.Equal(key[..(64 * 20)], keys[..(64 * 20)]);
                    Assert.Equal(value[..(48 * 20)], values[..(48 * 20)]);
                }

                foreach (var id in ids) cache.Free(id);
                Assert.Equal(0, cache.UsedPages);
            }

            Assert.True(failed > 0, $"{kind} never failed");
        }
    }

    [Fact]
    public void A_cache_whose_memory_fails_leaves_nothing()
    {
        using var memory = new GuardedCacheMemory();
        for (int failing = 0; failing < 3; failing++)
        {
            int left = failing;
            try
            {
                Faults.Injected = fault =>
                {
                    if (fault == Fault.NativeMemory && left-- == 0) throw new InsufficientMemoryException("injected");
                };
                Assert.Throws<InsufficientMemoryException>(() => new PagedKeyValueCache<float>(8, 512, 200, pageTokens: 64)); // 400 MiB, in several pieces
            }
            finally
            {
                Faults.Injected = null;
            }

            Assert.Equal(0, memory.Blocks);
        }
    }
}
