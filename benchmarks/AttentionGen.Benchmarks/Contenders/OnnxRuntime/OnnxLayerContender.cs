using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>The operators between the projections of a layer.</summary>
internal enum OnnxHeads
{
    /// <summary>It projects queries, keys and values itself.</summary>
    Attention,

    /// <summary>Three projections before it.</summary>
    MultiHeadAttention,

    /// <summary>Three projections before it.</summary>
    GroupQueryAttention,

    /// <summary>One projection before it, whose rows are those of queries, keys and values.</summary>
    PackedGroupQueryAttention,
}

/// <summary>A layer as a graph with constant weights, which ONNX Runtime packs once.</summary>
internal sealed class OnnxLayerContender : Contender
{
    private const string Contrib = "com.microsoft";

    private readonly LayerInputs _inputs;
    private readonly OnnxProjection _projection;
    private readonly OnnxHeads _heads;
    private readonly int _threads;
    private readonly Tensor _output;
    private readonly OnnxModel _model;
    private readonly List<OnnxNode> _nodes = [];
    private readonly List<OnnxTensor> _constants = [];

    /// <exception cref="PeerException">ONNX Runtime refuses the model.</exception>
    public OnnxLayerContender(LayerInputs inputs, (OnnxProjection Projection, OnnxHeads Heads) way, int threads)
    {
        (_inputs, _threads) = (inputs, threads);
        (_projection, _heads) = way;
        _output = new Tensor(inputs.Input.Length);
        var rows = OnnxTensor.Of("rows", inputs.Input, RowsOf(inputs.ModelDim, batched: IsBatched || _heads == OnnxHeads.Attention));
        Project("output", inputs.Output.Span, inputs.QueryWidth, Flat(Heads(rows)), OnnxTensor.Of("output", _output, RowsOf(inputs.ModelDim, IsBatched)));
        _model = new OnnxModel(new OnnxGraph(_nodes, _constants), threads);
    }

    public override string Name => "OnnxRuntime";

    public override string Path => $"{_projection}, {_heads}";

    public override string Layout => OwnLayout;

    public override string? Storage => "float";

    /// <summary>All ways that such a layer has.</summary>
    public static IEnumerable<(OnnxProjection Projection, OnnxHeads Heads)> WaysOf(Shape shape) =>
        from projection in Enum.GetValues<OnnxProjection>()
        from heads in Enum.GetValues<OnnxHeads>()
        where heads >= OnnxHeads.GroupQueryAttention || (shape.Heads == shape.KeyValueHeads && shape.CachedKeys == 0 && !shape.Causal)
        select (projection, heads);

    public override void Run() => _model.Run();

    public override void Leave() => OnnxModel.Rest(_threads);

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => _output.Span.Slice(query * _inputs.ModelDim, _inputs.ModelDim);

    public override void Dispose()
    {
        base.Dispose();
        _model.Dispose();
    }

    /// <summary>Gemm takes rows without a batch, and operators of attention rows with one: between them stands a change of shape, which moves nothing.</summary>
    private bool IsBatched => _projection == OnnxProjection.MatMul;

    private long[] RowsOf(int width, bool batched) => batched ? [1, _inputs.Shape.Queries, width] : [_inputs.Shape.Queries, width];

