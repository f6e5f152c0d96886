using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Caches whose values are parts of their keys: kernels that append to them, files, copies, and what does not fit.</summary>
[Collection(nameof(Isolated))]
public class SharedCacheTests
{
    private const int Heads = 6, KeyHeads = 2, HeadDim = 40, ValueDim = 24, Tokens = 41;

    private delegate void Step<TCache>(ReadOnlySpan<float> query, ReadOnlySpan<float> key, TCache cache, RotaryTable rotary, Span<float> output);

    private delegate void PagedStep(ReadOnlySpan<float> query, ReadOnlySpan<float> key, PagedKeyValueCache<float> cache, ReadOnlySpan<SequenceId> sequences, RotaryTable rotary, Span<float> output);

    private static readonly Lazy<Type> s_kernels = new(() => KernelGroup.CompileSource("""
        using System;
        using AttentionGen;

        public static partial class Kernels
        {
            [Attention(6, 40, KeyValueHeads = 2, ValueDim = 24, ValueFromKey = true, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, RotaryStart = 24)]
            public static partial void Whole(ReadOnlySpan<float> query, ReadOnlySpan<float> key, KeyValueCache<float> cache, RotaryTable rotary, Span<float> output);

            [Attention(6, 40, KeyValueHeads = 2, ValueDim = 24, ValueFromKey = true, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, RotaryStart = 24)]
            public static partial void Integers(ReadOnlySpan<float> query, ReadOnlySpan<float> key, KeyValueCache<sbyte> cache, RotaryTable rotary, Span<float> output);

            [Attention(6, 40, KeyValueHeads = 2, ValueDim = 24, ValueFromKey = true, Mask = AttentionMask.Causal, WindowLeft = 12, FirstKeys = 3, Rotary = AttentionRotary.Halves, RotaryStart = 24)]
            public static partial void Ring(ReadOnlySpan<float> query, ReadOnlySpan<float> key, RingKeyValueCache<float> cache, RotaryTable rotary, Span<float> output);

            [Attention(6, 40, KeyValueHeads = 2, ValueDim = 24, ValueFromKey = true, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, RotaryStart = 24)]
            public static partial void Paged(ReadOnlySpan<float> query, ReadOnlySpan<float> key, PagedKeyValueCache<float> cache, ReadOnlySpan<SequenceId> sequences, RotaryTable rotary, Span<float> output);
        }
        """).GetType("Kernels", throwOnError: true)!);

    private static readonly RotaryTable s_rotary = new(rotaryDim: 16, positions: 64);

    private static Step<TCache> Of<TCache>(string name) => s_kernels.Value.GetMethod(name)!.CreateDelegate<Step<TCache>>();

    private static (float[] Query, float[] Key) Given()
    {
        var random = new Random(7);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
        return (Numbers(Tokens * Heads * HeadDim), Numbers(Tokens * KeyHeads * HeadDim));
    }

    /// <summary>Calls of several and of single tokens.</summary>
    private static float[] Run(Action<int, int, float[]> step)
    {
        float[] output = new float[Tokens * Heads * ValueDim];
        for (int first = 0, tokens = 17; first < Tokens; first += tokens, tokens = first == 17 ? 6 : 1) step(first, tokens, output);
        return output;
    }

    private static double[] Expected(int window = -1, int firstKeys = 0)
    {
        var (query, key) = Given();
        double[] expected = new double[Tokens * Heads * ValueDim];
        new AttentionReference(Heads, HeadDim)
        {
            KeyValueHeads = KeyHeads, ValueDim = ValueDim, ValueFromKey = true, Mask = AttentionMask.Causal, WindowLeft = window, FirstKeys = firstKeys, Rotary = AttentionRotary.Halves, RotaryStart = 24,
        }.Attend(query, key, [], expected, operands: new AttentionOperands { Rotary = s_rotary });
        return expected;
    }

    private static void AssertNear(double[] expected, float[] actual, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{i}: {actual[i]} for {expected[i]}");
    }

    private static float[] Run<TCache>(string name, TCache cache)
    {
        var (query, key) = Given();
        var step = Of<TCache>(name);
        return Run((first, tokens, output) => step(
            query.AsSpan(first * Heads * HeadDim, tokens * Heads * HeadDim), key.AsSpan(first * KeyHeads * HeadDim, tokens * KeyHeads * HeadDim), cache, s_rotary,
            output.AsSpan(first * Heads * ValueDim, tokens * Heads * ValueDim)));
    }

    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Kernels_append_keys_and_read_them_as_values()
    {
        using var whole = new KeyValueCache<float>(KeyHeads, HeadDim, ValueDim, valueFromKey: true);
        AssertNear(Expected(), Run("Whole", whole), 2e-6);
        using var integers = new KeyValueCache<sbyte>(KeyHeads, HeadDim, ValueDim, valueFromKey: true);
        AssertNear(Expected(), Run("Integers", integers), 0.02); // an element is off by half a scale, 1/254
        using var ring = new RingKeyValueCache<float>(KeyHeads, HeadDim, window: 12, slack: 5, ValueDim, firstKeys: 3, valueFromKey: true);
        AssertNear(Expected(window: 12, firstKeys: 3), Run("Ring", ring), 2e-6);
        Assert.True(whole.ValueFromKey && integers.ValueFromKey && ring.ValueFromKey);

        // Keys of 40 floats and nothing else.
        using var both = new KeyValueCache<float>(KeyHeads, HeadDim, ValueDim, capacity: 64);
        using var keys = new KeyValueCache<float>(KeyHeads, HeadDim, ValueDim, capacity: 64, valueFromKey: true);
        Assert.Equal(64 * KeyHeads * HeadDim * sizeof(float), keys.Bytes);
        Assert.Equal(64 * KeyHeads * (HeadDim + ValueDim) * sizeof(float), both.Bytes);
    }

