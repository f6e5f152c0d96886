using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>
/// Attention over a cache in one of ggml's types, head by head. Many sequences are as many parts of one graph. The cache has its newest token already: what ggml
/// would take to write it is not counted.
/// </summary>
internal sealed unsafe class GgmlCacheContender : GgmlComputation
{
    private readonly GgmlType _type;
    private readonly GgmlWay _way;
    private readonly nint[] _outputs;

    /// <exception cref="PeerException">ggml refuses.</exception>
    public GgmlCacheContender(Inputs inputs, GgmlType type, GgmlWay way, int threads)
        : base(inputs.Shape)
    {
        _type = type;
        _way = way;
        bool fused = way == GgmlWay.Fused;
        Tensor keys = Stored(inputs.HeadMajorKey), values = Stored(fused ? inputs.HeadMajorValue : Transposed(inputs.HeadMajorValue));
        nint mask = Shape.IsMasked ? NewMask(heads: 1) : 0;
        _outputs = new nint[Shape.Batch];
        for (int batch = 0; batch < Shape.Batch; batch++)
        {
            int dim = Shape.HeadDim, tokens = Shape.KeysOf(batch), heads = Shape.KeyValueHeads;
            long firstQuery = (long)batch * Shape.Heads * Shape.Queries * dim, firstKey = (long)Shape.FirstKeyOf(batch) * heads * dim;
            nint query = Place(inputs.HeadMajorQuery, GgmlType.Float, firstQuery, dim, Shape.Queries, Shape.Heads, 1);
            nint key = Place(keys, type, firstKey, dim, tokens, heads, 1);
            _outputs[batch] = fused
                ? Fused(query, key, Place(values, type, firstKey, dim, tokens, heads, 1), mask)
                : Unfused(query, key, Place(values, type, firstKey, tokens, dim, heads, 1), mask);
        }

        Build(threads, _outputs);
        if (mask != 0) FillMask(mask, heads: 1, distances: false);
    }

    public override string Path => $"{(_way == GgmlWay.Fused ? "flash_attn_ext" : "mul_mat, soft_max, mul_mat")}, {_type.Name} ({Api.Build})";

    public override string? Storage => _type.Name;

    public override double? KeyValueBytes => 2.0 * _type.BytesOf(Shape.KeyElements);

    public override double Tolerance => _type.Tolerance;

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) =>
        Row(_outputs[batch], _way == GgmlWay.Fused ? query * Shape.Heads + head : head * Shape.Queries + query);

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
