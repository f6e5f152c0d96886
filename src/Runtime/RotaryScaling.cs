using System.Diagnostics.CodeAnalysis;

namespace AttentionGen;

/// <summary>
/// How the frequencies of a <see cref="RotaryTable"/> change for sequences that are longer than those of the training. Pair i of a table has the frequency
/// f(i) = base^(-2 i / rotaryDim) before the change.
/// </summary>
public abstract class RotaryScaling
{
    private protected RotaryScaling()
    {
    }

    /// <summary>Position interpolation: the frequency becomes f(i) / factor.</summary>
    /// <remarks>Chen et al., Extending Context Window of Large Language Models via Positional Interpolation, <see href="https://arxiv.org/abs/2306.15595"/>.</remarks>
    /// <param name="factor">The factor by which sequences are longer, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is less than 1 or not finite.</exception>
    public static RotaryScaling Linear(double factor) => new LinearScaling(Factor(factor, nameof(factor)));

    /// <summary>
    /// NTK-aware scaling for sequences of one length: base becomes base * (factor * length / originalLength - (factor - 1))^(rotaryDim / (rotaryDim - 2)).
    /// Up to the original length, nothing changes.
    /// </summary>
    /// <remarks>
    /// The dynamic NTK scaling of Hugging Face Transformers, which computes the base again as a sequence grows. A table has one base: that of
    /// <paramref name="length"/>. It needs a RotaryDim of 4 or more.
    /// </remarks>
    /// <param name="factor">The factor, 1 or more.</param>
    /// <param name="originalLength">The length of the sequences of the training, in tokens.</param>
    /// <param name="length">The length of the sequences that the table is for, in tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is less than 1 or not finite, or a length is less than 1.</exception>
    public static RotaryScaling NtkAware(double factor, int originalLength, int length) =>
        new NtkScaling(Factor(factor, nameof(factor)), Length(originalLength, nameof(originalLength)), Length(length, nameof(length)));

    /// <summary>
    /// YaRN: high frequencies stay, low ones become f(i) / factor, and between pair `low` and pair `high` the change grows linearly. A pair that turns r times
    /// within the original length has the index rotaryDim * ln(originalLength / (2 pi r)) / (2 ln(base)); low is that of betaFast, rounded down, and high that of
    /// betaSlow, rounded up.
    /// </summary>
    /// <remarks>Peng et al., YaRN: Efficient Context Window Extension of Large Language Models, <see href="https://arxiv.org/abs/2309.00071"/>.</remarks>
    /// <param name="factor">The factor by which sequences are longer, 1 or more.</param>
    /// <param name="originalLength">The length of the sequences of the training, in tokens.</param>
    /// <param name="betaFast">The turns from which on a frequency stays.</param>
    /// <param name="betaSlow">The turns up to which a frequency is divided by the factor.</param>
    /// <param name="attentionFactor">The factor of cosines and sines; null for 0.1 ln(factor) + 1.</param>
    /// <param name="truncate">Whether the indices low and high are rounded; models such as gpt-oss do not round them.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="factor"/> is less than 1 or not finite, the length is less than 1, betas are not positive and finite with betaFast &gt;= betaSlow, or the
    /// attention factor is not positive and finite.
    /// </exception>
    public static RotaryScaling Yarn(double factor, int originalLength, double betaFast = 32, double betaSlow = 1, double? attentionFactor = null, bool truncate = true)
    {
        Positive(betaSlow, nameof(betaSlow));
        if (!(betaFast >= betaSlow) || !double.IsFinite(betaFast)) throw new ArgumentOutOfRangeException(nameof(betaFast), betaFast, $"betaFast is {betaFast}, but must be finite and at least betaSlow, {betaSlow}.");
        return new YarnScaling(Factor(factor, nameof(factor)), Length(originalLength, nameof(originalLength)), betaFast, betaSlow, Attention(attentionFactor), truncate);
    }

