using System.Buffers.Binary;
using System.Text;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>A model: operators, which hand tensors to each other by name.</summary>
/// <param name="Nodes">In the order in which they run.</param>
/// <param name="Constants">The inputs of operators that belong to the model, with their elements.</param>
internal sealed record OnnxGraph(IReadOnlyList<OnnxNode> Nodes, IReadOnlyList<OnnxTensor> Constants)
{
    private const int IrVersion = 10;

    // The fields of onnx.proto that such a model needs.
    private const int ModelIrVersion = 1, ModelGraph = 7, ModelOpset = 8, OpsetDomain = 1, OpsetVersion = 2;
    private const int GraphNode = 1, GraphName = 2, GraphConstant = 5, GraphInput = 11, GraphOutput = 12;
    private const int NodeInput = 1, NodeOutput = 2, NodeOperator = 4, NodeAttribute = 5, NodeDomain = 7;
    private const int AttributeName = 1, AttributeFloat = 2, AttributeInt = 3, AttributeText = 4, AttributeType = 20;
    private const int AttributeTypeFloat = 1, AttributeTypeInt = 2, AttributeTypeText = 3;
    private const int ConstantLength = 1, ConstantElement = 2, ConstantName = 8, ConstantBytes = 9;
    private const int ValueName = 1, ValueType = 2, TypeTensor = 1, TensorElement = 1;

    /// <summary>What a run brings.</summary>
    public IReadOnlyList<OnnxTensor> Inputs => [.. Nodes.SelectMany(node => node.Inputs).OfType<OnnxTensor>().Where(input => !input.IsBetween).Except(Constants)];

    /// <summary>What a run writes.</summary>
    public IReadOnlyList<OnnxTensor> Outputs => [.. Nodes.SelectMany(node => node.Outputs).Where(output => !output.IsBetween)];

    /// <summary>The model that consists of one operator.</summary>
    public static OnnxGraph Of(OnnxNode node) => new([node], []);

    /// <summary>The model in ONNX's format. Shapes are left open: a run brings them.</summary>
    public byte[] Encode()
    {
        var graph = new Message();
        foreach (var node in Nodes) graph.Add(GraphNode, Encoded(node));
        graph.Add(GraphName, Nodes[0].Operator);
        foreach (var constant in Constants) graph.Add(GraphConstant, Elements(constant));
        foreach (var input in Inputs) graph.Add(GraphInput, Value(input));
        foreach (var output in Outputs) graph.Add(GraphOutput, Value(output));

        var model = new Message().Add(ModelIrVersion, IrVersion).Add(ModelGraph, graph);
        foreach (var domain in Nodes.GroupBy(node => node.Domain, node => node.Version))
            model.Add(ModelOpset, new Message().Add(OpsetDomain, domain.Key).Add(OpsetVersion, domain.Max()));
        return model.ToArray();
    }

    private static Message Encoded(OnnxNode node)
    {
        var message = new Message();
        foreach (var input in node.Inputs) message.Add(NodeInput, input?.Name ?? "");
        foreach (var output in node.Outputs) message.Add(NodeOutput, output.Name);
        message.Add(NodeOperator, node.Operator);
        message.Add(NodeDomain, node.Domain);
        foreach (var (name, value) in node.Attributes)
            message.Add(NodeAttribute, new Message().Add(AttributeName, name).Add(AttributeInt, value).Add(AttributeType, AttributeTypeInt));
        foreach (var (name, value) in node.FloatAttributes)
            message.Add(NodeAttribute, new Message().Add(AttributeName, name).Add(AttributeFloat, value).Add(AttributeType, AttributeTypeFloat));
        foreach (var (name, value) in node.TextAttributes)
            message.Add(NodeAttribute, new Message().Add(AttributeName, name).Add(AttributeText, value).Add(AttributeType, AttributeTypeText));
        return message;
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
