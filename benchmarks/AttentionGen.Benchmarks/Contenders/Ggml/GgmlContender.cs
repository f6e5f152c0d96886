using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>Ways of ggml.</summary>
internal enum GgmlWay
{
    /// <summary>One operator, keys and values in single precision.</summary>
    Fused,

    /// <summary>Two matrix products and a softmax between them, over all scores; the values are kept transposed, as its users do.</summary>
    Unfused,
}

/// <summary>Attention as users of ggml write it.</summary>
internal sealed unsafe class GgmlContender : Contender
{
    private const int FloatType = 0, HalfType = 1; // of elements
    private const int SinglePrecision = 10;
    private const int MaskRows = 64; // a mask has a multiple of so many
    private const float MaxBias = 8; // of ALiBi: the standard slopes
    private const double MaxScores = 1 << 28; // of the way that keeps them all

    private readonly GgmlApi _api = GgmlApi.Here;
    private readonly Inputs _inputs;
    private readonly GgmlWay _way;
    private readonly List<Tensor> _tensors = []; // what ggml holds addresses of
    private readonly List<nint> _buffers = [];
    private readonly nint _context, _backend, _pool, _graph, _output;

    /// <exception cref="PeerException">ggml refuses.</exception>
    public GgmlContender(Inputs inputs, GgmlWay way, int threads)
    {
        _inputs = inputs;
        _way = way;
        var shape = inputs.Shape;
        var variant = shape.Variant;
        if (variant is { Score: not null }) throw new PeerException("it has no score of one's own");
        if (variant is { LogSumExp: true }) throw new PeerException("it has no log-sum-exp");
        double scores = (double)shape.Batch * shape.Heads * shape.Queries * shape.Keys;
        if (way == GgmlWay.Unfused && scores > MaxScores) throw new PeerException($"{scores:0} scores");

        _context = _api.NewContext();
        nint query = Place(inputs.HeadMajorQuery, shape.HeadDim, shape.Queries, shape.Heads);
        nint key = Place(inputs.HeadMajorKey, shape.HeadDim, shape.Keys, shape.KeyValueHeads);
        bool masked = shape.IsMasked || variant is { Sees: not null } or { HasBias: true };
        int maskRows = (shape.Queries + MaskRows - 1) / MaskRows * MaskRows;

        // It knows the slopes of ALiBi, and multiplies its mask by them: that is the distances then, the same for all heads.
        bool distances = variant is { Alibi: true, Bias: null };
        int maskHeads = variant is { PerHead: true } && !(distances && variant.Sees is null) ? shape.Heads : 1;
        nint mask = masked ? _api.NewTensor(_context, HalfType, shape.Keys, maskRows, maskHeads, 1) : 0;
        nint sinks = variant?.Sinks is null ? 0 : _api.NewTensor(_context, FloatType, shape.Heads, 1, 1, 1);
        float scale = 1 / MathF.Sqrt(shape.HeadDim), cap = variant?.SoftCap ?? 0, maxBias = distances ? MaxBias : 0;
        if (way == GgmlWay.Fused)
        {
            nint value = Place(inputs.HeadMajorValue, shape.HeadDim, shape.Keys, shape.KeyValueHeads);
            _output = _api.Flash(_context, query, key, value, mask, scale, maxBias, cap);
            _api.SetFlashPrecision(_output, SinglePrecision);
            if (sinks != 0) _api.AddFlashSinks(_output, sinks);
        }
        else
        {
            nint value = Place(Transposed(inputs.HeadMajorValue), shape.Keys, shape.HeadDim, shape.KeyValueHeads);
            nint products = _api.Multiply(_context, key, query);
            if (cap > 0)
            {
                products = _api.Scale(_context, _api.Tanh(_context, _api.Scale(_context, products, scale / cap)), cap);
                scale = 1;
            }

            nint weights = _api.SoftMax(_context, products, mask, scale, maxBias);
            if (sinks != 0) _api.AddSoftMaxSinks(weights, sinks);
            _output = _api.Multiply(_context, value, weights);
        }

        _graph = _api.NewGraph(_context);
        _api.Expand(_graph, _output);
        _backend = _api.NewBackend();
        _buffers.Add(_api.AllocateTensors(_context, _backend));
        if (masked) FillMask(new Span<Half>(_api.Data(mask), shape.Keys * maskRows * maskHeads), maskRows, maskHeads, distances);
        if (sinks != 0) variant!.Sinks.CopyTo(new Span<float>(_api.Data(sinks), shape.Heads));
        _pool = _api.NewThreadPool(threads);
        _api.SetThreads(_backend, threads);
        _api.SetThreadPool(_backend, _pool);
        _api.PauseThreadPool(_pool);
    }

