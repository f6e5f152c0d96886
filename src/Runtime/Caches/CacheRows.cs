using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>Rows on their way into caches, and the checks of their numbers.</summary>
internal static class CacheRows
{
    /// <summary>The limits of declarations.</summary>
    public const int MostHeads = 4096, MostDim = 512;

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

    /// <summary>Rounds a row to the type of a cache.</summary>
    public static unsafe void Store(ReadOnlySpan<float> row, byte* target, ElementType type)
    {
        switch (type)
        {
            case ElementType.Half:
                Narrowing.Narrow(row, new Span<Half>(target, row.Length));
                break;
            case ElementType.BFloat16:
                Narrowing.Narrow(row, new Span<BFloat16>(target, row.Length));
                break;
            default:
                row.CopyTo(new Span<float>(target, row.Length));
                break;
        }
    }
}
