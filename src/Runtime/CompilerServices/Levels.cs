using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The exponents of two that the weights of a row are relative to. A weight is 2^(score * scale + level), rounded once, the level being the row's
/// maximum times the scale, rounded and negated. That rounding is the same for all weights of a row and leaves them in proportion; only who goes from
/// one maximum to another has to count it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Levels
{
    // Up to here the rounding is at most a quarter.
    private const float Largest = 1 << 22;

    /// <summary>The level of a maximum; where it would lose whole powers a NaN, so that no weight is within bounds and the row takes the way by distances.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Level(float maximum, float scale)
    {
        float exponent = maximum * scale;
        return Math.Abs(exponent) < Largest ? -exponent : BitConverter.Int32BitsToSingle(0x7FC00000); // positive, unlike float.NaN, and so larger than all
    }

    /// <summary>What the level of a maximum lost by rounding: maximum * scale + level; 0 where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Rest(float maximum, float scale)
    {
        float exponent = maximum * scale;
        return Math.Abs(exponent) < Largest ? (float)((double)maximum * scale - exponent) : 0f;
    }
}
