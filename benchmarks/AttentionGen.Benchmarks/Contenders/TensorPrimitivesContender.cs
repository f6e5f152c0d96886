using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>The same by hand, with what .NET brings.</summary>
internal sealed class TensorPrimitivesContender(Inputs inputs, int threads) : Contender
{
    private const double MostPairs = 1 << 22;

    private readonly Shape _shape = inputs.Shape;
    private readonly Tensor _output = new(inputs.Shape.QueryElements);
    private readonly float[] _row = new float[inputs.Shape.Keys];

    private readonly TensorPrimitivesAttention _attention = new(inputs.Shape.Heads, inputs.Shape.HeadDim)
    {
        KeyValueHeads = inputs.Shape.KeyValueHeads,
        Causal = inputs.Shape.Causal,
        WindowLeft = inputs.Shape.WindowLeft,
        SoftCap = inputs.Shape.Variant?.SoftCap ?? 0,
        Bias = Added(inputs),
        Sinks = inputs.Shape.Variant?.Sinks,
    };

    private readonly float[] _logSumExp = new float[inputs.Shape.Variant is { LogSumExp: true } ? inputs.Shape.Heads * inputs.Shape.Queries : 0];

    public override string Name => "TensorPrimitives";

    public override string Path => "Dot, Exp, MultiplyAdd";

    public override string Layout => TokenMajor;

    public override bool IsManaged => true;

    public override void Run()
    {
        int queryLength = _output.Length / _shape.Batch, keyLength = inputs.Key.Length / _shape.Batch;
        for (int b = 0; b < _shape.Batch; b++)
        {
            int query = b * queryLength, key = b * keyLength;
            if (threads == 1)
            {
                _attention.Attend(
                    inputs.Query.Span.Slice(query, queryLength), inputs.Key.Span.Slice(key, keyLength), inputs.Value.Span.Slice(key, keyLength),
                    _output.Span.Slice(query, queryLength), _row, _logSumExp);
            }
            else
            {
                _attention.Attend(
                    inputs.Query.Memory.Slice(query, queryLength), inputs.Key.Memory.Slice(key, keyLength), inputs.Value.Memory.Slice(key, keyLength),
                    _output.Memory.Slice(query, queryLength), threads, _logSumExp);
            }
        }
    }

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) =>
        _output.Span.Slice(((batch * _shape.Queries + query) * _shape.Heads + head) * _shape.HeadDim, _shape.HeadDim);

    public override float? LogSumExp(int query, int head) => _logSumExp.Length == 0 ? null : _logSumExp[head * _shape.Queries + query];

    /// <exception cref="PeerException">It would be no longer simple.</exception>
    private static ReadOnlyMemory<float> Added(Inputs inputs) => inputs.Shape.Variant switch
    {
        { Sees: not null } when (double)inputs.Shape.Queries * inputs.Shape.Keys > MostPairs => throw new PeerException("it goes over all pairs for a mask, which takes seconds"),
        { Score: not null } => throw new PeerException("a score of its own is a loop over elements"),
        { Sees: not null } or { HasBias: true } => inputs.Bias.Memory,
        _ => default,
    };
}
