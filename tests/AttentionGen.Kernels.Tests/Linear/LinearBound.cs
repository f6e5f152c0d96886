using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// The error bound of a linear layer, element by element, against double precision over the weights as they are stored.
/// </summary>
/// <remarks>
/// With u = 2^-24: a product meets at most min(depth, 256) additions inside its partial sum, one rounding of its own where there is no fused multiply-add, one addition for each of the
/// depth / 192 partial sums (the smallest block of the depth), and three roundings at the end: of an integer's scale, of the product with it, of the bias. So sum and bias are off by at most
/// (min(depth, 256) + 1 + depth / 192 + 3) u (sum of |input * weight| + |bias|). An activation enlarges that by its slope, at most 1.13, and is off by 1e-6 of its result
/// (ActivationTests); the residual adds a rounding.
/// </remarks>
internal static class LinearBound
{
    private const int MostProducts = 256, LeastBlock = 192;

    private const double Step = Bound.Step, Slope = 1.13, OfActivation = 1e-6;

    /// <summary>What is lost below the normal floats.</summary>
    private const double Least = 1e-37;

    public static void Check(LinearInputs inputs, LinearLayer layer, float[] actual)
    {
        var problem = inputs.Problem;
        float[] weights = new float[inputs.Weights.Length];
        layer.CopyWeightsTo(weights);
        Assert.Equal(problem.Rows * problem.OutputDim, actual.Length);
        for (int row = 0; row < problem.Rows; row++)
            for (int column = 0; column < problem.OutputDim; column++)
            {
                int index = row * problem.OutputDim + column;
                var (expected, error) = Of(inputs, weights, row, column);
                double off = Math.Abs(actual[index] - expected);
                Assert.True(double.IsNaN(expected) ? float.IsNaN(actual[index]) : actual[index] == expected || off <= error,
                    $"{problem}: row {row}, column {column} is {actual[index]:g9} for {expected:g17}, off by {off:g3}, bound {error:g3}");
            }
    }

    /// <summary>The roundings that a product goes through, in units of 2^-24.</summary>
    public static double Roundings(int depth) => Math.Min(depth, MostProducts) + 1 + depth / LeastBlock + 3;

    private static (double Value, double Error) Of(LinearInputs inputs, float[] weights, int row, int column)
    {
        var problem = inputs.Problem;
        var (a, errorA) = Sum(inputs, weights, row, column);
        double value, error;
        if (problem.Activation == AttentionActivation.SiluGate)
        {
            var (b, errorB) = Sum(inputs, weights, row, problem.OutputDim + column);
            double silu = LayerReference.Activation(AttentionActivation.Silu, a);
            errorA = Slope * errorA + OfActivation * Math.Abs(silu);
            value = silu * b;
            error = Math.Abs(silu) * errorB + errorA * Math.Abs(b) + errorA * errorB + Step * Math.Abs(value);
        }
        else
        {
            bool bends = problem.Activation is not (AttentionActivation.None or AttentionActivation.Relu);
            value = LayerReference.Activation(problem.Activation, a);
            error = bends ? Slope * errorA + OfActivation * Math.Abs(value) : errorA;
        }

        if (inputs.Residual.Length > 0)
        {
            value += inputs.Residual[row * problem.OutputDim + column];
            error += Step * Math.Abs(value);
        }

        return (value, error + Least);
    }

    /// <summary>The exact sum and bias of a column of weights.</summary>
    private static (double Value, double Error) Sum(LinearInputs inputs, float[] weights, int row, int column)
    {
        int depth = inputs.Problem.InputDim;
        ReadOnlySpan<float> x = inputs.Input.AsSpan(row * depth, depth), w = weights.AsSpan(column * depth, depth);
        double sum = inputs.Bias.Length == 0 ? 0 : inputs.Bias[column], magnitudes = Math.Abs(sum);
        for (int i = 0; i < depth; i++)
        {
            double product = (double)x[i] * w[i];
            sum += product;
            magnitudes += Math.Abs(product);
        }

        return (sum, 1.0001 * Roundings(depth) * Step * magnitudes); // products of roundings, too
    }
}
