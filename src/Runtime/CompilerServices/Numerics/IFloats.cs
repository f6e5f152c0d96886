namespace AttentionGen.CompilerServices;

/// <summary>
/// A vector of floats of some width. Loops over rows are written once against it, and the JIT compiles them for each width: a type argument that is a struct has
/// code of its own, in which all of this is inlined.
/// </summary>
internal unsafe interface IFloats<TVector>
    where TVector : struct, IFloats<TVector>
{
    /// <summary>The number of elements.</summary>
    static abstract int Count { get; }

    static abstract TVector All(float x);

    static abstract TVector Load(float* from);

    static abstract void Store(TVector x, float* to);

    /// <summary>The first elements, then zeros. Reads nothing after them. The count is at least 1 and less than the width.</summary>
    static abstract TVector LoadFirst(float* from, int count);

    /// <summary>Writes the first elements and nothing after them. The count is at least 1 and less than the width.</summary>
    static abstract void StoreFirst(TVector x, float* to, int count);

    /// <summary>The first elements, then zeros.</summary>
    static abstract TVector KeepFirst(TVector x, int count);

    static abstract TVector operator +(TVector x, TVector y);

    static abstract TVector operator -(TVector x, TVector y);

    static abstract TVector operator *(TVector x, TVector y);

    static abstract TVector operator /(TVector x, TVector y);

    /// <summary>x * y + z, rounded once where the processor has an instruction for it.</summary>
    static abstract TVector MulAdd(TVector x, TVector y, TVector z);

    /// <summary>What the rounding of a product has cut off: x * y - product, exactly unless it underflows.</summary>
    static abstract TVector ProductError(TVector x, TVector y, TVector product);

    static abstract TVector Abs(TVector x);

    /// <summary>The larger of each pair; the second one if it is NaN.</summary>
    static abstract TVector Max(TVector x, TVector y);

    /// <summary>The smaller of each pair; the second one if it is NaN.</summary>
    static abstract TVector Min(TVector x, TVector y);

    /// <summary>The magnitudes of x with the signs of y.</summary>
    static abstract TVector CopySign(TVector x, TVector y);

    /// <summary>2^(b - 127), where b are the lowest 8 bits of x; 0 for b = 0, infinity for b = 255.</summary>
    static abstract TVector PowerOfLowBits(TVector x);

    /// <summary>The sum of the elements.</summary>
    static abstract float Sum(TVector x);
}
