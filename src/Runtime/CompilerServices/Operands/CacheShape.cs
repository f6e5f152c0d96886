namespace AttentionGen.CompilerServices;

/// <summary>The shape of the tokens of a cache.</summary>
/// <param name="Heads">The number of heads.</param>
/// <param name="HeadDim">The elements of a key.</param>
/// <param name="ValueDim">The elements of a value.</param>
/// <param name="Element">The type of the elements.</param>
/// <param name="ValueFromKey">Whether the value is the first elements of the key, so that keys alone are stored.</param>
internal sealed record CacheShape(int Heads, int HeadDim, int ValueDim, ElementType Element, bool ValueFromKey = false)
{
    /// <summary>The limits of declarations; keys that are values as well may have more elements.</summary>
    public const int MostHeads = 4096, MostDim = 512, MostSharedDim = 1024;

    /// <summary>The elements of a value that are stored beside the key.</summary>
    public int StoredValueDim => ValueFromKey ? 0 : ValueDim;

    /// <summary>Elements from one value of a head to the next.</summary>
    public int ValueRowDim => ValueFromKey ? HeadDim : ValueDim;

    /// <summary>The most elements of a key.</summary>
    public static int MostDimOf(bool valueFromKey) => valueFromKey ? MostSharedDim : MostDim;

    public int ElementBytes => ElementTable.Of(Element).Bytes;

    /// <summary>Whether each row is stored as integers with a scale of its own.</summary>
    public bool HasScales => Element == ElementType.SByte;

    /// <summary>The shape of a cache of elements of a type.</summary>
    /// <param name="keyValueHeads">The number of heads.</param>
    /// <param name="headDim">The elements of a key.</param>
    /// <param name="valueDim">The elements of a value, 0 for as many.</param>
    /// <param name="valueFromKey">Whether the value is the first elements of the key.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="NotSupportedException">A cache does not store the type.</exception>
    public static CacheShape Of<T>(int keyValueHeads, int headDim, int valueDim, bool valueFromKey)
    {
        var element = typeof(T) == typeof(float) ? ElementType.Float : typeof(T) == typeof(Half) ? ElementType.Half : typeof(T) == typeof(BFloat16) ? ElementType.BFloat16
            : typeof(T) == typeof(sbyte) ? ElementType.SByte
            : throw new NotSupportedException($"A cache cannot store {typeof(T).Name}: use float, Half, BFloat16 or sbyte.");
        ArgumentOutOfRangeException.ThrowIfLessThan(keyValueHeads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keyValueHeads, MostHeads);
        ArgumentOutOfRangeException.ThrowIfLessThan(headDim, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headDim, MostDimOf(valueFromKey));
        ArgumentOutOfRangeException.ThrowIfNegative(valueDim);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(valueDim, valueFromKey ? headDim : MostDim);
        return new CacheShape(keyValueHeads, headDim, valueDim == 0 ? headDim : valueDim, element, valueFromKey);
    }
}
