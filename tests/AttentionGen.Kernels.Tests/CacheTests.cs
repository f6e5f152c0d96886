using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Caches of one sequence: what they hold, and kernels over them against the exact result over the stored values.</summary>
[Collection(nameof(Isolated))]
public class CacheTests
{
    private const int Chunk = 512;

    private static readonly Declaration s_plain = new(4, 32) { KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal };

    private static readonly Declaration[] s_declarations =
    [
        s_plain,
        s_plain with { Mask = AttentionMask.None },
        new(3, 20) { Mask = AttentionMask.Causal, ValueDim = 7 },
        new(8, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal },
        s_plain with { Window = (100, -1) },
        s_plain with { ChunkLength = 100 },
        s_plain with { Dilation = 3 },
        s_plain with { PrefixLength = 40 },
        s_plain with { Alibi = true, SoftCap = 20 },
        s_plain with { MaskText = "key % 5 != 1 && key <= query" },
    ];

    private static readonly CachedKernels s_kernels = new(s_declarations);

    /// <summary>Tokens that each call appends: one by one, few, and many at once, over the edges of chunks.</summary>
    private static readonly int[][] s_pieces = [[1, 1, 1, 5, 40, 2, 1], [70, 1, 1, 30], [Chunk - 3, 1, 1, 1, 1, 60], [0, 3, 0, 1], [Chunk + 130, 2]];

    public static TheoryData<string, int> Calls => [.. from declaration in s_declarations from pieces in Enumerable.Range(0, s_pieces.Length) select ($"{declaration}", pieces)];

    /// <summary>More tokens take a type in turn: the reference takes long for them.</summary>
    private const int Many = 300;

    [Theory, MemberData(nameof(Calls))]
    public void A_call_appends_and_attends_to_all_that_is_there(string name, int pieces)
    {
        var declaration = s_declarations.Single(declaration => declaration.ToString() == name);
        int turn = s_pieces[pieces].Sum() > Many ? (Array.IndexOf(s_declarations, declaration) + pieces) % 4 : -1;
        if (turn is -1 or 0) Run<float>(declaration, s_pieces[pieces], capacity: 0);
        if (turn is -1 or 1) Run<Half>(declaration, s_pieces[pieces], capacity: 1000);
        if (turn is -1 or 2) Run<BFloat16>(declaration, s_pieces[pieces], capacity: 0);
        if (turn is -1 or 3) Run<sbyte>(declaration, s_pieces[pieces], capacity: 0);
    }

    /// <summary>Appends pieces, each to two layers with other tokens, and checks each result against the exact one over the stored values.</summary>
    private static void Run<T>(Declaration declaration, int[] pieces, int capacity)
        where T : unmanaged
    {
        var kernel = s_kernels.Of<T>(declaration);
        using var pages = new GuardedCacheMemory();
        using var cache = Create<T>(declaration, layers: 2, capacity);
        Poison(cache, Math.Min(capacity == 0 ? 700 : capacity, 700));
        int seed = 1;
        foreach (int tokens in pieces)
            for (int layer = 0; layer < 2; layer++)
            {
                int before = cache.LengthOf(layer);
                var inputs = new Inputs(new Problem(declaration, tokens, tokens), seed++);
                float[] output = new float[inputs.Problem.OutputLength], again = new float[output.Length], threads = new float[output.Length];
                kernel.Step(inputs.Query, inputs.Key, inputs.Value, cache, layer, 1, output);
                Assert.Equal((before + tokens, 2), (cache.LengthOf(layer), cache.Layers));
                Check(cache, layer, inputs, before, output);

                // Without new tokens: the same bits, on any number of threads.
                kernel.Read(inputs.Query, cache, layer, 1, again);
                kernel.Read(inputs.Query, cache, layer, 2, threads);
                Assert.Equal(output, again);
                Assert.Equal(output, threads);
            }
    }

