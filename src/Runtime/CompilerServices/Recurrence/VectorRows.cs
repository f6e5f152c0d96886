using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>Loops over rows of floats, for vectors of any width.</summary>
internal static unsafe class VectorRows
{
    /// <summary>A vector, or the elements that are left and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TVector>(float* from, int left)
        where TVector : struct, IFloats<TVector> => left >= TVector.Count ? TVector.Load(from) : TVector.LoadFirst(from, left);

    /// <summary>Writes a vector, or the elements that are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TVector>(TVector x, float* to, int left)
        where TVector : struct, IFloats<TVector>
    {
        if (left >= TVector.Count) TVector.Store(x, to);
        else TVector.StoreFirst(x, to, left);
    }

    /// <summary>Multiplies a row by a factor.</summary>
    public static void Scale<TVector>(float* row, float factor, int count)
        where TVector : struct, IFloats<TVector> => Scale<TVector>(row, 0, &factor, 0, 1, count);

    /// <summary>Multiplies rows, each by its factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Scale<TVector>(float* row, nint stride, float* factors, int step, int rows, int count)
        where TVector : struct, IFloats<TVector>
    {
        for (; rows > 0; rows--, row += stride, factors += step)
        {
            var factor = TVector.All(*factors);
            for (int i = 0; i < count; i += TVector.Count) Store(Load<TVector>(row + i, count - i) * factor, row + i, count - i);
        }
    }

    /// <summary>Divides rows, each by its divisor. A divisor of 0, of a query that meets no key, gives 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Divide<TVector>(float* row, nint stride, float* divisors, int rows, int count)
        where TVector : struct, IFloats<TVector>
    {
        for (; rows > 0; rows--, row += stride, divisors++)
        {
            var divisor = TVector.All(*divisors);
            for (int i = 0; i < count; i += TVector.Count) Store(*divisors == 0 ? TVector.All(0) : Load<TVector>(row + i, count - i) / divisor, row + i, count - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Copy<TVector>(float* from, nint fromStride, float* to, nint toStride, int rows, int count)
        where TVector : struct, IFloats<TVector>
    {
        for (; rows > 0; rows--, from += fromStride, to += toStride)
            for (int i = 0; i < count; i += TVector.Count) Store(Load<TVector>(from + i, count - i), to + i, count - i);
    }

    /// <summary>Clears rows of whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Clear<TVector>(float* row, nint stride, int rows, int count)
        where TVector : struct, IFloats<TVector>
    {
        for (; rows > 0; rows--, row += stride)
            for (int i = 0; i < count; i += TVector.Count) TVector.Store(TVector.All(0), row + i);
    }

    /// <summary>The products of two rows, element by element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Multiply<TVector>(float* x, float* y, float* to, int count)
        where TVector : struct, IFloats<TVector>
    {
        for (int i = 0; i < count; i += TVector.Count) Store(Load<TVector>(x + i, count - i) * Load<TVector>(y + i, count - i), to + i, count - i);
    }

    /// <summary>The sum of the products of two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static float Dot<TVector>(float* x, float* y, int count)
        where TVector : struct, IFloats<TVector>
    {
        var sum = TVector.All(0);
        for (int i = 0; i < count; i += TVector.Count) sum = TVector.MulAdd(Load<TVector>(x + i, count - i), Load<TVector>(y + i, count - i), sum);
        return TVector.Sum(sum);
    }

    /// <summary>Multiplies a row by factors, element by element, and gives the sum of its products with another row. Both have whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static float AdvanceDot<TVector>(float* row, float* factors, float* other, int count)
        where TVector : struct, IFloats<TVector>
    {
        var sum = TVector.All(0);
        for (int i = 0; i < count; i += TVector.Count)
        {
            var x = TVector.Load(row + i) * TVector.Load(factors + i);
            TVector.Store(x, row + i);
            sum = TVector.MulAdd(x, TVector.Load(other + i), sum);
        }

        return TVector.Sum(sum);
    }

    public static void Fill(float* row, float value, int count) => new Span<float>(row, count).Fill(value);

    public static void Clear(float* row, nint count) => System.Runtime.InteropServices.NativeMemory.Clear(row, (nuint)count * sizeof(float));
}
