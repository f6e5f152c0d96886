using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>Layer normalisation: each row has a mean of 0 and a variance of 1, before its elements are weighted and shifted.</summary>
/// <remarks>Ba, Kiros and Hinton 2016, Layer Normalization, <see href="https://arxiv.org/abs/1607.06450"/>.</remarks>
public static unsafe class LayerNorm
{
    /// <summary>
    /// (x - mean) / sqrt(variance + epsilon) * weight + bias for each row, with the mean and the variance (the mean of (x - mean)^2) of the row. x is the input, or input +
    /// residual. The same row gives the same bits, whatever the number of threads and the other rows.
    /// </summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="weight">[width], at least 1 element.</param>
    /// <param name="bias">[width], or empty: no bias.</param>
    /// <param name="epsilon">0 or more. With 0, a row of equal elements has no result: NaN, or numbers without a meaning.</param>
    /// <param name="output">[rows, width]. It may be the input or the residual. Any other overlap is an error.</param>
    /// <param name="residual">[rows, width], or empty: it is added to the input, in single precision.</param>
    /// <param name="maxThreads">The most threads, including the caller's; 0 for <see cref="AttentionOptions.MaxDegreeOfParallelism"/>.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the output overlaps another span. Nothing is written.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epsilon"/> or <paramref name="maxThreads"/> is negative, or epsilon is not finite.</exception>
    public static void Apply(
        ReadOnlySpan<float> input, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> output, ReadOnlySpan<float> residual = default, int maxThreads = 0)
    {
        NormChecks.Check(input, weight, bias, epsilon, output, residual, maxThreads);
        fixed (float* x = input, y = residual, w = weight, b = bias, result = output)
            NormJob.Run(new NormRows { Input = x, Residual = y, Weight = w, Bias = b, Output = result, Width = weight.Length, Epsilon = epsilon, Centred = true }, input.Length / weight.Length, maxThreads);
    }
}
