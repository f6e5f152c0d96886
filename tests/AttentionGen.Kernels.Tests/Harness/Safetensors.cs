using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace AttentionGen.Kernels.Tests;

/// <summary>A file of tensors: the length of a JSON header, the header, the data.</summary>
internal sealed class Safetensors
{
    private readonly byte[] _file;
    private readonly JsonElement _header;
    private readonly int _data;

    public Safetensors(string path)
    {
        _file = File.ReadAllBytes(path);
        int header = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_file));
        _header = JsonDocument.Parse(_file.AsMemory(8, header)).RootElement;
        _data = 8 + header;
    }

    public string Metadata(string key) => _header.GetProperty("__metadata__").GetProperty(key).GetString()!;

    public string Type(string name) => _header.GetProperty(name).GetProperty("dtype").GetString()!;

    public int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(x => x.GetInt32())];

    public float[] Floats(string name, params int[] shape) => Type(name) == "F16" ? [.. Read<Half>(name, "F16", shape).Select(x => (float)x)] : Read<float>(name, "F32", shape);

    public int[] Ints(string name, params int[] shape) => Read<int>(name, "I32", shape);

    public long[] Longs(string name, params int[] shape) => Read<long>(name, "I64", shape);

    public bool[] Bools(string name, params int[] shape) => Read<bool>(name, "BOOL", shape);

    private T[] Read<T>(string name, string type, int[] shape)
        where T : unmanaged
    {
        var tensor = _header.GetProperty(name);
        if (Type(name) != type || !Shape(name).SequenceEqual(shape))
            throw new InvalidDataException($"{name} is {tensor}, {type} of [{string.Join(", ", shape)}] was expected.");
        var offsets = tensor.GetProperty("data_offsets");
        return MemoryMarshal.Cast<byte, T>(_file.AsSpan()[(_data + offsets[0].GetInt32())..(_data + offsets[1].GetInt32())]).ToArray();
    }
}
