using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Results of a row besides its output, computed from its state. The sum of weights is 0 for a row that saw no key, and NaN for a row with a NaN or an infinite
/// score.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class RowStatistics
{
    /// <summary>The largest score; -infinity where the row saw no key.</summary>
    /// <param name="sum">The sum of the row's weights.</param>
    /// <param name="highest">The row's largest product.</param>
    /// <param name="scale">The factor from products to scores.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxScore(float sum, float highest, float scale) => sum == 0 ? float.NegativeInfinity : float.IsNaN(sum) ? sum : highest * scale;

    /// <summary>The key with the largest score; -1 where the row saw no key.</summary>
    /// <param name="sum">The sum of the row's weights.</param>
    /// <param name="key">The index of the key in its sequence, as bits.</param>
    /// <param name="place">The position of the row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ArgMax(float sum, float key, in ForwardPlace place) => sum > 0 ? place.Token(BitConverter.SingleToInt32Bits(key)) : -1;

    /// <summary>The chosen key of a row as <see cref="ChosenValue"/> takes it, as bits.</summary>
    /// <param name="sum">The weight of the key: 1, 0 where the row saw no key, or NaN where a score is NaN.</param>
    /// <param name="key">The index of the key in its sequence, as bits.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ChosenKey(float sum, float key) => sum > 0 ? key : BitConverter.Int32BitsToSingle(sum == 0 ? ChosenValue.None : ChosenValue.NotANumber);

    /// <summary>The entropy of the weights in nats; 0 where the row saw no key.</summary>
    /// <param name="sum">The sum of the weights.</param>
    /// <param name="exponents">The sum of each weight times its exponent, in powers of two.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Entropy(float sum, float exponents) => sum == 0 ? 0 : Math.Max(LogSums.Log(sum) - LogSums.Ln2 * exponents / sum, 0);

    /// <summary>The entropy with a sink: that of the choice between sink and keys, plus that of the keys where the choice is not the sink.</summary>
    /// <param name="entropy">The entropy of the keys.</param>
    /// <param name="sum">The sum of the keys' weights; 0 where the row saw no key.</param>
    /// <param name="above">The sink minus the log-sum-exp of the keys.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double WithSink(double entropy, float sum, double above)
    {
        if (sum == 0 || above > 700) return 0; // a sink of -infinity without keys has no distance from them
        double odds = LogSums.Exp(above), log = LogSums.Log(1 + odds);
        return Math.Max((entropy + log + (odds > 0 ? odds * (log - above) : 0)) / (1 + odds), 0); // rounding must not make it negative; a NaN stays NaN
    }
}
