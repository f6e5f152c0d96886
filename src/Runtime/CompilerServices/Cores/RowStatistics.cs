using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>What is known of a row beside its output, from the state that its keys left. A row that saw no key has the sum 0, one with a NaN or an infinite score a NaN as its sum.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class RowStatistics
{
    /// <summary>The largest score; -infinity where the row saw no key.</summary>
    /// <param name="sum">The sum of its weights.</param>
    /// <param name="highest">Its largest product.</param>
    /// <param name="scale">From products to scores.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxScore(float sum, float highest, float scale) => sum == 0 ? float.NegativeInfinity : float.IsNaN(sum) ? sum : highest * scale;

    /// <summary>The key of the largest score; -1 where the row saw none.</summary>
    /// <param name="sum">The sum of its weights.</param>
    /// <param name="key">Bits of the key, among those of its sequence.</param>
    /// <param name="place">The place of the row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ArgMax(float sum, float key, in ForwardPlace place) => sum > 0 ? place.Token(BitConverter.SingleToInt32Bits(key)) : -1;

    /// <summary>The entropy of the weights, natural; 0 where the row saw no key.</summary>
    /// <param name="sum">The sum of the weights.</param>
    /// <param name="exponents">The sum of the weights times their exponents, as powers of two.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Entropy(float sum, float exponents) => sum == 0 ? 0 : Math.Max(LogSums.Log(sum) - LogSums.Ln2 * exponents / sum, 0);

    /// <summary>The same with a sink beside the keys: the entropy of whether it is the sink, and that of the keys where it is not.</summary>
    /// <param name="entropy">That of the keys.</param>
    /// <param name="sum">The sum of their weights; 0 where the row saw none.</param>
    /// <param name="above">How far the sink stands above the log-sum-exp of the keys.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double WithSink(double entropy, float sum, double above)
    {
        if (sum == 0 || above > 700) return 0; // a sink of -infinity beside no keys has no distance from them
        double odds = LogSums.Exp(above), log = LogSums.Log(1 + odds);
        return Math.Max((entropy + log + (odds > 0 ? odds * (log - above) : 0)) / (1 + odds), 0); // rounding must not make it negative; a NaN stays
    }
}
