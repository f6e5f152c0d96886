using AttentionGen.CompilerServices;
using Xunit;
using static AttentionGen.Kernels.Tests.RingCalls;

namespace AttentionGen.Kernels.Tests;

/// <summary>Rings: calls of any size against the exact result over all tokens that were ever appended, and what a ring keeps.</summary>
[Collection(nameof(Isolated))]
public class RingCacheTests
{
    /// <summary>The same over a cache of all tokens.</summary>
    private static readonly CachedKernels s_whole = new([First]);

    public static TheoryData<string, int> Rings => [.. from declaration in Declarations from slack in new[] { 1, 5, 40 } select ($"{declaration}", slack)];

    [Theory, MemberData(nameof(Rings))]
    public void Calls_of_any_size_have_the_result_over_all_tokens(string name, int slack)
    {
        var declaration = Declarations.Single(declaration => declaration.ToString() == name);
        int window = declaration.Window.Left, seed = slack;
        var random = new Random(seed);
        int[] pieces = window > 500 ? [690, 20, 1, slack, slack + 1, 800, 1] : window > 100 ? [170, 1, slack, slack + 1, 310, 1] : [.. Enumerable.Range(0, 7).Select(i => i % 3 == 0 ? 1 + random.Next(slack) : 1 + random.Next(3 * window + 3)), 1, 1];
        Run<float>(declaration, slack, pieces);
        if (!Typed.Contains(declaration) || slack != 5) return;
        Run<Half>(declaration, slack, pieces);
        Run<BFloat16>(declaration, slack, pieces);
        Run<sbyte>(declaration, slack, pieces);
    }

    /// <summary>Wherever the ring begins and ends, in memory whose other places are NaN.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 3)]
    public void Every_place_of_a_small_ring_is_its_end_once(int tokens, int firstKeys)
    {
        int[] pieces = [.. Enumerable.Repeat(tokens, 36)];
        Run<float>(Small with { FirstKeys = firstKeys }, slack: 3, pieces);
    }

    /// <summary>Appends pieces, each to two layers with other tokens, and checks each result against the exact one over all tokens.</summary>
    private static void Run<T>(Declaration declaration, int slack, int[] pieces)
        where T : unmanaged
    {
        var (step, read) = Of<T>(declaration);
        using var pages = new GuardedCacheMemory();
        using var cache = Create<T>(declaration, slack, layers: 2);
        long bytes = cache.Bytes;
        var history = new RingHistory<T>[] { new(declaration), new(declaration) };
        int seed = 1;
        foreach (int tokens in pieces)
            for (int layer = 0; layer < 2; layer++)
            {
                var inputs = new Inputs(new Problem(declaration, tokens, tokens), seed++);
                float[] output = new float[inputs.Problem.OutputLength];
                step(inputs.Query, inputs.Key, inputs.Value, cache, layer, 1, output);
                history[layer].Add(inputs);
                int length = history[layer].Length, first = cache.RetainedOf(layer).Start.Value;
                Assert.Equal((length, bytes, length), (cache.LengthOf(layer), cache.Bytes, cache.RetainedOf(layer).End.Value));
                Assert.InRange(length - first, Math.Min(declaration.Window.Left, length), Math.Min(declaration.Window.Left + slack, length));
                history[layer].Check(inputs.Query, output);
                history[layer].Check(cache, layer);

                // The last queries again, without new tokens.
                int again = first == 0 ? tokens : Math.Min(tokens, length - first - declaration.Window.Left); // all that the ring can answer
                float[] query = inputs.Query[^(again * declaration.Heads * declaration.HeadDim)..], outputs = new float[again * declaration.Heads * declaration.ValueDim], threads = new float[outputs.Length];
                read(query, cache, layer, 1, outputs);
                read(query, cache, layer, 2, threads);
                if (again < 6) history[layer].Check(query, outputs);
                Assert.Equal(outputs, threads);
                if (again == tokens && tokens <= slack) Assert.Equal(output, outputs);
            }
    }

