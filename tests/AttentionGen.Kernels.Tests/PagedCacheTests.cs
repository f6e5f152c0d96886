using Xunit;
using static AttentionGen.Kernels.Tests.PagedCalls;

namespace AttentionGen.Kernels.Tests;

/// <summary>What the sequences of a paged cache hold, which pages they have, and what wrong calls say.</summary>
[Collection(nameof(Isolated))]
public class PagedCacheTests
{
    [Fact]
    public void Forks_share_pages_until_one_of_them_writes()
    {
        using var cache = new PagedKeyValueCache<float>(1, 1, pages: 20, layers: 2, pageTokens: 16);
        var root = cache.CreateSequence();
        Append(cache, root, 0, 40);
        Assert.Equal((3, 17, 1), (cache.UsedPages, cache.FreePages, cache.Sequences));
        var fork = cache.Fork(root);
        var second = cache.Fork(fork);
        Assert.Equal((3, 3), (cache.UsedPages, cache.Sequences));
        Append(cache, fork, 100, 1); // in a copy of the third page
        Assert.Equal(4, cache.UsedPages);
        Append(cache, root, 200, 9); // the page, of which the second fork has a part, and a fourth one
        Assert.Equal(6, cache.UsedPages);
        Append(cache, second, 300, 1); // the page is its own by now
        Assert.Equal(6, cache.UsedPages);
        Check(root, [.. Range(0, 40), .. Range(200, 9)]);
        Check(fork, [.. Range(0, 40), 100]);
        Check(second, [.. Range(0, 40), 300]);

        cache.Truncate(root, 20);
        Assert.Equal((20, 20), (cache.LengthOf(root), cache.LengthOf(root, 1)));
        Append(cache, root, 400, 1);
        Check(root, [.. Range(0, 20), 400]);
        Check(fork, [.. Range(0, 40), 100]);
        cache.Truncate(root, 32 - 11); // nothing
        cache.Free(fork);
        Check(second, [.. Range(0, 40), 300]);
        cache.Free(root);
        Assert.Equal(3, cache.UsedPages);
        cache.Free(second);
        Assert.Equal((0, 20, 0), (cache.UsedPages, cache.FreePages, cache.Sequences));

        void Check(SequenceId id, float[] expected)
        {
            for (int layer = 0; layer < 2; layer++)
            {
                var (keys, values) = Read(cache, id, layer);
                Assert.Equal(expected.Select(x => x + layer), keys);
                Assert.Equal(expected.Select(x => -x - layer), values);
            }
        }
    }

    /// <summary>Appends counted numbers to both layers.</summary>
    private static void Append(PagedKeyValueCache<float> cache, SequenceId id, int first, int count)
    {
        for (int layer = 0; layer < cache.Layers; layer++) cache.Append(id, [.. Range(first + layer, count)], [.. Range(first + layer, count).Select(x => -x)], layer);
    }

    private static IEnumerable<float> Range(int first, int count) => Enumerable.Range(first, count).Select(i => (float)i);

    [Fact]
    public void The_first_layer_reserves_room_for_all()
    {
        using var cache = new PagedKeyValueCache<float>(1, 1, pages: 2, layers: 3, pageTokens: 16);
        var id = cache.CreateSequence();
        cache.Append(id, new float[20], new float[20]);
        Assert.Equal((2, 20, 0, 0), (cache.UsedPages, cache.LengthOf(id), cache.LengthOf(id, 1), cache.LengthOf(id, 2)));
        cache.Append(id, new float[32], new float[32], layer: 2);
        cache.Append(id, new float[3], new float[3], layer: 1);
        Assert.Equal((2, 20, 3, 32), (cache.UsedPages, cache.LengthOf(id), cache.LengthOf(id, 1), cache.LengthOf(id, 2)));
        cache.Truncate(id, 16);
        Assert.Equal((1, 16, 3, 16), (cache.UsedPages, cache.LengthOf(id), cache.LengthOf(id, 1), cache.LengthOf(id, 2)));
    }

