using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>Rows of queries and keys as linear attention multiplies them, and factors of its state.</summary>
internal static unsafe class FeatureRows
{
    /// <summary>Applies a feature map and a factor to rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Map<TVector>(float* from, nint fromStride, float* to, nint toStride, int rows, int count, LinearAttentionFeatureMap map, float scale)
        where TVector : struct, IFloats<TVector>
    {
        if (map != LinearAttentionFeatureMap.None)
        {
            for (; rows > 0; rows--, from += fromStride, to += toStride) Map<TVector>(from, to, count, map, scale);
            return;
        }

        for (; rows > 0; rows--, from += fromStride, to += toStride)
            for (int i = 0; i < count; i += TVector.Count) VectorRows.Store(VectorRows.Load<TVector>(from + i, count - i) * TVector.All(scale), to + i, count - i);
    }

    /// <summary>Applies a feature map and a factor.</summary>
    /// <param name="from">Floats.</param>
    /// <param name="to">As many; nothing is written behind them. It may be the same memory.</param>
    /// <param name="count">Their number.</param>
    /// <param name="map">The map.</param>
    /// <param name="scale">The factor.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Map<TVector>(float* from, float* to, int count, LinearAttentionFeatureMap map, float scale)
        where TVector : struct, IFloats<TVector>
    {
        switch (map)
        {
            case LinearAttentionFeatureMap.EluPlusOne:
                for (int i = 0; i < count; i += TVector.Count)
                {
                    var x = VectorRows.Load<TVector>(from + i, count - i);
                    var zero = TVector.All(0);
                    VectorRows.Store((TVector.Max(zero, x) + StateExp.Of(TVector.Min(zero, x))) * TVector.All(scale), to + i, count - i);
                }

                break;
            case LinearAttentionFeatureMap.Relu:
                for (int i = 0; i < count; i += TVector.Count) VectorRows.Store(TVector.Max(TVector.All(0), VectorRows.Load<TVector>(from + i, count - i)) * TVector.All(scale), to + i, count - i);
                break;
            case LinearAttentionFeatureMap.SoftmaxFeature:
                float most = float.NegativeInfinity, sum = 0;
                for (int i = 0; i < count; i++) most = Math.Max(most, from[i]); // NaN stays
                if (most == float.PositiveInfinity) most = float.NaN; // as the quotient of infinities
                for (int i = 0; i < count; i += TVector.Count)
                {
                    var e = StateExp.Of(VectorRows.Load<TVector>(from + i, count - i) - TVector.All(most));
                    if (count - i < TVector.Count) e = TVector.KeepFirst(e, count - i);
                    sum += TVector.Sum(e);
                    VectorRows.Store(e, to + i, count - i);
                }

                VectorRows.Scale<TVector>(to, scale / sum, count);
                break;
            default:
                for (int i = 0; i < count; i += TVector.Count) VectorRows.Store(VectorRows.Load<TVector>(from + i, count - i) * TVector.All(scale), to + i, count - i);
                break;
        }
    }

    /// <summary>The factors of logarithms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Exponentials<TVector>(float* from, float* to, int count)
        where TVector : struct, IFloats<TVector>
    {
        for (int i = 0; i < count; i += TVector.Count) VectorRows.Store(StateExp.Of(VectorRows.Load<TVector>(from + i, count - i)), to + i, count - i);
    }
}

/// <summary>e^x with an error of little more than half of the last place, and exactly 1 for 0: a factor of the state is applied thousands of times. 0 below e^-87.7, infinity from e^88.4 on.</summary>
/// <remarks>
/// The power of two is split off as in <see cref="NegativeExp"/>. What remains, r in [-0.35, 0.35], goes into 1 + (r + r^2 p(r)) with the terms of the series up to r^7, which is off by 5e-9: the last addition
/// rounds, and little else counts.
/// </remarks>
internal static class StateExp
{
    private const float Log2E = 1.44269502f, Ln2 = 0.693359375f, Ln2Rest = -0.00021219444f, Magic = 12583039f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TVector>(TVector x)
        where TVector : struct, IFloats<TVector>
    {
        x = TVector.Min(TVector.All(89), TVector.Max(TVector.All(-88.3f), x)); // this order of operands keeps a NaN
        var shifted = TVector.MulAdd(x, TVector.All(Log2E), TVector.All(Magic));
        var n = TVector.All(Magic) - shifted;
        var r = TVector.MulAdd(n, TVector.All(Ln2Rest), TVector.MulAdd(n, TVector.All(Ln2), x));
        var p = TVector.MulAdd(TVector.All(1f / 5040), r, TVector.All(1f / 720));
        p = TVector.MulAdd(p, r, TVector.All(1f / 120));
        p = TVector.MulAdd(p, r, TVector.All(1f / 24));
        p = TVector.MulAdd(p, r, TVector.All(1f / 6));
        p = TVector.MulAdd(p, r, TVector.All(0.5f));
        p = TVector.MulAdd(p, r * r, r);
        return (TVector.All(1) + p) * TVector.PowerOfLowBits(shifted);
    }
}
