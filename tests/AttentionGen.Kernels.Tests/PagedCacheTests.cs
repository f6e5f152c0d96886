using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Paged caches: what their sequences hold, and kernels over several sequences against the exact result over the stored values.</summary>
[Collection(nameof(Isolated))]
public class PagedCacheTests
{
    internal static readonly Declaration Plain = new(4, 32) { KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal };

    private static readonly Declaration[] s_declarations =
    [
        Plain,
        Plain with { Mask = AttentionMask.None },
        new(3, 20) { Mask = AttentionMask.Causal, ValueDim = 7 },
        new(4, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Window = (100, -1) },
        Plain with { ChunkLength = 100 },
        Plain with { Dilation = 3 },
        Plain with { Alibi = true, SoftCap = 20, PrefixLength = 40 },
        Plain with { MaskText = "key % 5 != 1 && key <= query" },
    ];

    internal static readonly PagedKernels Kernels = new(s_declarations);

    /// <summary>Tokens that each call appends to the sequences: decoding, prefill, both, and neither.</summary>
    private static readonly int[][] s_calls = [[5, 0, 70], [1, 1, 1], [1, 40, 1], [0, 17, 0], [130, 1, 3], [1, 1, 1]];

    public static TheoryData<string, int> Calls => [.. from declaration in s_declarations from pageTokens in new[] { 16, 32, 64 } select ($"{declaration}", pageTokens)];

    [Theory, MemberData(nameof(Calls))]
    public void A_call_appends_to_its_sequences_and_attends(string name, int pageTokens)
    {
        var declaration = s_declarations.Single(declaration => declaration.ToString() == name);
        Run<float>(declaration, pageTokens);
        Run<Half>(declaration, pageTokens);
        Run<BFloat16>(declaration, pageTokens);
    }

    private static void Run<T>(Declaration declaration, int pageTokens)
        where T : unmanaged
    {
        var kernel = Kernels.Of<T>(declaration);
        using var memory = new GuardedCacheMemory(); // NaN where no token is
        using var cache = Create<T>(declaration, pageTokens, pages: 64, layers: 2);
        SequenceId[] ids = [cache.CreateSequence(), cache.CreateSequence(), cache.CreateSequence()];
        int seed = 1;
        foreach (int[] tokens in s_calls)
        {
            for (int layer = 0; layer < 2; layer++)
            {
                int[] before = [.. ids.Select(id => cache.LengthOf(id, layer))];
                var inputs = Step(kernel, cache, ids, tokens, layer, seed++, out float[] output);
                for (int i = 0; i < ids.Length; i++) Assert.Equal(before[i] + tokens[i], cache.LengthOf(ids[i], layer));
                Bound.Check(inputs, output);
                CheckAlone(kernel, cache, ids, tokens, layer, inputs.Query, output);
            }

            // Two of them go on without what they share with forks of theirs, in other places.
            if (tokens is [1, 40, 1]) ids = [ids[2], cache.Fork(ids[0]), ids[1]];
        }
    }

    /// <summary>Appends random tokens to sequences and attends.</summary>
    /// <returns>The queries of the call, and all keys and values as they are stored.</returns>
    internal static Inputs Step<T>(PagedKernel<T> kernel, PagedKeyValueCache<T> cache, SequenceId[] ids, int[] tokens, int layer, int seed, out float[] output, int maxThreads = 1)
        where T : unmanaged
    {
        int[] starts = Starts(tokens), lengths = [.. ids.Select((id, i) => cache.LengthOf(id, layer) + tokens[i])], keyStarts = Starts(lengths);
        var given = new Inputs(new Problem(kernel.Declaration, starts[^1], starts[^1]), seed);
        output = new float[given.Problem.OutputLength];
        kernel.Step(given.Query, given.Key, given.Value, starts, cache, ids, layer, maxThreads, output);
        var all = new Inputs(new Problem(kernel.Declaration, starts[^1], keyStarts[^1]) { DocumentStarts = starts, KeyDocumentStarts = keyStarts });
        given.Query.CopyTo(all.Query, 0);
        int keyWidth = cache.KeyValueHeads * cache.HeadDim, valueWidth = cache.KeyValueHeads * cache.ValueDim;
        for (int i = 0; i < ids.Length; i++)
        {
            var (keys, values) = Read(cache, ids[i], layer);
            keys.CopyTo(all.Key, keyStarts[i] * keyWidth);
            values.CopyTo(all.Value, keyStarts[i] * valueWidth);
            Assert.Equal(given.Key[(starts[i] * keyWidth)..(starts[i + 1] * keyWidth)].Select(Stored<T>), keys[(keys.Length - tokens[i] * keyWidth)..]);
            Assert.Equal(given.Value[(starts[i] * valueWidth)..(starts[i + 1] * valueWidth)].Select(Stored<T>), values[(values.Length - tokens[i] * valueWidth)..]);
        }

        return all;
    }

