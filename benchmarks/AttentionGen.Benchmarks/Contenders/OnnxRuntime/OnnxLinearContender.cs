using System.Runtime.InteropServices;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>A model for each layer whose weights are constants, so that ONNX Runtime packs them once.</summary>
internal sealed class OnnxLinearContender : Contender
{
    // Its workers spin for about 60 ms after a run.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(80);

    private readonly OrtApi _api = OrtApi.Here;
    private readonly LinearInputs _inputs;
    private readonly string _operator;
    private readonly int _threads;
    private readonly Tensor _output;
    private readonly nint _input;
    private readonly nint[] _sessions, _outputs, _inputNames, _outputNames;

    /// <param name="inputs">Rows and weights.</param>
    /// <param name="operator">MatMul with weights [inputDim, outputDim], or Gemm with weights [outputDim, inputDim].</param>
    /// <param name="threads">Of each model.</param>
    /// <exception cref="PeerException">ONNX Runtime refuses a model.</exception>
    public OnnxLinearContender(LinearInputs inputs, string @operator, int threads)
    {
        (_inputs, _operator, _threads) = (inputs, @operator, threads);
        var row = inputs.Row;
        _output = new Tensor(row.Layers * row.Rows * row.OutputDim);
        var input = OnnxTensor.Of("input", inputs.Input, [row.Rows, row.InputDim]);
        OnnxTensor[] outputs = [.. Enumerable.Range(0, row.Layers).Select(layer => OnnxTensor.Of("output", _output, [row.Rows, row.OutputDim], layer * row.Rows * row.OutputDim))];
        _sessions = [.. Enumerable.Range(0, row.Layers).Select(layer => _api.CreateSession(Node(layer, input, outputs[layer]).Encode(), threads))];
        (_input, _outputs) = (_api.CreateValue(input), [.. outputs.Select(_api.CreateValue)]);
        (_inputNames, _outputNames) = ([Marshal.StringToCoTaskMemUTF8("input")], [Marshal.StringToCoTaskMemUTF8("output")]);
    }

    public override string Name => "OnnxRuntime";

    public override string Path => _operator;

    public override string Layout => OwnLayout;

    public override string? Storage => "float";

    public override double? KeyValueBytes => sizeof(float) * _inputs.Row.Elements;

    public override void Run()
    {
        for (int i = 0; i < _sessions.Length; i++) _api.Run(_sessions[i], _inputNames, [_input], _outputNames, [_outputs[i]]);
    }

    public override void Leave()
    {
        if (_threads > 1) Thread.Sleep(s_pause);
    }

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => LinearOutput.Row(_inputs, _output, batch, query);

    public override void Dispose()
    {
        base.Dispose();
        foreach (nint session in _sessions) _api.FreeSession(session);
        foreach (nint value in _outputs.Append(_input)) _api.FreeValue(value);
        foreach (nint name in _inputNames.Concat(_outputNames)) Marshal.FreeCoTaskMem(name);
    }

    private OnnxNode Node(int layer, OnnxTensor input, OnnxTensor output)
    {
        var row = _inputs.Row;
        bool turned = _operator == "MatMul";
        var weights = OnnxTensor.Of("weights", turned ? Turned(layer) : _inputs.Weights, turned ? [row.InputDim, row.OutputDim] : [row.OutputDim, row.InputDim], turned ? 0 : layer * row.InputDim * row.OutputDim);
        return new OnnxNode("", 13, _operator, turned ? new Dictionary<string, int>() : new Dictionary<string, int> { ["transB"] = 1 }, [input, weights], [output]) { Constants = [weights] };
    }

    private Tensor Turned(int layer)
    {
        var row = _inputs.Row;
        ReadOnlySpan<float> from = _inputs.WeightsOf(layer);
        var tensor = new Tensor(from.Length);
        var to = tensor.Span;
        for (int i = 0; i < row.OutputDim; i++)
            for (int j = 0; j < row.InputDim; j++) to[j * row.OutputDim + i] = from[i * row.InputDim + j];
        return tensor;
    }
}
