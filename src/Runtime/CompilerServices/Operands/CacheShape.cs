namespace AttentionGen.CompilerServices;

/// <summary>The shape of the tokens of a cache.</summary>
internal sealed record CacheShape(int Heads, int HeadDim, int ValueDim, ElementType Element)
{
    /// <summary>The limits of declarations.</summary>
    public const int MostHeads = 4096, MostDim = 512;

    public int ElementBytes => ElementTable.Of(Element).Bytes;

    /// <summary>Whether each row is stored as integers with a scale of its own.</summary>
    public bool HasScales => Element == ElementType.SByte;

    /// <summary>The shape of a cache of elements of a type.</summary>
    /// <param name="keyValueHeads">The number of heads.</param>
    /// <param name="headDim">The elements of a key.</param>
    /// <param name="valueDim">The elements of a value, 0 for as many.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="NotSupportedException">A cache does not store the type.</exception>
    public static CacheShape Of<T>(int keyValueHeads, int headDim, int valueDim)
    {
        var element = typeof(T) == typeof(float) ? ElementType.Float : typeof(T) == typeof(Half) ? ElementType.Half : typeof(T) == typeof(BFloat16) ? ElementType.BFloat16
            : typeof(T) == typeof(sbyte) ? ElementType.SByte
            : throw new NotSupportedException($"A cache cannot store {typeof(T).Name}: use float, Half, BFloat16 or sbyte.");
        ArgumentOutOfRangeException.ThrowIfLessThan(keyValueHeads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keyValueHeads, MostHeads);
        ArgumentOutOfRangeException.ThrowIfLessThan(headDim, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headDim, MostDim);
        ArgumentOutOfRangeException.ThrowIfNegative(valueDim);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(valueDim, MostDim);
        return new CacheShape(keyValueHeads, headDim, valueDim == 0 ? headDim : valueDim, element);
    }
}