    /// <summary>The bits of a sequence are those of a call of its own, on any number of threads.</summary>
    private static void CheckAlone<T>(PagedKernel<T> kernel, PagedKeyValueCache<T> cache, SequenceId[] ids, int[] tokens, int layer, float[] query, float[] output)
        where T : unmanaged
    {
        float[] again = new float[output.Length], threads = new float[output.Length], alone = new float[output.Length];
        int[] starts = Starts(tokens);
        int queryWidth = kernel.Declaration.Heads * kernel.Declaration.HeadDim, width = kernel.Declaration.Heads * kernel.Declaration.ValueDim;
        kernel.Read(query, starts, cache, ids, layer, 1, again);
        kernel.Read(query, starts, cache, ids, layer, 2, threads);
        for (int i = 0; i < ids.Length; i++)
            kernel.Read(query.AsSpan(starts[i] * queryWidth, tokens[i] * queryWidth), [0, tokens[i]], cache, [ids[i]], layer, 2, alone.AsSpan(starts[i] * width, tokens[i] * width));
        Assert.Equal(output, again);
        Assert.Equal(output, threads);
        Assert.Equal(output, alone);
    }

    [Fact]
    public void One_sequence_needs_no_documents()
    {
        var kernel = Kernels.Of<float>(Plain);
        using PagedKeyValueCache<float> cache = Create<float>(Plain), other = Create<float>(Plain);
        SequenceId[] id = [cache.CreateSequence()], otherId = [other.CreateSequence()];
        for (int i = 0; i < 5; i++)
        {
            var inputs = new Inputs(new Problem(Plain, 7 * i + 1, 7 * i + 1), seed: i);
            float[] output = new float[inputs.Problem.OutputLength], expected = new float[output.Length];
            kernel.One(inputs.Query, inputs.Key, inputs.Value, cache, id, 0, 1, output);
            kernel.Step(inputs.Query, inputs.Key, inputs.Value, [0, inputs.Problem.Queries], other, otherId, 0, 1, expected);
            Assert.Equal(expected, output);
        }
    }

    [Fact]
    public void More_sequences_than_fit_on_the_stack()
    {
        var kernel = Kernels.Of<float>(Plain);
        using var cache = Create<float>(Plain, pages: 200);
        SequenceId[] ids = [.. Enumerable.Range(0, 50).Select(_ => cache.CreateSequence())];
        for (int call = 0; call < 3; call++)
        {
            int[] tokens = [.. ids.Select((_, i) => (i * 7 + call) % 4)];
            Bound.Check(Step(kernel, cache, ids, tokens, 0, call, out float[] output, maxThreads: 2), output);
            CheckAlone(kernel, cache, ids, tokens, 0, new Inputs(new Problem(Plain, tokens.Sum(), tokens.Sum()), call).Query, output);
        }

        kernel.Step([], [], [], [0], cache, [], 0, 1, []);
    }

