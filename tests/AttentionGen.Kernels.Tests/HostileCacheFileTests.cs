using System.Buffers.Binary;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Files of all kinds of caches that are damaged, foreign or forged.</summary>
[Collection(nameof(Isolated))]
public class HostileCacheFileTests
{
    public static TheoryData<string> Kinds => [.. SavedCaches.All.Select(one => one.Name)];

    [Theory, MemberData(nameof(Kinds))]
    public void A_file_that_ends_early_is_refused_wherever_it_ends(string kind)
    {
        var saved = SavedCaches.Of(kind);
        for (int length = 0; length < saved.File.Length; length++)
        {
            var error = Assert.Throws<InvalidDataException>(() => saved.LoadAndDispose(saved.File.AsSpan(0, length)));
            Assert.Equal($"The file ends after {length} bytes, inside the cache.", error.Message);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_file_with_another_byte_is_refused_whichever_it_is(string kind)
    {
        var saved = SavedCaches.Of(kind);
        byte[] file = [.. saved.File];
        var random = new Random(1);
        for (int i = 0; i < file.Length; i++)
        {
            byte before = file[i];
            foreach (byte other in new[] { (byte)~before, (byte)(before ^ 1 << random.Next(8)), (byte)(before + 1) })
            {
                file[i] = other;
                Assert.Throws<InvalidDataException>(() => saved.LoadAndDispose(file));
            }

            file[i] = before;
        }

        saved.LoadAndDispose(file);
    }

    [Theory]
    [InlineData("KeyValueCache", "version", 2, "The version of the format is 2, this library reads versions up to 1.")]
    [InlineData("KeyValueCache", "version", 0, "The version is 0, 1 or more is needed.")]
    [InlineData("KeyValueCache", "kind", 9, "The file has an unknown kind of cache (9), not a KeyValueCache.")]
    [InlineData("KeyValueCache", "element type", 3, "The file stores BFloat16, the cache stores float.")]
    [InlineData("KeyValueCache", "element type", 77, "The file stores an unknown type (77), the cache stores float.")]
    [InlineData("KeyValueCache", "heads", 0, "The number of key-value heads is 0, 1 to 4096 is needed.")]
    [InlineData("KeyValueCache", "headDim", 513, "The headDim is 513, 1 to 512 is needed where values are not parts of keys.")]
    [InlineData("KeyValueCache", "headDim", 1025, "The headDim is 1025, 1 to 1024 is needed.")]
    [InlineData("KeyValueCache", "valueDim", -4, "The valueDim is -4, 1 to 512 is needed, or -3 to -1 for values that are parts of keys.")]
    [InlineData("KeyValueCache", "valueDim", 0, "The valueDim is 0, 1 to 512 is needed, or -3 to -1 for values that are parts of keys.")]
    [InlineData("KeyValueCache", "layers", 0, "The number of layers is 0, 1 or more is needed.")]
    [InlineData("KeyValueCache", "capacity", 3, "The length of layer 1 is 5, 0 to 3 is needed.")]
    [InlineData("KeyValueCache", "capacity", (1 << 30) + 1, "The capacity is 1073741825, 0 to 1073741824 is needed.")]
    [InlineData("KeyValueCache", "length 1", -1, "The length of layer 1 is -1, 0 to 1073741824 is needed.")]
    [InlineData("RingKeyValueCache", "window", -1, "The window is -1, 0 to 1048575 is needed.")]
    [InlineData("RingKeyValueCache", "slack", 0, "The slack is 0, 1 to 1048576 is needed.")]
    [InlineData("RingKeyValueCache", "first keys", (1 << 20) + 1, "The number of first keys is 1048577, 0 to 1048576 is needed.")]
    [InlineData("RingKeyValueCache", "length 0", (1 << 30) + 1, "The length of layer 0 is 1073741825, 0 to 1073741824 is needed.")]
    [InlineData("RingKeyValueCache", "first 0", 13, "The first token of layer 0, which has a length of 19, is 13, 14 to 16 is needed.")]
    [InlineData("RingKeyValueCache", "first 0", 17, "The first token of layer 0, which has a length of 19, is 17, 14 to 16 is needed.")]
    [InlineData("RingKeyValueCache", "first 1", -1, "The first token of layer 1, which has a length of 4, is -1, 0 to 2 is needed.")]
    [InlineData("PagedKeyValueCache", "page tokens", 17, "The number of tokens of a page is 17, 16, 32 or 64 is needed.")]
    [InlineData("PagedKeyValueCache", "page tokens", 128, "The number of tokens of a page is 128, 16 to 64 is needed.")]
    [InlineData("PagedKeyValueCache", "pages", 0, "The number of pages is 0, 1 or more is needed.")]
    [InlineData("PagedKeyValueCache", "pages", 2, "The page of block 1 of sequence 1 is 2, 0 to 1 is needed.")]
    [InlineData("PagedKeyValueCache", "sequences", (1 << 20) + 1, "The number of sequences is 1048577, 0 to 1048576 is needed.")]
    [InlineData("PagedKeyValueCache", "length 0.1", (1 << 30) + 1, "The length of layer 1 of sequence 0 is 1073741825, 0 to 1073741824 is needed.")]
    [InlineData("PagedKeyValueCache", "page 0.0", 1, "The page of block 0 of sequence 0 is 1, 0 to 0 is needed.")]
    [InlineData("PagedKeyValueCache", "page 0.1", 0, "The page 0 is block 0 of a sequence and block 1 of sequence 0: sequences share a page at one place.")]
    [InlineData("PagedKeyValueCache", "page 1.0", 1, "The page 1 is block 1 of a sequence and block 0 of sequence 1: sequences share a page at one place.")]
    [InlineData("PagedKeyValueCache", "page 1.1", 3, "The page of block 1 of sequence 1 is 3, 0 to 2 is needed.")]
    [InlineData("PagedKeyValueCache", "page 1.1", -1, "The page of block 1 of sequence 1 is -1, 0 to 2 is needed.")]
    public void A_forged_number_is_refused_with_what_is_wrong(string kind, string name, int number, string message)
    {
        var saved = SavedCaches.Of(kind);
        using var memory = new CountedMemory();
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => saved.LoadAndDispose(saved.Forged((name, number)))).Message);
        Assert.Equal(0, memory.Most);
    }

