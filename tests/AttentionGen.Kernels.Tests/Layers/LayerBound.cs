using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// The error bound of a layer, against the layer in double precision with the weights as they are stored. It is the larger of 1e-6 and six times what a plain evaluation of the same layer in
/// single precision loses: projections by dot products in 16 partial sums, <see cref="PlainEvaluation"/> between them.
/// </summary>
/// <remarks>
/// It follows from the parts. Attention may lose twice what its plain evaluation loses (<see cref="Bound"/>). A projection sums up to 256 products one after the other (LinearBound). The roundings of a sum
/// grow like a random walk: n in a row come to n u / sqrt(2), in units of a product, and 16 sums of n / 16 to a quarter of it. So a part usually loses up to four times what its plain form loses, and
/// what it gets wrong goes through the same weights in both; 4.7 times was the most where a call had more than a few elements. The error of the plain evaluation is its largest over the elements of a
/// call: an element of the output sums over all heads, so that the luck of one says little. The projections and the attention are held to bounds of their own, row by row.
/// </remarks>
internal static class LayerBound
{
    private const double Least = 1e-6, Chains = 6;

    /// <summary>What the plain evaluation may lose at most: more says that the test itself is wrong.</summary>
    private const double PlainLimit = 5e-5;

    public static void Check(LayerInputs inputs, float[] output)
    {
        double[] expected = Expected(inputs);
        float[] plain = Plain(inputs);
        Assert.Equal(expected.Length, output.Length);
        double plainError = 0;
        for (int i = 0; i < expected.Length; i++) plainError = Math.Max(plainError, Math.Abs(plain[i] - expected[i]));
        Assert.True(plainError <= PlainLimit, $"{inputs.Layer}, {inputs.Problem}: the plain evaluation is off by {plainError:g3}");
        double bound = Math.Max(Least, Chains * plainError);
        int width = inputs.Layer.OutputDim;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(output[i] - expected[i]);
            Assert.True(error <= bound, $"{inputs.Layer}, {inputs.Problem}: element {i % width} of row {i / width} is {output[i]:g9} for {expected[i]:g9}, off by {error:g3}, bound {bound:g3}");
        }
    }

    /// <summary>The layer in double precision. Between projections and attention numbers are rounded to floats, as the reference of attention takes them.</summary>
    private static double[] Expected(LayerInputs inputs)
    {
        var (layer, weights) = (inputs.Layer, inputs.Matrices.Rounded(inputs.Layer));
        float[] Project(float[] rows, float[] matrix, float[] bias, int width) => Array.ConvertAll(Product(Array.ConvertAll(rows, x => (double)x), matrix, bias, width), x => (float)x);
        var attention = inputs.Projected(
            Project(inputs.Input, weights.Query, weights.QueryBias, layer.ModelDim), Project(inputs.KeyRows, weights.Key, weights.KeyBias, layer.KeyDim),
            Project(inputs.KeyRows, weights.Value, weights.ValueBias, layer.KeyDim));
        double[] output = Product(Bound.Whole(attention), weights.Output, weights.OutputBias, HeadsOf(layer));
        for (int i = 0; i < inputs.Residual.Length; i++) output[i] += inputs.Residual[i];
        return output;
    }

    private static float[] Plain(LayerInputs inputs)
    {
        var (layer, problem, weights) = (inputs.Layer, inputs.Problem, inputs.Matrices.Rounded(inputs.Layer));
        var attention = inputs.Projected(
            Plain(inputs.Input, weights.Query, weights.QueryBias, layer.ModelDim), Plain(inputs.KeyRows, weights.Key, weights.KeyBias, layer.KeyDim),
            Plain(inputs.KeyRows, weights.Value, weights.ValueBias, layer.KeyDim));
        float[] heads = new float[problem.OutputLength];
        int dim = layer.Attention.ValueDim, row = 0;
        for (int b = 0; b < problem.Batch; b++)
            for (int i = 0; i < problem.Queries; i++)
                for (int h = 0; h < layer.Attention.Heads; h++, row++) PlainEvaluation.Row(attention, b, i, h, heads.AsSpan(row * dim, dim));
        float[] output = Plain(heads, weights.Output, weights.OutputBias, HeadsOf(layer));
        for (int i = 0; i < inputs.Residual.Length; i++) output[i] += inputs.Residual[i];
        return output;
    }

    private static int HeadsOf(LayerDeclaration layer) => layer.Attention.Heads * layer.Attention.ValueDim;

    /// <summary>Rows times a matrix [outputs, inputs], and a bias where there is one.</summary>
    private static double[] Product(double[] rows, float[] matrix, float[] bias, int inputs)
    {
        int outputs = matrix.Length / inputs;
        double[] product = new double[rows.Length / inputs * outputs];
        for (int i = 0; i < product.Length; i++)
        {
            int row = i / outputs * inputs, column = i % outputs * inputs;
            double sum = bias.Length == 0 ? 0 : bias[i % outputs];
            for (int d = 0; d < inputs; d++) sum += rows[row + d] * matrix[column + d];
            product[i] = sum;
        }

        return product;
    }

    private static float[] Plain(float[] rows, float[] matrix, float[] bias, int inputs)
    {
        int outputs = matrix.Length / inputs;
        float[] product = new float[rows.Length / inputs * outputs];
        for (int i = 0; i < product.Length; i++)
            product[i] = PlainEvaluation.Dot(rows.AsSpan(i / outputs * inputs, inputs), matrix.AsSpan(i % outputs * inputs, inputs)) + (bias.Length == 0 ? 0 : bias[i % outputs]);
        return product;
    }
}
