using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>The rows that caches are given and give: checks of their numbers, and copies of [tokens, heads, dim] to and from pages.</summary>
internal static class CacheRows
{
    /// <summary>The tokens of keys and values.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit the shape or each other.</exception>
    public static int Tokens(CacheShape shape, int keys, int values)
    {
        int width = shape.Heads * shape.HeadDim, tokens = keys / width;
        if (keys % width != 0) throw new ArgumentException($"keys has {keys} elements, which is not a multiple of a token's {shape.Heads} * {shape.HeadDim} = {width}.", nameof(keys));
        if (values != (long)tokens * shape.Heads * shape.ValueDim)
            throw new ArgumentException($"values has {values} elements, but its shape [{tokens}, {shape.Heads}, {shape.ValueDim}] needs {(long)tokens * shape.Heads * shape.ValueDim}.", nameof(values));
        return tokens;
    }

    /// <exception cref="ArgumentException">There is no room for the tokens.</exception>
    public static void CheckRoom(string name, int tokens, int length, int most)
    {
        if (tokens > most - length) throw new ArgumentException($"{name} has {tokens} tokens, but the cache has {length} of at most {most}.", name);
    }

    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public static void CheckLayer(int layer, int layers, string name)
    {
        if ((uint)layer >= (uint)layers) throw new ArgumentOutOfRangeException(name, layer, $"{name} is {layer}, the cache has {layers} layer{(layers == 1 ? "" : "s")}.");
    }

    /// <summary>Writes rows of tokens as they are, the first of which is the token <paramref name="first"/>.</summary>
    public static unsafe void Write<T>(CacheShape shape, in KeyMemory memory, int first, ReadOnlySpan<T> keys, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        for (int token = first; !keys.IsEmpty; token++)
            for (int head = 0; head < shape.Heads; head++, keys = keys[shape.HeadDim..], values = values[shape.ValueDim..])
            {
                keys[..shape.HeadDim].CopyTo(Key<T>(shape, memory, token, head));
                values[..shape.ValueDim].CopyTo(Value<T>(shape, memory, token, head));
            }
    }

    /// <summary>Reads rows of tokens as they are stored, from the token <paramref name="first"/> on.</summary>
    public static unsafe void Read<T>(CacheShape shape, in KeyMemory memory, int first, Span<T> keys, Span<T> values)
        where T : unmanaged
    {
        for (int token = first; !keys.IsEmpty; token++)
            for (int head = 0; head < shape.Heads; head++, keys = keys[shape.HeadDim..], values = values[shape.ValueDim..])
            {
                Key<T>(shape, memory, token, head).CopyTo(keys);
                Value<T>(shape, memory, token, head).CopyTo(values);
            }
    }

    private static unsafe Span<T> Key<T>(CacheShape shape, in KeyMemory memory, int token, int head)
        where T : unmanaged => new(memory.Key(token, head, shape.HeadDim * sizeof(T)), shape.HeadDim);

    private static unsafe Span<T> Value<T>(CacheShape shape, in KeyMemory memory, int token, int head)
        where T : unmanaged => new(memory.Value(token, head, shape.ValueDim * sizeof(T)), shape.ValueDim);
}
