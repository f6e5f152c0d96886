using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The format of saved caches, little-endian: the magic number, ints (version, kind of cache, type of the elements, key-value heads, headDim, valueDim,
/// which is negative where the values are the first elements of the keys, layers, then the numbers of the kind, with all lengths), then tokens as they are stored, plane after plane: keys [tokens, heads, headDim] and values
/// [tokens, heads, valueDim], of integers also their scales, floats [tokens, heads] of keys and of values; last the XxHash128 of all that. Values that are parts of keys are no planes. States of linear attention have floats in place of the tokens.
/// </summary>
internal static class CacheFile
{
    public const int Version = 1;

    /// <summary>Bytes of the buffer for rows: enough for quick streams, and more than a row.</summary>
    public const int BufferBytes = 1 << 16;

    /// <summary>Bytes of the checksum.</summary>
    public const int HashBytes = 16;

    /// <summary>The first bytes. As in PNG, a byte above 127, a line end of Windows and one of Unix show that a transfer has changed the file as if it were text.</summary>
    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'A', (byte)'G', (byte)'K', (byte)'V', (byte)'\r', (byte)'\n', (byte)'\n'];

    /// <summary>The number of an element type in files, which does not change.</summary>
    public static int NumberOf(ElementType type) => type switch
    {
        ElementType.Float => 1,
        ElementType.Half => 2,
        ElementType.BFloat16 => 3,
        ElementType.SByte => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Files have no number for this type."),
    };

    /// <summary>The name of the type with a number, for messages.</summary>
    public static string NameOf(int number) => number switch
    {
        1 => "float",
        2 => nameof(Half),
        3 => nameof(BFloat16),
        4 => "sbyte",
        _ => $"an unknown type ({number})",
    };

    /// <summary>Reverses the bytes of each element where the machine does not store them as the file does.</summary>
    public static void Order(Span<byte> bytes, int elementBytes)
    {
        if (BitConverter.IsLittleEndian) return;
        for (; !bytes.IsEmpty; bytes = bytes[elementBytes..]) bytes[..elementBytes].Reverse();
    }
}

/// <summary>The kinds of saved caches. Their numbers do not change.</summary>
internal enum CacheKind
{
    Whole = 1,
    Ring = 2,
    Paged = 3,
    Recurrent = 4,
}

/// <summary>A part of tokens that is saved by itself, with a row for each token and head.</summary>
internal readonly unsafe record struct CachePlane(CachePart Part, int RowBytes, int ElementBytes)
{
    /// <summary>All parts of the tokens of a cache, in the order of files.</summary>
    public static CachePlane[] Of(CacheShape shape)
    {
        var parts = new List<CachePlane> { new(CachePart.Keys, shape.HeadDim * shape.ElementBytes, shape.ElementBytes) };
        if (!shape.ValueFromKey) parts.Add(new(CachePart.Values, shape.ValueDim * shape.ElementBytes, shape.ElementBytes));
        if (shape.HasScales) parts.Add(new(CachePart.KeyScales, sizeof(float), sizeof(float)));
        if (shape is { HasScales: true, ValueFromKey: false }) parts.Add(new(CachePart.ValueScales, sizeof(float), sizeof(float)));
        return [.. parts];
    }

    public byte* Row(in KeyMemory memory, nint token, int head) => Part switch
    {
        CachePart.Keys => memory.Key(token, head, RowBytes),
        CachePart.Values => memory.Value(token, head, RowBytes),
        CachePart.KeyScales => (byte*)memory.KeyScale(token, head),
        _ => (byte*)memory.ValueScale(token, head),
    };

    /// <summary>Refuses a row that no cache has: a scale that is negative or infinite.</summary>
    /// <exception cref="InvalidDataException">It is one.</exception>
    public void Check(ReadOnlySpan<byte> row)
    {
        if (Part is CachePart.Keys or CachePart.Values) return;
        float scale = MemoryMarshal.Read<float>(row);
        if (!CacheRows.IsScale(scale)) CacheReader.Refuse(string.Create(CultureInfo.InvariantCulture, $"A scale of {(Part == CachePart.KeyScales ? "keys" : "values")} is {scale}, 0 or more is needed, or NaN"));
    }
}

/// <summary>The parts of a token.</summary>
internal enum CachePart
{
    Keys,
    Values,
    KeyScales,
    ValueScales,
}

/// <summary>Writes a cache to a stream: numbers, rows, the checksum.</summary>
internal sealed unsafe class CacheWriter : IDisposable
{
    private readonly CachePlane[] _planes;
    private readonly int _heads;
    private readonly Stream _stream;
    private readonly XxHash128 _hash = new();
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(CacheFile.BufferBytes);
    private int _count;