    /// <summary>
    /// The scaling of Llama 3.1 and later, by the wavelength w = 2 pi / f(i): below originalLength / highFrequencyFactor the frequency stays, above originalLength /
    /// lowFrequencyFactor it becomes f(i) / factor, and between them (1 - s) f(i) / factor + s f(i) with s = (originalLength / w - lowFrequencyFactor) /
    /// (highFrequencyFactor - lowFrequencyFactor).
    /// </summary>
    /// <remarks>Llama 3.1, <see href="https://arxiv.org/abs/2407.21783"/>; the formula is that of Meta's reference code. Llama 3.1 has 8, 1, 4 and 8192.</remarks>
    /// <param name="factor">The factor by which sequences are longer, 1 or more.</param>
    /// <param name="lowFrequencyFactor">The turns within the original length up to which a frequency is divided by the factor.</param>
    /// <param name="highFrequencyFactor">The turns from which on a frequency stays.</param>
    /// <param name="originalLength">The length of the sequences of the training, in tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="factor"/> is less than 1 or not finite, the length is less than 1, or the factors of frequencies are not positive and finite with
    /// highFrequencyFactor &gt; lowFrequencyFactor.
    /// </exception>
    public static RotaryScaling Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalLength)
    {
        Positive(lowFrequencyFactor, nameof(lowFrequencyFactor));
        if (!(highFrequencyFactor > lowFrequencyFactor) || !double.IsFinite(highFrequencyFactor))
            throw new ArgumentOutOfRangeException(nameof(highFrequencyFactor), highFrequencyFactor, $"highFrequencyFactor is {highFrequencyFactor}, but must be finite and more than lowFrequencyFactor, {lowFrequencyFactor}.");
        return new Llama3Scaling(Factor(factor, nameof(factor)), lowFrequencyFactor, highFrequencyFactor, Length(originalLength, nameof(originalLength)));
    }

    /// <summary>
    /// LongRoPE: the frequency becomes f(i) / factors[i]. A table with more positions than the original length has the long factors, another one the short factors.
    /// </summary>
    /// <remarks>
    /// Ding et al., LongRoPE: Extending LLM Context Window Beyond 2 Million Tokens, <see href="https://arxiv.org/abs/2402.13753"/>. Phi-3 and Phi-4 have such lists.
    /// </remarks>
    /// <param name="shortFactors">[rotaryDim / 2], the factors up to the original length.</param>
    /// <param name="longFactors">[rotaryDim / 2], the factors beyond.</param>
    /// <param name="originalLength">The length of the sequences of the training, in tokens.</param>
    /// <param name="scale">The longest length of the model over the original length, 1 or more.</param>
    /// <param name="attentionFactor">The factor of cosines and sines; null for sqrt(1 + ln(scale) / ln(originalLength)).</param>
    /// <exception cref="ArgumentException">The lists differ in length, or one of their elements is not positive and finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="scale"/> is less than 1 or not finite, the length is less than 2, or the attention factor is not positive and finite.
    /// </exception>
    public static RotaryScaling LongRope(ReadOnlySpan<double> shortFactors, ReadOnlySpan<double> longFactors, int originalLength, double scale, double? attentionFactor = null)
    {
        if (longFactors.Length != shortFactors.Length)
            throw new ArgumentException($"longFactors has {longFactors.Length} elements, shortFactors has {shortFactors.Length}: both have one for each pair, rotaryDim / 2.", nameof(longFactors));
        Positive(shortFactors, nameof(shortFactors));
        Positive(longFactors, nameof(longFactors));
        if (originalLength < 2) throw new ArgumentOutOfRangeException(nameof(originalLength), originalLength, $"originalLength is {originalLength}, at least 2 is needed.");
        return new LongRopeScaling(shortFactors.ToArray(), longFactors.ToArray(), originalLength, Factor(scale, nameof(scale)), Attention(attentionFactor));
    }

    /// <summary>Computes the frequencies of a table, and the factor of its cosines and sines.</summary>
    /// <param name="frequencies">[dim / 2].</param>
    /// <param name="dim">The number of rotated elements.</param>
    /// <param name="positions">The number of positions of the table.</param>
    /// <param name="base">The base of the frequencies.</param>
    /// <exception cref="ArgumentException">The scaling is not for so many elements.</exception>
    internal abstract double Compute(Span<double> frequencies, int dim, int positions, double @base);

    /// <summary>The frequencies without scaling: base^(-2 i / dim).</summary>
    internal static void Unscaled(Span<double> frequencies, int dim, double @base)
    {
        for (int i = 0; i < frequencies.Length; i++) frequencies[i] = Math.Pow(@base, -2.0 * i / dim);
    }

    private static double Factor(double factor, string name) =>
        factor >= 1 && double.IsFinite(factor) ? factor : throw new ArgumentOutOfRangeException(name, factor, $"{name} is {factor}, but must be finite and at least 1.");

    private static int Length(int length, string name) =>
        length >= 1 ? length : throw new ArgumentOutOfRangeException(name, length, $"{name} is {length}, at least 1 is needed.");

    private static double? Attention(double? attentionFactor)
    {
        if (attentionFactor is { } factor) Positive(factor, nameof(attentionFactor));
        return attentionFactor;
    }

    private static void Positive(double value, string name)
    {
        if (!(value > 0) || !double.IsFinite(value)) throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, but must be positive and finite.");
    }

    private static void Positive(ReadOnlySpan<double> values, string name)
    {
        for (int i = 0; i < values.Length; i++)
            if (!(values[i] > 0) || !double.IsFinite(values[i])) throw new ArgumentException($"{name}[{i}] is {values[i]}, but must be positive and finite.", name);
    }

    private sealed class LinearScaling(double factor) : RotaryScaling
    {
        internal override double Compute(Span<double> frequencies, int dim, int positions, double @base)
        {
            Unscaled(frequencies, dim, @base);
            foreach (ref double frequency in frequencies) frequency /= factor;
            return 1;
        }
    }

    private sealed class NtkScaling(double factor, int originalLength, int length) : RotaryScaling
    {
        [SuppressMessage("Usage", "CA2208", Justification = "The parameter is that of the constructor of the table.")]
        internal override double Compute(Span<double> frequencies, int dim, int positions, double @base)
        {
            if (dim < 4) throw new ArgumentException($"NTK-aware scaling needs a rotaryDim of 4 or more, {dim} is given.", "scaling");
            double stretch = factor * Math.Max(length, originalLength) / originalLength - (factor - 1);
            Unscaled(frequencies, dim, @base * Math.Pow(stretch, dim / (dim - 2.0)));
            return 1;
        }
    }

    private sealed class YarnScaling(double factor, int originalLength, double betaFast, double betaSlow, double? attentionFactor, bool truncate) : RotaryScaling
    {
        internal override double Compute(Span<double> frequencies, int dim, int positions, double @base)
        {
            double low = IndexOf(betaFast), high = IndexOf(betaSlow);
            if (truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
            (low, high) = (Math.Max(low, 0), Math.Min(high, dim - 1));
            if (low == high) high += 0.001; // as the reference code does: a step instead of a ramp
            Unscaled(frequencies, dim, @base);
            for (int i = 0; i < frequencies.Length; i++)
            {
                double interpolated = Math.Clamp((i - low) / (high - low), 0, 1);
                frequencies[i] = frequencies[i] / factor * interpolated + frequencies[i] * (1 - interpolated);
            }

            return attentionFactor ?? 0.1 * Math.Log(factor) + 1;

            double IndexOf(double turns) => dim * Math.Log(originalLength / (turns * 2 * Math.PI)) / (2 * Math.Log(@base));
        }
    }

    private sealed class Llama3Scaling(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalLength) : RotaryScaling
    {
        internal override double Compute(Span<double> frequencies, int dim, int positions, double @base)
        {
            Unscaled(frequencies, dim, @base);
            foreach (ref double frequency in frequencies)
            {
                double turns = originalLength * frequency / (2 * Math.PI);
                if (turns > highFrequencyFactor) continue;
                double stays = Math.Max((turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor), 0);
                frequency = (1 - stays) * frequency / factor + stays * frequency;
            }

            return 1;
        }
    }

    private sealed class LongRopeScaling(double[] shortFactors, double[] longFactors, int originalLength, double scale, double? attentionFactor) : RotaryScaling
    {
        [SuppressMessage("Usage", "CA2208", Justification = "The parameter is that of the constructor of the table.")]
        internal override double Compute(Span<double> frequencies, int dim, int positions, double @base)
        {
            if (shortFactors.Length != frequencies.Length)
                throw new ArgumentException($"The lists of factors have {shortFactors.Length} elements, but a rotaryDim of {dim} has {frequencies.Length} pairs.", "scaling");
            double[] factors = positions > originalLength ? longFactors : shortFactors;
            Unscaled(frequencies, dim, @base);
            for (int i = 0; i < frequencies.Length; i++) frequencies[i] /= factors[i];
            return attentionFactor ?? Math.Sqrt(1 + Math.Log(scale) / Math.Log(originalLength));
        }
    }
}
