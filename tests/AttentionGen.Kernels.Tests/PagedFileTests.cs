using AttentionGen.CompilerServices;
using Xunit;
using static AttentionGen.Kernels.Tests.PagedCalls;

namespace AttentionGen.Kernels.Tests;

/// <summary>Saved paged caches: what comes back, and how it goes on.</summary>
[Collection(nameof(Isolated))]
public class PagedFileTests
{
    [Fact]
    public void What_was_saved_comes_back_and_goes_on_with_the_same_bits()
    {
        RoundTrip<float>(16);
        RoundTrip<Half>(32);
        RoundTrip<BFloat16>(64);
        RoundTrip<sbyte>(16);

        static void RoundTrip<T>(int pageTokens)
            where T : unmanaged
        {
            var kernel = Compiled.Of<T>(Plain);
            using var memory = new GuardedCacheMemory();
            using var cache = Create<T>(Plain, pageTokens, pages: 40, layers: 2);
            SequenceId a = cache.CreateSequence(), freed = cache.CreateSequence(), empty = cache.CreateSequence();
            Step(kernel, cache, [a, freed], [3 * pageTokens + 3, 5], 0, 1, out _);
            Step(kernel, cache, [a], [2 * pageTokens], 1, 2, out _); // the layers differ
            SequenceId fork = cache.Fork(a), shorter = cache.Fork(a), same = cache.Fork(fork);
            Step(kernel, cache, [fork], [2], 0, 3, out _);
            cache.Truncate(shorter, pageTokens + 1);
            Step(kernel, cache, [shorter], [1], 1, 4, out _);
            cache.Free(freed);
            SequenceId[] all = [a, fork, empty, shorter, same]; // the fork has the place of the freed one

            SequenceId[] saved = [];
            byte[] file = SavedCaches.Save(stream => saved = cache.Save(stream));
            Assert.Equal(saved, cache.GetSequences());
            Assert.Equal(all.ToHashSet(), [.. saved]);
            using var loaded = PagedKeyValueCache<T>.Load(new MemoryStream(file));
            Assert.Equal((cache.KeyValueHeads, cache.HeadDim, cache.ValueDim, cache.Layers, cache.PageTokens, cache.Pages), (loaded.KeyValueHeads, loaded.HeadDim, loaded.ValueDim, loaded.Layers, loaded.PageTokens, loaded.Pages));
            var ids = loaded.GetSequences();
            Same();
            Assert.Equal(file, SavedCaches.Save(stream => loaded.Save(stream)));
            foreach (var id in all) Assert.Contains("is a sequence of another cache", Assert.Throws<ArgumentException>(() => loaded.LengthOf(id)).Message, StringComparison.Ordinal);

            // Both go on: shared pages are copied when they are written, and a fork of a fork is one.
            for (int round = 0; round < 6; round++)
            {
                int first = round % saved.Length, second = (round + 2) % saved.Length, tokens = 1 + round * 7;
                var expected = Step(kernel, cache, [saved[first], saved[second]], [tokens, 1], round % 2, round, out float[] output);
                Step(kernel, loaded, [ids[first], ids[second]], [tokens, 1], round % 2, round, out float[] again);
                Bound.Check(expected, output);
                Assert.Equal(output, again);
                Same();
            }

            cache.Free(saved[0]);
            loaded.Free(ids[0]);
            (saved, ids) = ([.. saved[1..], cache.Fork(saved[1])], [.. ids[1..], loaded.Fork(ids[1])]);
            Same();
            foreach (var id in ids) loaded.Free(id);
            Assert.Equal((0, 40, 0), (loaded.UsedPages, loaded.FreePages, loaded.Sequences));

            void Same()
            {
                Assert.Equal(SavedCaches.Contents(cache, saved), SavedCaches.Contents(loaded, ids));
                Assert.Equal((cache.UsedPages, cache.FreePages, cache.Sequences), (loaded.UsedPages, loaded.FreePages, loaded.Sequences));
            }
        }
    }

    [Fact]
    public void A_page_is_written_once_however_many_have_it()
    {
        using var cache = new PagedKeyValueCache<Half>(2, 8, pages: 30, valueDim: 4, layers: 3, pageTokens: 16);
        var root = cache.CreateSequence();
        for (int layer = 0; layer < 3; layer++) cache.Append(root, new Half[40 * 16], new Half[40 * 8], layer);
        int one = Size();
        const int Table = (3 + 3) * sizeof(int);
        var forks = Enumerable.Range(0, 9).Select(_ => cache.Fork(root)).ToArray();
        Assert.Equal(one + 9 * Table, Size());
        cache.Append(forks[0], new Half[16], new Half[8]);
        Assert.Equal(one + 9 * Table + (9 + 8 + 8) * 2 * (8 + 4) * 2, Size()); // its copy of the last page has 9, 8 and 8 tokens

        int Size() => SavedCaches.Save(stream => cache.Save(stream)).Length;
    }

    [Fact]
    public void The_format_stays()
    {
        using var cache = new PagedKeyValueCache<Half>(1, 2, pages: 9, valueDim: 1, layers: 2, pageTokens: 16);
        var id = cache.CreateSequence();
        cache.Append(id, [(Half)1, (Half)2, (Half)3, (Half)4], [(Half)5, (Half)6], layer: 1);
        cache.Fork(id);
        byte[] file = SavedCaches.Save(stream => cache.Save(stream));
        Assert.Equal(
            "8941474B560D0A0A" + "01000000" + "03000000" + "02000000" + "01000000" + "02000000" + "01000000" + "02000000" // head
            + "10000000" + "09000000" + "02000000" // tokens of a page, pages, sequences
            + "00000000" + "02000000" + "00000000" + "00000000" + "02000000" + "00000000" // for each its lengths and pages
            + "003C004000420044" + "00450046",
            Convert.ToHexString(file.AsSpan(0, file.Length - 16)));
        Assert.Equal(SavedCaches.Checked(file.AsSpan(0, file.Length - 16)), file);
    }

