using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>A function of each element of a vector.</summary>
internal interface IActivation
{
    static abstract TVector Of<TVector>(TVector x)
        where TVector : struct, IFloats<TVector>;
}

/// <summary>x.</summary>
internal readonly struct Identity : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TVector>(TVector x)
        where TVector : struct, IFloats<TVector> => x;
}

/// <summary>max(x, 0), NaN for NaN.</summary>
internal readonly struct Relu : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TVector>(TVector x)
        where TVector : struct, IFloats<TVector> => TVector.Max(TVector.All(0), x);
}

/// <summary>x / (1 + e^-x). Below -88.4, where e^-x has left the range of floats, the result is -0.</summary>
internal readonly struct Silu : IActivation
{
    // e^88.8 is infinite, and so is its computation; 88 is enough for an e^-x of 0.
    private const float Least = -88.8f, Most = 88;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TVector>(TVector x)
        where TVector : struct, IFloats<TVector>
    {
        x = TVector.Max(TVector.All(Least), x); // this order of operands keeps a NaN
        var e = NegativeExp.Of(TVector.Min(TVector.All(Most), x), TVector.All(0));
        return x / (TVector.All(1) + e);
    }
}

/// <summary>
/// x * (1 + erf(x / sqrt(2))) / 2. With a = |x| and the upper tail of the normal distribution, Q(a) = erfc(a / sqrt(2)) / 2, it is max(x, 0) - a Q(a), for either sign
/// of x, and a negative result has the relative error of Q.
/// </summary>
/// <remarks>
/// Q(a) e^(a^2/2) falls slowly from 1/2 and has no zero, so it is a quotient of polynomials, of degree 4 and 5, with the least relative error on [0, 13.3]: 4.9e-9 by a Remez
/// exchange in 50 digits, 4.9e-8 with coefficients rounded to floats. All coefficients are positive, so that no sum cancels. From 13.25 on, the tail is 0; a Q(a) is below
/// 1e-38 there.
/// </remarks>
internal readonly struct Gelu : IActivation
{
    private const float P0 = 0.5f, P1 = 0.435686409f, P2 = 0.181306824f, P3 = 0.0399841964f, P4 = 0.00402019406f;
    private const float Q1 = 1.66925776f, Q2 = 1.19448447f, Q3 = 0.464380503f, Q4 = 0.100232892f, Q5 = 0.0100769885f;

    /// <summary>An argument whose e^(-a^2/2) is 0, and its square in range.</summary>
    private const float Most = 13.29f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TVector>(TVector x)
        where TVector : struct, IFloats<TVector>
    {
        var a = TVector.Min(TVector.All(Most), TVector.Abs(x));
        var half = a * TVector.All(0.5f);
        var square = a * half;
        var e = NegativeExp.Of(square, TVector.ProductError(a, half, square)); // a rounding error of 88 would be a relative one of 4e-6
        var p = TVector.MulAdd(TVector.All(P4), a, TVector.All(P3));
        p = TVector.MulAdd(p, a, TVector.All(P2));
        p = TVector.MulAdd(p, a, TVector.All(P1));
        p = TVector.MulAdd(p, a, TVector.All(P0));
        var q = TVector.MulAdd(TVector.All(Q5), a, TVector.All(Q4));
        q = TVector.MulAdd(q, a, TVector.All(Q3));
        q = TVector.MulAdd(q, a, TVector.All(Q2));
        q = TVector.MulAdd(q, a, TVector.All(Q1));
        q = TVector.MulAdd(q, a, TVector.All(1));
        return TVector.CopySign(TVector.Max(TVector.All(0), x) - a * p / q * e, x);
    }
}

