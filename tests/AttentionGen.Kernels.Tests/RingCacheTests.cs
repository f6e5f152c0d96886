using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Appends tokens to a layer of a ring and attends.</summary>
public delegate void RingStep<T>(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, RingKeyValueCache<T> cache, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>Attends to a layer of a ring.</summary>
public delegate void RingRead<T>(ReadOnlySpan<float> query, RingKeyValueCache<T> cache, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>Rings: calls of any size against the exact result over all tokens that were ever appended, and what a ring keeps.</summary>
[Collection(nameof(Isolated))]
public class RingCacheTests
{
    private static readonly Declaration s_plain = new(4, 32) { KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal, Window = (20, -1) };
    internal static readonly Declaration First = s_plain with { Window = (13, -1), FirstKeys = 5 };
    private static readonly Declaration s_small = new(2, 8) { Mask = AttentionMask.Causal, Window = (6, -1) };

    /// <summary>In two pages: the last one is not full.</summary>
    private static readonly Declaration s_large = s_small with { Window = (700, -1), FirstKeys = 3 };

    /// <summary>These have kernels for all types, the others for floats.</summary>
    private static readonly Declaration[] s_typed = [s_plain, First];

    private static readonly Declaration[] s_declarations =
    [
        .. s_typed,
        s_small,
        s_small with { FirstKeys = 3 },
        s_large,
        new(3, 20) { Mask = AttentionMask.Causal, ValueDim = 7, Window = (40, -1), FirstKeys = 70, Alibi = true },
        s_plain with { Mask = AttentionMask.None, Window = (7, -1) },
        s_plain with { Window = (0, -1) },
        s_plain with { Window = (30, -1), MaskText = "query - key < 9" },
        s_plain with { Window = (24, -1), Dilation = 3, FirstKeys = 4 },
        s_plain with { Window = (30, -1), ChunkLength = 50, FirstKeys = 60 },
        s_plain with { Window = (12, -1), PrefixLength = 20, SoftCap = 20 },
        new(4, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Window = (150, -1), FirstKeys = 4 },
    ];

    private static readonly Lazy<Type> s_kernels = new(Load);

    /// <summary>The same over a cache of all tokens.</summary>
    private static readonly CachedKernels s_whole = new([First]);

    public static TheoryData<string, int> Rings => [.. from declaration in s_declarations from slack in new[] { 1, 5, 40 } select ($"{declaration}", slack)];

    [Theory, MemberData(nameof(Rings))]
    public void Calls_of_any_size_have_the_result_over_all_tokens(string name, int slack)
    {
        var declaration = s_declarations.Single(declaration => declaration.ToString() == name);
        int window = declaration.Window.Left, seed = slack;
        var random = new Random(seed);
        int[] pieces = window > 500 ? [690, 20, 1, slack, slack + 1, 800, 1] : window > 100 ? [170, 1, slack, slack + 1, 310, 1] : [.. Enumerable.Range(0, 7).Select(i => i % 3 == 0 ? 1 + random.Next(slack) : 1 + random.Next(3 * window + 3)), 1, 1];
        Run<float>(declaration, slack, pieces);
        if (!s_typed.Contains(declaration) || slack != 5) return;
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
        Run<float>(s_small with { FirstKeys = firstKeys }, slack: 3, pieces);
    }

    /// <summary>Appends pieces, each to two layers with other tokens, and checks each result against the exact one over all tokens.</summary>
    private static void Run<T>(Declaration declaration, int slack, int[] pieces)
        where T : unmanaged
    {
        var (step, read) = Of<T>(declaration);
        using var pages = new GuardedCacheMemory();
        using var cache = Create<T>(declaration, slack, layers: 2);
        long bytes = cache.Bytes;
        var history = new History<T>[] { new(declaration), new(declaration) };
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
        var declaration = s_small with { FirstKeys = firstKeys };
        using var cache = Create<float>(declaration, Slack, layers: 2);
        var history = new History<float>[] { new(declaration), new(declaration) };
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
        var history = new History<float>(First);
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

    /// <summary>Rings that are empty, not full, and wrapped anywhere, in one page or several, some with tokens cut off; layers of different lengths.</summary>
    [Theory]
    [InlineData(false, new[] { 0 }, 0)]
    [InlineData(false, new[] { 3 }, 0)]
    [InlineData(false, new[] { 20, 1 }, 1)]
    [InlineData(false, new[] { 24, 1, 9 }, 0)]
    [InlineData(false, new[] { 200, 7 }, 6)]
    [InlineData(true, new[] { 300 }, 2)]
    [InlineData(true, new[] { 900, 130 }, 9)]
    public void A_saved_ring_goes_on_with_the_same_bits(bool large, int[] pieces, int cut)
    {
        var declaration = large ? s_large : First;
        Run<float>();
        if (large) return;
        Run<Half>();
        Run<BFloat16>();
        Run<sbyte>();

        void Run<T>()
            where T : unmanaged
        {
            const int Slack = 10;
            var (step, read) = Of<T>(declaration);
            using var pages = new GuardedCacheMemory();
            using var cache = Create<T>(declaration, Slack, layers: 2);
            var history = new History<T>[] { new(declaration), new(declaration) };
            int seed = 1;
            foreach (int tokens in pieces) Step([cache], 0, tokens, check: false);
            Step([cache], 1, pieces[0], check: false);
            int cutTo = cache.Length - cut;
            cache.Truncate(cutTo);
            foreach (var of in history) of.Truncate(cutTo);

            byte[] file = [7, .. SavedCaches.Save(cache.Save), 8];
            var stream = new SlowStream(file) { Position = 1 };
            using var loaded = RingKeyValueCache<T>.Load(stream);
            Assert.Equal(file.Length - 1, stream.Position);
            Assert.Equal(
                (cache.Window, cache.Slack, cache.FirstKeys, cache.KeyValueHeads, cache.HeadDim, cache.ValueDim, cache.Layers),
                (loaded.Window, loaded.Slack, loaded.FirstKeys, loaded.KeyValueHeads, loaded.HeadDim, loaded.ValueDim, loaded.Layers));
            Assert.InRange(loaded.Bytes, 0, cache.Bytes);
            Same();
            Assert.Equal(file[1..^1], SavedCaches.Save(loaded.Save));

            foreach (int tokens in new[] { 1, Slack + 1, 30, 2 })
                for (int layer = 0; layer < 2; layer++)
                {
                    Step([cache, loaded], layer, tokens, check: !large || tokens == 2);
                    Same();
                }

            cache.Truncate(cache.Length - 2);
            loaded.Truncate(cache.Length);
            Same();
            loaded.EnsureCapacity(1 << 30);
            Assert.Equal(cache.Bytes, loaded.Bytes);
            Assert.Throws<ArgumentOutOfRangeException>(() => loaded.EnsureCapacity(-1));
            using var clone = loaded.Clone();
            Assert.Equal(SavedCaches.Contents<T>(cache), SavedCaches.Contents<T>(clone));

            void Same()
            {
                for (int layer = 0; layer < 2; layer++)
                {
                    Assert.Equal((cache.LengthOf(layer), cache.RetainedOf(layer)), (loaded.LengthOf(layer), loaded.RetainedOf(layer)));
                    history[layer].Check(loaded, layer);
                }

                Assert.Equal(SavedCaches.Contents<T>(cache), SavedCaches.Contents<T>(loaded));
            }

            void Step(RingKeyValueCache<T>[] rings, int layer, int tokens, bool check)
            {
                var inputs = new Inputs(new Problem(declaration, tokens, tokens), seed++);
                float[][] outputs = [.. rings.Select(_ => new float[inputs.Problem.OutputLength])];
                for (int i = 0; i < rings.Length; i++) step(inputs.Query, inputs.Key, inputs.Value, rings[i], layer, 1, outputs[i]);
                history[layer].Add(inputs);
                Assert.All(outputs, output => Assert.Equal(outputs[0], output));
                if (check && tokens > 0) history[layer].Check(inputs.Query, outputs[0]);
            }
        }
    }

    [Fact]
    public void The_format_of_files_stays()
    {
        using var cache = new RingKeyValueCache<Half>(1, 2, window: 1, slack: 1, valueDim: 1, layers: 2, firstKeys: 1);
        cache.Append([(Half)1, (Half)1, (Half)2, (Half)2, (Half)3, (Half)3, (Half)4, (Half)4], [(Half)1, (Half)2, (Half)3, (Half)4]);
        cache.Append([(Half)5, (Half)5], [(Half)5], layer: 1);
        cache.Truncate(3); // of the tokens 0, 2 and 3
        byte[] file = SavedCaches.Save(cache.Save);
        Assert.Equal(
            "8941474B560D0A0A" + "01000000" + "02000000" + "02000000" + "01000000" + "02000000" + "01000000" + "02000000" // head
            + "01000000" + "01000000" + "01000000" // window, slack, first keys
            + "03000000" + "01000000" + "02000000" + "00000000" // lengths and first tokens
            + "003C003C" + "00000000" + "00420042" + "003C" + "0000" + "0042" // places: token 0, that of the token that was cut off, token 2
            + "00450045" + "0045",
            Convert.ToHexString(file.AsSpan(0, file.Length - 16)));
        Assert.Equal(SavedCaches.Checked(file.AsSpan(0, file.Length - 16)), file);
    }

    [Fact]
    public void A_loaded_ring_whose_memory_fails_changes_nothing()
    {
        var (step, _) = Of<float>(s_large);
        using var cache = Create<float>(s_large, slack: 4, layers: 2);
        cache.Append(new float[16 * 2], new float[16 * 2]);
        byte[] file = SavedCaches.Save(cache.Save);
        foreach (int tokens in new[] { 720, 500 })
        {
            using var loaded = RingKeyValueCache<float>.Load(new MemoryStream(file));
            float[] rows = new float[16 * tokens], output = new float[16 * tokens];
            Faults.Injected = fault =>
            {
                if (fault == Fault.NativeMemory) throw new InsufficientMemoryException("injected");
            };
            try
            {
                Assert.Throws<InsufficientMemoryException>(() => loaded.Append(rows, rows));
                Assert.Throws<InsufficientMemoryException>(() => loaded.EnsureCapacity(tokens));
                Assert.Throws<InsufficientMemoryException>(() => step(rows, rows, rows, loaded, 0, 1, output));
            }
            finally
            {
                Faults.Injected = null;
            }

            Assert.Equal((2, 0..2, 0), (loaded.Length, loaded.Retained, loaded.LengthOf(1)));
            Assert.Equal(SavedCaches.Contents<float>(cache), SavedCaches.Contents<float>(loaded));
            step(rows, rows, rows, loaded, 0, 1, output);
            Assert.Equal(tokens + 2, loaded.Length);
        }
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
            var history = new History<float>(First);
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

    internal static RingKeyValueCache<T> Create<T>(Declaration declaration, int slack, int layers = 1)
        where T : unmanaged => new(declaration.KeyValueHeads, declaration.HeadDim, declaration.Window.Left, slack, declaration.ValueDim, layers, declaration.FirstKeys);

    internal static (RingStep<T> Step, RingRead<T> Read) Of<T>(Declaration declaration)
        where T : unmanaged =>
        (s_kernels.Value.GetMethod(Name<T>(declaration))!.CreateDelegate<RingStep<T>>(), s_kernels.Value.GetMethod("Read_" + Name<T>(declaration))!.CreateDelegate<RingRead<T>>());

    private static Type Load()
    {
        var type = KernelGroup.CompileSource($$"""
            using System;
            using AttentionGen;
            using AttentionGen.Kernels.Tests;

            public static partial class Kernels
            {
            {{string.Concat(s_declarations.SelectMany(declaration => new[] { Source<float>(declaration), declaration.OwnMethods }))}}
            {{string.Concat(s_typed.SelectMany(declaration => new[] { Source<Half>(declaration), Source<BFloat16>(declaration), Source<sbyte>(declaration) }))}}
            }
            """).GetType("Kernels", throwOnError: true)!;
        foreach (var declaration in s_declarations) Own.Add(declaration, type);
        return type;
    }

    private static string Name<T>(Declaration declaration) => $"{declaration}_{typeof(T).Name}";

    private static string Source<T>(Declaration declaration)
        where T : unmanaged
    {
        string type = Stored.Name<T>(), attribute = declaration.Source.Split('\n')[0].Trim();
        return $"""
                {attribute}
                public static partial void {Name<T>(declaration)}(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, RingKeyValueCache<{type}> cache, int layer, int maxThreads, Span<float> output);
                {attribute}
                public static partial void Read_{Name<T>(declaration)}(ReadOnlySpan<float> query, RingKeyValueCache<{type}> cache, int layer, int maxThreads, Span<float> output);

            """;
    }

    /// <summary>All tokens that were ever appended to a layer, as they are stored.</summary>
    private sealed class History<T>(Declaration declaration)
        where T : unmanaged
    {
        private readonly List<float> _keys = [], _values = [];

        private int KeyWidth => declaration.KeyValueHeads * declaration.HeadDim;

        private int ValueWidth => declaration.KeyValueHeads * declaration.ValueDim;

        public int Length => _keys.Count / KeyWidth;

        public void Add(Inputs inputs) => Add(inputs.Key, inputs.Value);

        public void Add(float[] keys, float[] values)
        {
            _keys.AddRange(Stored.Round<T>(keys, declaration.HeadDim).Floats);
            _values.AddRange(Stored.Round<T>(values, declaration.ValueDim).Floats);
        }

        public void Truncate(int length)
        {
            if (length >= Length) return;
            _keys.RemoveRange(length * KeyWidth, _keys.Count - length * KeyWidth);
            _values.RemoveRange(length * ValueWidth, _values.Count - length * ValueWidth);
        }

        /// <summary>Checks the result of queries at the last tokens.</summary>
        public void Check(float[] query, float[] output)
        {
            var all = new Inputs(new Problem(declaration, query.Length / declaration.Heads / declaration.HeadDim, Length));
            query.CopyTo(all.Query, 0);
            _keys.CopyTo(all.Key);
            _values.CopyTo(all.Value);
            Bound.Check(all, output);
        }

        /// <summary>Checks that a ring has what it says.</summary>
        public void Check(RingKeyValueCache<T> cache, int layer)
        {
            var (first, end) = (cache.RetainedOf(layer).Start.Value, cache.RetainedOf(layer).End.Value);
            Check(cache, layer, first, end);
            Check(cache, layer, 0, Math.Min(cache.FirstKeys, end));
        }

        private void Check(RingKeyValueCache<T> cache, int layer, int first, int end)
        {
            var (keys, values) = cache.Floats(first, end - first, layer);
            Assert.Equal(_keys.GetRange(first * KeyWidth, keys.Length), keys);
            Assert.Equal(_values.GetRange(first * ValueWidth, values.Length), values);
        }
    }
}
