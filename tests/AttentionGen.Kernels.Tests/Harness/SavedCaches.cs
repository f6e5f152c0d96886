using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Kernels.Tests;

/// <summary>A small file of a kind of cache, the names of its numbers, and what reads it.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Numbers">The names of all numbers of the file, which begin behind the magic number.</param>
/// <param name="File">The file.</param>
/// <param name="Load">Reads a file of the kind and the type.</param>
/// <param name="Use">Uses what was loaded: reads all that is there, appends, copies.</param>
internal sealed record SavedCache(string Kind, string Type, string[] Numbers, byte[] File, Func<Stream, IDisposable> Load, Action<IDisposable> Use)
{
    /// <summary>The kind, and the type where it is not float.</summary>
    public string Name => Type == "float" ? Kind : $"{Kind}<{Type}>";

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

/// <summary>A small file of each kind of cache, with floats and with integers.</summary>
internal static class SavedCaches
{
    private static readonly string[] s_shape = ["version", "kind", "element type", "heads", "headDim", "valueDim", "layers"];

    public static readonly SavedCache[] All = [Whole<float>(), Ring<float>(), Paged<float>(), Whole<sbyte>(), Ring<sbyte>(), Paged<sbyte>()];

    public static SavedCache Of(string name) => All.Single(one => one.Name == name);

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
            if (cache is KeyValueCache<T> whole) Add(0, length, (first, keys, values) => whole.Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer));
            else if (cache is RingKeyValueCache<T> ring)
            {
                Add(ring.RetainedOf(layer).Start.Value, length, (first, keys, values) => ring.Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer));
                Add(0, Math.Min(ring.FirstKeys, length), (first, keys, values) => ring.Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer));
            }
        }

        return contents;

        void Add(int first, int end, Action<int, Rows<T>, Rows<T>> read) => contents.AddRange(Rows(cache.KeyValueHeads, cache.HeadDim, cache.ValueFromKey ? 0 : cache.ValueDim, first, end, read));
    }

    /// <summary>All that the sequences of a cache have, layer by layer.</summary>
    public static List<byte[]> Contents<T>(PagedKeyValueCache<T> cache, SequenceId[] ids)
        where T : unmanaged =>
        [
            .. from id in ids from layer in Enumerable.Range(0, cache.Layers)
               from part in Rows<T>(
                   cache.KeyValueHeads, cache.HeadDim, cache.ValueFromKey ? 0 : cache.ValueDim, 0, cache.LengthOf(id, layer),
                   (first, keys, values) => cache.Read(id, first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer))
               select part,
        ];

    /// <summary>The numbers of the range, and the bytes of the rows and of their scales.</summary>
    private static byte[][] Rows<T>(int heads, int headDim, int valueDim, int first, int end, Action<int, Rows<T>, Rows<T>> read)
        where T : unmanaged
    {
        Rows<T> keys = Stored.Empty<T>((end - first) * heads * headDim, headDim), values = Stored.Empty<T>((end - first) * heads * valueDim, Math.Max(valueDim, 1));
        read(first, keys, values);
        return [[.. BitConverter.GetBytes(first), .. BitConverter.GetBytes(end)], Bytes(keys.Elements), Bytes(values.Elements), Bytes(keys.Scales), Bytes(values.Scales)];

        static byte[] Bytes<TElement>(TElement[] elements)
            where TElement : unmanaged => MemoryMarshal.AsBytes(elements.AsSpan()).ToArray();
    }

    private static SavedCache Whole<T>()
        where T : unmanaged
    {
        using var cache = new KeyValueCache<T>(2, 3, 1, layers: 2);
        Append<T>(cache, 0, 2);
        Append<T>(cache, 1, 5);
        return new(
            "KeyValueCache", Stored.Name<T>(), [.. s_shape, "capacity", "length 0", "length 1"], Save(cache.Save), KeyValueCache<T>.Load,
            loaded =>
            {
                var used = (KeyValueCache<T>)loaded;
                Contents<T>(used);
                if (used.Capacity == 0 || used.LengthOf(used.Layers - 1) < used.Capacity) Append<T>(used, used.Layers - 1, 1);
                used.Clone().Dispose();
            });
    }

    private static SavedCache Ring<T>()
        where T : unmanaged
    {
        using var cache = new RingKeyValueCache<T>(2, 3, window: 3, slack: 2, valueDim: 1, layers: 2, firstKeys: 2);
        Append<T>(cache, 0, 20);
        Append<T>(cache, 1, 4);
        cache.Truncate(19);
        return new(
            "RingKeyValueCache", Stored.Name<T>(), [.. s_shape, "window", "slack", "first keys", "length 0", "length 1", "first 0", "first 1"], Save(cache.Save), RingKeyValueCache<T>.Load,
            loaded =>
            {
                var used = (RingKeyValueCache<T>)loaded;
                Contents<T>(used);
                if (used.LengthOf(used.Layers - 1) < 1 << 30) Append<T>(used, used.Layers - 1, 1);
                if (used.FirstKeys + used.Window + used.Slack < 10_000) used.Clone().Dispose(); // it takes all memory
            });
    }

    private static SavedCache Paged<T>()
        where T : unmanaged
    {
        using var cache = new PagedKeyValueCache<T>(2, 3, pages: 20, valueDim: 1, layers: 2, pageTokens: 16);
        var first = cache.CreateSequence();
        Append(cache, first, 0, 20);
        Append(cache, first, 1, 18);
        var fork = cache.Fork(first);
        Append(cache, fork, 0, 1); // shares the first page, has a copy of the second one
        cache.CreateSequence();
        string[] tables = ["length 0.0", "length 0.1", "page 0.0", "page 0.1", "length 1.0", "length 1.1", "page 1.0", "page 1.1", "length 2.0", "length 2.1"];
        return new(
            "PagedKeyValueCache", Stored.Name<T>(), [.. s_shape, "page tokens", "pages", "sequences", .. tables], Save(stream => cache.Save(stream)), stream => PagedKeyValueCache<T>.Load(stream),
            loaded =>
            {
                var used = (PagedKeyValueCache<T>)loaded;
                var ids = used.GetSequences();
                Contents(used, ids);
                if (ids.Length == 0) return;
                var more = used.Fork(ids[0]);
                try
                {
                    Append(used, more, used.Layers - 1, 1);
                }
                catch (CacheFullException)
                {
                }

                foreach (var id in used.GetSequences()) used.Free(id);
                if (used.UsedPages != 0) throw new InvalidOperationException("Pages are lost.");
            });
    }

    private static void Append<T>(AttentionCache cache, int layer, int tokens)
        where T : unmanaged
    {
        var (keys, values) = Given<T>(cache.KeyValueHeads, cache.HeadDim, cache.ValueFromKey ? 0 : cache.ValueDim, tokens);
        if (cache is KeyValueCache<T> whole) whole.Append(keys.Elements, values.Elements, keys.Scales, values.Scales, layer);
        else ((RingKeyValueCache<T>)cache).Append(keys.Elements, values.Elements, keys.Scales, values.Scales, layer);
    }

    private static void Append<T>(PagedKeyValueCache<T> cache, SequenceId id, int layer, int tokens)
        where T : unmanaged
    {
        var (keys, values) = Given<T>(cache.KeyValueHeads, cache.HeadDim, cache.ValueFromKey ? 0 : cache.ValueDim, tokens);
        cache.Append(id, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);
    }

    private static (Rows<T> Keys, Rows<T> Values) Given<T>(int heads, int headDim, int valueDim, int tokens)
        where T : unmanaged => (Stored.Round<T>(Numbers(tokens * heads * headDim), headDim), Stored.Round<T>(Numbers(tokens * heads * valueDim), Math.Max(valueDim, 1)));

    private static float[] Numbers(int count) => [.. Enumerable.Range(1, count).Select(i => (float)i)];
}

/// <summary>Counts the bytes that caches have while it lives.</summary>
internal sealed unsafe class CountedMemory : IDisposable
{
    public CountedMemory() => OwnedMemory.Injected = (Allocate, Free);

    public long Bytes { get; private set; }

    public long Most { get; private set; }

    public void Dispose() => OwnedMemory.Injected = null;

    private nint Allocate(nuint bytes)
    {
        Most = Math.Max(Most, Bytes += (long)bytes);
        return (nint)NativeMemory.AlignedAlloc(bytes, OwnedMemory.Alignment);
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
