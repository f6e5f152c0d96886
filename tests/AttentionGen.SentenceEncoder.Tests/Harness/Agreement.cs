using Xunit;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

internal static class Agreement
{
    /// <summary>What the embeddings and the weights of attention have to keep, absolute.</summary>
    public const double Tolerance = 1e-5;

    public static double LargestError(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]));
            largest = Math.Max(largest, Math.Abs(actual[i] - expected[i]));
        }
        return largest;
    }

    public static double LargestError(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        double[] wide = new double[expected.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = expected[i];
        return LargestError(actual, wide);
    }
}