    private static void Check<T>(KeyValueCache<T> cache, int layer, Inputs call, int before, float[] output)
        where T : unmanaged
    {
        int tokens = call.Problem.Queries, length = before + tokens;
        var all = new Inputs(new Problem(call.Problem.Declaration, tokens, length));
        call.Query.CopyTo(all.Query, 0);
        var (keys, values) = cache.Floats(0, length, layer);
        keys.CopyTo(all.Key, 0);
        values.CopyTo(all.Value, 0);
        Assert.Equal(Stored.Round<T>(call.Key, cache.HeadDim).Floats, keys[^call.Key.Length..]);
        Assert.Equal(Stored.Round<T>(call.Value, cache.ValueDim).Floats, values[^call.Value.Length..]);
        Bound.Check(all, output);
    }

    [Fact]
    public void A_hidden_token_may_be_NaN_and_a_visible_one_makes_its_rows_NaN()
    {
        Run<float>();
        Run<Half>();
        Run<BFloat16>();
        Run<sbyte>();

        static void Run<T>()
            where T : unmanaged
        {
            const int Tokens = 130;
            var declaration = s_declarations[^1];
            var kernel = s_kernels.Of<T>(declaration);
            var inputs = new Inputs(new Problem(declaration, Tokens, Tokens));
            foreach (int pieces in new[] { 1, 2, 7, Tokens })
            {
                float[] expected = Attend(_ => false, pieces), actual = Attend(token => token % 5 == 1, pieces);
                Assert.Equal(expected, actual);

                // The token 77, as a key or as a value: queries from there on see it.
                foreach (bool isKey in new[] { true, false })
                {
                    actual = Attend(token => token == 77, pieces, isKey);
                    Assert.Equal(expected[..(77 * 96)], actual[..(77 * 96)]);
                    if (!isKey) Assert.All(actual[(77 * 96)..], x => Assert.True(float.IsNaN(x)));
                    Assert.True(float.IsNaN(actual[77 * 96]) && float.IsNaN(actual[^1]));
                }
            }

            // Appends tokens, some of which are NaN, so many at a time, and attends.
            float[] Attend(Func<int, bool> isNaN, int pieces, bool? isKey = null)
            {
                using var cache = Create<T>(declaration);
                float[] output = new float[inputs.Problem.OutputLength];
                float[] key = Marked(inputs.Key, 64, isKey != false), value = Marked(inputs.Value, 48, isKey != true);
                for (int first = 0; first < Tokens; first += pieces)
                {
                    int count = Math.Min(pieces, Tokens - first);
                    kernel.Step(inputs.Query.AsSpan(first * 128, count * 128), key.AsSpan(first * 64, count * 64), value.AsSpan(first * 48, count * 48), cache, 0, 2, output.AsSpan(first * 96, count * 96));
                }

                return output;
                float[] Marked(float[] rows, int width, bool marks) => [.. rows.Select((x, i) => marks && isNaN(i / width) ? float.NaN : x)];
            }
        }
    }

    [Fact]
    public void A_thousand_steps_equal_one_causal_prefill()
    {
        const int Tokens = 1000;
        var kernel = s_kernels.Of<float>(s_plain);
        var inputs = new Inputs(new Problem(s_plain, Tokens, Tokens));
        float[] steps = new float[inputs.Problem.OutputLength], prefill = new float[steps.Length];
        using KeyValueCache<float> cache = Create<float>(s_plain), other = Create<float>(s_plain);
        for (int i = 0; i < Tokens; i++)
            kernel.Step(inputs.Query.AsSpan(i * 128, 128), inputs.Key.AsSpan(i * 64, 64), inputs.Value.AsSpan(i * 48, 48), cache, 0, 2, steps.AsSpan(i * 96, 96));
        kernel.Step(inputs.Query, inputs.Key, inputs.Value, other, 0, 2, prefill);
        for (int i = 0; i < steps.Length; i++) Assert.Equal(prefill[i], steps[i], 2e-6f);
    }

