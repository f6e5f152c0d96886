using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Saved caches: what comes back, and files that are damaged, foreign or forged.</summary>
[Collection(nameof(Isolated))]
public class CacheFileTests
{
    private const int HeadBytes = 8 + 8 * sizeof(int); // up to the capacity

    private static readonly string[] s_names = ["version", "kind", "element type", "heads", "headDim", "valueDim", "layers", "capacity"];

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

        Assert.Equal(HeadBytes + lengths.Length * sizeof(int) + lengths.Sum() * 3 * (5 + 7) * size + 16, file.Length); // tokens, not room
        Assert.Equal(bytes, cache.Bytes);
        Assert.Equal(lengths, LengthsOf(cache));

        // Behind something, before something, and a few bytes at a time.
        byte[] saved = [1, 2, 3, .. file.ToArray(), 4, 5];
        var stream = new SlowStream(saved) { Position = 3 };
        using var loaded = KeyValueCache<T>.Load(stream);
        Assert.Equal(saved.Length - 2, stream.Position);
        AssertSame(cache, loaded);

        // It goes on as the original does.
        T[] keys = [.. Enumerable.Range(0, 15).Select(element)], values = [.. Enumerable.Range(0, 21).Select(element)];
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
        Assert.Equal(Checked(file.ToArray().AsSpan(0, (int)file.Length - 16)), file.ToArray());
    }

    [Fact]
    public void A_file_that_ends_early_is_refused_wherever_it_ends()
    {
        byte[] file = Small();
        for (int length = 0; length < file.Length; length++)
        {
            var error = Assert.Throws<InvalidDataException>(() => Load(file.AsSpan(0, length)));
            Assert.Equal($"The file ends after {length} bytes, inside the cache.", error.Message);
        }
    }

    [Fact]
    public void A_file_with_another_byte_is_refused_whichever_it_is()
    {
        byte[] file = Small();
        var random = new Random(1);
        for (int i = 0; i < file.Length; i++)
        {
            byte before = file[i];
            foreach (byte other in new[] { (byte)~before, (byte)(before ^ 1 << random.Next(8)), (byte)(before + 1) })
            {
                file[i] = other;
                Assert.Throws<InvalidDataException>(() => Load(file));
            }

            file[i] = before;
        }

        Load(file);
    }

    [Theory]
    [InlineData("version", 2, "The version of the format is 2, this library reads versions up to 1.")]
    [InlineData("version", 0, "The version is 0, 1 or more is needed.")]
    [InlineData("kind", 2, "The file has a RingKeyValueCache, not a KeyValueCache.")]
    [InlineData("kind", 9, "The file has an unknown kind of cache (9), not a KeyValueCache.")]
    [InlineData("element type", 3, "The file stores BFloat16, the cache stores float.")]
    [InlineData("element type", 77, "The file stores an unknown type (77), the cache stores float.")]
    [InlineData("heads", 0, "The number of key-value heads is 0, 1 to 4096 is needed.")]
    [InlineData("headDim", 513, "The headDim is 513, 1 to 512 is needed.")]
    [InlineData("valueDim", -1, "The valueDim is -1, 1 to 512 is needed.")]
    [InlineData("layers", 0, "The number of layers is 0, 1 or more is needed.")]
    [InlineData("capacity", 3, "The length of layer 1 is 5, 0 to 3 is needed.")]
    [InlineData("capacity", (1 << 30) + 1, "The capacity is 1073741825, 0 to 1073741824 is needed.")]
    public void A_forged_number_is_refused_with_what_is_wrong(string name, int number, string message)
    {
        byte[] file = Small()[..^16];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(8 + Array.IndexOf(s_names, name) * sizeof(int)), number);
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => Load(Checked(file))).Message);
    }

    [Fact]
    public void What_is_no_cache_is_refused()
    {
        Assert.Equal("This is no saved cache: the first bytes are others.", Assert.Throws<InvalidDataException>(() => Load("SQLite format 3\0"u8)).Message);
        Assert.Throws<InvalidDataException>(() => Load(Convert.FromHexString("8941474B560A0A0A"))); // as text of Windows
        Assert.Equal("stream", Assert.Throws<ArgumentNullException>(() => KeyValueCache<float>.Load(null!)).ParamName);
        Assert.Throws<NotSupportedException>(() => KeyValueCache<double>.Load(Stream.Null));
    }

    /// <summary>Files with the right checksum and any numbers: they load as a cache, or are refused, and take memory for the tokens that they have.</summary>
    [Fact]
    public void Forged_heads_are_refused_or_are_caches()
    {
        var random = new Random(2);
        byte[] small = Small()[..^16];
        int loaded = 0;
        for (int i = 0; i < 20000; i++)
        {
            byte[] file = [.. small.AsSpan(0, random.Next(4) == 0 ? random.Next(HeadBytes, small.Length) : small.Length)];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                int[] numbers = [0, 1, 2, 3, 4, 5, 8, 511, 512, 4096, 1 << 20, 1 << 30, int.MaxValue, int.MinValue, -1, random.Next()];
                int place = 8 + sizeof(int) * random.Next(3, s_names.Length + 2);
                if (place + sizeof(int) <= file.Length) BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(place), numbers[random.Next(numbers.Length)]);
            }

            try
            {
                using var cache = KeyValueCache<float>.Load(new MemoryStream(Checked(file)));
                Assert.InRange(cache.Bytes, 0, 600L * file.Length + (64 << 20));
                loaded++;
            }
            catch (InvalidDataException)
            {
            }
        }

        Assert.InRange(loaded, 100, 19000);
    }

    /// <summary>The head of a forged file says terabytes; the memory follows the bytes that are there.</summary>
    [Theory]
    [InlineData(4096, 512, 512, 1, 1 << 30, 1 << 30)]
    [InlineData(4096, 512, 512, int.MaxValue, 0, 1 << 30)]
    [InlineData(1, 1, 512, 1000, 1 << 30, 1 << 30)]
    [InlineData(1, 1, 1, 100_000, 0, 1 << 30)]
    public void A_huge_head_takes_no_memory(int heads, int headDim, int valueDim, int layers, int capacity, int length)
    {
        byte[] file = new byte[1 << 20];
        Small().AsSpan(0, 20).CopyTo(file);
        int[] head = [heads, headDim, valueDim, layers, capacity];
        for (int i = 0; i < head.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(20 + i * sizeof(int)), head[i]);
        for (int i = HeadBytes; i < file.Length; i += sizeof(int)) BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(i), length);
        using var memory = new CountedMemory();
        long managed = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("ends after 1048576 bytes", Assert.Throws<InvalidDataException>(() => Load(file)).Message, StringComparison.Ordinal);
        Assert.InRange(memory.Most, 0, 600L << 20);
        Assert.Equal(0, memory.Bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - managed, 0, 32 << 20);
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

    [Fact]
    public void A_failure_while_loading_frees_the_memory()
    {
        byte[] file = Small();
        using var memory = new CountedMemory();
        Load(file);
        Assert.Equal(0, memory.Bytes);
        file[^20] ^= 1;
        Assert.Throws<InvalidDataException>(() => Load(file));
        Assert.Equal(0, memory.Bytes);
        Assert.NotEqual(0, memory.Most);
    }

    private static byte[] Small()
    {
        using var cache = Filled(2, 3, 1, 0, [2, 5], i => (float)i);
        using var file = new MemoryStream();
        cache.Save(file);
        return file.ToArray();
    }

    private static void Load(ReadOnlySpan<byte> file) => KeyValueCache<float>.Load(new MemoryStream(file.ToArray())).Dispose();

    /// <summary>The contents with their checksum.</summary>
    private static byte[] Checked(ReadOnlySpan<byte> contents) => [.. contents, .. XxHash128.Hash(contents)];

    private static int[] LengthsOf(AttentionCache cache) => [.. Enumerable.Range(0, cache.Layers).Select(cache.LengthOf)];

    private static KeyValueCache<T> Filled<T>(int heads, int headDim, int valueDim, int capacity, int[] lengths, Func<int, T> element)
        where T : unmanaged
    {
        var cache = new KeyValueCache<T>(heads, headDim, valueDim, lengths.Length, capacity);
        for (int layer = 0; layer < lengths.Length; layer++)
        {
            T[] keys = [.. Enumerable.Range(layer, lengths[layer] * heads * headDim).Select(element)];
            T[] values = [.. Enumerable.Range(1000 + layer, lengths[layer] * heads * valueDim).Select(element)];
            cache.Append(keys, values, layer);
        }

        return cache;
    }

    private static void AssertSame<T>(KeyValueCache<T> expected, KeyValueCache<T> actual)
        where T : unmanaged
    {
        Assert.Equal((expected.KeyValueHeads, expected.HeadDim, expected.ValueDim, expected.Capacity), (actual.KeyValueHeads, actual.HeadDim, actual.ValueDim, actual.Capacity));
        Assert.Equal(LengthsOf(expected), LengthsOf(actual));
        for (int layer = 0; layer < expected.Layers; layer++) Assert.Equal(Rows(expected, layer), Rows(actual, layer));

        static byte[] Rows(KeyValueCache<T> cache, int layer)
        {
            var keys = new T[cache.LengthOf(layer) * cache.KeyValueHeads * cache.HeadDim];
            var values = new T[cache.LengthOf(layer) * cache.KeyValueHeads * cache.ValueDim];
            cache.Read(0, keys, values, layer);
            return [.. MemoryMarshal.AsBytes(keys.AsSpan()), .. MemoryMarshal.AsBytes(values.AsSpan())];
        }
    }

    /// <summary>Counts the bytes that caches have while it lives.</summary>
    private sealed unsafe class CountedMemory : IDisposable
    {
        public CountedMemory() => CacheMemory.Injected = (Allocate, Free);

        public long Bytes { get; private set; }

        public long Most { get; private set; }

        public void Dispose() => CacheMemory.Injected = null;

        private nint Allocate(nuint bytes)
        {
            Most = Math.Max(Most, Bytes += (long)bytes);
            return (nint)NativeMemory.AlignedAlloc(bytes, CacheMemory.Alignment);
        }

        private void Free(nint memory, nuint bytes)
        {
            Bytes -= (long)bytes;
            NativeMemory.AlignedFree((void*)memory);
        }
    }

    /// <summary>Returns a few bytes at a time.</summary>
    private sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        private int _turn;

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1 + _turn++ % 7)); // spans come here, too
    }

    /// <summary>Calls something when it is written to.</summary>
    private sealed class CallingStream(Action action) : MemoryStream
    {
        public bool Called { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            action();
            Called = true;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }
}
