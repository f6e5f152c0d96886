using System.Runtime.InteropServices;
using Xunit;
using static AttentionGen.Kernels.Tests.CachedLayers;

namespace AttentionGen.Kernels.Tests;

/// <summary>Layers over caches. Whatever the steps are, a cache holds what one call would have put into it, and the output is that of attention over what is stored.</summary>
[Collection(nameof(Isolated))]
public class LayerCacheTests
{
    /// <summary>Decode and prefill sum in other orders: each is within <see cref="LayerBound"/> of the exact output, whose elements are about 1.</summary>
    private const float Near = 6e-6f;

    /// <summary>A prefill, decoding, some tokens at once, a second prefill, decoding.</summary>
    private static readonly int[] s_steps = [33, 1, 1, 1, 1, 3, 1, 40, 1, 1, 2, 1];

    private static readonly int s_tokens = s_steps.Sum();

    [Fact]
    public void Steps_through_a_cache()
    {
        Check<float>();
        Check<Half>();
        Check<BFloat16>();
        Check<sbyte>();

        static void Check<T>()
            where T : unmanaged
        {
            using var memory = new GuardedCacheMemory(); // NaN where no token is
            using var weights = Weights();
            using KeyValueCache<T> cache = Cache<T>(), parts = Cache<T>(), once = Cache<T>();
            var (layer, attention) = (Whole<T>(), WholeAttention<T>());
            float[] rows = Rows(s_tokens), output = new float[rows.Length], whole = new float[rows.Length];
            layer(rows, weights, once, 1, 2, whole);
            Run(rows, output, weights, (input, to) => layer(input, weights, cache, 1, 1, to), (q, k, v, to) => attention(q, k, v, parts, 1, 1, to));
            AssertNear(whole, output);
            Assert.Equal((0, s_tokens), (cache.LengthOf(0), cache.LengthOf(1)));
            var expected = once.Floats(0, s_tokens, 1);
            foreach (var other in new[] { cache, parts }) AssertSame(expected, other.Floats(0, s_tokens, 1));
            var (_, key, value) = Project(weights, rows);
            AssertSame((Stored.Round<T>(key, 32).Floats, Stored.Round<T>(value, 24).Floats), expected);
        }
    }

    [Fact]
    public void Steps_through_a_ring()
    {
        Check<float>();
        Check<Half>();
        Check<BFloat16>();
        Check<sbyte>();

        static void Check<T>()
            where T : unmanaged
        {
            using var memory = new GuardedCacheMemory();
            using var weights = Weights();
            using RingKeyValueCache<T> cache = Ring(), parts = Ring(), once = Ring();
            var (layer, attention) = (Ring<T>(), RingAttention<T>());
            float[] rows = Rows(s_tokens), output = new float[rows.Length], whole = new float[rows.Length];
            layer(rows, weights, once, 1, 2, whole);
            Run(rows, output, weights, (input, to) => layer(input, weights, cache, 1, 1, to), (q, k, v, to) => attention(q, k, v, parts, 1, 1, to));
            AssertNear(whole, output);
            var (_, key, value) = Project(weights, rows);
            foreach (var ring in new[] { cache, parts, once })
            {
                Assert.Equal(s_tokens, ring.LengthOf(1));
                int first = ring.RetainedOf(1).Start.Value, tokens = s_tokens - first;
                Assert.True(tokens >= Window);
                var rest = (Stored.Round<T>(key.AsSpan(first * 64), 32).Floats, Stored.Round<T>(value.AsSpan(first * 48), 24).Floats);
                AssertSame(rest, ring.Floats(first, tokens, 1));
            }

            static RingKeyValueCache<T> Ring() => new(2, 32, Window, slack: 16, valueDim: 24, layers: 2, FirstKeys);
        }
    }

