using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace AttentionGen.Kernels.Tests;

/// <summary>A small file of a kind of cache, the names of its numbers, and what reads it.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Numbers">The names of all numbers of the file, which begin behind the magic number.</param>
/// <param name="File">The file.</param>
/// <param name="Load">Reads a file of the kind, whose elements are floats.</param>
/// <param name="Use">Uses what was loaded: reads all that is there, appends, copies.</param>
internal sealed record SavedCache(string Kind, string[] Numbers, byte[] File, Func<Stream, IDisposable> Load, Action<IDisposable> Use)
{
    /// <summary>The file with other numbers and the right checksum.</summary>
    public byte[] Forged(params (string Name, int Number)[] numbers)
    {
        byte[] contents = File[..^16];
        foreach (var (name, number) in numbers) BinaryPrimitives.WriteInt32LittleEndian(contents.AsSpan(PlaceOf(name)), number);
        return SavedCaches.Checked(contents);
    }

    public int PlaceOf(string name) => 8 + sizeof(int) * Array.IndexOf(Numbers, name);

    public void LoadAndDispose(ReadOnlySpan<byte> file) => Load(new MemoryStream(file.ToArray())).Dispose();
}

/// <summary>A small file of each kind of cache.</summary>
internal static class SavedCaches
{
    private static readonly string[] s_shape = ["version", "kind", "element type", "heads", "headDim", "valueDim", "layers"];

    public static readonly SavedCache[] All = [Whole(), Ring(), Paged()];

    public static SavedCache Of(string kind) => All.Single(one => one.Kind == kind);

    /// <summary>The contents with their checksum.</summary>
    public static byte[] Checked(ReadOnlySpan<byte> contents) => [.. contents, .. XxHash128.Hash(contents)];

    public static byte[] Save(Action<Stream> save)
    {
        using var file = new MemoryStream();
        save(file);
        return file.ToArray();
    }

    /// <summary>All that a cache has, layer by layer: for a ring first its range and then its first keys.</summary>
    public static List<byte[]> Contents<T>(AttentionCache cache)
        where T : unmanaged
    {
        var contents = new List<byte[]>();
        for (int layer = 0; layer < cache.Layers; layer++)
        {
            int length = cache.LengthOf(layer);
            if (cache is KeyValueCache<T> whole) Add(0, length, (first, keys, values) => whole.Read(first, keys, values, layer));
            else if (cache is RingKeyValueCache<T> ring)
            {
                Add(ring.RetainedOf(layer).Start.Value, length, (first, keys, values) => ring.Read(first, keys, values, layer));
                Add(0, Math.Min(ring.FirstKeys, length), (first, keys, values) => ring.Read(first, keys, values, layer));
            }
        }

        return contents;

        void Add(int first, int end, Action<int, T[], T[]> read) => contents.AddRange(Rows(cache.KeyValueHeads * cache.HeadDim, cache.KeyValueHeads * cache.ValueDim, first, end, read));
    }

    /// <summary>All that the sequences of a cache have, layer by layer.</summary>
    public static List<byte[]> Contents<T>(PagedKeyValueCache<T> cache, SequenceId[] ids)
        where T : unmanaged =>
        [
            .. from id in ids from layer in Enumerable.Range(0, cache.Layers)
               from part in Rows<T>(cache.KeyValueHeads * cache.HeadDim, cache.KeyValueHeads * cache.ValueDim, 0, cache.LengthOf(id, layer), (first, keys, values) => cache.Read(id, first, keys, values, layer))
               select part,
        ];

    /// <summary>The numbers of the range, and the bytes of the rows.</summary>
    private static byte[][] Rows<T>(int keyWidth, int valueWidth, int first, int end, Action<int, T[], T[]> read)
        where T : unmanaged
    {
        T[] keys = new T[(end - first) * keyWidth], values = new T[(end - first) * valueWidth];
        read(first, keys, values);
        return [[.. BitConverter.GetBytes(first), .. BitConverter.GetBytes(end)], MemoryMarshal.AsBytes(keys.AsSpan()).ToArray(), MemoryMarshal.AsBytes(values.AsSpan()).ToArray()];
    }

