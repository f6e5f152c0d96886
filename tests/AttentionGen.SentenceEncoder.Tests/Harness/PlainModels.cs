using SentenceEncoder.Models;
using SentenceEncoder.Weights;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>Both models as plain loops, from the descriptions of their layers.</summary>
internal static class PlainModels
{
    /// <returns>The vector, and the attention weights of each layer.</returns>
    public static (double[] Embedding, double[][] Weights) MiniLm(MiniLmWeights weights, int[] tokens)
    {
        const int Width = MiniLmWeights.Width, Wide = MiniLmWeights.Wide;
        const double Epsilon = 1e-12;
        double[][] rows = [.. tokens.Select((token, position) => Enumerable.Range(0, Width)
            .Select(i => (double)weights.Words[token * Width + i] + weights.PositionRows[position * Width + i] + weights.Types[i]).ToArray())];
        rows = Norm(rows, weights.EmbeddingNorm);
        var maps = new List<double[]>();
        for (int layer = 0; layer < MiniLmWeights.Layers; layer++)
        {
            string name = $"encoder.layer.{layer}";
            var parts = new[] { "query", "key", "value" }.Select(part => Dense(rows, $"{name}.attention.self.{part}", Width, Width)).ToList();
            var (attended, map) = Plain.Attend([.. rows.Select((_, token) => parts.SelectMany(part => part[token]).ToArray())], MiniLmAttention.Heads);
            maps.Add(map);
            rows = Norm(Plain.Add(Dense(attended, $"{name}.attention.output.dense", Width, Width), rows), weights.NormOf($"{name}.attention.output"));
            var wide = Plain.Map(Dense(rows, $"{name}.intermediate.dense", Width, Wide), Plain.Gelu);
            rows = Norm(Plain.Add(Dense(wide, $"{name}.output.dense", Wide, Width), rows), weights.NormOf($"{name}.output"));
        }
        return (Plain.Normalize(Plain.Mean(rows)), [.. maps]);

        double[][] Norm(double[][] x, Norm norm) => Plain.LayerNorm(x, norm.Weight, norm.Bias, Epsilon);

        double[][] Dense(double[][] x, string name, int inputs, int outputs)
        {
            var (matrix, bias) = weights.Dense(name, inputs, outputs);
            return Plain.Linear(x, matrix, bias);
        }
    }

    /// <returns>The vector, and the attention weights of each layer.</returns>
    public static (double[] Embedding, double[][] Weights) UseLite(TensorList weights, int[] tokens)
    {
        const int Heads = 4, Width = 512, Wide = 1536;
        const double Epsilon = 1e-6;
        const string A = "module_apply_default/Encoder_en/", K = A + "KonaTransformer/Encode/", M = "module/Encoder_en/KonaTransformer/Encode/", C = "/ConcatPartitions/concat";
        float[] table = weights.Floats("module/Embeddings_en", 8002, 256);
        double[][] x = [.. tokens.Select((token, t) => Enumerable.Range(0, 256).Select(i =>
        {
            double angle = t * Math.Pow(10000, -(i % 128) / 127.0);
            return 2 * table[token * 256 + i] + (i < 128 ? Math.Sin(angle) : Math.Cos(angle));
        }).ToArray())];
        var maps = new List<double[]>();
        for (int layer = 0; layer < 2; layer++)
        {
            int input = layer == 0 ? 256 : 512, attended = layer == 0 ? 256 : 512;
            string l = $"Layer_{layer}/TransformerLayer/";
            var h = Norm(x, l, input);
            var (o, map) = Plain.Attend(
                Linear(h, $"{M}{l}MultiheadAttention/qkv_transform_single/kernel/part_0", $"{K}{l}MultiheadAttention/qkv_transform_single/bias{C}", input, 3 * attended), Heads);
            maps.Add(map);
            var a = Linear(o, $"{M}{l}MultiheadAttention/output_transform_single/kernel/part_0", $"{K}{l}MultiheadAttention/output_transform_single/bias{C}", attended, Width);
            x = Plain.Add(a, layer == 0 ? Linear(x, $"{K}{l}dense/kernel{C}", $"{K}{l}dense/bias{C}", 256, Width) : x);
            var wide = Linear(Norm(x, l + "FFN/", Width), $"{K}TransformerStack/{l}FFN/conv1/Tensordot/Reshape_1", $"{K}{l}FFN/conv1/bias{C}", Width, Wide);
            x = Plain.Add(x, Linear(Plain.Map(wide, y => Math.Max(y, 0)), $"{K}TransformerStack/{l}FFN/conv2/Tensordot/Reshape_1", $"{K}{l}FFN/conv2/bias{C}", Wide, Width));
        }
        var final = Linear([Plain.Mean(x)], "module/Encoder_en/hidden_layers/tanh_layer_0/weights", "module/Encoder_en/hidden_layers/tanh_layer_0/bias", Width, Width);
        return (Plain.Normalize(Plain.Map(final, Math.Tanh)[0]), [.. maps]);

        double[][] Norm(double[][] rows, string half, int width) => Plain.LayerNorm(
            rows, weights.Floats($"{K}{half}layer_prepostprocess/layer_norm/layer_norm_scale{C}", width),
            weights.Floats($"{K}{half}layer_prepostprocess/layer_norm/layer_norm_bias{C}", width), Epsilon);

        double[][] Linear(double[][] rows, string matrix, string bias, int inputs, int outputs) =>
            Plain.Linear(rows, weights.Floats(matrix, inputs, outputs), weights.Floats(bias, outputs));
    }
}
