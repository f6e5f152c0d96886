using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>Root mean square normalisation: the squares of each row have a mean of 1, before its elements are weighted.</summary>
/// <remarks>Zhang and Sennrich 2019, Root Mean Square Layer Normalization, <see href="https://arxiv.org/abs/1910.07467"/>.</remarks>
public static unsafe class RmsNorm
{
    /// <summary>
    /// x / sqrt(mean(x^2) + epsilon) * weight for each row. x is the input, or input + residual. The same row gives the same bits, whatever the number of threads and
    /// the other rows.
    /// </summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="weight">[width], at least 1 element. Gemma stores its weights less 1: add it.</param>
    /// <param name="epsilon">0 or more. With 0, a row of zeros is NaN.</param>
    /// <param name="output">[rows, width]. It may be the input or the residual. Any other overlap is an error.</param>
    /// <param name="residual">[rows, width], or empty: it is added to the input, in single precision.</param>
    /// <param name="maxThreads">The most threads, including the caller's; 0 for <see cref="AttentionOptions.MaxDegreeOfParallelism"/>.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the output overlaps another span. Nothing is written.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epsilon"/> or <paramref name="maxThreads"/> is negative, or epsilon is not finite.</exception>
    public static void Apply(
        ReadOnlySpan<float> input, ReadOnlySpan<float> weight, float epsilon, Span<float> output, ReadOnlySpan<float> residual = default, int maxThreads = 0)
    {
        NormChecks.Check(input, weight, [], epsilon, output, residual, maxThreads);
        fixed (float* x = input, y = residual, w = weight, result = output)
            NormJob.Run(new NormRows { Input = x, Residual = y, Weight = w, Output = result, Width = weight.Length, Epsilon = epsilon, Centred = false }, input.Length / weight.Length, maxThreads);
    }
}