    /// <summary>An empty cache loads as one; the file may lie among other things and arrive slowly.</summary>
    [Fact]
    public void Empty_caches_and_slow_streams()
    {
        using var cache = new PagedKeyValueCache<float>(2, 8, pages: 5);
        byte[] file = [1, 2, 3, .. SavedCaches.Save(stream => Assert.Empty(cache.Save(stream))), 4, 5];
        using var stream = new SlowStream(file) { Position = 3 };
        using var loaded = PagedKeyValueCache<float>.Load(stream);
        Assert.Equal(file.Length - 2, stream.Position);
        Assert.Empty(loaded.GetSequences());
        Assert.Equal((0, 5, 0, 0L), (loaded.Sequences, loaded.FreePages, loaded.UsedPages, loaded.Bytes));
        loaded.Append(loaded.CreateSequence(), new float[16 * 40], new float[16 * 40]);
        Assert.Equal(2, loaded.UsedPages);
    }

    [Fact]
    public void A_loaded_cache_takes_memory_when_it_needs_it_and_keeps_all_where_that_fails()
    {
        using var memory = new GuardedCacheMemory();
        using var cache = new PagedKeyValueCache<float>(4, 512, pages: 30, valueDim: 512, layers: 9, pageTokens: 64); // 9 MiB a page, 7 pages in a piece
        var id = cache.CreateSequence();
        cache.Append(id, new float[2048 * 70], new float[2048 * 70]);
        using var loaded = PagedKeyValueCache<float>.Load(new MemoryStream(SavedCaches.Save(stream => cache.Save(stream))));
        var again = loaded.GetSequences()[0];
        long page = cache.Bytes / cache.Pages;
        Assert.Equal(7 * page, loaded.Bytes);
        float[] more = new float[2048 * 64 * 6];
        foreach (var fault in new[] { Fault.Array, Fault.NativeMemory }) // the lists get room first
        {
            Faults.Injected = given =>
            {
                if (given == fault) throw new InsufficientMemoryException("injected");
            };
            try
            {
                Assert.Throws<InsufficientMemoryException>(() => loaded.Append(again, more, more));
                Assert.Throws<InsufficientMemoryException>(() => loaded.EnsureCapacity(8));
            }
            finally
            {
                Faults.Injected = null;
            }

            Assert.Equal((70, 2, 7 * page), (loaded.LengthOf(again), loaded.UsedPages, loaded.Bytes));
        }

        loaded.Append(again, more, more);
        Assert.Equal((454, 8, 14 * page), (loaded.LengthOf(again), loaded.UsedPages, loaded.Bytes));
        Assert.Equal("pages", Assert.Throws<ArgumentOutOfRangeException>(() => loaded.EnsureCapacity(31)).ParamName);
        Assert.Throws<ArgumentOutOfRangeException>(() => loaded.EnsureCapacity(-1));
        loaded.EnsureCapacity(30);
        Assert.Equal((cache.Bytes, 30), (loaded.Bytes, loaded.Pages));
    }

    [Fact]
    public void Saving_reads_all_sequences()
    {
        var cache = new PagedKeyValueCache<float>(1, 1, pages: 9, pageTokens: 16);
        SequenceId a = cache.CreateSequence(), b = cache.CreateSequence();
        cache.Append(a, [1], [2]);
        cache.Append(b, [3], [4]);
        var stream = new CallingStream(() =>
        {
            Assert.Throws<InvalidOperationException>(() => cache.Append(b, [1f], [1f]));
            Assert.Throws<InvalidOperationException>(() => cache.Truncate(a, 0));
            float[] key = new float[1];
            cache.Read(a, 0, key, new float[1]);
            cache.Free(cache.Fork(b));
            if (cache.Sequences == 2) cache.Free(a); // its pages stay until it is written
        });
        Assert.Equal([a, b], cache.Save(stream));
        Assert.True(stream.Called);
        Assert.Equal((1, 1), (cache.Sequences, cache.UsedPages));
        using (var loaded = PagedKeyValueCache<float>.Load(new MemoryStream(stream.ToArray()))) Assert.Equal(2, loaded.Sequences);

        cache.EnterPool();
        var changing = cache.Take(b, changes: true, "id");
        Assert.Contains($"changing sequence {b}", Assert.Throws<InvalidOperationException>(() => cache.Save(Stream.Null)).Message, StringComparison.Ordinal);
        cache.Leave(changing, changes: true);
        cache.ExitPool();
        Assert.Throws<IOException>(() => cache.Save(new CallingStream(() => throw new IOException())));
        cache.Append(b, [5], [6]); // a failure lets go of it
        Assert.Throws<ArgumentNullException>(() => cache.Save(null!));
        cache.Dispose();
        Assert.Equal(0, cache.Bytes);
        Assert.Throws<ObjectDisposedException>(() => cache.Save(Stream.Null));
        Assert.Throws<ObjectDisposedException>(() => cache.GetSequences());
        Assert.Throws<ObjectDisposedException>(() => cache.EnsureCapacity(1));
    }
}
