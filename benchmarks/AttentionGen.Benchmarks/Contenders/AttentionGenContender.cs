using AttentionGen.Benchmarks.Kernels;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>The generated kernel.</summary>
internal sealed class AttentionGenContender(Inputs inputs, AttentionLayout layout, int threads) : Contender
{
    private readonly Shape _shape = inputs.Shape;
    private readonly bool _headMajor = layout == AttentionLayout.HeadMajor;
    private readonly Kernel _kernel = KernelTable.Of(inputs.Shape, layout);
    private readonly Tensor _query = layout == AttentionLayout.HeadMajor ? inputs.HeadMajorQuery : inputs.Query;
    private readonly Tensor _key = layout == AttentionLayout.HeadMajor ? inputs.HeadMajorKey : inputs.Key;
    private readonly Tensor _value = layout == AttentionLayout.HeadMajor ? inputs.HeadMajorValue : inputs.Value;
    private readonly Tensor _output = new(inputs.Shape.QueryElements);

    public override string Name => "AttentionGen";

    public override string Path => _kernel.Info.Core;

    public override string Layout => _headMajor ? HeadMajor : TokenMajor;

    public override bool IsManaged => true;

    public override void Run() => _kernel.Call(_query.Span, _key.Span, _value.Span, _output.Span, _shape.Batch, threads);

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head)
    {
        int row = _headMajor
            ? (batch * _shape.Heads + head) * _shape.Queries + query
            : (batch * _shape.Queries + query) * _shape.Heads + head;
        return _output.Span.Slice(row * _shape.HeadDim, _shape.HeadDim);
    }
}