    private static SavedCache Whole()
    {
        using var cache = new KeyValueCache<float>(2, 3, 1, layers: 2);
        Append(cache, 0, 2);
        Append(cache, 1, 5);
        return new(
            "KeyValueCache", [.. s_shape, "capacity", "length 0", "length 1"], Save(cache.Save), KeyValueCache<float>.Load,
            loaded =>
            {
                var used = (KeyValueCache<float>)loaded;
                Contents<float>(used);
                if (used.Capacity == 0 || used.LengthOf(used.Layers - 1) < used.Capacity) Append(used, used.Layers - 1, 1);
                used.Clone().Dispose();
            });
    }

    private static SavedCache Ring()
    {
        using var cache = new RingKeyValueCache<float>(2, 3, window: 3, slack: 2, valueDim: 1, layers: 2, firstKeys: 2);
        Append(cache, 0, 20);
        Append(cache, 1, 4);
        cache.Truncate(19);
        return new(
            "RingKeyValueCache", [.. s_shape, "window", "slack", "first keys", "length 0", "length 1", "first 0", "first 1"], Save(cache.Save), RingKeyValueCache<float>.Load,
            loaded =>
            {
                var used = (RingKeyValueCache<float>)loaded;
                Contents<float>(used);
                if (used.LengthOf(used.Layers - 1) < 1 << 30) Append(used, used.Layers - 1, 1);
                if (used.FirstKeys + used.Window + used.Slack < 10_000) used.Clone().Dispose(); // it takes all memory
            });
    }

    private static SavedCache Paged()
    {
        using var cache = new PagedKeyValueCache<float>(2, 3, pages: 20, valueDim: 1, layers: 2, pageTokens: 16);
        var first = cache.CreateSequence();
        cache.Append(first, Numbers(20 * 6), Numbers(20 * 2));
        cache.Append(first, Numbers(18 * 6), Numbers(18 * 2), layer: 1);
        var fork = cache.Fork(first);
        cache.Append(fork, Numbers(6), Numbers(2)); // shares the first page, has a copy of the second one
        cache.CreateSequence();
        string[] tables = ["length 0.0", "length 0.1", "page 0.0", "page 0.1", "length 1.0", "length 1.1", "page 1.0", "page 1.1", "length 2.0", "length 2.1"];
        return new(
            "PagedKeyValueCache", [.. s_shape, "page tokens", "pages", "sequences", .. tables], Save(stream => cache.Save(stream)), stream => PagedKeyValueCache<float>.Load(stream),
            loaded =>
            {
                var used = (PagedKeyValueCache<float>)loaded;
                var ids = used.GetSequences();
                Contents(used, ids);
                if (ids.Length == 0) return;
                var more = used.Fork(ids[0]);
                try
                {
                    used.Append(more, new float[used.KeyValueHeads * used.HeadDim], new float[used.KeyValueHeads * used.ValueDim], used.Layers - 1);
                }
                catch (CacheFullException)
                {
                }

                foreach (var id in used.GetSequences()) used.Free(id);
                if (used.UsedPages != 0) throw new InvalidOperationException("Pages are lost.");
            });
    }

    private static void Append(AttentionCache cache, int layer, int tokens)
    {
        float[] keys = Numbers(tokens * cache.KeyValueHeads * cache.HeadDim), values = Numbers(tokens * cache.KeyValueHeads * cache.ValueDim);
        if (cache is KeyValueCache<float> whole) whole.Append(keys, values, layer);
        else ((RingKeyValueCache<float>)cache).Append(keys, values, layer);
    }

    private static float[] Numbers(int count) => [.. Enumerable.Range(1, count).Select(i => (float)i)];
}

/// <summary>Counts the bytes that caches have while it lives.</summary>
internal sealed unsafe class CountedMemory : IDisposable
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
internal sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
{
    private int _turn;

    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1 + _turn++ % 7)); // spans come here, too
}

/// <summary>Calls something when it is written to.</summary>
internal sealed class CallingStream(Action action) : MemoryStream
{
    public bool Called { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        action();
        Called = true;
        base.Write(buffer.ToArray(), 0, buffer.Length);
    }

    public override void Write(byte[] buffer, int offset, int count) => base.Write(buffer, offset, count);
}
