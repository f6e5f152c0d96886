namespace AttentionGen.CompilerServices;

/// <summary>The functions of <see cref="AttentionActivation"/>, alone and at the end of a matrix product.</summary>
internal static class Activations
{
    /// <summary>Replaces each element by its activation.</summary>
    /// <param name="kind">Any but <see cref="AttentionActivation.SiluGate"/>, which has two operands.</param>
    /// <param name="row">The elements.</param>
    public static void Apply(AttentionActivation kind, Span<float> row) => Finish(row, [], [], [], kind, row);

    /// <summary>output = silu(a) * b. The spans have one length; the output may be a or b, but overlaps them in no other way.</summary>
    public static void Gate(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> output) => FinishGate(a, b, [], [], [], [], [], output);

    /// <summary>output = activation(sums * scales + bias) + residual. The output may be the sums or the residual, but overlaps the others in no other way.</summary>
    /// <param name="sums">A row of a product.</param>
    /// <param name="scales">One for each column, or empty.</param>
    /// <param name="bias">One for each column, or empty.</param>
    /// <param name="residual">One for each column, or empty.</param>
    /// <param name="kind">Any but <see cref="AttentionActivation.SiluGate"/>.</param>
    /// <param name="output">As long as the sums.</param>
    public static void Finish(ReadOnlySpan<float> sums, ReadOnlySpan<float> scales, ReadOnlySpan<float> bias, ReadOnlySpan<float> residual, AttentionActivation kind, Span<float> output)
    {
        for (int i = 0; i < sums.Length; i++)
        {
            double x = (double)sums[i] * (scales.IsEmpty ? 1 : scales[i]) + (bias.IsEmpty ? 0 : bias[i]);
            output[i] = (float)(Of(kind, x) + (residual.IsEmpty ? 0 : residual[i]));
        }
    }

    /// <summary>output = silu(sumsA * scalesA + biasA) * (sumsB * scalesB + biasB) + residual, with the spans of <see cref="Finish"/>.</summary>
    public static void FinishGate(
        ReadOnlySpan<float> sumsA, ReadOnlySpan<float> sumsB, ReadOnlySpan<float> scalesA, ReadOnlySpan<float> scalesB, ReadOnlySpan<float> biasA, ReadOnlySpan<float> biasB,
        ReadOnlySpan<float> residual, Span<float> output)
    {
        for (int i = 0; i < sumsA.Length; i++)
        {
            double a = (double)sumsA[i] * (scalesA.IsEmpty ? 1 : scalesA[i]) + (biasA.IsEmpty ? 0 : biasA[i]), b = (double)sumsB[i] * (scalesB.IsEmpty ? 1 : scalesB[i]) + (biasB.IsEmpty ? 0 : biasB[i]);
            output[i] = (float)(Of(AttentionActivation.Silu, a) * b + (residual.IsEmpty ? 0 : residual[i]));
        }
    }

    private static double Of(AttentionActivation kind, double x) => kind switch
    {
        AttentionActivation.None => x,
        AttentionActivation.Relu => Math.Max(x, 0),
        AttentionActivation.Silu or AttentionActivation.Gelu => Math.Max(x, -200) / (1 + Math.Exp(-Math.Max(x, -200))),
        AttentionActivation.GeluTanh => Math.Max(x, -15) * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "One operand has no gate."),
    };
}
