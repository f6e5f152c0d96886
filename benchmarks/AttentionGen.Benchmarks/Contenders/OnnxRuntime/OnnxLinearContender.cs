using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>A model for each layer whose weights are constants, so that ONNX Runtime packs them once.</summary>
internal sealed class OnnxLinearContender : Contender
{
    private readonly LinearInputs _inputs;
    private readonly OnnxProjection _operator;
    private readonly int _threads;
    private readonly Tensor _output;
    private readonly OnnxModel[] _models;

    /// <param name="inputs">Rows and weights.</param>
    /// <param name="operator">What multiplies.</param>
    /// <param name="threads">Of each model.</param>
    /// <exception cref="PeerException">ONNX Runtime refuses a model.</exception>
    public OnnxLinearContender(LinearInputs inputs, OnnxProjection @operator, int threads)
    {
        (_inputs, _operator, _threads) = (inputs, @operator, threads);
        var row = inputs.Row;
        _output = new Tensor(row.Layers * row.Rows * row.OutputDim);
        var input = OnnxTensor.Of("input", inputs.Input, [row.Rows, row.InputDim]);
        _models = [.. Enumerable.Range(0, row.Layers).Select(layer => new OnnxModel(Graph(layer, input, OnnxTensor.Of("output", _output, [row.Rows, row.OutputDim], layer * row.Rows * row.OutputDim)), threads))];
    }

    public override string Name => "OnnxRuntime";

    public override string Path => _operator.ToString();

    public override string Layout => OwnLayout;

    public override string? Storage => "float";

    public override double? KeyValueBytes => sizeof(float) * _inputs.Row.Elements;

    public override void Run()
    {
        foreach (var model in _models) model.Run();
    }

    public override void Leave() => OnnxModel.Rest(_threads);

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => LinearOutput.Row(_inputs, _output, batch, query);

    public override void Dispose()
    {
        base.Dispose();
        foreach (var model in _models) model.Dispose();
    }

    private OnnxGraph Graph(int layer, OnnxTensor input, OnnxTensor output)
    {
        var weights = OnnxProjections.Constant(_operator, "weights", _inputs.WeightsOf(layer), _inputs.Row.InputDim);
        return new([OnnxProjections.Node(_operator, input, weights, output)], [weights]);
    }
}