    [Fact]
    public void Without_free_pages_nothing_changes()
    {
        var kernel = Compiled.Of<float>(Plain);
        using var cache = Create<float>(Plain, pageTokens: 16, pages: 6);
        SequenceId a = cache.CreateSequence(), b = cache.CreateSequence(), c = cache.Fork(b);
        cache.Append(a, new float[64 * 30], new float[48 * 30]);
        cache.Append(b, new float[64 * 10], new float[48 * 10]);
        var fork = cache.Fork(b);
        Assert.Equal(3, cache.FreePages);
        int[] starts = [0, 3, 4, 40];
        float[] output = [.. Enumerable.Repeat(7f, 96 * 40)];

        // Of 3 free pages, a needs one, b a copy of its page, and c three.
        var exception = Assert.Throws<CacheFullException>(() => kernel.Step(new float[128 * 40], new float[64 * 40], new float[48 * 40], starts, cache, [a, b, c], 0, 1, output));
        Assert.Equal((c, 5, 3), (exception.Sequence, exception.NeededPages, exception.FreePages));
        Assert.Equal($"sequences[2] {c} does not fit: the call needs 5 pages, but the cache has 3 free of 6.", exception.Message);
        exception = Assert.Throws<CacheFullException>(() => cache.Append(c, new float[64 * 49], new float[48 * 49]));
        Assert.Equal($"id {c} does not fit: the call needs 4 pages, but the cache has 3 free of 6.", exception.Message);
        Assert.Equal((3, 30, 10, 0, 10), (cache.FreePages, cache.LengthOf(a), cache.LengthOf(b), cache.LengthOf(c), cache.LengthOf(fork)));
        Assert.All(output, x => Assert.Equal(7, x));

        cache.Free(fork);
        kernel.Step(new float[128 * 5], new float[64 * 5], new float[48 * 5], [0, 3, 4, 5], cache, [a, b, c], 0, 1, output.AsSpan(0, 96 * 5));
        Assert.Equal((1, 33, 11, 1), (cache.FreePages, cache.LengthOf(a), cache.LengthOf(b), cache.LengthOf(c)));
    }

