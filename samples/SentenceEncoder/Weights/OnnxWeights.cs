using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;

namespace SentenceEncoder.Weights;

/// <summary>The tensors of a model in the format of ONNX.</summary>
internal sealed class OnnxWeights
{
    private readonly Dictionary<string, TensorProto> _tensors;
    private readonly Dictionary<string, string> _matrixBeside;

    /// <exception cref="InvalidDataException">The bytes are no such model.</exception>
    public OnnxWeights(byte[] model)
    {
        GraphProto graph;
        try
        {
            graph = ModelProto.Parser.ParseFrom(model).Graph ?? throw new InvalidDataException("The model has no graph.");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"The model cannot be read: {e.Message}", e);
        }
        _tensors = graph.Initializer.ToDictionary(tensor => tensor.Name);
        _matrixBeside = MatricesBesideBiases(graph);
    }

    /// <summary>The elements of a tensor.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or it has another shape or other elements.</exception>
    public float[] Floats(string name, params ReadOnlySpan<int> shape)
    {
        if (!_tensors.TryGetValue(name, out var tensor)) throw new InvalidDataException($"The model has no tensor {name}.");
        if (tensor.DataType != (int)TensorProto.Types.DataType.Float) throw new InvalidDataException($"The tensor {name} does not hold floats.");
        string expected = string.Join(" x ", shape.ToArray()), actual = string.Join(" x ", tensor.Dims);
        if (actual != expected) throw new InvalidDataException($"The tensor {name} is {actual}, {expected} is needed.");

        long count = 1;
        foreach (int length in shape) count *= length;
        if (tensor.RawData.Length != count * sizeof(float)) throw new InvalidDataException($"The tensor {name} has {tensor.RawData.Length} bytes.");
        return MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
    }

    /// <summary>The matrix [inputs, outputs] of the product to which a bias is added. Exporters keep the names of biases, but number the matrices.</summary>
    /// <exception cref="InvalidDataException">There is no such matrix.</exception>
    public float[] MatrixBeside(string bias, int inputs, int outputs) =>
        _matrixBeside.TryGetValue(bias, out string? name)
            ? Floats(name, inputs, outputs)
            : throw new InvalidDataException($"The model has no product to which {bias} is added.");

    private Dictionary<string, string> MatricesBesideBiases(GraphProto graph)
    {
        var matrixOf = new Dictionary<string, string>();
        foreach (var node in graph.Node)
            if (node.OpType == "MatMul" && node.Input.Count == 2 && _tensors.ContainsKey(node.Input[1])) matrixOf[node.Output[0]] = node.Input[1];

        var beside = new Dictionary<string, string>();
        foreach (var node in graph.Node)
        {
            if (node.OpType != "Add" || node.Input.Count != 2) continue;
            foreach (var (bias, product) in new[] { (node.Input[0], node.Input[1]), (node.Input[1], node.Input[0]) })
                if (_tensors.ContainsKey(bias) && matrixOf.TryGetValue(product, out string? matrix)) beside[bias] = matrix;
        }
        return beside;
    }
}