    /// <summary>The right checksum does not make a scale of a number that is none. NaN is one: that of a row that is NaN.</summary>
    [Theory]
    [InlineData("KeyValueCache<sbyte>")]
    [InlineData("RingKeyValueCache<sbyte>")]
    [InlineData("PagedKeyValueCache<sbyte>")]
    public void A_forged_scale_is_refused_with_what_is_wrong(string kind)
    {
        var saved = SavedCaches.Of(kind);
        byte[] contents = saved.File[..^16];

        // The last plane is that of the scales of values, behind that of the scales of keys: two heads of a token each, and so many tokens.
        int values = contents.Length - sizeof(float), keys = values - 2 * sizeof(float) * kind switch { "KeyValueCache<sbyte>" => 5, "RingKeyValueCache<sbyte>" => 4, _ => 2 };
        foreach (var (place, name) in new[] { (values, "values"), (keys, "keys") })
        {
            foreach (var (scale, text) in new[] { (-1f, "-1"), (-float.Epsilon, "-1E-45"), (float.PositiveInfinity, "Infinity"), (float.NegativeInfinity, "-Infinity") })
                Assert.Equal($"A scale of {name} is {text}, 0 or more is needed, or NaN.", Assert.Throws<InvalidDataException>(() => saved.LoadAndDispose(With(scale))).Message);

            foreach (float scale in new[] { float.NaN, -float.NaN, BitConverter.Int32BitsToSingle(0x7F800001), 0f, -0f, float.Epsilon, float.MaxValue }) // also one that signals
            {
                using var loaded = saved.Load(new MemoryStream(With(scale)));
                saved.Use(loaded);
            }

            byte[] With(float scale)
            {
                byte[] other = [.. contents];
                BinaryPrimitives.WriteSingleLittleEndian(other.AsSpan(place), scale);
                return SavedCaches.Checked(other);
            }
        }
    }