    public CacheWriter(Stream stream, CacheKind kind, CacheShape shape, int layers)
    {
        _stream = stream;
        _planes = CachePlane.Of(shape);
        _heads = shape.Heads;
        CacheFile.Magic.CopyTo(Next(CacheFile.Magic.Length));
        Number(CacheFile.Version);
        Number((int)kind);
        Number(CacheFile.NumberOf(shape.Element));
        Number(shape.Heads);
        Number(shape.HeadDim);
        Number(shape.ValueFromKey ? -shape.ValueDim : shape.ValueDim);
        Number(layers);
    }

    public void Number(int number) => BinaryPrimitives.WriteInt32LittleEndian(Next(sizeof(int)), number);

    public void Numbers(ReadOnlySpan<int> numbers)
    {
        foreach (int number in numbers) Number(number);
    }

    public void Floats(ReadOnlySpan<float> numbers)
    {
        foreach (float number in numbers) BinaryPrimitives.WriteSingleLittleEndian(Next(sizeof(float)), number);
    }

    /// <summary>Writes tokens: their keys, then their values.</summary>
    /// <param name="memory">Where they lie.</param>
    /// <param name="first">The first one.</param>
    /// <param name="tokens">Their number.</param>
    /// <param name="isThere">Which of them are; zeros stand for the others. Null for all.</param>
    public void Rows(in KeyMemory memory, int first, int tokens, Func<int, bool>? isThere = null)
    {
        foreach (var plane in _planes)
            for (int token = first; token < first + tokens; token++)
            {
                bool has = isThere is null || isThere(token);
                for (int head = 0; head < _heads; head++)
                {
                    var target = Next(plane.RowBytes);
                    if (has) new ReadOnlySpan<byte>(plane.Row(memory, token, head), plane.RowBytes).CopyTo(target);
                    else target.Clear();
                    CacheFile.Order(target, plane.ElementBytes);
                }
            }
    }

    /// <summary>Writes what is left and the checksum.</summary>
    public void End()
    {
        Write();
        _hash.GetCurrentHash(_buffer);
        _stream.Write(_buffer, 0, CacheFile.HashBytes);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private Span<byte> Next(int bytes)
    {
        if (bytes > CacheFile.BufferBytes - _count) Write();
        _count += bytes;
        return _buffer.AsSpan(_count - bytes, bytes);
    }

    private void Write()
    {
        var bytes = _buffer.AsSpan(0, _count);
        _hash.Append(bytes);
        _stream.Write(bytes);
        _count = 0;
    }
}

/// <summary>
/// Reads a cache from a stream. A file may be damaged or hostile: each number is checked when it is read, and rows take memory as they arrive.
/// The stream is left behind the cache.
/// </summary>
internal sealed unsafe class CacheReader : IDisposable
{
    private readonly Stream _stream;
    private readonly XxHash128 _hash = new();
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(CacheFile.BufferBytes);
    private long _position;

    public CacheReader(Stream stream, CacheKind kind, ElementType element)
    {
        _stream = stream;
        try
        {
            if (!Take(CacheFile.Magic.Length).SequenceEqual(CacheFile.Magic)) Refuse("This is no saved cache: the first bytes are others");
            int version = Number("version", 1, int.MaxValue);
            if (version > CacheFile.Version) Refuse($"The version of the format is {version}, this library reads versions up to {CacheFile.Version}");
            int given = Number("kind of cache", 1, int.MaxValue), type;
            if (given != (int)kind) Refuse($"The file has {Name((CacheKind)given)}, not {Name(kind)}");
            if ((type = Number("element type", 1, int.MaxValue)) != CacheFile.NumberOf(element))
                Refuse($"The file stores {CacheFile.NameOf(type)}, the cache stores {CacheFile.NameOf(CacheFile.NumberOf(element))}");
            int heads = Number("number of key-value heads", 1, CacheShape.MostHeads);
            int headDim = Number("headDim", 1, CacheShape.MostSharedDim), valueDim = Number("valueDim", headDim > CacheShape.MostDim ? -headDim : int.MinValue, CacheShape.MostDim);
            bool valueFromKey = valueDim < 0;
            if (valueDim == 0 || valueDim < -headDim) Refuse($"The valueDim is {valueDim}, 1 to {CacheShape.MostDim} is needed, or -{headDim} to -1 for values that are parts of keys");
            if (headDim > CacheShape.MostDimOf(valueFromKey)) Refuse($"The headDim is {headDim}, 1 to {CacheShape.MostDim} is needed where values are not parts of keys");
            Shape = new CacheShape(heads, headDim, Math.Abs(valueDim), element, valueFromKey);
            Layers = Number("number of layers", 1, int.MaxValue);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public CacheShape Shape { get; }

    public int Layers { get; }

    /// <summary>Reads a number.</summary>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="least">The least number.</param>
    /// <param name="most">The largest number.</param>
    public int Number(string what, int least, int most)
    {
        int number = BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));
        if (number < least || number > most) Refuse($"The {what} is {number}, {(most == int.MaxValue ? $"{least} or more" : $"{least} to {most}")} is needed");
        return number;
    }