    [Fact]
    public void Steps_of_sequences_in_pages()
    {
        Check<float>();
        Check<Half>();
        Check<BFloat16>();
        Check<sbyte>();

        static void Check<T>()
            where T : unmanaged
        {
            using var memory = new GuardedCacheMemory();
            using var weights = Weights();
            using PagedKeyValueCache<T> cache = new(2, 32, pages: 40, valueDim: 24, layers: 2, pageTokens: 16), parts = new(2, 32, pages: 40, valueDim: 24, layers: 2, pageTokens: 16);
            SequenceId[] ids = [cache.CreateSequence(), cache.CreateSequence(), cache.CreateSequence()], ofParts = [parts.CreateSequence(), parts.CreateSequence(), parts.CreateSequence()];
            var (layer, attention, alone) = (Paged<T>(), PagedAttention<T>(), Whole<T>());
            var rows = ids.Select(_ => new List<float>()).ToArray();
            var outputs = ids.Select(_ => new List<float>()).ToArray();
            int seed = 0;
            foreach (int[] tokens in new int[][] { [5, 0, 30], [1, 1, 1], [1, 17, 1], [0, 1, 0], [1, 1, 1], [40, 2, 1], [1, 1, 1] })
            {
                int[] starts = PagedCalls.Starts(tokens);
                float[] input = Rows(starts[^1], ++seed), output = new float[input.Length], heads = new float[starts[^1] * 96];
                layer(input, weights, starts, cache, ids, 1, 1 + seed % 2, output);
                var (query, key, value) = Project(weights, input);
                attention(query, key, value, starts, parts, ofParts, 1, 1, heads);
                ThreadTests.AssertSameBits(Apply(weights.Output, heads), output);
                for (int i = 0; i < ids.Length; i++)
                {
                    var own = (starts[i] * ModelDim)..(starts[i + 1] * ModelDim);
                    rows[i].AddRange(input[own]);
                    outputs[i].AddRange(output[own]);
                }
            }

            for (int i = 0; i < ids.Length; i++)
            {
                using var whole = Cache<T>();
                float[] output = new float[rows[i].Count];
                alone([.. rows[i]], weights, whole, 1, 1, output);
                AssertNear(output, [.. outputs[i]]);
                int tokens = output.Length / ModelDim;
                Assert.Equal((0, tokens), (cache.LengthOf(ids[i]), cache.LengthOf(ids[i], 1)));
                AssertSame(whole.Floats(0, tokens, 1), cache.Floats(ids[i], 0, tokens, 1));
            }
        }
    }

    /// <summary>Keys are stored normalised and rotated; the same layer without a cache does it in the call.</summary>
    [Fact]
    public void Norms_and_rotated_positions()
    {
        using var weights = Weights();
        using var cache = Cache<float>(layers: 1);
        using var once = Cache<float>(layers: 1);
        var rotary = RotaryTables.Of(32, s_tokens);
        float[] rows = Rows(s_tokens), output = new float[rows.Length], whole = new float[rows.Length], without = new float[rows.Length];
        float[] queryNorm = [.. LayerMatrices.Normal(new Random(2), 32).Select(x => 1 + x / 2)], keyNorm = [.. LayerMatrices.Normal(new Random(3), 32).Select(x => 1 + x / 2)];
        var (layer, step) = (Rotated(), RotatedStep());
        layer(rows, weights, rotary, queryNorm, keyNorm, without);
        step(rows, weights, once, rotary, queryNorm, keyNorm, whole);
        for (int i = 0, first = 0; i < s_steps.Length; first += s_steps[i++])
        {
            var own = (first * ModelDim)..((first + s_steps[i]) * ModelDim);
            step(rows.AsSpan(own), weights, cache, rotary, queryNorm, keyNorm, output.AsSpan(own));
        }

        AssertNear(without, output);
        AssertNear(without, whole);
        AssertSame(once.Floats(0, s_tokens, 0), cache.Floats(0, s_tokens, 0));
    }

