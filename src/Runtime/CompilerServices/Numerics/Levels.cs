using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The powers of two that the weights of a row are relative to. A weight is 2^(score * scale + level), the level being the row's maximum times the
/// scale, negated and rounded to a whole number: the same for all weights of a row, which leaves them in proportion.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Levels
{
    /// <summary>1.5 * 2^23: floats near it are whole numbers, with their lowest bits as in an integer.</summary>
    public const float Whole = 12582912f;

    /// <summary>A NaN that is positive, unlike float.NaN, and so larger than all where floats are compared as integers.</summary>
    public static float NoLevel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BitConverter.Int32BitsToSingle(0x7FC00000);
    }

    // Scores of so large a product with the scale are not that exact themselves.
    private const float Largest = 1 << 16;

    /// <summary>
    /// The level of a maximum. A NaN where it is too large, or where a product with the scale would be rounded before the level is added: then no
    /// weight counts as within bounds, and the row computes its weights from distances to the maximum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Level(float maximum, float scale)
    {
        float power = maximum * scale;
        return HasLevels(power) ? -MathF.Round(power) : NoLevel;
    }

    /// <summary>The power of two by which weights relative to the level of one maximum shrink when they are to be relative to that of a higher one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fall(float maximum, float higher, float scale) => (maximum - higher) * scale + (Rest(higher, scale) - Rest(maximum, scale));

    /// <summary>How far a maximum times the scale stands above its level; 0 where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Rest(float maximum, float scale)
    {
        float power = maximum * scale;
        return HasLevels(power) ? (float)((double)maximum * scale - MathF.Round(power)) : 0f;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasLevels(float power) => (Fma.IsSupported || AdvSimd.IsSupported) && Math.Abs(power) < Largest;
}
