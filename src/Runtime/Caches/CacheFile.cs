using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The format of saved caches, little-endian: the magic number, a head of ints (version, kind of cache, type of the elements, key-value heads, headDim, valueDim,
/// layers, then the numbers of the kind), the number of tokens of each layer, for each layer the keys [tokens, heads, headDim] and the values
/// [tokens, heads, valueDim] as they are stored, and the XxHash128 of all that.
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
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Files have no number for this type."),
    };

    /// <summary>The name of the type with a number, for messages.</summary>
    public static string NameOf(int number) => number switch
    {
        1 => "float",
        2 => nameof(Half),
        3 => nameof(BFloat16),
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
}

/// <summary>Writes a cache to a stream: the head, the rows, the checksum.</summary>
internal sealed unsafe class CacheWriter : IDisposable
{
    private readonly Stream _stream;
    private readonly XxHash128 _hash = new();
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(CacheFile.BufferBytes);
    private int _count;

    public CacheWriter(Stream stream, CacheKind kind, CacheShape shape, int layers)
    {
        _stream = stream;
        CacheFile.Magic.CopyTo(Next(CacheFile.Magic.Length));
        Number(CacheFile.Version);
        Number((int)kind);
        Number(CacheFile.NumberOf(shape.Element));
        Number(shape.Heads);
        Number(shape.HeadDim);
        Number(shape.ValueDim);
        Number(layers);
    }

    public void Number(int number) => BinaryPrimitives.WriteInt32LittleEndian(Next(sizeof(int)), number);

    /// <summary>Writes the keys of tokens, then their values.</summary>
    public void Rows(in KeyMemory memory, CacheShape shape, long first, int tokens)
    {
        Rows(memory, shape, first, tokens, shape.HeadDim, areValues: false);
        Rows(memory, shape, first, tokens, shape.ValueDim, areValues: true);
    }

    private void Rows(in KeyMemory memory, CacheShape shape, long first, int tokens, int dim, bool areValues)
    {
        int bytes = dim * shape.ElementBytes;
        for (long token = first; token < first + tokens; token++)
        {
            for (int head = 0; head < shape.Heads; head++)
            {
                byte* row = areValues ? memory.Value((nint)token, head, bytes) : memory.Key((nint)token, head, bytes);
                var target = Next(bytes);
                new ReadOnlySpan<byte>(row, bytes).CopyTo(target);
                CacheFile.Order(target, shape.ElementBytes);
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
            Shape = new CacheShape(heads, Number("headDim", 1, CacheShape.MostDim), Number("valueDim", 1, CacheShape.MostDim), element);
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

    /// <summary>Reads the number of tokens of each layer. The list grows as they arrive, because the number of layers may be wrong.</summary>
    public int[] Lengths(int most)
    {
        var lengths = new List<int>();
        for (int layer = 0; layer < Layers; layer++) lengths.Add(Number($"length of layer {layer}", 0, most));
        return [.. lengths];
    }

    /// <summary>Reads the keys of tokens, then their values. Pages are added as rows arrive.</summary>
    public void Rows(CachePages pages, int layer, int tokens)
    {
        Rows(pages, layer, tokens, Shape.HeadDim, areValues: false);
        Rows(pages, layer, tokens, Shape.ValueDim, areValues: true);
    }

    private void Rows(CachePages pages, int layer, int tokens, int dim, bool areValues)
    {
        int bytes = dim * Shape.ElementBytes;
        long left = (long)tokens * Shape.Heads; // rows
        for (int token = 0, head = 0; left > 0;)
        {
            int count = (int)Math.Min(left, CacheFile.BufferBytes / bytes);
            var rows = Take(count * bytes);
            left -= count;
            CacheFile.Order(rows, Shape.ElementBytes);
            for (; count > 0; count--, rows = rows[bytes..])
            {
                pages.Reserve(layer, token + 1);
                var memory = pages.Memory(layer);
                rows[..bytes].CopyTo(new Span<byte>(areValues ? memory.Value(token, head, bytes) : memory.Key(token, head, bytes), bytes));
                if (++head == Shape.Heads) (token, head) = (token + 1, 0);
            }
        }
    }

    /// <summary>Reads the checksum and compares it.</summary>
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
        _ => $"an unknown kind of cache ({(int)kind})",
    };
}
