using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// Rows as a cache of <see cref="sbyte"/> stores them: integers from -127 to 127 with one scale for each row, a head of a key or of a value. An element is its
/// integer times the scale.
/// </summary>
public static class Int8Rows
{
    /// <summary>
    /// Stores rows as integers. The scale of a row is its largest magnitude / 127; an integer is x / scale, rounded to nearest, ties to even. A row of zeros has
    /// the scale 0. A row with NaN or infinity has the scale NaN: all of it is NaN.
    /// </summary>
    /// <param name="rows">[rows, dim].</param>
    /// <param name="dim">The number of elements of a row, such as headDim; 1 or more.</param>
    /// <param name="integers">[rows, dim].</param>
    /// <param name="scales">[rows].</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dim"/> is not positive.</exception>
    public static void Quantize(ReadOnlySpan<float> rows, int dim, Span<sbyte> integers, Span<float> scales)
    {
        int count = Rows(rows.Length, dim, integers.Length, scales.Length);
        for (int i = 0; i < count; i++) scales[i] = Narrowing.Quantize(rows.Slice(i * dim, dim), integers.Slice(i * dim, dim));
    }

    /// <summary>The elements of rows of integers: each times the scale of its row.</summary>
    /// <param name="integers">[rows, dim].</param>
    /// <param name="scales">[rows].</param>
    /// <param name="dim">The number of elements of a row; 1 or more.</param>
    /// <param name="rows">[rows, dim].</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dim"/> is not positive.</exception>
    public static void Dequantize(ReadOnlySpan<sbyte> integers, ReadOnlySpan<float> scales, int dim, Span<float> rows)
    {
        int count = Rows(rows.Length, dim, integers.Length, scales.Length);
        for (int i = 0; i < count; i++) Narrowing.Dequantize(integers.Slice(i * dim, dim), scales[i], rows.Slice(i * dim, dim));
    }

    private static int Rows(int rows, int dim, int integers, int scales, [CallerMemberName] string method = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        if (rows % dim != 0) throw new ArgumentException($"{nameof(rows)} has {rows} elements, which is not a multiple of {nameof(dim)} = {dim}.", nameof(rows));
        if (integers != rows) throw new ArgumentException($"{nameof(integers)} has {integers} elements, {nameof(rows)} has {rows}: {method} needs as many.", nameof(integers));
        if (scales != rows / dim) throw new ArgumentException($"{nameof(scales)} has {scales} elements, but there are {rows / dim} rows.", nameof(scales));
        return scales;
    }
}