    /// <summary>What the heads give, with a batch.</summary>
    private OnnxTensor Heads(OnnxTensor rows)
    {
        var shape = _inputs.Shape;
        var heads = OnnxTensor.Between("heads");
        switch (_heads)
        {
            case OnnxHeads.Attention:
                var weights = OnnxProjections.Constant(OnnxProjection.MatMul, "weights", Stacked(), _inputs.ModelDim);
                var bias = new Tensor(3 * _inputs.QueryWidth);
                bias.Span.Clear();
                OnnxTensor[] constants = [weights, OnnxTensor.Of("bias", bias, [bias.Length])];
                _constants.AddRange(constants);
                _nodes.Add(new(Contrib, 1, "Attention", new Dictionary<string, int> { ["num_heads"] = shape.Heads }, [rows, .. constants], [heads]));
                return heads;
            case OnnxHeads.MultiHeadAttention:
                _nodes.Add(new(Contrib, 1, "MultiHeadAttention", new Dictionary<string, int> { ["num_heads"] = shape.Heads }, [Query(rows), Key(rows), Value(rows)], [heads]));
                return heads;
            default:
                OnnxTensor?[] projected = _heads == OnnxHeads.PackedGroupQueryAttention
                    ? [Batched(Project("query", Stacked(), _inputs.ModelDim, rows, OnnxTensor.Between("query")), _inputs.QueryWidth + 2 * _inputs.KeyWidth), null, null]
                    : [Query(rows), Key(rows), Value(rows)];
                long[] cache = [1, shape.KeyValueHeads, shape.Keys, shape.HeadDim];
                Tensor? keys = shape.CachedKeys == 0 ? null : CacheOf(_inputs.CachedKeys), values = shape.CachedKeys == 0 ? null : CacheOf(_inputs.CachedValues);
                _nodes.Add(new(
                    Contrib, 1, "GroupQueryAttention",
                    new Dictionary<string, int> { ["num_heads"] = shape.Heads, ["kv_num_heads"] = shape.KeyValueHeads, ["causal"] = shape.Causal ? 1 : 0 },
                    [
                        .. projected, Past("past_key", keys), Past("past_value", values),
                        OnnxTensor.Of("seqlens_k", OnnxElement.Int32, new[] { shape.Keys - 1 }, [1]), OnnxTensor.Of("total_sequence_length", OnnxElement.Int32, new[] { shape.Keys }, [1]),
                    ],
                    [heads, Past("present_key", keys) ?? OnnxTensor.Between("present_key"), Past("present_value", values) ?? OnnxTensor.Between("present_value")]));
                return heads;

                // Past and present are the same memory.
                OnnxTensor? Past(string name, Tensor? tensor) => tensor is null ? null : OnnxTensor.Of(name, tensor, cache);
        }
    }

    private OnnxTensor Query(OnnxTensor rows) => Batched(Project("query", _inputs.Query.Span, _inputs.ModelDim, rows, OnnxTensor.Between("query")), _inputs.QueryWidth);

    private OnnxTensor Key(OnnxTensor rows) => Batched(Project("key", _inputs.Key.Span, _inputs.ModelDim, rows, OnnxTensor.Between("key")), _inputs.KeyWidth);

    private OnnxTensor Value(OnnxTensor rows) => Batched(Project("value", _inputs.Value.Span, _inputs.ModelDim, rows, OnnxTensor.Between("value")), _inputs.KeyWidth);

    private OnnxTensor Project(string name, ReadOnlySpan<float> weights, int depth, OnnxTensor rows, OnnxTensor output)
    {
        var constant = OnnxProjections.Constant(_projection, $"{name}_weights", weights, depth);
        _constants.Add(constant);
        _nodes.Add(OnnxProjections.Node(_projection, rows, constant, output));
        return output;
    }

    // The number of tokens stays open: with a known one ONNX Runtime takes a cache for as long as the new tokens.
    private OnnxTensor Batched(OnnxTensor rows, int width) => IsBatched ? rows : Shaped(rows, [1, -1, width]);

    private OnnxTensor Flat(OnnxTensor heads) => IsBatched ? heads : Shaped(heads, [-1, _inputs.QueryWidth]);

    private OnnxTensor Shaped(OnnxTensor tensor, long[] shape)
    {
        var (constant, shaped) = (OnnxTensor.Of($"{tensor.Name}_shape", OnnxElement.Int64, shape, [shape.Length]), OnnxTensor.Between($"{tensor.Name}_shaped"));
        _constants.Add(constant);
        _nodes.Add(new("", 13, "Reshape", new Dictionary<string, int>(), [tensor, constant], [shaped]));
        return shaped;
    }

    /// <summary>The weights of queries, keys and values, [outputs of all, inputs].</summary>
    private float[] Stacked() => [.. _inputs.Query.Span, .. _inputs.Key.Span, .. _inputs.Value.Span];

    /// <summary>A cache with room for the new tokens.</summary>
    private Tensor CacheOf(Tensor tokens)
    {
        var shape = _inputs.Shape;
        var cache = new Tensor(shape.KeyValueHeads * shape.Keys * shape.HeadDim);
        cache.Span.Clear();
        for (int token = 0; token < shape.CachedKeys; token++)
            for (int head = 0; head < shape.KeyValueHeads; head++)
                tokens.Span.Slice((token * shape.KeyValueHeads + head) * shape.HeadDim, shape.HeadDim).CopyTo(cache.Span[((head * shape.Keys + token) * shape.HeadDim)..]);
        return cache;
    }
}