    [Fact]
    public void It_agrees_with_a_cache_of_all_tokens()
    {
        Compare<float>(1e-6f);
        Compare<Half>(1e-6f);
        Compare<BFloat16>(1e-6f);
        Compare<sbyte>(1e-6f);

        static void Compare<T>(float tolerance)
            where T : unmanaged
        {
            var whole = s_whole.Of<T>(First);
            using var all = new KeyValueCache<T>(2, 32, 24);
            using var ring = Create<T>(First, slack: 8);
            var random = new Random(7);
            for (int call = 0; call < 16; call++)
            {
                int tokens = 1 + random.Next(call % 2 == 0 ? 8 : 39);
                var inputs = new Inputs(new Problem(First, tokens, tokens), call);
                float[] expected = new float[inputs.Problem.OutputLength], actual = new float[expected.Length];
                whole.Step(inputs.Query, inputs.Key, inputs.Value, all, 0, 1, expected);
                Of<T>(First).Step(inputs.Query, inputs.Key, inputs.Value, ring, 0, 1, actual);
                for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Tokens_within_the_slack_are_cut_off_and_others_appended(int firstKeys)
    {
        const int Slack = 7;
        var declaration = Small with { FirstKeys = firstKeys };
        using var cache = Create<float>(declaration, Slack, layers: 2);
        var history = new RingHistory<float>[] { new(declaration), new(declaration) };
        var random = new Random(3);
        int cuts = 0, refused = 0;
        for (int i = 0, seed = 0; i < 120; i++)
        {
            for (int layer = 0; layer < 2; layer++) Step(layer, 1 + random.Next(random.Next(4) == 0 ? 30 : Slack), seed++);
            int length = Math.Max(0, Math.Max(history[0].Length, history[1].Length) - random.Next(Slack + 4)), longest = Math.Max(history[0].Length, history[1].Length);
            bool possible = history.Select((of, layer) => length >= of.Length || length <= firstKeys || length - cache.RetainedOf(layer).Start.Value >= 6 || cache.RetainedOf(layer).Start.Value <= firstKeys).All(x => x);
            if (possible)
            {
                cache.Truncate(length);
                foreach (var of in history) of.Truncate(length);
                cuts++;
            }
            else
            {
                var exception = Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(length));
                Assert.Contains("retains the tokens", exception.Message, StringComparison.Ordinal);
                refused++;
            }

            Assert.Equal((history[0].Length, history[1].Length), (cache.LengthOf(0), cache.LengthOf(1)));
            Assert.True(longest >= length);
            if (i % 20 == 19)
            {
                cache.Truncate(0);
                foreach (var of in history) of.Truncate(0);
                Assert.Equal(0..0, cache.Retained);
            }
        }

        Assert.InRange(cuts, 20, 119);
        Assert.InRange(refused, 4, 100);

        void Step(int layer, int tokens, int seed)
        {
            var inputs = new Inputs(new Problem(declaration, tokens, tokens), seed);
            float[] output = new float[inputs.Problem.OutputLength];
            Of<float>(declaration).Step(inputs.Query, inputs.Key, inputs.Value, cache, layer, 1, output);
            history[layer].Add(inputs);
            history[layer].Check(inputs.Query, output);
            history[layer].Check(cache, layer);
        }
    }

    /// <summary>What is no longer in the window does not exist, though the ring still has it; nor what a call that failed has written.</summary>
    [Fact]
    public void NaN_of_tokens_outside_of_the_window_changes_nothing()
    {
        var (step, read) = Of<float>(First);
        using var pages = new GuardedCacheMemory();
        using var cache = Create<float>(First, slack: 30);
        var history = new RingHistory<float>(First);
        float[] keys = new float[64 * 5], values = new float[48 * 5], rest = [.. Enumerable.Repeat(float.NaN, 64 * 40)];
        cache.Append(keys, values); // the first keys
        history.Add(keys, values);
        cache.Append(rest, rest.AsSpan(0, 48 * 40));
        history.Add(rest, rest[..(48 * 40)]);
        cache.Append(new float[64 * 13], new float[48 * 13]);
        history.Add(new float[64 * 13], new float[48 * 13]);
        foreach (int tokens in new[] { 1, 1, 10, 17, 60, 2, 31 })
        {
            var inputs = new Inputs(new Problem(First, tokens, tokens), tokens);
            float[] output = new float[inputs.Problem.OutputLength];
            step(inputs.Query, inputs.Key, inputs.Value, cache, 0, 2, output);
            history.Add(inputs);
            Assert.All(output, x => Assert.True(float.IsFinite(x)));
            history.Check(inputs.Query, output);
        }

        cache.Append(rest.AsSpan(0, 64 * 10), rest.AsSpan(0, 48 * 10));
        cache.Truncate(cache.Length - 10);
        var last = new Inputs(new Problem(First, 1, 1), 1);
        float[] result = new float[last.Problem.OutputLength];
        read(last.Query, cache, 0, 1, result);
        history.Check(last.Query, result);
    }

    [Fact]
    public void Tokens_are_appended_and_read_as_they_are()
    {
        using var cache = new RingKeyValueCache<BFloat16>(2, 3, window: 4, slack: 2, valueDim: 1, layers: 2, firstKeys: 2);
        Assert.Equal((4, 2, 2, 2, 3, 1, 2, 0), (cache.Window, cache.Slack, cache.FirstKeys, cache.KeyValueHeads, cache.HeadDim, cache.ValueDim, cache.Layers, cache.Length));
        BFloat16[] keys = [.. Enumerable.Range(0, 6 * 50).Select(i => (BFloat16)i)], values = [.. Enumerable.Range(0, 2 * 50).Select(i => (BFloat16)(-i))];
        BFloat16[] readKeys = new BFloat16[6 * 6], readValues = new BFloat16[2 * 6];
        for (int length = 0, tokens = 1; length + tokens <= 50; length += tokens, tokens = tokens % 13 + 1)
        {
            cache.Append(keys.AsSpan(6 * length, 6 * tokens), values.AsSpan(2 * length, 2 * tokens), layer: 1);
            var (kept, end) = (cache.RetainedOf(1).Start.Value, length + tokens);
            Assert.Equal((Math.Max(end - 6, 0), end), (kept, cache.RetainedOf(1).End.Value));
            using var clone = cache.Clone();
            foreach (var ring in new[] { cache, clone })
            {
                int count = end - kept;
                ring.Read(kept, readKeys.AsSpan(0, 6 * count), readValues.AsSpan(0, 2 * count), layer: 1);
                Assert.Equal(keys[(6 * kept)..(6 * end)], readKeys[..(6 * count)]);
                Assert.Equal(values[(2 * kept)..(2 * end)], readValues[..(2 * count)]);
                count = Math.Min(2, end);
                ring.Read(0, readKeys.AsSpan(0, 6 * count), readValues.AsSpan(0, 2 * count), layer: 1);
                Assert.Equal(keys[..(6 * count)], readKeys[..(6 * count)]);
                if (kept > 2) Assert.Throws<ArgumentOutOfRangeException>(() => ring.Read(kept - 1, readKeys.AsSpan(0, 6), readValues.AsSpan(0, 2), layer: 1));
            }
        }

        Assert.Equal(0..0, cache.Retained);
    }

    [Fact]
    public void A_wrong_call_says_what_is_wrong_and_changes_nothing()
    {
        var (step, read) = Of<float>(First);
        using var cache = Create<float>(First, slack: 4);
        cache.Append(new float[64 * 50], new float[48 * 50]);
        float[] query = new float[128 * 6], key = new float[64 * 6], value = new float[48 * 6], output = [.. Enumerable.Repeat(7f, 96 * 6)];
        Throws<ArgumentException>("cache", () => step(query, key, value, new RingKeyValueCache<float>(2, 32, 14, 4, 24, firstKeys: 5), 0, 1, output),
            "cache is a ring with a window of 14 and 5 first keys, the kernel is declared with WindowLeft = 13 and FirstKeys = 5.");
        Throws<ArgumentException>("cache", () => step(query, key, value, new RingKeyValueCache<float>(2, 32, 13, 4, 24), 0, 1, output),
            "cache is a ring with a window of 13 and 0 first keys, the kernel is declared with WindowLeft = 13 and FirstKeys = 5.");
        Throws<ArgumentException>("cache", () => step(query, key, value, new RingKeyValueCache<float>(2, 32, 13, 4, firstKeys: 5), 0, 1, output), "values of 32 elements");
        Throws<ArgumentException>("cache", () => read(query, cache, 0, 1, output), "query begins at the position 44, where a query sees keys from 31 on, but cache retains the tokens 33 to 49 and those before 5.");
        Throws<ArgumentOutOfRangeException>("length", () => cache.Truncate(45), "length is 45, where a query sees keys from 32 on, but layer 0 retains the tokens 33 to 49 and those before 5: a length of 46 or more is possible, or 0.");
        Throws<ArgumentOutOfRangeException>("length", () => cache.Truncate(51), "length is 51, the cache has 50 tokens.");
        Throws<ArgumentOutOfRangeException>("length", () => cache.Truncate(-1), "length is -1");
        Throws<ArgumentOutOfRangeException>("first", () => cache.Read(32, new float[64 * 3], new float[48 * 3]), "first is 32, but the cache retains the tokens 33 to 49 and those before 5.");
        Throws<ArgumentOutOfRangeException>("first", () => cache.Read(48, new float[64 * 3], new float[48 * 3]), "first is 48, the cache has 50 tokens, of which 3 are asked for.");
        Throws<ArgumentException>("keys", () => cache.Append(new float[65], new float[48]), "keys has 65 elements");
        Throws<ArgumentOutOfRangeException>("layer", () => cache.RetainedOf(1), "layer is 1");
        Throws<ArgumentOutOfRangeException>("window", () => _ = new RingKeyValueCache<float>(1, 8, -1, 1), "");
        Throws<ArgumentOutOfRangeException>("window", () => _ = new RingKeyValueCache<float>(1, 8, 1 << 20, 1), "");
        Throws<ArgumentOutOfRangeException>("slack", () => _ = new RingKeyValueCache<float>(1, 8, 8, 0), "");
        Throws<ArgumentOutOfRangeException>("firstKeys", () => _ = new RingKeyValueCache<float>(1, 8, 8, 1, firstKeys: -1), "");
        Throws<ArgumentOutOfRangeException>("layers", () => _ = new RingKeyValueCache<float>(1, 8, 8, 1, layers: 0), "");
        Assert.Throws<NotSupportedException>(() => new RingKeyValueCache<double>(1, 8, 8, 1));
        Assert.Equal((50, 33..50), (cache.Length, cache.Retained));
        Assert.All(output, x => Assert.Equal(7, x));
        cache.Truncate(46);
        Assert.Equal(33..46, cache.Retained);

        static void Throws<TException>(string parameter, Action call, string message)
            where TException : ArgumentException
        {
            var exception = Assert.Throws<TException>(call);
            Assert.Equal(parameter, exception.ParamName);
            Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    public void A_call_whose_memory_fails_changes_nothing(int tokens)
    {
        var (step, _) = Of<float>(First);
        var inputs = new Inputs(new Problem(First, tokens, tokens));
        float[] output = new float[inputs.Problem.OutputLength];
        bool done = false;
        int failed = 0;
        for (; !done; failed++)
        {
            using var cache = Create<float>(First, slack: 4);
            var history = new RingHistory<float>(First);
            float[] keys = [.. Enumerable.Range(0, 64 * 60).Select(i => i % 7f)], values = [.. Enumerable.Range(0, 48 * 60).Select(i => i % 5f)];
            cache.Append(keys, values);
            history.Add(keys, values);
            AttentionScratch.Trim();
            long blocks = ScratchCache.LiveBlocks;
            int left = failed;
            try
            {
                Faults.Injected = fault =>
                {
                    if (fault == Fault.NativeMemory && left-- == 0) throw new InsufficientMemoryException("injected");
                };
                step(inputs.Query, inputs.Key, inputs.Value, cache, 0, 1, output);
                done = true;
            }
            catch (OutOfMemoryException)
            {
                Assert.Equal(60, cache.Length);
            }
            finally
            {
                Faults.Injected = null;
            }

            AttentionScratch.Trim();
            Assert.Equal(blocks, ScratchCache.LiveBlocks);
            if (!done) step(inputs.Query, inputs.Key, inputs.Value, cache, 0, 1, output);
            history.Add(inputs);
            history.Check(inputs.Query, output);
            history.Check(cache, 0);
        }

        Assert.InRange(failed, 2, 20);
    }

    [Fact]
    public void Calls_allocate_nothing()
    {
        var (step, _) = Of<BFloat16>(First);
        using var cache = Create<BFloat16>(First, slack: 4);
        float[] query = new float[128 * 30], key = new float[64 * 30], value = new float[48 * 30], output = new float[96 * 30];
        for (int i = 0; i < 20; i++) Some();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++) Some();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Some()
        {
            step(query, key, value, cache, 0, 1, output);
            step(query.AsSpan(0, 128), key.AsSpan(0, 64), value.AsSpan(0, 48), cache, 0, 1, output.AsSpan(0, 96));
        }
    }

    [Fact]
    public void A_ring_of_a_failed_constructor_or_a_disposed_one_has_no_memory()
    {
        using var pages = new GuardedCacheMemory();
        int left = 2;
        Faults.Injected = fault =>
        {
            if (fault == Fault.NativeMemory && left-- == 0) throw new InsufficientMemoryException("injected");
        };
        try
        {
            Assert.Throws<InsufficientMemoryException>(() => new RingKeyValueCache<float>(1, 8, 8, 1, layers: 3));
        }
        finally
        {
            Faults.Injected = null;
        }

        Assert.Equal(0, pages.Blocks);
        var cache = Create<float>(First, slack: 1);
        cache.Dispose();
        Assert.Equal((0, 0), (pages.Blocks, cache.Bytes));
        Assert.Throws<ObjectDisposedException>(() => cache.Append(new float[64], new float[48]));
        Assert.Throws<ObjectDisposedException>(() => cache.Truncate(0));
        Assert.Throws<ObjectDisposedException>(() => cache.Clone());
        Assert.Throws<ObjectDisposedException>(() => Of<float>(First).Step(new float[128], new float[64], new float[48], cache, 0, 1, new float[96]));
    }
}