    [Fact]
    public void A_cache_of_another_kind_is_refused()
    {
        foreach (var saved in SavedCaches.All)
            foreach (var other in SavedCaches.All.Where(other => other.Kind != saved.Kind))
                Assert.Equal($"The file has a {saved.Kind}, not a {other.Kind}.", Assert.Throws<InvalidDataException>(() => other.LoadAndDispose(saved.File)).Message);
        Assert.Contains("stores float, the cache stores Half", Assert.Throws<InvalidDataException>(() => RingKeyValueCache<Half>.Load(File("RingKeyValueCache"))).Message, StringComparison.Ordinal);
        Assert.Contains("stores float, the cache stores BFloat16", Assert.Throws<InvalidDataException>(() => PagedKeyValueCache<BFloat16>.Load(File("PagedKeyValueCache"))).Message, StringComparison.Ordinal);

        Assert.Contains("stores sbyte, the cache stores float", Assert.Throws<InvalidDataException>(() => KeyValueCache<float>.Load(File("KeyValueCache<sbyte>"))).Message, StringComparison.Ordinal);
        Assert.Contains("stores float, the cache stores sbyte", Assert.Throws<InvalidDataException>(() => PagedKeyValueCache<sbyte>.Load(File("PagedKeyValueCache"))).Message, StringComparison.Ordinal);

        static MemoryStream File(string kind) => new(SavedCaches.Of(kind).File);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void What_is_no_cache_is_refused(string kind)
    {
        var saved = SavedCaches.Of(kind);
        Assert.Equal("This is no saved cache: the first bytes are others.", Assert.Throws<InvalidDataException>(() => saved.LoadAndDispose("SQLite format 3\0"u8)).Message);
        Assert.Throws<InvalidDataException>(() => saved.LoadAndDispose(Convert.FromHexString("8941474B560A0A0A"))); // as text of Windows
        Assert.Equal("stream", Assert.Throws<ArgumentNullException>(() => saved.Load(null!)).ParamName);
    }

    [Fact]
    public void A_cache_of_another_type_is_refused()
    {
        Assert.Throws<NotSupportedException>(() => KeyValueCache<double>.Load(Stream.Null));
        Assert.Throws<NotSupportedException>(() => RingKeyValueCache<double>.Load(Stream.Null));
        Assert.Throws<NotSupportedException>(() => PagedKeyValueCache<double>.Load(Stream.Null));
    }

    /// <summary>Files with the right checksum and any numbers: they load as a cache that works, or are refused, and take memory for the tokens that they have.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void Forged_numbers_are_refused_or_are_those_of_a_cache(string kind)
    {
        var saved = SavedCaches.Of(kind);
        var random = new Random(2);
        byte[] contents = saved.File[..^16];
        int loaded = 0;
        for (int i = 0; i < 10000; i++)
        {
            byte[] file = [.. contents.AsSpan(0, random.Next(4) == 0 ? random.Next(8 + sizeof(int) * saved.Numbers.Length, contents.Length) : contents.Length)];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                int place = 8 + sizeof(int) * random.Next(3, saved.Numbers.Length), before = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(place));
                int[] numbers = [0, 1, 2, 3, 4, 5, 8, 15, 16, 32, 511, 512, 4096, 1 << 20, 1 << 30, int.MaxValue, int.MinValue, -1, before + 1, before - 1, random.Next()];
                BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(place), numbers[random.Next(numbers.Length)]);
            }

            using var memory = new CountedMemory();
            try
            {
                using var cache = saved.Load(new MemoryStream(SavedCaches.Checked(file)));
                loaded++;
                Assert.InRange(memory.Most, 0, 600L * file.Length + (64 << 20));
                saved.Use(cache);
            }
            catch (InvalidDataException)
            {
            }

