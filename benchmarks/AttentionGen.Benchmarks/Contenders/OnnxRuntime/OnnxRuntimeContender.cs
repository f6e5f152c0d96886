using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>An operator of ONNX Runtime.</summary>
internal sealed class OnnxRuntimeContender : Contender
{
    private readonly Shape _shape;
    private readonly int _threads;
    private readonly OnnxWay _way;
    private readonly OnnxModel _model;

    /// <exception cref="PeerException">ONNX Runtime refuses the model.</exception>
    public OnnxRuntimeContender(Shape shape, OnnxWay way, int threads)
    {
        (_shape, _way, _threads) = (shape, way, threads);
        _model = new OnnxModel(OnnxGraph.Of(way.Node), threads);
    }

    public override string Name => "OnnxRuntime";

    public override string Path => _way.Path;

    public override string Layout => OwnLayout;

    public override string? Storage => _way.Storage;

    public override double? KeyValueBytes => 2.0 * _way.ElementBytes * _shape.KeyElements;

    public override double Tolerance => _way.Tolerance;

    public override void Run() => _model.Run();

    public override void Leave() => OnnxModel.Rest(_threads);

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
        _model.Dispose();
    }
}
