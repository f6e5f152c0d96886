namespace AttentionGen.Kernels.Tests;

/// <summary>The parts around a linear layer in double precision, from their formulas.</summary>
internal static class LayerReference
{
    public static readonly AttentionActivation[] OneOperand = [.. Enum.GetValues<AttentionActivation>().Where(kind => kind != AttentionActivation.SiluGate)];

    public static double Activation(AttentionActivation kind, double x) => kind switch
    {
        AttentionActivation.None => x,
        AttentionActivation.Relu => double.IsNaN(x) ? x : Math.Max(x, 0),
        AttentionActivation.Gelu => x < 0 ? x == double.NegativeInfinity ? 0 : x * Tail(-x) : x * (1 - Tail(x)),
        AttentionActivation.GeluTanh => Sigmoidal(x, 2 * Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)),
        AttentionActivation.Silu => Sigmoidal(x, x),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>activation(sum * scale + bias) + residual for each column; what is empty is left out.</summary>
    public static double[] Finish(float[] sums, float[] scales, float[] bias, float[] residual, AttentionActivation kind) =>
        [.. sums.Select((_, i) => Activation(kind, Scaled(sums, scales, bias, i)) + (residual.Length == 0 ? 0 : residual[i]))];

    public static double Scaled(float[] sums, float[] scales, float[] bias, int i) => (double)sums[i] * (scales.Length == 0 ? 1 : scales[i]) + (bias.Length == 0 ? 0 : bias[i]);

    /// <summary>Layer normalisation of rows, or that by the root mean square if there is no centre.</summary>
    public static double[] Norm(float[] input, float[] residual, float[] weight, float[] bias, float epsilon, bool centred)
    {
        int width = weight.Length;
        double[] output = new double[input.Length];
        for (int row = 0; row < input.Length; row += width)
        {
            double[] x = [.. Enumerable.Range(row, width).Select(i => residual.Length == 0 ? input[i] : (double)(input[i] + residual[i]))];
            double mean = centred ? x.Average() : 0, variance = x.Average(element => (element - mean) * (element - mean));
            for (int i = 0; i < width; i++) output[row + i] = (x[i] - mean) / Math.Sqrt(variance + epsilon) * weight[i] + (bias.Length == 0 ? 0 : bias[i]);
        }

        return output;
    }

    /// <summary>x / (1 + e^-y), which is 0 at -infinity.</summary>
    private static double Sigmoidal(double x, double y) => y == double.NegativeInfinity ? 0 : x / (1 + Math.Exp(-y));

    /// <summary>The probability that a normal number is larger: by the series of the distribution function, far outside by a continued fraction.</summary>
    private static double Tail(double x)
    {
        if (double.IsNaN(x)) return x;
        double density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (x < 3)
        {
            double sum = 0, term = x;
            for (int k = 3; k < 200; k += 2)
            {
                sum += term;
                term *= x * x / k;
            }

            return 0.5 - sum * density;
        }

        double fraction = 0;
        for (int k = 200; k > 0; k--) fraction = k / (x + fraction);
        return density == 0 ? 0 : density / (x + fraction);
    }
}
