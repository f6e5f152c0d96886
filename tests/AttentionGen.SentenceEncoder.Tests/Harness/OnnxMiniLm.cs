using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Google.Protobuf;
using Onnx;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>The same model file in ONNX Runtime, with the attention weights of its layers as further results.</summary>
internal sealed class OnnxMiniLm : IDisposable
{
    private const string Rows = "last_hidden_state";

    private readonly InferenceSession _session;
    private readonly string[] _weights;

    public OnnxMiniLm(byte[] model)
    {
        var proto = ModelProto.Parser.ParseFrom(model);
        _weights = [.. proto.Graph.Node.Where(node => node.OpType == "Softmax").Select(node => node.Output[0])];
        foreach (string name in _weights) proto.Graph.Output.Add(new ValueInfoProto { Name = name });
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(proto.ToByteArray(), options);
    }

    public void Dispose() => _session.Dispose();

    /// <returns>The vector of length 1, and the weights of each layer, [heads, queries, keys].</returns>
    public (double[] Embedding, float[][] Weights) Run(int[] tokens)
    {
        NamedOnnxValue Input(string name, Func<int, long> value) =>
            NamedOnnxValue.CreateFromTensor(name, new DenseTensor<long>(tokens.Select((_, i) => value(i)).ToArray(), [1, tokens.Length]));
        using var results = _session.Run(
            [Input("input_ids", i => tokens[i]), Input("attention_mask", _ => 1), Input("token_type_ids", _ => 0)], [Rows, .. _weights]);
        float[][] all = [.. results.Select(result => result.AsEnumerable<float>().ToArray())];

        int width = all[0].Length / tokens.Length;
        double[] mean = new double[width];
        for (int i = 0; i < all[0].Length; i++) mean[i % width] += all[0][i] / (double)tokens.Length;
        double norm = Math.Sqrt(mean.Sum(x => x * x));
        return ([.. mean.Select(x => x / norm)], all[1..]);
    }
}
