using Generate;

namespace AttentionGen.Samples.Tests.Harness;

/// <summary>The same model written anew in double precision, with plain loops and all tokens in every call.</summary>
internal static class PlainModel
{
    private const int HeadDim = 8, Heads = 8, Group = 2;

    /// <summary>The logits after the last token.</summary>
    public static double[] Logits(LlamaWeights weights, int[] tokens)
    {
        double[][] x = [.. tokens.Select(token => Numbers(weights.Embedding, token))];
        foreach (var layer in weights.Layers)
        {
            double[][] h = [.. x.Select(token => Norm(token, layer.AttentionNorm))];
            double[][] query = [.. h.Select((token, i) => Rotate(Product(layer.Query, token), i))];
            double[][] key = [.. h.Select((token, i) => Rotate(Product(layer.Key, token), i))];
            double[][] value = [.. h.Select(token => Product(layer.Value, token))];
            for (int i = 0; i < x.Length; i++)
            {
                x[i] = Sum(x[i], Product(layer.Output, Attend(query[i], key[..(i + 1)], value)));
                double[] hidden = Norm(x[i], layer.FeedForwardNorm), gate = Product(layer.Gate, hidden), up = Product(layer.Up, hidden);
                x[i] = Sum(x[i], Product(layer.Down, [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]));
            }
        }
        return Product(weights.Classifier, Norm(x[^1], weights.FinalNorm));
    }

    private static double[] Attend(double[] query, double[][] keys, double[][] values)
    {
        double[] output = new double[query.Length];
        for (int head = 0; head < Heads; head++)
        {
            int first = head * HeadDim, shared = head / Group * HeadDim;
            double[] weights = [.. keys.Select(key => Math.Exp(Enumerable.Range(0, HeadDim).Sum(i => query[first + i] * key[shared + i]) / Math.Sqrt(HeadDim)))];
            for (int i = 0; i < HeadDim; i++)
                output[first + i] = weights.Select((weight, key) => weight * values[key][shared + i]).Sum() / weights.Sum();
        }
        return output;
    }

    private static double[] Rotate(double[] x, int position)
    {
        double[] rotated = new double[x.Length];
        for (int i = 0; i < x.Length; i += 2)
        {
            var (sin, cos) = Math.SinCos(position / Math.Pow(10000, i % HeadDim / (double)HeadDim));
            rotated[i] = x[i] * cos - x[i + 1] * sin;
            rotated[i + 1] = x[i] * sin + x[i + 1] * cos;
        }
        return rotated;
    }

    private static double[] Norm(double[] x, Matrix weights)
    {
        double root = Math.Sqrt(x.Sum(element => element * element) / x.Length + 1e-5);
        return [.. x.Zip(Numbers(weights, 0), (element, weight) => element / root * weight)];
    }

    private static double[] Product(Matrix matrix, double[] x) =>
        [.. Enumerable.Range(0, matrix.Rows).Select(row => Numbers(matrix, row).Zip(x, (weight, element) => weight * element).Sum())];

    private static double[] Sum(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];

    private static double[] Numbers(Matrix matrix, int row) => [.. matrix.Row(row).ToArray().Select(element => (double)element)];
}