    [Fact]
    public void Tokens_are_appended_read_and_cut_off_as_they_are()
    {
        using var cache = new KeyValueCache<BFloat16>(2, 3, valueDim: 1, layers: 2);
        BFloat16[] keys = [.. Enumerable.Range(0, 6 * 600).Select(i => (BFloat16)i)], values = [.. Enumerable.Range(0, 2 * 600).Select(i => (BFloat16)(-i))];
        cache.Append(keys.AsSpan(0, 6), values.AsSpan(0, 2));
        cache.Append(keys.AsSpan(6), values.AsSpan(2));
        cache.Append(keys.AsSpan(60, 60), values.AsSpan(20, 20), layer: 1);
        Assert.Equal((600, 600, 10), (cache.Length, cache.LengthOf(0), cache.LengthOf(1)));
        BFloat16[] readKeys = new BFloat16[6 * 590], readValues = new BFloat16[2 * 590];
        cache.Read(10, readKeys, readValues);
        Assert.Equal(keys[60..], readKeys);
        Assert.Equal(values[20..], readValues);
        cache.Read(0, readKeys.AsSpan(0, 60), readValues.AsSpan(0, 20), layer: 1);
        Assert.Equal(keys[60..120], readKeys[..60]);

        using var clone = cache.Clone();
        cache.Truncate(20);
        cache.Append(keys.AsSpan(0, 6), values.AsSpan(0, 2));
        Assert.Equal((21, 10, 600, 10), (cache.Length, cache.LengthOf(1), clone.Length, clone.LengthOf(1)));
        clone.Read(10, readKeys, readValues);
        Assert.Equal(keys[60..], readKeys);
        cache.Read(20, readKeys.AsSpan(0, 6), readValues.AsSpan(0, 2));
        Assert.Equal(keys[..6], readKeys[..6]);
        cache.Truncate(0);
        Assert.Equal((0, 0), (cache.Length, cache.LengthOf(1)));
        cache.Append([], []);
    }

