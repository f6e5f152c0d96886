using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>Ways of ggml.</summary>
internal enum GgmlWay
{
    /// <summary>One operator.</summary>
    Fused,

    /// <summary>Two matrix products and a softmax between them, over all scores; the values are kept transposed, as its users do.</summary>
    Unfused,
}

/// <summary>Attention as users of ggml write it.</summary>
internal sealed unsafe class GgmlContender : GgmlComputation
{
    private const float MaxBias = 8; // of ALiBi: the standard slopes
    private const double MaxScores = 1 << 28; // of the way that keeps them all

    private readonly GgmlWay _way;
    private readonly nint _output;

    /// <exception cref="PeerException">ggml refuses.</exception>
    public GgmlContender(Inputs inputs, GgmlWay way, int threads)
        : base(inputs.Shape)
    {
        _way = way;
        var shape = inputs.Shape;
        var variant = shape.Variant;
        if (variant is { Score: not null }) throw new PeerException("it has no score of one's own");
        if (variant is { LogSumExp: true }) throw new PeerException("it has no log-sum-exp");
        double scores = (double)shape.Batch * shape.Heads * shape.Queries * shape.Keys;
        if (way == GgmlWay.Unfused && scores > MaxScores) throw new PeerException($"{scores:0} scores");

        nint query = Place(inputs.HeadMajorQuery, shape.HeadDim, shape.Queries, shape.Heads);
        nint key = Place(inputs.HeadMajorKey, shape.HeadDim, shape.Keys, shape.KeyValueHeads);
        bool masked = shape.IsMasked || variant is { Sees: not null } or { HasBias: true };

        // It knows the slopes of ALiBi, and multiplies its mask by them: that is the distances then, the same for all heads.
        bool distances = variant is { Alibi: true, Bias: null };
        int maskHeads = variant is { PerHead: true } && !(distances && variant.Sees is null) ? shape.Heads : 1;
        nint mask = masked ? NewMask(maskHeads) : 0;
        nint sinks = variant?.Sinks is null ? 0 : Api.NewTensor(Context, GgmlType.Float.Number, shape.Heads, 1, 1, 1);
        float cap = variant?.SoftCap ?? 0, maxBias = distances ? MaxBias : 0;
        _output = way == GgmlWay.Fused
            ? Fused(query, key, Place(inputs.HeadMajorValue, shape.HeadDim, shape.Keys, shape.KeyValueHeads), mask, sinks, cap, maxBias)
            : Unfused(query, key, Place(Transposed(inputs.HeadMajorValue), shape.Keys, shape.HeadDim, shape.KeyValueHeads), mask, sinks, cap, maxBias);
        Build(threads, _output);
        if (masked) FillMask(mask, maskHeads, distances);
        if (sinks != 0) variant!.Sinks.CopyTo(new Span<float>(Api.Data(sinks), shape.Heads));
    }

    public override string Path => $"{(_way == GgmlWay.Fused ? "flash_attn_ext" : "mul_mat, soft_max, mul_mat")} ({Api.Build})";

    // The fused output is token-major whatever its input.
    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => Row(_output, _way == GgmlWay.Fused
        ? (batch * Shape.Queries + query) * Shape.Heads + head
        : (batch * Shape.Heads + head) * Shape.Queries + query);

    private nint Place(Tensor tensor, int columns, int rows, int heads) => Place(tensor, GgmlType.Float, 0, columns, rows, heads, Shape.Batch);
}
