using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>
/// The fused operator over a cache in one of ggml's types, head by head. Many sequences are as many operators of one graph. The cache has its newest token already:
/// what ggml would take to write it is not counted.
/// </summary>
internal sealed unsafe class GgmlCacheContender : GgmlComputation
{
    private readonly GgmlType _type;
    private readonly nint[] _outputs;

    public GgmlCacheContender(Inputs inputs, GgmlType type, int threads)
        : base(inputs.Shape)
    {
        _type = type;
        var (keys, values) = (Stored(inputs.HeadMajorKey), Stored(inputs.HeadMajorValue));
        nint mask = Shape.IsMasked ? NewMask(heads: 1) : 0;
        _outputs = new nint[Shape.Batch];
        for (int batch = 0; batch < Shape.Batch; batch++)
        {
            long firstQuery = (long)batch * Shape.Heads * Shape.Queries * Shape.HeadDim, firstKey = (long)Shape.FirstKeyOf(batch) * Shape.KeyValueHeads * Shape.HeadDim;
            nint query = Place(inputs.HeadMajorQuery, GgmlType.Float, firstQuery, Shape.HeadDim, Shape.Queries, Shape.Heads, 1);
            nint key = Place(keys, type, firstKey, Shape.HeadDim, Shape.KeysOf(batch), Shape.KeyValueHeads, 1);
            nint value = Place(values, type, firstKey, Shape.HeadDim, Shape.KeysOf(batch), Shape.KeyValueHeads, 1);
            _outputs[batch] = Api.Flash(Context, query, key, value, mask, 1 / MathF.Sqrt(Shape.HeadDim), 0, 0);
            Api.SetFlashPrecision(_outputs[batch], SinglePrecision);
        }

        Build(threads, _outputs);
        if (mask != 0) FillMask(mask, heads: 1, distances: false);
    }

    public override string Path => $"flash_attn_ext, {_type.Name} ({Api.Build})";

    public override string? Storage => _type.Name;

    public override double? KeyValueBytes => 2.0 * _type.BytesOf(Shape.KeyElements);

    public override double Tolerance => _type.Tolerance;

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => Row(_outputs[batch], query * Shape.Heads + head);

    /// <summary>As ggml rounds it.</summary>
    private Tensor Stored(Tensor tensor)
    {
        if (_type == GgmlType.Float) return tensor;
        long bytes = _type.BytesOf(tensor.Length);
        var stored = new Tensor((int)((bytes + sizeof(float) - 1) / sizeof(float)));
        Api.Quantize(_type.Number, (float*)tensor.Address, (void*)stored.Address, 0, tensor.Length / Shape.HeadDim, Shape.HeadDim, null);
        return stored;
    }
}
