using System.Numerics.Tensors;

namespace SentenceEncoder.Models;

/// <summary>From the rows of a text to one vector.</summary>
internal static class Pooling
{
    /// <summary>The mean of rows.</summary>
    public static void Mean(ReadOnlySpan<float> rows, Span<float> mean)
    {
        mean.Clear();
        for (int start = 0; start < rows.Length; start += mean.Length) TensorPrimitives.Add(mean, rows.Slice(start, mean.Length), mean);
        TensorPrimitives.Divide(mean, (float)(rows.Length / mean.Length), mean);
    }

    /// <summary>Makes the length 1, or leaves a vector that is shorter than the floor short.</summary>
    public static void Normalize(Span<float> vector, float floor) => TensorPrimitives.Divide(vector, Math.Max(TensorPrimitives.Norm(vector), floor), vector);
}
