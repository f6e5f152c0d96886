using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>A product of matrices for each layer, in one graph, with weights in one of ggml's types.</summary>
internal sealed unsafe class GgmlLinearContender : GgmlComputation
{
    private readonly GgmlType _type;
    private readonly LinearInputs _inputs;
    private readonly nint[] _outputs;

    /// <exception cref="PeerException">ggml refuses.</exception>
    public GgmlLinearContender(LinearInputs inputs, GgmlType type, int threads)
        : base(inputs.Shape)
    {
        (_inputs, _type) = (inputs, type);
        var row = inputs.Row;
        var weights = Stored();
        nint input = Place(inputs.Input, GgmlType.Float, 0, row.InputDim, row.Rows, 1, 1);
        _outputs = [.. Enumerable.Range(0, row.Layers).Select(layer => Api.Multiply(Context, Place(weights, type, (long)layer * row.InputDim * row.OutputDim, row.InputDim, row.OutputDim, 1, 1), input))];
        Build(threads, _outputs);
    }

    public override string Path => $"mul_mat, {_type.Name} ({Api.Build})";

    public override string? Storage => _type.Name;

    public override double? KeyValueBytes => _type.BytesOf((long)_inputs.Row.Elements);

    public override double Tolerance => _type.Tolerance;

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => Row(_outputs[batch], query);

    /// <summary>As ggml rounds them.</summary>
    private Tensor Stored()
    {
        var row = _inputs.Row;
        if (_type == GgmlType.Float) return _inputs.Weights;
        var stored = new Tensor((int)((_type.BytesOf(_inputs.Weights.Length) + sizeof(float) - 1) / sizeof(float)));
        Api.Quantize(_type.Number, (float*)_inputs.Weights.Address, (void*)stored.Address, 0, (long)row.Layers * row.OutputDim, row.InputDim, null);
        return stored;
    }
}
