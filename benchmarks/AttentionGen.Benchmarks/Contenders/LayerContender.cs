using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>Our layer. With a cache it is called as in a decode loop: the newest tokens are cut off, and a call appends them. So each call finds the same cache.</summary>
internal sealed class LayerContender : Contender
{
    private readonly LayerInputs _inputs;
    private readonly int _threads;
    private readonly AttentionWeights<float> _weights;
    private readonly KeyValueCache<float>? _cache;
    private readonly Tensor _output;

    public LayerContender(LayerInputs inputs, int threads)
    {
        (_inputs, _threads) = (inputs, threads);
        var shape = inputs.Shape;
        _weights = AttentionWeights.Separate<float>(
            inputs.ModelDim, shape.Heads, shape.HeadDim, inputs.Query.Span, inputs.Key.Span, inputs.Value.Span, inputs.Output.Span, keyValueHeads: shape.KeyValueHeads);
        _output = new Tensor(inputs.Input.Length);
        if (shape.CachedKeys == 0) return;
        _cache = new KeyValueCache<float>(shape.KeyValueHeads, shape.HeadDim, capacity: shape.Keys);
        _cache.Append(inputs.CachedKeys.Span, inputs.CachedValues.Span);
    }

    public override string Name => "AttentionGen";

    public override string Path => AttentionInfo.Describe(_inputs.Shape.Layer!.Declared).Core;

    public override string Layout => TokenMajor;

    public override string? Storage => "float";

    public override bool IsManaged => true;

    public override void Run()
    {
        _cache?.Truncate(_inputs.Shape.CachedKeys);
        _inputs.Shape.Layer!.Step(_inputs.Input.Span, _weights, _cache, _output.Span, _threads);
    }

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => _output.Span.Slice(query * _inputs.ModelDim, _inputs.ModelDim);

    public override void Dispose()
    {
        base.Dispose();
        _weights.Dispose();
        _cache?.Dispose();
    }
}
