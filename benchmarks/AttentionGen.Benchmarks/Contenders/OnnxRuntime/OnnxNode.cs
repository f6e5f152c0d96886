using System.Buffers.Binary;
using System.Text;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>An operator with its tensors, and the model that consists of it alone.</summary>
/// <param name="Domain">Of the operator; empty for ONNX's own.</param>
/// <param name="Version">Of the domain's operators.</param>
/// <param name="Operator">Its name.</param>
/// <param name="Attributes">Whole numbers.</param>
/// <param name="Inputs">In the operator's order; null for one that is left out.</param>
/// <param name="Outputs">In the operator's order.</param>
internal sealed record OnnxNode(
    string Domain, int Version, string Operator,
    IReadOnlyDictionary<string, int> Attributes, IReadOnlyList<OnnxTensor?> Inputs, IReadOnlyList<OnnxTensor> Outputs)
{
    private const int IrVersion = 10;

    // The fields of onnx.proto that a model of one node needs.
    private const int ModelIrVersion = 1, ModelGraph = 7, ModelOpset = 8, OpsetDomain = 1, OpsetVersion = 2;
    private const int GraphNode = 1, GraphName = 2, GraphConstant = 5, GraphInput = 11, GraphOutput = 12;
    private const int NodeInput = 1, NodeOutput = 2, NodeOperator = 4, NodeAttribute = 5, NodeDomain = 7;
    private const int AttributeName = 1, AttributeFloat = 2, AttributeInt = 3, AttributeText = 4, AttributeType = 20;
    private const int AttributeTypeFloat = 1, AttributeTypeInt = 2, AttributeTypeText = 3;
    private const int ConstantLength = 1, ConstantElement = 2, ConstantName = 8, ConstantBytes = 9;
    private const int ValueName = 1, ValueType = 2, TypeTensor = 1, TensorElement = 1;

    /// <summary>Attributes that are no whole numbers.</summary>
    public IReadOnlyDictionary<string, float> FloatAttributes { get; init; } = new Dictionary<string, float>();

    /// <summary>Attributes that are words.</summary>
    public IReadOnlyDictionary<string, string> TextAttributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The inputs that belong to the model, with their elements.</summary>
    public IReadOnlyList<OnnxTensor> Constants { get; init; } = [];

    /// <summary>The model in ONNX's format. Shapes are left open: a run brings them.</summary>
    public byte[] Encode()
    {
        var node = new Message();
        foreach (var input in Inputs) node.Add(NodeInput, input?.Name ?? "");
        foreach (var output in Outputs) node.Add(NodeOutput, output.Name);
        node.Add(NodeOperator, Operator);
        node.Add(NodeDomain, Domain);
        foreach (var (name, value) in Attributes)
            node.Add(NodeAttribute, new Message().Add(AttributeName, name).Add(AttributeInt, value).Add(AttributeType, AttributeTypeInt));
        foreach (var (name, value) in FloatAttributes)
            node.Add(NodeAttribute, new Message().Add(AttributeName, name).Add(AttributeFloat, value).Add(AttributeType, AttributeTypeFloat));
        foreach (var (name, value) in TextAttributes)
            node.Add(NodeAttribute, new Message().Add(AttributeName, name).Add(AttributeText, value).Add(AttributeType, AttributeTypeText));

        var graph = new Message().Add(GraphNode, node).Add(GraphName, Operator);
        foreach (var constant in Constants) graph.Add(GraphConstant, Elements(constant));
        foreach (var input in Inputs.OfType<OnnxTensor>().Except(Constants)) graph.Add(GraphInput, Value(input));
        foreach (var output in Outputs) graph.Add(GraphOutput, Value(output));

        var model = new Message().Add(ModelIrVersion, IrVersion).Add(ModelGraph, graph);
        model.Add(ModelOpset, new Message().Add(OpsetDomain, Domain).Add(OpsetVersion, Version));
        return model.ToArray();
    }

    private static unsafe Message Elements(OnnxTensor tensor)
    {
        var message = new Message();
        foreach (long length in tensor.Shape) message.Add(ConstantLength, (int)length);
        return message.Add(ConstantElement, (int)tensor.Element).Add(ConstantName, tensor.Name).Add(ConstantBytes, new ReadOnlySpan<byte>((void*)tensor.Address, (int)tensor.Bytes));
    }

    private static Message Value(OnnxTensor tensor) => new Message()
        .Add(ValueName, tensor.Name)
        .Add(ValueType, new Message().Add(TypeTensor, new Message().Add(TensorElement, (int)tensor.Element)));

    /// <summary>A message of Protocol Buffers: fields one after the other, each with its number and its kind.</summary>
    private sealed class Message
    {
        private const int Varint = 0, Bytes = 2, Fixed32 = 5;

        private readonly List<byte> _bytes = [];

        public Message Add(int field, int value)
        {
            Write(field << 3 | Varint);
            Write(value);
            return this;
        }

        public Message Add(int field, float value)
        {
            Write(field << 3 | Fixed32);
            Span<byte> bytes = stackalloc byte[sizeof(float)];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            _bytes.AddRange(bytes);
            return this;
        }

        public Message Add(int field, string value) => Add(field, Encoding.UTF8.GetBytes(value));

        public Message Add(int field, Message value) => Add(field, value.ToArray());

        public byte[] ToArray() => [.. _bytes];

        public Message Add(int field, ReadOnlySpan<byte> value)
        {
            Write(field << 3 | Bytes);
            Write(value.Length);
            _bytes.AddRange(value);
            return this;
        }

        /// <summary>Seven bits a byte, lowest first; a negative number as 64 bits.</summary>
        private void Write(int value)
        {
            ulong rest = (ulong)(long)value;
            for (; rest >= 0x80; rest >>= 7) _bytes.Add((byte)(rest | 0x80));
            _bytes.Add((byte)rest);
        }
    }
}
