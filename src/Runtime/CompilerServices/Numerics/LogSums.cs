using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The last step of a row with more results than its output: the log-sum-exp, and a sink. It uses double precision, since a float score of 90 has a precision
/// of only 7e-6. It uses plain arithmetic, so that cores stay leaves.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class LogSums
{
    internal const double Ln2 = 0.69314718055994530942;

    /// <summary>The natural logarithm of the sum of the exponentials of a row's scores; -infinity where the row saw no key.</summary>
    /// <param name="sum">The sum of the row's weights.</param>
    /// <param name="maximum">The maximum to which the weights are relative.</param>
    /// <param name="level">The level of the maximum.</param>
    /// <param name="scale">The factor from scores to powers of two.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Of(float sum, float maximum, float level, float scale)
    {
        if (sum == 0) return double.NegativeInfinity;
        return Log(sum) + (float.IsNaN(level) ? (double)maximum * scale : -level) * Ln2;
    }

    /// <summary>The log-sum-exp with one more score.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double With(double logSumExp, float sink)
    {
        double highest = Math.Max(logSumExp, sink), lowest = Math.Min(logSumExp, sink);
        if (double.IsNegativeInfinity(lowest) || double.IsNaN(highest)) return highest;
        return highest + Log(1 + Exp(lowest - highest));
    }

    /// <summary>The factor of a row's weighted sum of values, with a sink.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Inverse(float sum, double logSumExp, float sink) => sum == 0 ? 0f : (float)(1 / (sum * (1 + Exp(sink - logSumExp))));

    /// <summary>x = m * 2^n, and ln m = 2 artanh((m - 1) / (m + 1)) with m in [1/sqrt(2), sqrt(2)]: relative error 1e-10.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Log(double x)
    {
        if (!(x < double.PositiveInfinity)) return x; // infinity or NaN
        long bits = BitConverter.DoubleToInt64Bits(x);
        int n = (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble(bits & 0x000FFFFFFFFFFFFF | 0x3FF0000000000000);
        if (m > 1.4142135623730951) (m, n) = (m / 2, n + 1);
        double s = (m - 1) / (m + 1), z = s * s;
        return n * Ln2 + 2 * s * (1 + z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z / 13))))));
    }

    /// <summary>
    /// e^x: the power of two is split off, and a series to the ninth power gives the rest, relative error 1e-11; 0 below -700, infinity above 700.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Exp(double x)
    {
        if (x < -700) return 0;
        if (x > 700) return double.PositiveInfinity;
        if (double.IsNaN(x)) return x;
        double n = Math.Round(x * (1 / Ln2)), f = x - n * Ln2;
        double sum = 1 + f * (1 + f * (1.0 / 2 + f * (1.0 / 6 + f * (1.0 / 24 + f * (1.0 / 120 + f * (1.0 / 720 + f * (1.0 / 5040 + f * (1.0 / 40320 + f / 362880))))))));
        return sum * BitConverter.Int64BitsToDouble((long)n + 1023 << 52);
    }
}