/// <summary>
/// x * (1 + tanh(u)) / 2 with u = sqrt(2 / pi) * (x + 0.044715 x^3), computed as x / (1 + e^-2u). Below -10.04, where e^-2u leaves the range of floats, the result is -0
/// instead of a number below 4.3e-38.
/// </summary>
/// <remarks>
/// An error of 2u is a relative error of e^-2u, and 2u reaches 88, whose last place is 7.6e-6. So it is computed with about 40 bits: each rounding error of a product or
/// sum is computed, too, and their sum is a second term of the exponent.
/// </remarks>
internal readonly struct GeluTanh : IActivation
{
    // 2u = x (c1 + c3 x^2), c1 = 2 sqrt(2 / pi), c3 = 0.044715 c1, each a float and what is left of it. The float of c1 is a multiple of 2^-20, as is a sum below 16 with it, so
    // that their difference is exact.
    private const float C1 = 1.595768928527832f, C1Rest = 1.930779e-07f, C3 = 0.07135481387f, C3Rest = 2.3988325e-09f;

    // 2u of the first is -88.70: e^-2u is infinite, and so is its computation. That of the second is 87.3: e^-2u vanishes beside 1.
    private const float Least = -10.06f, Most = 10;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TVector>(TVector x)
        where TVector : struct, IFloats<TVector>
    {
        x = TVector.Max(TVector.All(Least), x); // this order of operands keeps a NaN
        var z = TVector.Min(TVector.All(Most), x);
        TVector square = z * z, squareRest = TVector.ProductError(z, z, square);
        TVector cubic = TVector.All(C3) * square, cubicRest = TVector.ProductError(TVector.All(C3), square, cubic);
        TVector sum = TVector.All(C1) + cubic, sumRest = (TVector.All(C1) - sum) + cubic;
        var rest = TVector.MulAdd(TVector.All(C3), squareRest, TVector.MulAdd(TVector.All(C3Rest), square, TVector.All(C1Rest))) + (sumRest + cubicRest);
        var twice = z * sum;
        var e = NegativeExp.Of(twice, TVector.MulAdd(z, rest, TVector.ProductError(z, sum, twice)));
        return x / (TVector.All(1) + e);
    }
}

/// <summary>e^-(x + rest), for x from -89 to 88.3 and a rest far below 1.</summary>
/// <remarks>
/// <para>The power of two is split off, with ln(2) in two parts, of which the first has 10 bits, so that its product is exact (Cody and Waite 1980).</para>
/// <para>
/// What remains, r in [-0.35, 0.35], goes into a polynomial of degree 5 with the least relative error: 7.5e-8, by a Remez exchange in 50 digits. Degree 6 would reach
/// 1.9e-9, less than the rounding errors of the evaluation. Vector512.Exp of .NET computes in double precision, for bits that are not needed here: it alone takes 0.53 ns for
/// a float on a Zen 4 core, the whole of SiLU 0.28 ns.
/// </para>
/// </remarks>
internal static class NegativeExp
{
    private const float E0 = 1.000000072f, E1 = -0.999999691f, E2 = 0.4999889263f, E3 = -0.1666757655f, E4 = 0.0419156317f, E5 = -0.008297621277f;
    private const float Log2E = 1.44269502f, Ln2 = 0.693359375f, Ln2Rest = -0.00021219444f;

    // 1.5 * 2^23 + 127. The lowest bits of its sum with x are round(x) + 127, the exponent of 2^round(x).
    private const float Magic = 12583039f;

    /// <returns>0 where -x log2(e) rounds to -127, infinity where it rounds to 128.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TVector>(TVector x, TVector rest)
        where TVector : struct, IFloats<TVector>
    {
        var shifted = TVector.MulAdd(x, TVector.All(-Log2E), TVector.All(Magic));
        var n = shifted - TVector.All(Magic);
        var r = TVector.MulAdd(n, TVector.All(Ln2), x);
        r = TVector.MulAdd(n, TVector.All(Ln2Rest), r) + rest;
        var p = TVector.MulAdd(TVector.All(E5), r, TVector.All(E4));
        p = TVector.MulAdd(p, r, TVector.All(E3));
        p = TVector.MulAdd(p, r, TVector.All(E2));
        p = TVector.MulAdd(p, r, TVector.All(E1));
        p = TVector.MulAdd(p, r, TVector.All(E0));
        return p * TVector.PowerOfLowBits(shifted);
    }
}