    /// <summary>Operands beside the scores, and results beside the output: over all keys in the cache, with the bits of the parts.</summary>
    [Fact]
    public void Bias_kept_keys_and_scores()
    {
        using var weights = Weights();
        using KeyValueCache<float> cache = Cache<float>(layers: 1), parts = Cache<float>(layers: 1), once = Cache<float>(layers: 1);
        var (layer, attention) = (Masked(), MaskedAttention());
        var random = new Random(5);
        float[] rows = Rows(s_tokens), bias = LayerMatrices.Normal(random, 4 * s_tokens * s_tokens), output = new float[rows.Length], whole = new float[rows.Length];
        bool[] keep = [.. Enumerable.Range(0, s_tokens).Select(_ => random.Next(4) > 0)];
        layer(rows, weights, once, bias, keep, whole, new float[4 * s_tokens], new float[bias.Length]);
        for (int i = 0, first = 0; i < s_steps.Length; first += s_steps[i++])
        {
            int tokens = s_steps[i], keys = first + tokens;
            var own = (first * ModelDim)..(keys * ModelDim);
            float[] heads = new float[tokens * 96], ownBias = [.. from head in Enumerable.Range(0, 4) from query in Enumerable.Range(first, tokens) from key in Enumerable.Range(0, keys) select bias[(head * s_tokens + query) * s_tokens + key]];
            float[] sums = new float[4 * tokens], expectedSums = new float[4 * tokens], scores = new float[4 * tokens * keys], expectedScores = new float[scores.Length];
            layer(rows.AsSpan(own), weights, cache, ownBias, keep.AsSpan(0, keys), output.AsSpan(own), sums, scores);
            var (q, k, v) = Project(weights, rows[own]);
            attention(q, k, v, parts, ownBias, keep.AsSpan(0, keys), heads, expectedSums, expectedScores);
            ThreadTests.AssertSameBits(Apply(weights.Output, heads), output.AsSpan(own));
            ThreadTests.AssertSameBits(expectedSums, sums);
            ThreadTests.AssertSameBits(expectedScores, scores);
            Assert.Contains(scores, float.IsNegativeInfinity);
            Assert.Contains(scores, float.IsFinite);
        }

        AssertNear(whole, output);
        AssertSame(once.Floats(0, s_tokens, 0), cache.Floats(0, s_tokens, 0));
    }

    /// <summary>The output is written last, but what the call only reads is the caller's.</summary>
    [Fact]
    public void An_output_that_overlaps_what_is_only_read()
    {
        using var weights = Weights();
        using var cache = Cache<float>(layers: 1);
        var layer = Masked();
        float[] rows = Rows(3), output = [.. Enumerable.Repeat(7f, 3 * ModelDim + 36)], bias = new float[36];
        bool[] keep = [true, true, true];
        Throws<ArgumentException>("output", "output overlaps bias", () => layer(rows, weights, cache, output.AsSpan(0, 36), keep, output.AsSpan(35, rows.Length), new float[12], new float[36]));
        Throws<ArgumentException>("output", "output overlaps keep", () => layer(rows, weights, cache, bias, MemoryMarshal.Cast<float, bool>(output).Slice(4 * rows.Length - 3, 3), output.AsSpan(0, rows.Length), new float[12], new float[36]));
        Assert.Equal(0, cache.LengthOf(0));
        Assert.All(output, x => Assert.Equal(7, x));
        layer(rows, weights, cache, output.AsSpan(0, 36), keep, output.AsSpan(36, rows.Length), new float[12], new float[36]);
        Assert.Equal(3, cache.LengthOf(0));

        var paged = Paged<float>();
        using var pages = new PagedKeyValueCache<float>(2, 32, pages: 2, valueDim: 24, pageTokens: 16);
        SequenceId a = pages.CreateSequence(), b = pages.CreateSequence();
        float[] shared = new float[3 * ModelDim];
        int[] starts = [0, 1, 3];
        starts.CopyTo(MemoryMarshal.Cast<float, int>(shared.AsSpan())[5..]);
        Throws<ArgumentException>("output", "output overlaps documentStarts", () => paged(rows, weights, MemoryMarshal.Cast<float, int>(shared).Slice(5, 3), pages, [a, b], 0, 1, shared));
        Assert.Equal((0, 0), (pages.LengthOf(a), pages.LengthOf(b)));
    }

