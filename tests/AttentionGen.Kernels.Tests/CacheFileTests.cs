using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Saved caches of one sequence: what comes back. <see cref="HostileCacheFileTests"/> has files that are damaged, foreign or forged.</summary>
[Collection(nameof(Isolated))]
public class CacheFileTests
{
    private const int HeadBytes = 8 + 8 * sizeof(int); // up to the capacity

    [Theory]
    [InlineData(0, new[] { 0 })]
    [InlineData(0, new[] { 1 })]
    [InlineData(0, new[] { 511, 512, 513, 0, 1100 })]
    [InlineData(40, new[] { 40, 0, 7 })]
    [InlineData(600, new[] { 590 })]
    public void What_was_saved_comes_back(int capacity, int[] lengths)
    {
        RoundTrip(capacity, lengths, i => BitConverter.Int32BitsToSingle(i * 0x2545F491)); // NaN with any bits, too
        RoundTrip(capacity, lengths, i => BitConverter.Int16BitsToHalf((short)(i * 0x2545)));
        RoundTrip(capacity, lengths, i => BFloat16.FromBits((ushort)(i * 0x2545)));
        RoundTrip(capacity, lengths, i => (sbyte)(i * 0x2545)); // -128, which no conversion makes, too
    }

    private static void RoundTrip<T>(int capacity, int[] lengths, Func<int, T> element)
        where T : unmanaged
    {
        using var cache = Filled(3, 5, 7, capacity, lengths, element);
        long bytes = cache.Bytes;
        using var file = new MemoryStream();
        cache.Save(file);
        int size;
        unsafe
        {
            size = sizeof(T);
        }

        Assert.Equal(HeadBytes + lengths.Length * sizeof(int) + lengths.Sum() * 3 * ((5 + 7) * size + (typeof(T) == typeof(sbyte) ? 2 * sizeof(float) : 0)) + 16, file.Length); // tokens, not room
        Assert.Equal(bytes, cache.Bytes);
        Assert.Equal(lengths, LengthsOf(cache));

        // Behind something, before something, and a few bytes at a time.
        byte[] saved = [1, 2, 3, .. file.ToArray(), 4, 5];
        var stream = new SlowStream(saved) { Position = 3 };
        using var loaded = KeyValueCache<T>.Load(stream);
        Assert.Equal(saved.Length - 2, stream.Position);
        AssertSame(cache, loaded);

        // It goes on as the original does.
        Rows<T> keys = Given(0, 15, 5, element), values = Given(0, 21, 7, element);
        int shortest = Array.IndexOf(lengths, lengths.Min());
        if (capacity == 0 || lengths.Min() < capacity)
        {
            cache.Append(keys, values, shortest);
            loaded.Append(keys, values, shortest);
        }

        if (capacity > 0) Assert.Throws<ArgumentOutOfRangeException>(() => loaded.EnsureCapacity(capacity + 1));
        loaded.EnsureCapacity(capacity > 0 ? capacity : 2000);
        AssertSame(cache, loaded);
        using var clone = loaded.Clone();
        AssertSame(cache, clone);
        using var again = new MemoryStream();
        clone.Save(again);
        using var expected = new MemoryStream();
        cache.Save(expected);
        Assert.Equal(expected.ToArray(), again.ToArray());
    }

    [Fact]
    public void The_format_stays()
    {
        using var cache = new KeyValueCache<Half>(2, 1, layers: 2);
        cache.Append([(Half)1, (Half)2, (Half)3, (Half)4], [(Half)5, (Half)6, (Half)7, (Half)8], layer: 1);
        using var file = new MemoryStream();
        cache.Save(file);
        Assert.Equal(
            "8941474B560D0A0A" + "01000000" + "01000000" + "02000000" + "02000000" + "01000000" + "01000000" + "02000000" + "00000000" // head
            + "00000000" + "02000000" + "003C004000420044" + "0045004600470048",
            Convert.ToHexString(file.ToArray().AsSpan(0, (int)file.Length - 16)));
        Assert.Equal(SavedCaches.Checked(file.ToArray().AsSpan(0, (int)file.Length - 16)), file.ToArray());
    }

