using System.Runtime.InteropServices;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>An operator of ONNX Runtime.</summary>
internal sealed class OnnxRuntimeContender : Contender
{
    // Its workers spin for about 60 ms after a run.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(80);

    private readonly OrtApi _api = OrtApi.Here;
    private readonly Shape _shape;
    private readonly int _threads;
    private readonly OnnxWay _way;
    private readonly nint _session;
    private readonly nint[] _inputNames, _inputs, _outputNames, _outputs;

    /// <exception cref="PeerException">ONNX Runtime refuses the model.</exception>
    public OnnxRuntimeContender(Shape shape, OnnxWay way, int threads)
    {
        _shape = shape;
        _way = way;
        _threads = threads;
        _session = _api.CreateSession(way.Node.Encode(), threads);
        OnnxTensor[] inputs = [.. way.Node.Inputs.OfType<OnnxTensor>()];
        _inputNames = [.. inputs.Select(tensor => Marshal.StringToCoTaskMemUTF8(tensor.Name))];
        _inputs = [.. inputs.Select(_api.CreateValue)];
        _outputNames = [.. way.Node.Outputs.Select(tensor => Marshal.StringToCoTaskMemUTF8(tensor.Name))];
        _outputs = [.. way.Node.Outputs.Select(_api.CreateValue)];
    }

    public override string Name => "OnnxRuntime";

    public override string Path => _way.Path;

    public override string Layout => OwnLayout;

    public override string? Storage => _way.Storage;

    public override double? KeyValueBytes => 2.0 * _way.ElementBytes * _shape.KeyElements;

    public override double Tolerance => _way.Tolerance;

    public override void Run() => _api.Run(_session, _inputNames, _inputs, _outputNames, _outputs);

    public override void Leave()
    {
        if (_threads > 1) Thread.Sleep(s_pause);
    }

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head)
    {
        int row = _way.HeadMajorOutput
            ? (batch * _shape.Heads + head) * _shape.Queries + query
            : (batch * _shape.Queries + query) * _shape.Heads + head;
        return _way.Output.Span.Slice(row * _shape.HeadDim, _shape.HeadDim);
    }

    public override void Dispose()
    {
        base.Dispose();
        _api.FreeSession(_session);
        foreach (nint value in _inputs.Concat(_outputs)) _api.FreeValue(value);
        foreach (nint name in _inputNames.Concat(_outputNames)) Marshal.FreeCoTaskMem(name);
    }
}
