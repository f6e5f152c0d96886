using AttentionGen.Benchmarks.Kernels;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>A generated kernel over a shape's inputs: the shape's own, or the plain one beside it.</summary>
internal sealed class AttentionGenContender(Inputs inputs, AttentionLayout layout, int threads, Kernel kernel) : Contender
{
    private readonly Shape _shape = inputs.Shape;
    private readonly bool _headMajor = layout == AttentionLayout.HeadMajor;
    private readonly Tensor _query = layout == AttentionLayout.HeadMajor ? inputs.HeadMajorQuery : inputs.Query;
    private readonly Tensor _key = layout == AttentionLayout.HeadMajor ? inputs.HeadMajorKey : inputs.Key;
    private readonly Tensor _value = layout == AttentionLayout.HeadMajor ? inputs.HeadMajorValue : inputs.Value;
    private readonly Tensor _output = new(inputs.Shape.QueryElements);
    private readonly float[] _logSumExp = new float[inputs.Shape.Variant is { LogSumExp: true } ? inputs.Shape.Heads * inputs.Shape.Queries : 0];

    public AttentionGenContender(Inputs inputs, AttentionLayout layout, int threads)
        : this(inputs, layout, threads, KernelTable.Of(inputs.Shape, layout) ?? throw new ArgumentException($"{inputs.Shape.Id} has no kernel in that layout.", nameof(layout)))
    {
    }

    public override string Name => "AttentionGen";

    public override string Path => kernel.Info.Core;

    public override string Layout => _headMajor ? HeadMajor : TokenMajor;

    public override bool IsManaged => true;

    public override void Run() => kernel.Call(new KernelCall
    {
        Inputs = inputs,
        Query = _query.Span,
        Key = _key.Span,
        Value = _value.Span,
        Output = _output.Span,
        LogSumExp = _logSumExp,
        MaxThreads = threads,
    });

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head)
    {
        int row = _headMajor
            ? (batch * _shape.Heads + head) * _shape.Queries + query
            : (batch * _shape.Queries + query) * _shape.Heads + head;
        return _output.Span.Slice(row * _shape.HeadDim, _shape.HeadDim);
    }

    public override float? LogSumExp(int query, int head) => _logSumExp.Length == 0 ? null : _logSumExp[head * _shape.Queries + query];
}