    /// <summary>Reads some floats. Their memory grows as they arrive, because their number may be wrong.</summary>
    public float[] Floats(int count)
    {
        float[] numbers = [];
        for (int read = 0; read < count;)
        {
            int next = Math.Min(count - read, CacheFile.BufferBytes / sizeof(float));
            if (numbers.Length < read + next) Array.Resize(ref numbers, (int)Math.Min(count, Math.Max(2L * numbers.Length, read + next)));
            var bytes = Take(next * sizeof(float));
            for (int i = 0; i < next; i++) numbers[read + i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
            read += next;
        }

        return numbers;
    }

    /// <summary>Reads the number of tokens of each layer. The list grows as they arrive, because the number of layers may be wrong.</summary>
    /// <param name="most">The most tokens of a layer.</param>
    /// <param name="whose">Whose layers, for messages.</param>
    public int[] Lengths(int most, string whose = "")
    {
        var lengths = new List<int>();
        for (int layer = 0; layer < Layers; layer++) lengths.Add(Number($"length of layer {layer}{whose}", 0, most));
        return [.. lengths];
    }

    /// <summary>Reads the tokens of a layer. Pages are added as they arrive.</summary>
    public void Rows(CachePages pages, int layer, int tokens) => Rows(
        count =>
        {
            pages.Reserve(layer, count);
            return pages.Memory(layer);
        },
        tokens);

    /// <summary>Reads tokens: their keys, then their values.</summary>
    /// <param name="room">Where they come to lie, with room for a number of them. It is asked when their rows have arrived.</param>
    /// <param name="tokens">The number of tokens.</param>
    public void Rows(Func<int, KeyMemory> room, int tokens)
    {
        foreach (var plane in CachePlane.Of(Shape))
        {
            int bytes = plane.RowBytes;
            long left = (long)tokens * Shape.Heads; // rows
            for (int token = 0, head = 0; left > 0;)
            {
                int count = (int)Math.Min(left, CacheFile.BufferBytes / bytes);
                var rows = Take(count * bytes);
                left -= count;
                CacheFile.Order(rows, plane.ElementBytes);
                for (; count > 0; count--, rows = rows[bytes..])
                {
                    plane.Check(rows[..bytes]);
                    rows[..bytes].CopyTo(new Span<byte>(plane.Row(room(token + 1), token, head), bytes));
                    if (++head == Shape.Heads) (token, head) = (token + 1, 0);
                }
            }
        }

        if (tokens > 0) CacheRows.Mark(Shape, room(tokens), 0, tokens);
    }

    /// <summary>Fills a cache with what the rest of the file has, and compares the checksum. The cache is disposed if that fails.</summary>
    public TCache Fill<TCache>(TCache cache, Action<TCache> fill)
        where TCache : IDisposable
    {
        try
        {
            fill(cache);
            End();
            return cache;
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }

    /// <summary>Compares the checksum.</summary>
    public void End()
    {
        Span<byte> hash = stackalloc byte[CacheFile.HashBytes];
        _hash.GetCurrentHash(hash);
        if (!Take(hash.Length).SequenceEqual(hash)) Refuse("The checksum does not fit the contents: the file is damaged");
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    [DoesNotReturn]
    public static void Refuse(string why) => throw new InvalidDataException($"{why}.");

    private Span<byte> Take(int bytes)
    {
        var taken = _buffer.AsSpan(0, bytes);
        int read = _stream.ReadAtLeast(taken, bytes, throwOnEndOfStream: false);
        _position += read;
        if (read < bytes) Refuse($"The file ends after {_position} bytes, inside the cache");
        _hash.Append(taken);
        return taken;
    }

    private static string Name(CacheKind kind) => kind switch
    {
        CacheKind.Whole => "a KeyValueCache",
        CacheKind.Ring => "a RingKeyValueCache",
        CacheKind.Paged => "a PagedKeyValueCache",
        CacheKind.Recurrent => "a LinearAttentionState",
        _ => $"an unknown kind of cache ({(int)kind})",
    };
}
