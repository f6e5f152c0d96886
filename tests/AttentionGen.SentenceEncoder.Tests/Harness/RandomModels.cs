using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Onnx;
using SentenceEncoder.Models;
using SentenceEncoder.Weights;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>Models of the right form with random weights: they make no sense, but need no download.</summary>
internal static class RandomModels
{
    /// <summary>A file as exporters write it: named biases, numbered matrices.</summary>
    public static byte[] MiniLm()
    {
        const int Width = MiniLmWeights.Width, Wide = MiniLmWeights.Wide;
        var numbers = new Numbers(3);
        var graph = new GraphProto { Name = "random" };
        Tensor("embeddings.word_embeddings.weight", 0.05f, MiniLmWeights.Vocabulary, Width);
        Tensor("embeddings.position_embeddings.weight", 0.05f, MiniLmWeights.Positions, Width);
        Tensor("embeddings.token_type_embeddings.weight", 0.05f, 2, Width);
        Norm("embeddings");
        for (int layer = 0; layer < MiniLmWeights.Layers; layer++)
        {
            string name = $"encoder.layer.{layer}";
            foreach (string part in new[] { "query", "key", "value" }) Dense($"{name}.attention.self.{part}", Width, Width);
            Dense($"{name}.attention.output.dense", Width, Width);
            Norm($"{name}.attention.output");
            Dense($"{name}.intermediate.dense", Width, Wide);
            Dense($"{name}.output.dense", Wide, Width);
            Norm($"{name}.output");
        }
        return new ModelProto { IrVersion = 7, Graph = graph }.ToByteArray();

        void Tensor(string name, float scale, params int[] shape)
        {
            var tensor = new TensorProto { Name = name, DataType = (int)TensorProto.Types.DataType.Float, RawData = ByteString.CopyFrom(numbers.Next(shape, scale)) };
            tensor.Dims.AddRange(shape.Select(length => (long)length));
            graph.Initializer.Add(tensor);
        }

        void Norm(string name)
        {
            Tensor($"{name}.LayerNorm.weight", 1, Width);
            Tensor($"{name}.LayerNorm.bias", 0.1f, Width);
        }

        void Dense(string name, int inputs, int outputs)
        {
            string number = $"{1000 + graph.Initializer.Count}";
            Tensor($"{name}.bias", 0.1f, outputs);
            Tensor(number, 0.1f, inputs, outputs);
            var product = new NodeProto { OpType = "MatMul" };
            product.Input.AddRange([$"{name}.in", number]);
            product.Output.Add($"{name}.product");
            var sum = new NodeProto { OpType = "Add" };
            sum.Input.AddRange([$"{name}.bias", $"{name}.product"]);
            sum.Output.Add($"{name}.out");
            graph.Node.AddRange([product, sum]);
        }
    }

    /// <summary>The list and the bytes of a model for TensorFlow.js.</summary>
    public static TensorList UseLite()
    {
        const string K = "module_apply_default/Encoder_en/KonaTransformer/Encode/", M = "module/Encoder_en/KonaTransformer/Encode/", C = "/ConcatPartitions/concat";
        var shapes = new List<(string Name, int[] Shape)> { ("module/Embeddings_en", [8002, 256]) };
        for (int layer = 0; layer < 2; layer++)
        {
            int input = layer == 0 ? 256 : 512;
            string l = $"Layer_{layer}/TransformerLayer/";
            foreach (var (half, width) in new[] { (l, input), (l + "FFN/", 512) })
                foreach (string part in new[] { "scale", "bias" }) shapes.Add(($"{K}{half}layer_prepostprocess/layer_norm/layer_norm_{part}{C}", [width]));
            foreach (var (name, outputs, inputs) in new[] { ("qkv", 3 * input, input), ("output", 512, input) })
            {
                shapes.Add(($"{M}{l}MultiheadAttention/{name}_transform_single/kernel/part_0", [1, 1, inputs, outputs]));
                shapes.Add(($"{K}{l}MultiheadAttention/{name}_transform_single/bias{C}", [outputs]));
            }
            foreach (var (name, inputs, outputs) in new[] { ("conv1", 512, 1536), ("conv2", 1536, 512) })
            {
                shapes.Add(($"{K}TransformerStack/{l}FFN/{name}/Tensordot/Reshape_1", [inputs, outputs]));
                shapes.Add(($"{K}{l}FFN/{name}/bias{C}", [outputs]));
            }
        }
        shapes.Add(($"{K}Layer_0/TransformerLayer/dense/kernel{C}", [256, 512]));
        shapes.Add(($"{K}Layer_0/TransformerLayer/dense/bias{C}", [512]));
        shapes.Add(("module/Encoder_en/hidden_layers/tanh_layer_0/weights", [512, 512]));
        shapes.Add(("module/Encoder_en/hidden_layers/tanh_layer_0/bias", [512]));

        var numbers = new Numbers(4);
        byte[] bytes = [.. shapes.SelectMany(tensor => numbers.Next(tensor.Shape, tensor.Shape.Length == 1 ? 0.5f : 0.08f))];
        return new TensorList(ListOf(shapes.Select(tensor => (tensor.Name, tensor.Shape, "float32"))), bytes);
    }

    public static byte[] ListOf(IEnumerable<(string Name, int[] Shape, string Type)> tensors) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        weightsManifest = new[] { new { weights = tensors.Select(tensor => new { name = tensor.Name, shape = tensor.Shape, dtype = tensor.Type }).ToArray() } },
    });

    /// <summary>A vocabulary of letters and some words, as long as that of the model.</summary>
    public static byte[] Pieces()
    {
        string[] pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", .. "abcdefghijklmnopqrstuvwxyz".Select(letter => $"{letter}"), .. "abcdefghijklmnopqrstuvwxyz".Select(letter => $"##{letter}"), "the", "cat", "##ing", "."];
        return Encoding.UTF8.GetBytes(string.Join('\n', pieces) + "\n");
    }

    /// <summary>Random numbers between the scale and its opposite. Large tensors repeat themselves.</summary>
    private sealed class Numbers(int seed)
    {
        private const int Period = 100_003;

        private readonly float[] _random = Draw(seed);
        private int _next;

        public byte[] Next(int[] shape, float scale)
        {
            float[] numbers = new float[shape.Aggregate(1, (count, length) => count * length)];
            for (int i = 0; i < numbers.Length; i++) numbers[i] = scale * _random[_next = (_next + 1) % Period];
            return MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray();
        }

        private static float[] Draw(int seed)
        {
            var random = new Random(seed);
            return [.. Enumerable.Range(0, Period).Select(_ => 2 * random.NextSingle() - 1)];
        }
    }
}
