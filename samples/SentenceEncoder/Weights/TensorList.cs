using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SentenceEncoder.Weights;

/// <summary>Tensors in the layered format of TensorFlow.js: one after the other, in the order of a list in JSON.</summary>
internal sealed class TensorList
{
    private readonly byte[] _bytes;
    private readonly Dictionary<string, (int Offset, Entry Entry)> _entries = [];

    /// <exception cref="JsonException">The list is not JSON of that form.</exception>
    /// <exception cref="InvalidDataException">The list and the bytes do not belong together.</exception>
    public TensorList(ReadOnlySpan<byte> list, byte[] bytes)
    {
        _bytes = bytes;
        var model = JsonSerializer.Deserialize<Model>(list) ?? throw new InvalidDataException("The list is null.");
        long offset = 0;
        foreach (var entry in model.Groups.SelectMany(group => group.Weights))
        {
            if (entry.Type is not ("float32" or "int32")) throw new InvalidDataException($"The tensor {entry.Name} holds {entry.Type}.");
            _entries[entry.Name] = ((int)offset, entry);
            offset += sizeof(float) * entry.Count;
            if (offset > bytes.Length) throw new InvalidDataException($"The tensor {entry.Name} ends at {offset} of {bytes.Length} bytes.");
        }
        if (offset != bytes.Length) throw new InvalidDataException($"The tensors have {offset} of {bytes.Length} bytes.");
    }

    /// <summary>The elements of a tensor. Leading axes of one element do not count.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or it has another shape or other elements.</exception>
    public float[] Floats(string name, params ReadOnlySpan<int> shape)
    {
        if (!_entries.TryGetValue(name, out var place)) throw new InvalidDataException($"The model has no tensor {name}.");
        var (offset, entry) = place;
        if (entry.Type != "float32") throw new InvalidDataException($"The tensor {name} does not hold floats.");
        string expected = string.Join(" x ", shape.ToArray()), actual = string.Join(" x ", entry.Shape.SkipWhile(length => length == 1));
        if (actual != expected) throw new InvalidDataException($"The tensor {name} is {actual}, {expected} is needed.");
        return MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(offset, sizeof(float) * (int)entry.Count)).ToArray();
    }

    private sealed record Model([property: JsonPropertyName("weightsManifest")] IReadOnlyList<Group> Groups);

    private sealed record Group([property: JsonPropertyName("weights")] IReadOnlyList<Entry> Weights);

    private sealed record Entry(
        [property: JsonPropertyName("name")] string Name,
        [property: JsonPropertyName("shape")] IReadOnlyList<int> Shape,
        [property: JsonPropertyName("dtype")] string Type)
    {
        public long Count => Shape.Aggregate(1L, (count, length) => count * length);
    }
}
