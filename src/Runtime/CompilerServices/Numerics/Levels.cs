using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The powers of two to which the weights of a row are relative. A weight is 2^(score * scale + level). The level is the row's maximum times the scale, negated
/// and rounded to an integer. It is the same for all weights of a row, so their ratios do not change.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Levels
{
    /// <summary>1.5 * 2^23. Floats near it are integers, and their lowest bits are those of an integer.</summary>
    public const float Whole = 12582912f;

    /// <summary>More than any power of a weight; the lowest nine bits, which a shift makes an exponent, are 0.</summary>
    public const float NoPower = Whole + 512;

    /// <summary>A positive NaN, unlike float.NaN. It is larger than all other floats if they are compared as integers.</summary>
    public static float NoLevel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BitConverter.Int32BitsToSingle(0x7FC00000);
    }

    // Beyond this product with the scale, the scores themselves are not exact enough for a level to be of use.
    private const float Largest = 1 << 16;

    /// <summary>
    /// The level of a maximum. It is NaN where the level is too large, or where the product with the scale would be rounded before the level is added. Then no
    /// weight counts as within bounds, and the row computes its weights from distances to the maximum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Level(float maximum, float scale)
    {
        float power = maximum * scale;
        return HasLevels(power) ? -MathF.Round(power) : NoLevel;
    }

    /// <summary>The exponent of the power of two by which weights shrink when their level changes from that of one maximum to that of a higher one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fall(float maximum, float higher, float scale) => (maximum - higher) * scale + (Rest(higher, scale) - Rest(maximum, scale));

    /// <summary>A maximum times the scale plus its level: the rest of the rounding. 0 without a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Rest(float maximum, float scale)
    {
        float power = maximum * scale;
        return HasLevels(power) ? (float)((double)maximum * scale - MathF.Round(power)) : 0f;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasLevels(float power) => (Fma.IsSupported || AdvSimd.IsSupported) && Math.Abs(power) < Largest;
}