    [Fact]
    public void Wrong_caches_stay_as_they_are()
    {
        using var weights = Weights();
        using var narrow = new AttentionWeights<float>(new(48, 128, new float[48 * 128]), new(48, 64, new float[48 * 64]), new(48, 48, new float[48 * 48]), new(96, 32, new float[96 * 32]));
        using var cache = Cache<float>();
        using var other = new KeyValueCache<float>(2, 32, layers: 2);
        float[] rows = Rows(3), output = [.. Enumerable.Repeat(7f, rows.Length)];
        var layer = Whole<float>();
        layer(rows, weights, cache, 0, 1, new float[rows.Length]);
        var before = cache.Floats(0, 3, 0);
        Throws<ArgumentException>("cache", "cache has 2 heads with keys of 32 and values of 32 elements", () => layer(rows, weights, other, 0, 1, output));
        Throws<ArgumentNullException>("cache", "", () => layer(rows, weights, null!, 0, 1, output));
        Throws<ArgumentOutOfRangeException>("layer", "", () => layer(rows, weights, cache, 2, 1, output));
        Throws<ArgumentException>("input", "input has 143 elements, which is not a multiple of modelDim = 48.", () => layer(rows.AsSpan(1), weights, cache, 0, 1, output));
        Throws<ArgumentException>("output", "[3, 48] needs 144", () => layer(rows, weights, cache, 0, 1, output.AsSpan(1)));
        Throws<ArgumentException>("weights", "weights.Output has the shape [96, 32], but the layer needs [heads * valueDim, outputDim] = [96, 48].", () => layer(rows, narrow, cache, 0, 1, output));
        Throws<ArgumentOutOfRangeException>("maxThreads", "maxThreads is 0", () => layer(rows, weights, cache, 0, 0, output));
        var gone = Weights();
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => layer(rows, gone, cache, 0, 1, output));
        Assert.Equal((3, 0, 0), (cache.LengthOf(0), cache.LengthOf(1), other.LengthOf(0)));
        AssertSame(before, cache.Floats(0, 3, 0));
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => layer(rows, weights, cache, 0, 1, output));
        Assert.All(output, x => Assert.Equal(7, x));
    }

    [Fact]
    public void Wrong_sequences_stay_as_they_are()
    {
        using var weights = Weights();
        using var cache = new PagedKeyValueCache<float>(2, 32, pages: 2, valueDim: 24, pageTokens: 16);
        SequenceId a = cache.CreateSequence(), b = cache.CreateSequence();
        float[] rows = Rows(20), output = [.. Enumerable.Repeat(7f, rows.Length)];
        var layer = Paged<float>();
        layer(rows.AsSpan(0, 5 * ModelDim), weights, [0, 2, 5], cache, [a, b], 0, 1, new float[5 * ModelDim]);
        Throws<ArgumentException>("sequences", "", () => layer(rows, weights, [0, 2, 20], cache, [a], 0, 1, output));
        Throws<ArgumentException>("sequences", "", () => layer(rows, weights, [0, 2, 20], cache, [a, a], 0, 1, output));
        Throws<ArgumentException>("documentStarts", "20 tokens of input", () => layer(rows, weights, [0, 2, 19], cache, [a, b], 0, 1, output));
        Assert.Throws<CacheFullException>(() => layer(rows, weights, [0, 2, 20], cache, [a, b], 0, 1, output)); // 18 more tokens need a third page
        Assert.Equal((2, 3), (cache.LengthOf(a), cache.LengthOf(b)));
        Assert.All(output, x => Assert.Equal(7, x));
    }

    private delegate void Layer(ReadOnlySpan<float> input, Span<float> output);

    private delegate void AttentionOf(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> heads);

    /// <summary>Makes all steps with the layer, and with its parts, which have the same bits.</summary>
    private static void Run(float[] rows, float[] output, AttentionWeights<float> weights, Layer layer, AttentionOf attention)
    {
        int first = 0;
        foreach (int tokens in s_steps)
        {
            var own = (first * ModelDim)..((first + tokens) * ModelDim);
            layer(rows.AsSpan(own), output.AsSpan(own));
            float[] heads = new float[tokens * 96];
            var (query, key, value) = Project(weights, rows[own]);
            attention(query, key, value, heads);
            ThreadTests.AssertSameBits(Apply(weights.Output, heads), output.AsSpan(own));
            first += tokens;
        }
    }

    private static void AssertNear(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= Near, $"element {i} is {actual[i]:g9} for {expected[i]:g9}");
    }

    private static void AssertSame((float[] Keys, float[] Values) expected, (float[] Keys, float[] Values) actual)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.Equal(expected.Values, actual.Values);
    }

    private static void Throws<TException>(string parameter, string message, Action call)
        where TException : ArgumentException
    {
        var exception = Assert.Throws<TException>(call);
        Assert.Equal(parameter, exception.ParamName);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