            Assert.Equal(0, memory.Bytes);
        }

        Assert.InRange(loaded, 100, 9000);
    }

    /// <summary>The numbers of a forged file say terabytes; the memory follows the bytes that are there.</summary>
    [Theory]
    [InlineData("KeyValueCache", 1 << 30, 4096, 512, 512, 1, 1 << 30)]
    [InlineData("KeyValueCache", 1 << 30, 4096, 512, 512, int.MaxValue, 0)]
    [InlineData("KeyValueCache", 1 << 30, 1, 1, 512, 1000, 1 << 30)]
    [InlineData("KeyValueCache", 1 << 30, 1, 1, 1, 100_000, 0)]
    [InlineData("RingKeyValueCache", 1 << 20, 4096, 512, 512, 1, (1 << 20) - 1, 1 << 20, 1 << 20)]
    [InlineData("RingKeyValueCache", 1 << 20, 4096, 512, 512, int.MaxValue, (1 << 20) - 1, 1 << 20, 1 << 20)]
    [InlineData("RingKeyValueCache", 1 << 20, 1, 1, 512, 1000, 0, 1 << 20, 1 << 20)]
    [InlineData("RingKeyValueCache", 1 << 30, 1, 1, 512, 1000, 0, 1 << 20, 1 << 20)] // full
    [InlineData("PagedKeyValueCache", 0, 4096, 512, 512, 1, 64, int.MaxValue, 1 << 20)]
    [InlineData("PagedKeyValueCache", 0, 4096, 512, 512, int.MaxValue, 64, 4, 1)]
    [InlineData("PagedKeyValueCache", -1, 8, 128, 128, 1, 16, int.MaxValue, 1, 1 << 30)] // a sequence with ever more pages
    [InlineData("PagedKeyValueCache", 0, 8, 128, 128, 1, 16, int.MaxValue, 1, 16)] // a page, to which the file has half of the tokens
    public void Huge_numbers_take_no_memory(string kind, int rest, params int[] head)
    {
        byte[] file = new byte[1 << 20];
        SavedCaches.Of(kind).File.AsSpan(0, 20).CopyTo(file);
        if (head[^1] == 16) file = file[..(1 << 16)];
        for (int i = 0; 20 + i * sizeof(int) < file.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(20 + i * sizeof(int)), i < head.Length ? head[i] : rest >= 0 ? rest : i - head.Length);
        using var memory = new CountedMemory();
        long managed = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains($"ends after {file.Length} bytes", Assert.Throws<InvalidDataException>(() => SavedCaches.Of(kind).LoadAndDispose(file)).Message, StringComparison.Ordinal);
        Assert.InRange(memory.Most, 0, 600L << 20);
        Assert.Equal(0, memory.Bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - managed, 0, 128 << 20);
    }

    /// <summary>A page has room for all layers, of which a forged file may fill one.</summary>
    [Fact]
    public void A_limit_bounds_the_memory_of_pages()
    {
        using var cache = new PagedKeyValueCache<float>(4, 64, pages: 10, layers: 64, pageTokens: 64);
        var id = cache.CreateSequence();
        cache.Append(id, new float[65 * 256], new float[65 * 256]); // in the first of 64 layers
        byte[] file = SavedCaches.Save(stream => cache.Save(stream));
        long needed = 2 * cache.Bytes / cache.Pages;
        using var memory = new CountedMemory();
        string message = Assert.Throws<InvalidDataException>(() => PagedKeyValueCache<float>.Load(new MemoryStream(file), needed - 1)).Message;
        Assert.Equal($"The file has 2 pages of {needed / 2} bytes, which is more than the {needed - 1} bytes that are allowed.", message);
        Assert.Equal(0, memory.Most);
        using var loaded = PagedKeyValueCache<float>.Load(new MemoryStream(file), needed);
        Assert.Equal(65, loaded.LengthOf(loaded.GetSequences()[0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => PagedKeyValueCache<float>.Load(new MemoryStream(file), -1));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_failure_while_loading_frees_the_memory(string kind)
    {
        var saved = SavedCaches.Of(kind);
        byte[] file = [.. saved.File];
        using var memory = new CountedMemory();
        saved.LoadAndDispose(file);
        Assert.Equal(0, memory.Bytes);
        file[^20] ^= 1;
        Assert.Throws<InvalidDataException>(() => saved.LoadAndDispose(file));
        Assert.Equal(0, memory.Bytes);
        Assert.NotEqual(0, memory.Most);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Memory_that_fails_while_loading_is_freed(string kind)
    {
        var saved = SavedCaches.Of(kind);
        foreach (var fault in new[] { Fault.NativeMemory, Fault.Array })
        {
            bool done = false;
            int failed = 0;
            for (; !done; failed++)
            {
                Assert.InRange(failed, 0, 50);
                using var memory = new CountedMemory();
                int left = failed;
                Faults.Injected = given =>
                {
                    if (given == fault && left-- == 0) throw new InsufficientMemoryException("injected");
                };
                try
                {
                    saved.LoadAndDispose(saved.File);
                    done = true;
                }
                catch (InsufficientMemoryException)
                {
                }
                finally
                {
                    Faults.Injected = null;
                }

                Assert.Equal(0, memory.Bytes);
            }

            Assert.InRange(failed, fault == Fault.NativeMemory || saved.Kind == "PagedKeyValueCache" ? 2 : 1, 50);
        }
    }
}
