using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>Checks of the rows that caches are given.</summary>
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
}
