namespace AttentionGen.Kernels.Tests;

/// <summary>Numbers in the types of caches, by the conversions of the types themselves.</summary>
internal static class Stored
{
    /// <summary>Rounds a number to a type.</summary>
    public static T Round<T>(float x)
        where T : unmanaged => typeof(T) == typeof(float) ? (T)(object)x : typeof(T) == typeof(Half) ? (T)(object)(Half)x : (T)(object)(BFloat16)x;

    /// <summary>A stored number as a float.</summary>
    public static float Float<T>(T x)
        where T : unmanaged => x is Half half ? (float)half : x is BFloat16 bfloat ? (float)bfloat : (float)(object)x;
}
