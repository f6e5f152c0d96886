using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Decode reads halves faster where the marks of a cache say that they are finite, with the same bits. So each call runs twice, with the marks of the cache and with all pages marked, and marks
/// are compared with what was stored.
/// </summary>
[Collection(nameof(Isolated))]
public class FiniteHalfTests
{
    private static readonly AttentionIsas s_isas = X86Base.IsSupported ? AttentionIsas.Avx2 | AttentionIsas.Avx512 | AttentionIsas.Portable : AttentionIsas.All;

    /// <summary>Tiles of four rows, of two and single ones, a row with loops of its own, tails, and scores that hide keys.</summary>
    private static readonly Declaration[] s_declarations =
    [
        new(4, 64) { KeyValueHeads = 1, Mask = AttentionMask.Causal, Isas = s_isas },
        new(2, 64) { Mask = AttentionMask.Causal, Isas = s_isas },
        new(6, 20) { KeyValueHeads = 2, ValueDim = 13, Mask = AttentionMask.Causal, Isas = s_isas },
        new(2, 32) { KeyValueHeads = 1, MaskText = "key % 5 != 1 && key <= query", Isas = s_isas },
    ];

    private static readonly Declaration s_ring = new(4, 32) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Window = (60, -1), FirstKeys = 5, Isas = s_isas };

    private static readonly Lazy<Type> s_kernels = new(Load);

    public static TheoryData<string> Names => [.. s_declarations.Select(declaration => $"{declaration}")];

    [Theory, MemberData(nameof(Names))]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Finite_halves_give_the_bits_of_all_halves(string name)
    {
        var declaration = Of(name);
        foreach (var (queries, keys) in new[] { (1, 1), (1, 33), (1, 530), (1, 1100), (2, 65), (3, 17), (8, 400), (20, 130) })
            foreach (float query in new[] { 1f, 65000, 1e-38f }) // of queries 2^112 times as large, the second ones are near the largest float
            {
                var inputs = Numbers(declaration, queries, keys, query);
                using var cache = Whole(declaration, inputs);
                Assert.True(cache.Memory(0).IsFinite(0, Pages(cache, keys)));
                Same(declaration, inputs.Query, cache);
                using var paged = Paged(declaration, inputs, out var id);
                Assert.True(paged.Memory(paged.Taken(id), 0).IsFinite(0, (keys + 15) / 16));
                Same(declaration, inputs.Query, paged, id);
            }
    }

    /// <summary>Queries that would be infinite, or are, and NaN.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Large_queries_give_the_bits_of_all_halves(string name)
    {
        var declaration = Of(name);
        foreach (float large in new[] { 65535.996f, 65536, -65536, 1e5f, float.MaxValue, float.NegativeInfinity, float.NaN })
        {
            var inputs = Numbers(declaration, queries: 2, keys: 90, size: 1);
            inputs.Query[declaration.HeadDim - 1] = large;
            using var cache = Whole(declaration, inputs);
            Same(declaration, inputs.Query, cache);
        }
    }

    /// <summary>Halves that are not finite, in a key or a value that the last query sees, or none but the last sees.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Halves_that_are_not_finite_give_the_bits_of_all_halves(string name)
    {
        var declaration = Of(name);
        foreach (float special in new[] { float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1e6f }) // the last one becomes infinite
            foreach (int token in new[] { 0, 2, 47, 89 })
                foreach (bool isKey in new[] { true, false })
                {
                    var inputs = Numbers(declaration, queries: 2, keys: 90, size: 1);
                    int dim = isKey ? declaration.HeadDim : declaration.ValueDim;
                    (isKey ? inputs.Key : inputs.Value)[(token + 1) * declaration.KeyValueHeads * dim - 1] = special;
                    using var cache = Whole(declaration, inputs);
                    Assert.False(cache.Memory(0).IsFinite(token, 1));
                    Same(declaration, inputs.Query, cache);
                    using var paged = Paged(declaration, inputs, out var id);
                    for (int page = 0; page < 6; page++) Assert.Equal(page != token / 16, paged.Memory(paged.Taken(id), 0).IsFinite(16 * page, 1));
                    Same(declaration, inputs.Query, paged, id);
                }
    }

    /// <summary>Rings, in place and with tokens that do not fit in place.</summary>
    [Fact]
    public void Rings_give_the_bits_of_all_halves()
    {
        var random = new Random(5);
        using var cache = new RingKeyValueCache<Half>(2, 32, window: 60, slack: 7, firstKeys: 5);
        var step = Method<RingStep<Half>>("Step", s_ring);
        var read = Method<RingRead<Half>>("Read", s_ring);
        for (int i = 0; i < 60; i++)
        {
            int tokens = i % 7 == 6 ? 20 : 1 + i % 3;
            var inputs = Numbers(s_ring, tokens, tokens, size: 1);
            if (random.Next(6) == 0) inputs.Key[random.Next(inputs.Key.Length)] = float.PositiveInfinity;
            float[] output = new float[inputs.Problem.OutputLength], again = new float[output.Length], marked = new float[output.Length];
            step(inputs.Query, inputs.Key, inputs.Value, cache, 0, 1, output);
            read(inputs.Query.AsSpan(^(4 * 32)..), cache, 0, 1, again.AsSpan(^(4 * 32)..));
            int mark = Mark(cache.Memory(0), 0);
            Mark(cache.Memory(0), 0) = int.MaxValue;
            read(inputs.Query.AsSpan(^(4 * 32)..), cache, 0, 1, marked.AsSpan(^(4 * 32)..));
            Mark(cache.Memory(0), 0) = mark;
            SameBits(again, marked);
            Assert.Equal(marked[^(4 * 32)..].Select(float.IsFinite), output[^(4 * 32)..].Select(float.IsFinite)); // other tiles and runs, so other bits, but the same tokens
        }
    }

    /// <summary>Random programs: no token that is there and not finite is in a page without a mark.</summary>
    [Theory]
    [InlineData(0, 1, 0)]
    [InlineData(6, 5, 0)]
    [InlineData(6, 5, 3)]
    [InlineData(700, 40, 3)] // in two pages
    public void No_page_with_an_infinity_or_NaN_is_without_a_mark(int window, int slack, int firstKeys)
    {
        var random = new Random(11);
        var whole = new Tokens<KeyValueCache<Half>>(new(1, 1));
        var ring = new Tokens<RingKeyValueCache<Half>>(new(1, 1, window, slack, firstKeys: firstKeys));
        for (int i = 0; i < 400; i++)
        {
            int tokens = random.Next(8) == 0 ? random.Next(window + 2 * slack + 3) : 1 + random.Next(3);
            bool[] specials = [.. Enumerable.Range(0, tokens).Select(_ => random.Next(window > 100 ? 400 : 12) == 0)];
            Half[] rows = [.. specials.Select(special => special ? Half.NegativeInfinity : Half.One)], others = [.. rows.Select(_ => Half.Epsilon)];
            bool isKey = random.Next(2) == 0;
            whole.Cache.Append(isKey ? rows : others, isKey ? others : rows);
            ring.Cache.Append(isKey ? rows : others, isKey ? others : rows);
            whole.Specials.AddRange(specials);
            ring.Specials.AddRange(specials);
            switch (random.Next(12))
            {
                case 0:
                    int least = Math.Max(ring.Cache.Retained.Start.Value + window, 0), length = random.Next(4) == 0 || least > ring.Cache.Length ? 0 : random.Next(least, ring.Cache.Length + 1);
                    ring.Truncate(length, ring.Cache.Truncate);
                    whole.Truncate(Math.Min(length, whole.Cache.Length), whole.Cache.Truncate);
                    break;
                case 1:
                    whole.Replace(cache => cache.Clone());
                    ring.Replace(cache => cache.Clone());
                    break;
                case 2:
                    whole.Replace(cache => KeyValueCache<Half>.Load(new MemoryStream(SavedCaches.Save(cache.Save))));
                    ring.Replace(cache => RingKeyValueCache<Half>.Load(new MemoryStream(SavedCaches.Save(cache.Save))));
                    break;
            }

            whole.Check(0, whole.Cache.Length);
            ring.Check(0, Math.Min(firstKeys, ring.Cache.Length));
            ring.Check(ring.Cache.Retained.Start.Value, ring.Cache.Length);
        }

        whole.Cache.Dispose();
        ring.Cache.Dispose();
    }

    [Fact]
    public void A_mark_goes_with_the_token_that_made_it()
    {
        using var ring = new RingKeyValueCache<Half>(1, 1, window: 6, slack: 4, firstKeys: 2);
        Append(Half.One, 5);
        Append(Half.NaN, 1);
        Append(Half.One, 9);
        Assert.False(ring.Memory(0).IsFinite(0, 1)); // the last of 10 places still has it
        Append(Half.One, 1);
        Assert.True(ring.Memory(0).IsFinite(0, 1));
        ring.Truncate(0);
        Append(Half.NaN, 1); // a first key, which stays
        Append(Half.One, 40);
        Assert.False(ring.Memory(0).IsFinite(0, 1));
        ring.Truncate(0);
        Append(Half.One, 3);
        Assert.True(ring.Memory(0).IsFinite(0, 1));

        using var paged = new PagedKeyValueCache<Half>(1, 1, pages: 4, pageTokens: 16);
        var id = paged.CreateSequence();
        Half[] ones = [.. Enumerable.Repeat(Half.One, 20)];
        paged.Append(id, ones, ones);
        var fork = paged.Fork(id);
        paged.Append(fork, [Half.PositiveInfinity], [Half.One]);
        Assert.True(paged.Memory(paged.Taken(id), 0).IsFinite(0, 2));
        Assert.True(paged.Memory(paged.Taken(fork), 0).IsFinite(0, 1));
        Assert.False(paged.Memory(paged.Taken(fork), 0).IsFinite(0, 2));
        var second = paged.Fork(fork);
        paged.Append(second, [Half.One], [Half.One]); // copies the page
        Assert.False(paged.Memory(paged.Taken(second), 0).IsFinite(16, 1));
        paged.Free(fork);
        paged.Free(second);
        var next = paged.CreateSequence();
        paged.Append(next, ones, ones); // in the pages of these
        Assert.True(paged.Memory(paged.Taken(next), 0).IsFinite(0, 2));

        void Append(Half number, int tokens)
        {
            Half[] rows = [.. Enumerable.Repeat(number, tokens)];
            ring.Append(rows, rows);
        }
    }

    /// <summary>A cache and what its tokens are: finite or not.</summary>
    private sealed class Tokens<TCache>(TCache cache)
        where TCache : AttentionCache
    {
        public TCache Cache { get; private set; } = cache;

        public List<bool> Specials { get; } = [];

        public void Truncate(int length, Action<int> truncate)
        {
            truncate(length);
            Specials.RemoveRange(length, Specials.Count - length);
        }

        public void Replace(Func<TCache, TCache> copy)
        {
            var old = Cache;
            Cache = copy(old);
            old.Dispose();
        }

        public void Check(int first, int end)
        {
            for (int token = first; token < end; token++) Assert.False(Specials[token] && Cache.Memory(0).IsFinite(token, 1), $"token {token} of {Specials.Count}");
        }
    }

    private static Declaration Of(string name) => s_declarations.Single(declaration => declaration.ToString() == name);

    /// <summary>Queries of a size; keys and values of all sizes that halves have, subnormal ones and zeros too.</summary>
    private static Inputs Numbers(Declaration declaration, int queries, int keys, float size)
    {
        var inputs = new Inputs(new Problem(declaration, queries, keys));
        var random = new Random(keys);
        foreach (ref float x in inputs.Query.AsSpan()) x = Math.Clamp(x, -1, 1) * size;
        foreach (ref float x in inputs.Key.AsSpan()) x *= random.Next(8) == 0 ? 1e-6f : random.Next(50) == 0 ? 0 : 1;
        foreach (ref float x in inputs.Value.AsSpan()) x *= random.Next(8) switch { 0 => 1e-6f, 1 => 65504, 2 => 6e-5f, _ => 1 };
        return inputs;
    }

    private static KeyValueCache<Half> Whole(Declaration declaration, Inputs inputs)
    {
        var cache = new KeyValueCache<Half>(declaration.KeyValueHeads, declaration.HeadDim, declaration.ValueDim);
        cache.Append(Stored.Round<Half>(inputs.Key, declaration.HeadDim), Stored.Round<Half>(inputs.Value, declaration.ValueDim));
        return cache;
    }

    private static PagedKeyValueCache<Half> Paged(Declaration declaration, Inputs inputs, out SequenceId id)
    {
        var cache = new PagedKeyValueCache<Half>(declaration.KeyValueHeads, declaration.HeadDim, pages: inputs.Problem.Keys / 16 + 1, declaration.ValueDim, pageTokens: 16);
        id = cache.CreateSequence();
        cache.Append(id, Stored.Round<Half>(inputs.Key, declaration.HeadDim).Elements, Stored.Round<Half>(inputs.Value, declaration.ValueDim).Elements);
        return cache;
    }

    private static int Pages(KeyValueCache<Half> cache, int keys) => (keys - 1) / cache.Memory(0).PageTokens + 1;

    private static void Same(Declaration declaration, float[] query, KeyValueCache<Half> cache)
    {
        var read = Method<CachedRead<Half>>("Read", declaration);
        Same(declaration, query, cache.Memory(0), cache.Length, output => read(query, cache, 0, 1, output));
    }

    private static void Same(Declaration declaration, float[] query, PagedKeyValueCache<Half> cache, SequenceId id)
    {
        var read = Method<PagedRead<Half>>("Paged", declaration);
        int[] starts = [0, query.Length / (declaration.Heads * declaration.HeadDim)];
        Same(declaration, query, cache.Memory(cache.Taken(id), 0), cache.LengthOf(id), output => read(query, starts, cache, [id], 0, 1, output));
    }

    private static void Same(Declaration declaration, float[] query, in KeyMemory memory, int length, Action<float[]> read)
    {
        float[] output = new float[query.Length / declaration.HeadDim * declaration.ValueDim], marked = new float[output.Length];
        read(output);
        for (int page = 0; page <= (length - 1) / memory.PageTokens; page++) Mark(memory, page) = int.MaxValue;
        read(marked);
        SameBits(output, marked);
    }

    private static unsafe ref int Mark(in KeyMemory memory, int page) => ref *(int*)(memory.Pages[page] + memory.Marks);

    private static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual) => Assert.Equal(MemoryMarshal.Cast<float, int>(expected).ToArray(), MemoryMarshal.Cast<float, int>(actual).ToArray());

    private static TDelegate Method<TDelegate>(string name, Declaration declaration)
        where TDelegate : Delegate => s_kernels.Value.GetMethod($"{name}_{declaration}")!.CreateDelegate<TDelegate>();

    private static Type Load()
    {
        const string Query = "ReadOnlySpan<float> query", Rest = "int layer, int maxThreads, Span<float> output";
        string Attribute(Declaration declaration) => declaration.Source.Split('\n')[0].Trim();
        return KernelGroup.CompileSource($$"""
            using System;
            using AttentionGen;
            using AttentionGen.Kernels.Tests;

            public static partial class Kernels
            {
            {{string.Concat(s_declarations.Select(declaration => $"""
                {Attribute(declaration)}
                public static partial void Read_{declaration}({Query}, KeyValueCache<Half> cache, {Rest});
                {Attribute(declaration)}
                public static partial void Paged_{declaration}({Query}, ReadOnlySpan<int> documentStarts, PagedKeyValueCache<Half> cache, ReadOnlySpan<SequenceId> sequences, {Rest});
                {declaration.OwnMethods}
                """))}}
                {{Attribute(s_ring)}}
                public static partial void Step_{{s_ring}}({{Query}}, ReadOnlySpan<float> key, ReadOnlySpan<float> value, RingKeyValueCache<Half> cache, {{Rest}});
                {{Attribute(s_ring)}}
                public static partial void Read_{{s_ring}}({{Query}}, RingKeyValueCache<Half> cache, {{Rest}});
            }
            """).GetType("Kernels", throwOnError: true)!;
    }
}