    [Fact]
    public void A_wrong_call_says_what_is_wrong_and_changes_nothing()
    {
        var step = s_kernels.Of<float>(s_plain).Step;
        var read = s_kernels.Of<float>(s_plain).Read;
        using var cache = new KeyValueCache<float>(2, 32, 24, layers: 3, capacity: 20);
        float[] query = new float[128 * 5], key = new float[64 * 5], value = new float[48 * 5], output = new float[96 * 5];
        step(query, key, value, cache, 1, 1, output);
        output.AsSpan().Fill(7);
        Throws<ArgumentNullException>("cache", () => step(query, key, value, null!, 1, 1, output), "");
        Throws<ArgumentException>("cache", () => step(query, key, value, new KeyValueCache<float>(2, 32), 0, 1, output),
            "cache has 2 heads with keys of 32 and values of 32 elements, the kernel is declared for 2 heads with keys of 32 and values of 24.");
        Throws<ArgumentOutOfRangeException>("layer", () => step(query, key, value, cache, 3, 1, output), "layer is 3, the cache has 3 layers.");
        Throws<ArgumentOutOfRangeException>("layer", () => read(query, cache, -1, 1, output), "layer is -1, the cache has 3 layers.");
        Throws<ArgumentException>("key", () => step(query, key.AsSpan(0, 64 * 4), value.AsSpan(0, 48 * 4), cache, 1, 1, output), "key has 4 tokens and query has 5, but one token is appended to the cache for each query.");
        Throws<ArgumentException>("key", () => step(new float[128 * 16], new float[64 * 16], new float[48 * 16], cache, 1, 1, new float[96 * 16]), "key has 16 tokens, but cache has 5 of at most 20.");
        Throws<ArgumentException>("output", () => step(query, key, value, cache, 1, 1, query.AsSpan(0, 96 * 5)), "output overlaps query.");
        Throws<ArgumentException>("output", () => step(query, key, value, cache, 1, 1, output.AsSpan(1)), "output has 479 elements");
        Throws<ArgumentException>("keys", () => cache.Append(new float[65], new float[48]), "keys has 65 elements, which is not a multiple of a token's 2 * 32 = 64.");
        Throws<ArgumentException>("values", () => cache.Append(new float[64], new float[64]), "values has 64 elements, but its shape [1, 2, 24] needs 48.");
        Throws<ArgumentException>("keys", () => cache.Append(new float[64 * 16], new float[48 * 16], layer: 1), "keys has 16 tokens, but the cache has 5 of at most 20.");
        Throws<ArgumentOutOfRangeException>("first", () => cache.Read(3, new float[64 * 3], new float[48 * 3], layer: 1), "first is 3, the cache has 5 tokens, of which 3 are asked for.");
        Throws<ArgumentOutOfRangeException>("length", () => cache.Truncate(6), "length is 6, the cache has 5 tokens.");
        Throws<ArgumentOutOfRangeException>("length", () => cache.Truncate(-1), "length is -1");
        Throws<ArgumentOutOfRangeException>("tokens", () => cache.EnsureCapacity(21), "tokens is 21, the cache has room for at most 20.");
        Throws<ArgumentOutOfRangeException>("keyValueHeads", () => _ = new KeyValueCache<float>(0, 8), "");
        Throws<ArgumentOutOfRangeException>("headDim", () => _ = new KeyValueCache<float>(1, 513), "");
        Throws<ArgumentOutOfRangeException>("layers", () => _ = new KeyValueCache<float>(1, 8, layers: 0), "");
        Throws<ArgumentOutOfRangeException>("capacity", () => _ = new KeyValueCache<float>(1, 8, capacity: -1), "");
        Assert.Throws<NotSupportedException>(() => new KeyValueCache<double>(1, 8));
        Assert.Equal((0, 5, 0), (cache.LengthOf(0), cache.LengthOf(1), cache.LengthOf(2)));
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
    public void A_disposed_cache_cannot_be_used()
    {
        var cache = Create<float>(s_plain);
        cache.Append(new float[64], new float[48]);
        cache.Dispose();
        cache.Dispose();
        Assert.Equal(0, cache.Bytes);
        Assert.Throws<ObjectDisposedException>(() => cache.Append(new float[64], new float[48]));
        Assert.Throws<ObjectDisposedException>(() => cache.Read(0, new float[64], new float[48]));
        Assert.Throws<ObjectDisposedException>(() => cache.Truncate(0));
        Assert.Throws<ObjectDisposedException>(() => cache.Clone());
        Assert.Throws<ObjectDisposedException>(() => s_kernels.Of<float>(s_plain).Read(new float[128], cache, 0, 1, new float[96]));
        Assert.Throws<ObjectDisposedException>(() => s_kernels.Of<float>(s_plain).Step(new float[128], new float[64], new float[48], cache, 0, 1, new float[96]));
    }

    [Fact]
    public void Calls_that_change_a_cache_exclude_others_and_disposing_waits_for_the_last()
    {
        using var pages = new GuardedCacheMemory();
        var cache = Create<float>(s_plain);
        cache.Append(new float[64], new float[48]);
        cache.Enter(changes: false);
        cache.Read(0, new float[64], new float[48]);
        Assert.Throws<InvalidOperationException>(() => cache.Append(new float[64], new float[48]));
        Assert.Throws<InvalidOperationException>(() => cache.Truncate(0));
        Assert.Throws<InvalidOperationException>(() => s_kernels.Of<float>(s_plain).Step(new float[128], new float[64], new float[48], cache, 0, 1, new float[96]));
        cache.Exit(changes: false);
        cache.Enter(changes: true);
        Assert.Throws<InvalidOperationException>(() => cache.Read(0, new float[64], new float[48]));
        Assert.Throws<InvalidOperationException>(() => s_kernels.Of<float>(s_plain).Read(new float[128], cache, 0, 1, new float[96]));
        cache.Dispose();
        Assert.NotEqual(0, cache.Bytes);
        Assert.Throws<ObjectDisposedException>(() => cache.Read(0, new float[64], new float[48]));
        cache.Exit(changes: true);
        Assert.Equal(0, cache.Bytes);
    }

    /// <summary>Threads append, read, attend, truncate, clone and dispose at once: each call succeeds or says that it may not, and none touches freed memory.</summary>
    [Fact]
    public void Racing_calls_succeed_or_throw()
    {
        using var pages = new GuardedCacheMemory();
        var kernel = s_kernels.Of<float>(s_plain);
        for (int round = 0; round < 20; round++)
        {
            var cache = Create<float>(s_plain);
            cache.Append(new float[64 * 100], new float[48 * 100]);
            Action[] calls =
            [
                () => kernel.Step(new float[128], new float[64], new float[48], cache, 0, 2, new float[96]),
                () => kernel.Read(new float[128 * 3], cache, 0, 2, new float[96 * 3]),
                () => cache.Append(new float[64], new float[48]),
                () => cache.Read(0, new float[64], new float[48]),
                () => cache.Truncate(50),
                () => cache.Clone().Dispose(),
                () => cache.EnsureCapacity(cache.Length + 600),
            ];
            var threads = calls.Select(call => new Thread(() =>
            {
                for (int i = 0; i < 50; i++)
                    try
                    {
                        call();
                    }
                    catch (Exception exception) when (exception is InvalidOperationException or ArgumentOutOfRangeException)
                    {
                    }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            Thread.Sleep(round % 5);
            cache.Dispose();
            threads.ForEach(thread => thread.Join());
            Assert.Equal(0, cache.Bytes);
        }
    }

    [Fact]
    public void A_call_whose_memory_fails_changes_nothing()
    {
        var kernel = s_kernels.Of<float>(s_plain);
        float[] key = [.. Enumerable.Range(0, 64 * 700).Select(i => (float)i)], value = [.. Enumerable.Range(0, 48 * 700).Select(i => (float)i)], output = new float[96 * 700];
        bool done = false;
        for (int failing = 0; !done; failing++)
        {
            Assert.InRange(failing, 0, 50);
            using var cache = Create<float>(s_plain, layers: 2);
            cache.Append(key.AsSpan(0, 64 * 3), value.AsSpan(0, 48 * 3));
            AttentionScratch.Trim();
            int left = failing;
            try
            {
                Faults.Injected = fault =>
                {
                    if (fault == Fault.NativeMemory && left-- == 0) throw new InsufficientMemoryException("injected");
                };
                kernel.Step(new float[128 * 700], key, value, cache, 0, 1, output);
                done = true;
            }
            catch (OutOfMemoryException)
            {
                Assert.Equal((3, 0), (cache.LengthOf(0), cache.LengthOf(1)));
            }
            finally
            {
                Faults.Injected = null;
            }

            float[] keys = new float[64 * 3], values = new float[48 * 3];
            cache.Read(0, keys, values);
            Assert.Equal(key[..(64 * 3)], keys);
            Assert.Equal(value[..(48 * 3)], values);
        }
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        var kernel = s_kernels.Of<BFloat16>(s_plain);
        using var cache = Create<BFloat16>(s_plain);
        cache.EnsureCapacity(200);
        float[] query = new float[128], key = new float[64], value = new float[48], output = new float[96];
        for (int i = 0; i < 50; i++) kernel.Step(query, key, value, cache, 0, 1, output);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) kernel.Step(query, key, value, cache, 0, 1, output);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>A cache that nobody disposed is freed, too.</summary>
    [Fact]
    public void A_forgotten_cache_is_freed()
    {
        using var pages = new GuardedCacheMemory();
        Forget();
        for (int i = 0; i < 20 && pages.Blocks > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(0, pages.Blocks);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget() => Create<float>(s_plain).Append(new float[64], new float[48]);
    }

    private static KeyValueCache<T> Create<T>(Declaration declaration, int layers = 1, int capacity = 0)
        where T : unmanaged => new(declaration.KeyValueHeads, declaration.HeadDim, declaration.ValueDim, layers, capacity);

    /// <summary>Leaves NaN where no token is.</summary>
    private static void Poison<T>(KeyValueCache<T> cache, int tokens)
        where T : unmanaged
    {
        Rows<T> keys = Stored.NaN<T>(tokens * cache.KeyValueHeads * cache.HeadDim, cache.HeadDim), values = Stored.NaN<T>(tokens * cache.KeyValueHeads * cache.ValueDim, cache.ValueDim);
        for (int layer = 0; layer < cache.Layers; layer++) cache.Append(keys, values, layer);
        cache.Truncate(0);
    }
}
