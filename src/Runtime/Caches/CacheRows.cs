using System.Globalization;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>The rows that caches are given and give: checks of their numbers, and copies of [tokens, heads, dim] to and from pages.</summary>
internal static class CacheRows
{
    /// <summary>The tokens of keys and values, and of their scales, which only integers have.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit the shape or each other.</exception>
    public static int Tokens(CacheShape shape, int keys, int values, int keyScales, int valueScales)
    {
        int width = shape.Heads * shape.HeadDim, tokens = keys / width;
        if (keys % width != 0) throw new ArgumentException($"keys has {keys} elements, which is not a multiple of a token's {shape.Heads} * {shape.HeadDim} = {width}.", nameof(keys));
        if (values != (long)tokens * shape.Heads * shape.StoredValueDim)
            throw new ArgumentException($"values has {values} elements, but its shape [{tokens}, {shape.Heads}, {shape.StoredValueDim}] needs {(long)tokens * shape.Heads * shape.StoredValueDim}.", nameof(values));
        CheckScales(shape.HasScales, isPart: false, shape.Heads, tokens, keyScales, nameof(keyScales));
        CheckScales(shape.HasScales, shape.ValueFromKey, shape.Heads, tokens, valueScales, nameof(valueScales));
        return tokens;
    }

    /// <summary>Whether a number may be a scale: 0 or more, or NaN for a row that is NaN.</summary>
    public static bool IsScale(float scale) => scale is >= 0 and < float.PositiveInfinity or float.NaN;

    /// <summary>Checks the scales of rows that are appended.</summary>
    /// <exception cref="ArgumentException">One is negative or infinite.</exception>
    public static void CheckScales(ReadOnlySpan<float> scales, string name)
    {
        for (int i = 0; i < scales.Length; i++)
            if (!IsScale(scales[i])) throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{name}[{i}] is {scales[i]}, but a scale is 0 or more, or NaN."), name);
    }

    private static void CheckScales(bool has, bool isPart, int heads, int tokens, int scales, string name)
    {
        int needed = has && !isPart ? tokens * heads : 0;
        if (scales == needed) return;
        throw new ArgumentException(
            !has ? $"{name} has {scales} elements, but only a cache of sbyte stores scales."
            : isPart ? $"{name} has {scales} elements, but values that are parts of keys have the scales of the keys."
            : $"{name} has {scales} elements, but the integers of {tokens} tokens need a scale for each head: [{tokens}, {heads}], {needed} elements.", name);
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

    /// <summary>Writes some of the given tokens as they are: those from <paramref name="from"/> to <paramref name="end"/>, of which the first given one is the token <paramref name="first"/>.</summary>
    public static unsafe void Write<T>(
        CacheShape shape, in KeyMemory memory, int first, int from, int end, ReadOnlySpan<T> keys, ReadOnlySpan<T> values, ReadOnlySpan<float> keyScales, ReadOnlySpan<float> valueScales)
        where T : unmanaged
    {
        for (int token = from, row = from * shape.Heads; token < end; token++)
            for (int head = 0; head < shape.Heads; head++, row++)
            {
                keys.Slice(row * shape.HeadDim, shape.HeadDim).CopyTo(Key<T>(shape, memory, first + token, head));
                values.Slice(row * shape.StoredValueDim, shape.StoredValueDim).CopyTo(Value<T>(shape, memory, first + token, head));
                if (!shape.HasScales) continue;
                *memory.KeyScale(first + token, head) = keyScales[row];
                if (!shape.ValueFromKey) *memory.ValueScale(first + token, head) = valueScales[row];
            }

        Mark(shape, memory, first + from, first + end);
    }

    /// <summary>Marks the pages of tokens with an infinity or NaN, after rows are written, where pages have marks.</summary>
    public static unsafe void Mark(CacheShape shape, in KeyMemory memory, int first, int end)
    {
        if (memory.Marks == 0) return;
        for (int token = first; token < end; token++)
        {
            ref var key = ref *(Half*)memory.Key(token, 0, shape.HeadDim * sizeof(Half));
            bool isFinite = IsFinite(shape, ref key, memory.PageTokens, shape.HeadDim);
            if (isFinite && !shape.ValueFromKey) isFinite = IsFinite(shape, ref *(Half*)memory.Value(token, 0, shape.ValueDim * sizeof(Half)), memory.PageTokens, shape.ValueDim);
            memory.Mark(token, isFinite);
        }
    }

    /// <summary>Whether the rows of all heads of a token are finite.</summary>
    private static bool IsFinite(CacheShape shape, ref Half row, nint pageTokens, int dim) => KernelMemory.AllFinite(ref row, shape.Heads, pageTokens * dim, heads: 1, headStride: 0, dim);

    /// <summary>Reads rows of tokens as they are stored, from the token <paramref name="first"/> on.</summary>
    public static unsafe void Read<T>(CacheShape shape, in KeyMemory memory, int first, Span<T> keys, Span<T> values, Span<float> keyScales, Span<float> valueScales)
        where T : unmanaged
    {
        for (int token = first, row = 0; row * shape.HeadDim < keys.Length; token++)
            for (int head = 0; head < shape.Heads; head++, row++)
            {
                Key<T>(shape, memory, token, head).CopyTo(keys.Slice(row * shape.HeadDim, shape.HeadDim));
                Value<T>(shape, memory, token, head).CopyTo(values.Slice(row * shape.StoredValueDim, shape.StoredValueDim));
                if (!shape.HasScales) continue;
                keyScales[row] = *memory.KeyScale(token, head);
                if (!shape.ValueFromKey) valueScales[row] = *memory.ValueScale(token, head);
            }
    }

    private static unsafe Span<T> Key<T>(CacheShape shape, in KeyMemory memory, int token, int head)
        where T : unmanaged => new(memory.Key(token, head, shape.HeadDim * sizeof(T)), shape.HeadDim);

    private static unsafe Span<T> Value<T>(CacheShape shape, in KeyMemory memory, int token, int head)
        where T : unmanaged => new(memory.Value(token, head, shape.StoredValueDim * sizeof(T)), shape.StoredValueDim);
}
