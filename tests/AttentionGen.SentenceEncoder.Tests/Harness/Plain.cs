namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>The steps of an encoder as plain loops in double precision.</summary>
internal static class Plain
{
    /// <summary>x W + b, with a matrix [in, out].</summary>
    public static double[][] Linear(double[][] rows, float[] matrix, float[] bias) => [.. rows.Select(row =>
    {
        double[] result = [.. bias.Select(element => (double)element)];
        for (int i = 0; i < row.Length; i++)
            for (int j = 0; j < result.Length; j++) result[j] += row[i] * matrix[i * result.Length + j];
        return result;
    })];

    public static double[][] LayerNorm(double[][] rows, float[] weight, float[] bias, double epsilon) => [.. rows.Select(row =>
    {
        double mean = row.Average(), factor = 1 / Math.Sqrt(row.Average(x => (x - mean) * (x - mean)) + epsilon);
        return row.Select((x, i) => (x - mean) * factor * weight[i] + bias[i]).ToArray();
    })];

    public static double[][] Add(double[][] x, double[][] y) => [.. x.Zip(y, (a, b) => a.Zip(b, (p, q) => p + q).ToArray())];

    public static double[][] Map(double[][] rows, Func<double, double> function) => [.. rows.Select(row => row.Select(function).ToArray())];

    /// <summary>Attention over thirds of projected rows: output rows, and weights [heads, queries, keys].</summary>
    public static (double[][] Output, double[] Weights) Attend(double[][] projected, int heads)
    {
        int tokens = projected.Length, width = projected[0].Length / 3, dim = width / heads;
        double[][] output = [.. projected.Select(_ => new double[width])];
        double[] weights = new double[heads * tokens * tokens];
        for (int head = 0; head < heads; head++)
        {
            for (int query = 0; query < tokens; query++)
            {
                var row = weights.AsSpan((head * tokens + query) * tokens, tokens);
                for (int key = 0; key < tokens; key++)
                {
                    double score = 0;
                    for (int i = head * dim; i < (head + 1) * dim; i++) score += projected[query][i] * projected[key][width + i];
                    row[key] = Math.Exp(score / Math.Sqrt(dim));
                }
                double sum = 0;
                foreach (double weight in row) sum += weight;
                for (int key = 0; key < tokens; key++)
                {
                    row[key] /= sum;
                    for (int i = head * dim; i < (head + 1) * dim; i++) output[query][i] += row[key] * projected[key][2 * width + i];
                }
            }
        }
        return (output, weights);
    }

    public static double[] Mean(double[][] rows) => [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Average(row => row[i]))];

    public static double[] Normalize(double[] vector)
    {
        double norm = Math.Sqrt(vector.Sum(x => x * x));
        return [.. vector.Select(x => x / norm)];
    }

    /// <summary>x times the normal distribution function, whose integral is summed as a series or a continued fraction.</summary>
    public static double Gelu(double x) => 0.5 * x * Erfc(-x / Math.Sqrt(2));

    private static double Erfc(double x)
    {
        if (x < 0) return 2 - Erfc(-x);
        if (x > 3)
        {
            double tail = x;
            for (int n = 80; n > 0; n--) tail = x + n / 2.0 / tail;
            return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / tail;
        }
        double sum = 0, term = x;
        for (int n = 0; n < 100; n++)
        {
            sum += term / (2 * n + 1);
            term *= -x * x / (n + 1);
        }
        return 1 - 2 / Math.Sqrt(Math.PI) * sum;
    }
}