    /// <summary>Keys are normalised and rotated by their positions in their sequences, and operands with a key axis have the keys of all sequences.</summary>
    [Fact]
    public void Rotated_keys_and_score_matrices()
    {
        var type = KernelGroup.CompileSource("""
            using System;
            using AttentionGen;

            public static partial class Kernels
            {
                [Attention(4, 32, KeyValueHeads = 2, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, QueryKeyNorm = AttentionNorm.Rms)]
                public static partial void Paged(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
                    PagedKeyValueCache<BFloat16> cache, ReadOnlySpan<SequenceId> sequences, RotaryTable rotary, Span<float> scores, Span<float> output);

                [Attention(4, 32, KeyValueHeads = 2, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, QueryKeyNorm = AttentionNorm.Rms)]
                public static partial void Single(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value,
                    KeyValueCache<BFloat16> cache, RotaryTable rotary, Span<float> scores, Span<float> output);
            }
            """).GetType("Kernels", throwOnError: true)!;
        var paged = type.GetMethod("Paged")!.CreateDelegate<PagedRotated>();
        var single = type.GetMethod("Single")!.CreateDelegate<SingleRotated>();
        var declaration = new Declaration(4, 32) { KeyValueHeads = 2 };
        var rotary = new RotaryTable(32, 200);
        using var cache = new PagedKeyValueCache<BFloat16>(2, 32, pages: 40, pageTokens: 16);
        SequenceId[] ids = [cache.CreateSequence(), cache.CreateSequence(), cache.CreateSequence()];
        KeyValueCache<BFloat16>[] others = [new(2, 32), new(2, 32), new(2, 32)];
        int seed = 0;
        foreach (int[] tokens in new int[][] { [3, 30, 1], [1, 1, 1], [40, 1, 2], [1, 1, 20] })
        {
            int[] starts = Starts(tokens), keyStarts = Starts([.. ids.Select((id, i) => cache.LengthOf(id) + tokens[i])]);
            var inputs = new Inputs(new Problem(declaration, starts[^1], starts[^1]), seed++);
            float[] output = new float[starts[^1] * 128], scores = new float[4 * starts[^1] * keyStarts[^1]];
            paged(inputs.Query, inputs.Key, inputs.Value, starts, cache, ids, rotary, scores, output);
            for (int i = 0; i < 3; i++)
            {
                int queries = tokens[i], keys = keyStarts[i + 1] - keyStarts[i];
                float[] one = new float[queries * 128], ofOne = new float[4 * queries * keys];
                single(inputs.Query.AsSpan(starts[i] * 128, queries * 128), inputs.Key.AsSpan(starts[i] * 64, queries * 64), inputs.Value.AsSpan(starts[i] * 64, queries * 64), others[i], rotary, ofOne, one);
                for (int x = 0; x < one.Length; x++) Assert.Equal(one[x], output[starts[i] * 128 + x], 2e-6f);
                for (int head = 0; head < 4; head++)
                    for (int query = 0; query < queries; query++)
                        for (int key = 0; key < keyStarts[^1]; key++)
                        {
                            float score = scores[(head * starts[^1] + starts[i] + query) * keyStarts[^1] + key];
                            bool isOwn = key >= keyStarts[i] && key < keyStarts[i + 1];
                            Assert.Equal(isOwn ? ofOne[(head * queries + query) * keys + key - keyStarts[i]] : 0, score, 2e-6f);
                        }

                BFloat16[] pagedKeys = new BFloat16[keys * 64], pagedValues = new BFloat16[keys * 64], singleKeys = new BFloat16[keys * 64], singleValues = new BFloat16[keys * 64];
                cache.Read(ids[i], 0, pagedKeys, pagedValues);
                others[i].Read(0, singleKeys, singleValues);
                Assert.Equal(singleKeys, pagedKeys);
                Assert.Equal(singleValues, pagedValues);
            }
        }

        foreach (var other in others) other.Dispose();
    }

    private delegate void PagedRotated(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
        PagedKeyValueCache<BFloat16> cache, ReadOnlySpan<SequenceId> sequences, RotaryTable rotary, Span<float> scores, Span<float> output);

    private delegate void SingleRotated(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<BFloat16> cache, RotaryTable rotary, Span<float> scores, Span<float> output);

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
        var kernel = Kernels.Of<float>(Plain);
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
        var kernel = Kernels.Of<float>(Plain);
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
    public void Changes_of_a_sequence_exclude_others_and_freeing_waits_for_the_last()
    {
        using var memory = new GuardedCacheMemory();
        var kernel = Kernels.Of<float>(Plain);
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
        var kernel = Kernels.Of<float>(Plain);
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
        var kernel = Kernels.Of<float>(Plain);
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

    [Fact]
    public void A_call_whose_memory_fails_changes_nothing()
    {
        var kernel = Kernels.Of<float>(Plain);
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

    [Fact]
    public void A_token_allocates_nothing()
    {
        var kernel = Kernels.Of<BFloat16>(Plain);
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

    internal static PagedKeyValueCache<T> Create<T>(Declaration declaration, int pageTokens = 32, int pages = 20, int layers = 1)
        where T : unmanaged => new(declaration.KeyValueHeads, declaration.HeadDim, pages, declaration.ValueDim, layers, pageTokens);

    /// <summary>All keys and values of a sequence.</summary>
    internal static (float[] Keys, float[] Values) Read<T>(PagedKeyValueCache<T> cache, SequenceId id, int layer)
        where T : unmanaged
    {
        int length = cache.LengthOf(id, layer);
        T[] keys = new T[length * cache.KeyValueHeads * cache.HeadDim], values = new T[length * cache.KeyValueHeads * cache.ValueDim];
        cache.Read(id, 0, keys, values, layer);
        return ([.. keys.Select(Single)], [.. values.Select(Single)]);
    }

    internal static int[] Starts(int[] lengths)
    {
        int[] starts = new int[lengths.Length + 1];
        for (int i = 0; i < lengths.Length; i++) starts[i + 1] = starts[i] + lengths[i];
        return starts;
    }

    private static float Stored<T>(float x) => typeof(T) == typeof(float) ? x : typeof(T) == typeof(Half) ? (float)(Half)x : (float)(BFloat16)x;

    private static float Single<T>(T x) => x is Half half ? (float)half : x is BFloat16 bfloat ? (float)bfloat : (float)(object)x!;
}
