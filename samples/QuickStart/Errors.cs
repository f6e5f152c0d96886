using System.Numerics.Tensors;

namespace QuickStart;

internal static class Errors
{
    /// <summary>The largest absolute error that passes; what was recorded is float32, computed elsewhere.</summary>
    public const float Tolerance = 1e-5f;

    /// <summary>NaN where a difference is NaN.</summary>
    public static float Largest(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        float[] differences = new float[actual.Length];
        TensorPrimitives.Subtract(actual, expected, differences);
        return MathF.Abs(TensorPrimitives.MaxMagnitude<float>(differences));
    }

    // Written so that NaN does not pass.
    public static bool Pass(float error) => error <= Tolerance;
}