    public override string Name => "Ggml";

    public override string Path => $"{(_way == GgmlWay.Fused ? "flash_attn_ext" : "mul_mat, soft_max, mul_mat")} ({_api.Build})";

    public override string Layout => OwnLayout;

    public override void Enter() => _api.ResumeThreadPool(_pool);

    public override void Run()
    {
        int status = _api.Compute(_backend, _graph);
        if (status != 0) throw new PeerException($"it gives status {status}");
    }

    public override void Leave() => _api.PauseThreadPool(_pool);

    // The fused output is token-major whatever its input.
    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head)
    {
        var shape = _inputs.Shape;
        int row = _way == GgmlWay.Fused
            ? (batch * shape.Queries + query) * shape.Heads + head
            : (batch * shape.Heads + head) * shape.Queries + query;
        return new ReadOnlySpan<float>((float*)_api.Data(_output) + row * shape.HeadDim, shape.HeadDim);
    }

    public override void Dispose()
    {
        base.Dispose();
        _api.ResumeThreadPool(_pool);
        _api.FreeBackend(_backend);
        _api.FreeThreadPool(_pool);
        foreach (nint buffer in _buffers) _api.FreeBuffer(buffer);
        _api.FreeContext(_context);
    }

    /// <summary>A tensor on our memory, its shortest axis first.</summary>
    private nint Place(Tensor tensor, int columns, int rows, int heads)
    {
        _tensors.Add(tensor);
        nint placed = _api.NewTensor(_context, FloatType, columns, rows, heads, _inputs.Shape.Batch);
        nint buffer = _api.BufferOn((void*)tensor.Address, (nuint)tensor.Bytes);
        _buffers.Add(buffer);
        if (_api.PlaceTensor(buffer, placed, (void*)tensor.Address) != 0) throw new PeerException("it refuses our memory");
        return placed;
    }

    private Tensor Transposed(Tensor headMajor)
    {
        int dim = _inputs.Shape.HeadDim, keys = _inputs.Shape.Keys;
        var tensor = new Tensor(headMajor.Length);
        for (int head = 0; head < headMajor.Length; head += keys * dim)
        {
            Span<float> from = headMajor.Span.Slice(head, keys * dim), to = tensor.Span.Slice(head, keys * dim);
            for (int j = 0; j < keys; j++)
                for (int d = 0; d < dim; d++) to[d * keys + j] = from[j * dim + d];
        }

        return tensor;
    }

    private void FillMask(Span<Half> mask, int maskRows, int maskHeads, bool distances)
    {
        var shape = _inputs.Shape;
        mask.Clear();
        for (int head = 0; head < maskHeads; head++)
        {
            for (int query = 0; query < shape.Queries; query++)
            {
                var row = mask.Slice((head * maskRows + query) * shape.Keys, shape.Keys);
                for (int key = 0; key < row.Length; key++)
                {
                    float added = distances ? -Math.Abs(shape.Position(query) - key) : shape.Variant?.Added(shape.Heads, head, shape.Position(query), key) ?? 0;
                    row[key] = shape.Sees(head, query, key) ? (Half)added : Half.NegativeInfinity;
                }
            }
        }
    }
}
