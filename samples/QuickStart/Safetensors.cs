using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace QuickStart;

/// <summary>
/// A safetensors file: a little-endian u64 with the length of the header, the header in JSON, the raw little-endian tensors. All of it is
/// checked when it is read: what gets past <see cref="Read"/> has tensors that fill the data exactly.
/// </summary>
internal sealed class Safetensors
{
    private static readonly JsonSerializerOptions s_strict = new()
    {
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private readonly Dictionary<string, string> _metadata;
    private readonly Dictionary<string, Entry> _entries;
    private readonly ReadOnlyMemory<byte> _data;

    private Safetensors(ReadOnlyMemory<byte> file)
    {
        if (file.Length < sizeof(ulong))
            throw new InvalidDataException($"it has {file.Length} bytes, the length of the header alone takes {sizeof(ulong)}");
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        int rest = file.Length - sizeof(ulong);
        if (headerLength > (ulong)rest)
            throw new InvalidDataException($"its header should have {headerLength} bytes, but only {rest} follow");

        var header = file.Slice(sizeof(ulong), (int)headerLength);
        _data = file[(sizeof(ulong) + (int)headerLength)..];
        (_metadata, _entries) = ReadHeader(header.Span);
        CheckRanges();
    }

    /// <exception cref="InvalidDataException">The file is not what the format demands.</exception>
    public static Safetensors Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        try
        {
            return new Safetensors(file);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{Path.GetFileName(path)} is not a valid safetensors file: {e.Message}.", e);
        }
    }

    /// <exception cref="InvalidDataException">There is no such entry.</exception>
    public string Metadata(string key) =>
        _metadata.GetValueOrDefault(key) ?? throw new InvalidDataException($"The file has no metadata '{key}'.");

    /// <exception cref="InvalidDataException">There is no such tensor, or it has other elements or another shape.</exception>
    public float[] Floats(string name, params ReadOnlySpan<int> shape)
    {
        if (!_entries.TryGetValue(name, out var entry)) throw new InvalidDataException($"The file has no tensor '{name}'.");
        if (entry.Dtype != "F32") throw new InvalidDataException($"The tensor '{name}' holds {entry.Dtype}, F32 is needed.");
        if (!SameShape(entry.Shape, shape))
            throw new InvalidDataException($"The tensor '{name}' is {Text(entry.Shape)}, {Text(shape.ToArray())} is needed.");

        var bytes = _data.Span[(int)entry.Begin..(int)entry.End];
        float[] elements = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < elements.Length; i++)
            elements[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        return elements;
    }

    private static (Dictionary<string, string> Metadata, Dictionary<string, Entry> Entries) ReadHeader(ReadOnlySpan<byte> json)
    {
        try
        {
            var header = JsonSerializer.Deserialize<Header>(json, s_strict) ?? throw new InvalidDataException("its header is null");
            var entries = header.Tensors.ToDictionary(
                tensor => tensor.Key,
                tensor => tensor.Value.Deserialize<Entry>(s_strict)
                    ?? throw new InvalidDataException($"the tensor '{tensor.Key}' is null"));
            return (header.Metadata, entries);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: text that is not Unicode
        {
            throw new InvalidDataException($"its header cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    private void CheckRanges()
    {
        foreach (var (name, entry) in _entries)
        {
            if (entry.Offsets.Length != 2)
                throw new InvalidDataException($"the tensor '{name}' has {entry.Offsets.Length} data_offsets instead of 2");
            if (entry.Begin < 0 || entry.End < entry.Begin || entry.End > _data.Length)
                throw new InvalidDataException($"the tensor '{name}' lies at {entry.Begin} to {entry.End}, the data has {_data.Length} bytes");
            if (Bytes(name, entry) != entry.End - entry.Begin)
                throw new InvalidDataException(
                    $"the tensor '{name}' of {entry.Dtype} {Text(entry.Shape)} has {entry.End - entry.Begin} bytes instead of {Bytes(name, entry)}");
        }

        // The format allows neither holes nor overlaps.
        long covered = 0;
        foreach (var (name, entry) in _entries.OrderBy(entry => entry.Value.Begin).ThenBy(entry => entry.Value.End))
        {
            if (entry.Begin != covered)
                throw new InvalidDataException($"the tensor '{name}' begins at {entry.Begin}, the one before it ends at {covered}");
            covered = entry.End;
        }
        if (covered != _data.Length)
            throw new InvalidDataException($"the tensors end at {covered}, the data has {_data.Length} bytes");
    }

    private static long Bytes(string name, Entry entry)
    {
        long bytes = entry.Dtype switch
        {
            "F64" or "I64" or "U64" => 8,
            "F32" or "I32" or "U32" => 4,
            "F16" or "BF16" or "I16" or "U16" => 2,
            "I8" or "U8" or "BOOL" => 1,
            _ => throw new InvalidDataException($"the tensor '{name}' has the unknown dtype '{entry.Dtype}'"),
        };
        try
        {
            foreach (long length in entry.Shape)
                bytes = length >= 0
                    ? checked(bytes * length)
                    : throw new InvalidDataException($"the tensor '{name}' has the negative length {length}");
            return bytes;
        }
        catch (OverflowException e)
        {
            throw new InvalidDataException($"the tensor '{name}' is too large", e);
        }
    }

    private static bool SameShape(long[] shape, ReadOnlySpan<int> expected)
    {
        if (shape.Length != expected.Length) return false;
        for (int i = 0; i < shape.Length; i++)
            if (shape[i] != expected[i]) return false;
        return true;
    }

    private static string Text<T>(T[] shape) => $"[{string.Join(", ", shape)}]";

    private sealed class Header
    {
        [JsonPropertyName("__metadata__")]
        public Dictionary<string, string> Metadata { get; init; } = [];

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Tensors { get; init; } = [];
    }

    private sealed record Entry(
        [property: JsonPropertyName("dtype")] string Dtype,
        [property: JsonPropertyName("shape")] long[] Shape,
        [property: JsonPropertyName("data_offsets")] long[] Offsets)
    {
        [JsonIgnore]
        public long Begin => Offsets[0];

        [JsonIgnore]
        public long End => Offsets[1];
    }
}