    [Fact]
    public void A_wrong_call_says_what_is_wrong_and_changes_nothing()
    {
        var kernel = Compiled.Of<float>(Plain);
        using PagedKeyValueCache<float> cache = Create<float>(Plain, layers: 2), other = Create<float>(Plain);
        SequenceId a = cache.CreateSequence(), b = cache.CreateSequence(), freed = cache.CreateSequence(), stale = cache.CreateSequence(), foreign = other.CreateSequence();
        cache.Free(stale);
        Assert.NotEqual(stale, cache.CreateSequence());
        cache.Free(freed);
        cache.Append(a, new float[64 * 3], new float[48 * 3]);
        float[] query = new float[128 * 2], key = new float[64 * 2], value = new float[48 * 2], output = [.. Enumerable.Repeat(7f, 96 * 2)];
        int[] starts = [0, 1, 2];
        void Step(SequenceId first, SequenceId second) => kernel.Step(query, key, value, starts, cache, [first, second], 0, 1, output);
        Throws<ArgumentException>("sequences", () => Step(a, a), $"sequences[0] and sequences[1] are the same sequence {a}.");
        Throws<ArgumentException>("sequences", () => Step(a, default), "sequences[1] is the default value, which is no sequence: use what CreateSequence or Fork has returned.");
        Throws<ArgumentException>("sequences", () => Step(a, foreign), $"sequences[1] {foreign} is a sequence of another cache.");
        Throws<ArgumentException>("sequences", () => Step(freed, a), $"sequences[0] {freed} is freed.");
        Throws<ArgumentException>("sequences", () => Step(stale, a), $"sequences[0] {stale} is freed, and a newer sequence has its place.");
        Throws<ArgumentException>("sequences", () => kernel.Read(query, starts, cache, [b, b], 0, 1, output), $"sequences[0] and sequences[1] are the same sequence {b}.");
        Throws<ArgumentException>("sequences", () => kernel.Step(query, key, value, starts, cache, [a], 0, 1, output), "sequences has 1 sequences, but documentStarts has 2 documents.");
        Throws<ArgumentException>("sequences", () => kernel.One(query, key, value, cache, [a, b], 0, 1, output), "sequences has 2 sequences, but a call without documents has 1.");
        Throws<ArgumentException>("documentStarts", () => kernel.Step(query, key, value, [0, 1], cache, [a], 0, 1, output), "");
        Throws<ArgumentNullException>("cache", () => kernel.Step(query, key, value, starts, null!, [a, b], 0, 1, output), "");
        Throws<ArgumentException>("cache", () => kernel.Step(query, key, value, starts, new PagedKeyValueCache<float>(2, 32, 1), [a, b], 0, 1, output),
            "cache has 2 heads with keys of 32 and values of 32 elements, the kernel is declared for 2 heads with keys of 32 and values of 24.");
        Throws<ArgumentOutOfRangeException>("layer", () => kernel.Step(query, key, value, starts, cache, [a, b], 2, 1, output), "layer is 2, the cache has 2 layers.");
        Throws<ArgumentException>("key", () => kernel.Step(query, key.AsSpan(64), value.AsSpan(48), starts, cache, [a, b], 0, 1, output), "key has 1 tokens and query has 2, but one token is appended to the cache for each query.");
        foreach (var (id, message) in new[] { (default, "id is the default value"), (foreign, $"id {foreign} is a sequence of another cache."), (freed, $"id {freed} is freed."), (stale, $"id {stale} is freed, and") })
        {
            Throws<ArgumentException>("id", () => cache.Append(id, new float[64], new float[48]), message);
            Throws<ArgumentException>("id", () => cache.Read(id, 0, new float[64], new float[48]), message);
            Throws<ArgumentException>("id", () => cache.Truncate(id, 0), message);
            Throws<ArgumentException>("id", () => cache.LengthOf(id), message);
            Throws<ArgumentException>("id", () => cache.Fork(id), message);
            Throws<ArgumentException>("id", () => cache.Free(id), message);
        }

        Throws<ArgumentException>("keys", () => cache.Append(a, new float[65], new float[48]), "keys has 65 elements, which is not a multiple of a token's 2 * 32 = 64.");
        Throws<ArgumentOutOfRangeException>("first", () => cache.Read(a, 1, new float[64 * 3], new float[48 * 3]), $"first is 1, sequence {a} has 3 tokens, of which 3 are asked for.");
        Throws<ArgumentOutOfRangeException>("length", () => cache.Truncate(a, 4), $"length is 4, sequence {a} has 3 tokens.");
        Throws<ArgumentOutOfRangeException>("layer", () => cache.LengthOf(a, 2), "layer is 2, the cache has 2 layers.");
        Throws<ArgumentOutOfRangeException>("layer", () => cache.Append(a, [], [], -1), "layer is -1, the cache has 2 layers.");
        Throws<ArgumentOutOfRangeException>("pageTokens", () => _ = new PagedKeyValueCache<float>(1, 8, 1, pageTokens: 48), "pageTokens is 48, but must be 16, 32 or 64.");
        Throws<ArgumentOutOfRangeException>("pages", () => _ = new PagedKeyValueCache<float>(1, 8, 0), "");
        Throws<ArgumentOutOfRangeException>("layers", () => _ = new PagedKeyValueCache<float>(1, 8, 1, layers: 0), "");
        Throws<ArgumentOutOfRangeException>("headDim", () => _ = new PagedKeyValueCache<float>(1, 0, 1), "");
        Assert.Throws<NotSupportedException>(() => new PagedKeyValueCache<int>(1, 8, 1));
        Assert.Equal((3, 0, 1), (cache.LengthOf(a), cache.LengthOf(b), cache.UsedPages));
        Assert.All(output, x => Assert.Equal(7, x));

        static void Throws<TException>(string parameter, Action call, string message)
            where TException : ArgumentException
        {
            var exception = Assert.Throws<TException>(call);
            Assert.Equal(parameter, exception.ParamName);
            Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Ids_are_equal_to_themselves_alone()
    {
        using PagedKeyValueCache<float> cache = new(1, 1, 1), other = new(1, 1, 1);
        SequenceId a = cache.CreateSequence(), b = cache.CreateSequence();
        cache.Free(b);
        SequenceId[] ids = [default, a, b, cache.CreateSequence(), other.CreateSequence()];
        Assert.Equal(ids.Length, ids.ToHashSet().Count);
        Assert.Equal(8, System.Runtime.CompilerServices.Unsafe.SizeOf<SequenceId>());
        Assert.True(a == ids[1] && a != b && a.Equals((object)a) && !a.Equals("a"));
        Assert.Equal("none", default(SequenceId).ToString());
        Assert.EndsWith("/1/2", ids[3].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        var kernel = Compiled.Of<BFloat16>(Plain);
        using var cache = Create<BFloat16>(Plain, pageTokens: 16, pages: 100);
        SequenceId[] ids = [cache.CreateSequence(), cache.CreateSequence(), cache.CreateSequence()];
        int[] starts = [0, 1, 2, 3];
        float[] query = new float[128 * 3], key = new float[64 * 3], value = new float[48 * 3], output = new float[96 * 3];
        BFloat16[] keys = new BFloat16[64], values = new BFloat16[48];
        for (int i = 0; i < 50; i++) Token();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Token();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Token()
        {
            kernel.Step(query, key, value, starts, cache, ids, 0, 1, output);
            cache.Append(ids[0], keys, values);
        }
    }

    /// <summary>A cache that nobody disposed is freed, too.</summary>
    [Fact]
    public void A_forgotten_cache_is_freed()
    {
        using var memory = new GuardedCacheMemory();
        Forget();
        for (int i = 0; i < 20 && memory.Blocks > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(0, memory.Blocks);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget()
        {
            var cache = Create<float>(Plain);
            cache.Append(cache.CreateSequence(), new float[64], new float[48]);
        }
    }
}