    [Fact]
    public void The_format_of_integers_stays()
    {
        using var cache = new KeyValueCache<sbyte>(2, 3, valueDim: 1);
        cache.Append([1, 2, 3, -4, -5, -6, 7, 8, 9, 10, 11, 12], [-127, 127, 0, 13], [0.5f, 0, float.NaN, 1], [2, 4, 8, 16]);
        byte[] file = SavedCaches.Save(cache.Save);
        Assert.Equal(
            "8941474B560D0A0A" + "01000000" + "01000000" + "04000000" + "02000000" + "03000000" + "01000000" + "01000000" + "00000000" + "02000000" // head
            + "010203FCFBFA0708090A0B0C" + "817F000D" + "0000003F000000000000C0FF0000803F" + "00000040000080400000004100008041",
            Convert.ToHexString(file.AsSpan(0, file.Length - 16)));
        Assert.Equal(SavedCaches.Checked(file.AsSpan(0, file.Length - 16)), file);
    }

    [Fact]
    public void Saving_and_loading_need_no_buffer_of_the_size_of_the_cache()
    {
        using var cache = Filled(4, 64, 64, 0, [3000], i => (float)i);
        Rewound(); // buffers of the pool
        long before = GC.GetAllocatedBytesForCurrentThread();
        Rewound();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);

        void Rewound()
        {
            cache.Save(Stream.Null);
            Assert.Throws<InvalidDataException>(() => KeyValueCache<float>.Load(Stream.Null));
        }
    }

    [Fact]
    public void Saving_excludes_calls_that_change_the_cache()
    {
        using var cache = Filled(1, 1, 1, 0, [3], i => (float)i);
        var stream = new CallingStream(() =>
        {
            Assert.Throws<InvalidOperationException>(() => cache.Append([1f], [1f]));
            float[] key = new float[1];
            cache.Read(0, key, new float[1]); // others may read
        });
        cache.Save(stream);
        Assert.True(stream.Called);
        cache.Append([1f], [1f]);

        Assert.Throws<IOException>(() => cache.Save(new CallingStream(() => throw new IOException())));
        cache.Append([1f], [1f]); // a failure lets go of it
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.Save(Stream.Null));
        Assert.Throws<ArgumentNullException>(() => cache.Save(null!));
    }

    private static int[] LengthsOf(AttentionCache cache) => [.. Enumerable.Range(0, cache.Layers).Select(cache.LengthOf)];

    private static KeyValueCache<T> Filled<T>(int heads, int headDim, int valueDim, int capacity, int[] lengths, Func<int, T> element)
        where T : unmanaged
    {
        var cache = new KeyValueCache<T>(heads, headDim, valueDim, lengths.Length, capacity);
        for (int layer = 0; layer < lengths.Length; layer++)
        {
            cache.Append(Given(layer, lengths[layer] * heads * headDim, headDim, element), Given(1000 + layer, lengths[layer] * heads * valueDim, valueDim, element), layer);
        }

        return cache;
    }

    /// <summary>Rows of any elements; their scales, where they have any, are any that a cache takes, NaN with any bits, too.</summary>
    private static Rows<T> Given<T>(int first, int count, int dim, Func<int, T> element)
        where T : unmanaged
    {
        var rows = Stored.Empty<T>(count, dim);
        for (int i = 0; i < count; i++) rows.Elements[i] = element(first + i);
        for (int i = 0; i < rows.Scales.Length; i++)
        {
            float scale = BitConverter.Int32BitsToSingle((first + i) * 0x2545F491);
            rows.Scales[i] = float.IsNaN(scale) ? scale : float.IsInfinity(scale) ? 0 : MathF.Abs(scale);
        }

        return rows;
    }

    private static void AssertSame<T>(KeyValueCache<T> expected, KeyValueCache<T> actual)
        where T : unmanaged
    {
        Assert.Equal((expected.KeyValueHeads, expected.HeadDim, expected.ValueDim, expected.Capacity), (actual.KeyValueHeads, actual.HeadDim, actual.ValueDim, actual.Capacity));
        Assert.Equal(LengthsOf(expected), LengthsOf(actual));
        Assert.Equal(SavedCaches.Contents<T>(expected), SavedCaches.Contents<T>(actual));
    }
}