    [Fact]
    public void Kernels_append_to_pages()
    {
        var (query, key) = Given();
        using var cache = new PagedKeyValueCache<float>(KeyHeads, HeadDim, pages: 8, ValueDim, pageTokens: 16, valueFromKey: true);
        var other = cache.CreateSequence();
        SequenceId[] sequences = [cache.CreateSequence()];
        cache.Append(other, key.AsSpan(0, 5 * KeyHeads * HeadDim), []);
        var step = s_kernels.Value.GetMethod("Paged")!.CreateDelegate<PagedStep>();
        AssertNear(Expected(), Run((first, tokens, output) => step(
            query.AsSpan(first * Heads * HeadDim, tokens * Heads * HeadDim), key.AsSpan(first * KeyHeads * HeadDim, tokens * KeyHeads * HeadDim), cache, sequences, s_rotary,
            output.AsSpan(first * Heads * ValueDim, tokens * Heads * ValueDim))), 2e-6);
        Assert.True(cache.ValueFromKey);
    }

    [Fact]
    public void Files_and_copies_have_the_keys()
    {
        using var cache = new KeyValueCache<sbyte>(KeyHeads, HeadDim, ValueDim, layers: 2, valueFromKey: true);
        _ = Run("Integers", cache);
        using var stream = new MemoryStream();
        cache.Save(stream);
        stream.Position = 0;
        using var loaded = KeyValueCache<sbyte>.Load(stream);
        using var clone = cache.Clone();
        var expected = Rows(cache);
        Assert.Contains(expected.Keys, x => x != 0);
        foreach (var other in new[] { loaded, clone })
        {
            Assert.True(other.ValueFromKey);
            Assert.Equal((ValueDim, Tokens, 0), (other.ValueDim, other.Length, other.LengthOf(1)));
            Assert.Equal(expected.Keys, Rows(other).Keys);
            Assert.Equal(expected.Scales, Rows(other).Scales);
        }

        using var ring = new RingKeyValueCache<float>(KeyHeads, HeadDim, window: 12, slack: 5, ValueDim, firstKeys: 3, valueFromKey: true);
        _ = Run("Ring", ring);
        using var file = new MemoryStream();
        ring.Save(file);
        file.Position = 0;
        using var loadedRing = RingKeyValueCache<float>.Load(file);
        using var ringClone = ring.Clone();
        Assert.True(loadedRing.ValueFromKey && ringClone.ValueFromKey);
        Assert.Equal(ring.Bytes, loadedRing.Bytes);

        static (sbyte[] Keys, float[] Scales) Rows(KeyValueCache<sbyte> from)
        {
            var rows = (Keys: new sbyte[Tokens * KeyHeads * HeadDim], Scales: new float[Tokens * KeyHeads]);
            from.Read(0, rows.Keys, [], rows.Scales, []);
            return rows;
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var (query, key) = Given();
        using var wrong = new KeyValueCache<float>(KeyHeads, HeadDim, ValueDim);
        float[] output = new float[Heads * ValueDim];
        string message = Assert.Throws<ArgumentException>(() => Of<KeyValueCache<float>>("Whole")(query.AsSpan(0, Heads * HeadDim), key.AsSpan(0, KeyHeads * HeadDim), wrong, s_rotary, output)).Message;
        Assert.Contains("cache has 2 heads with keys of 40 and values of 24 elements, the kernel is declared for 2 heads with keys of 40 and values of 24 that are parts of the keys.", message, StringComparison.Ordinal);
        Assert.Equal(0, wrong.Length);
        using var right = new KeyValueCache<float>(KeyHeads, HeadDim, ValueDim, valueFromKey: true);
        Assert.Contains("values has 48 elements", Assert.Throws<ArgumentException>(() => right.Append(key.AsSpan(0, KeyHeads * HeadDim), key.AsSpan(0, KeyHeads * ValueDim))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new KeyValueCache<float>(1, HeadDim, HeadDim + 1, valueFromKey: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => new KeyValueCache<float>(1, 1025, 512, valueFromKey: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => new KeyValueCache<float>(1, 513));
        using var most = new KeyValueCache<float>(1, 1024, valueFromKey: true);
        Assert.Equal(1024, most.ValueDim);
    }
}
