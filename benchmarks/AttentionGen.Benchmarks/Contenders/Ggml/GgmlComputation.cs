using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>A graph of ggml's operators on our memory, and its threads.</summary>
internal abstract unsafe class GgmlComputation : Contender
{
    private const int SinglePrecision = 10;
    private const int MaskRows = 64; // a mask has a multiple of so many

    private readonly Dictionary<Tensor, nint> _buffers = []; // its tensors are what ggml holds addresses of
    private nint _backend, _pool, _graph, _allocated;

    protected GgmlComputation(Shape shape)
    {
        Shape = shape;
        Context = Api.NewContext();
    }

    public override string Name => "Ggml";

    public override string Layout => OwnLayout;

    protected GgmlApi Api { get; } = GgmlApi.Here;

    protected Shape Shape { get; }

    protected nint Context { get; }

    public override void Enter() => Api.ResumeThreadPool(_pool);

    /// <exception cref="PeerException">ggml refuses.</exception>
    public override void Run()
    {
        int status = Api.Compute(_backend, _graph);
        if (status != 0) throw new PeerException($"it gives status {status}");
    }

    public override void Leave() => Api.PauseThreadPool(_pool);

    public override void Dispose()
    {
        base.Dispose();
        if (_pool != 0)
        {
            Api.ResumeThreadPool(_pool);
            Api.FreeBackend(_backend);
            Api.FreeThreadPool(_pool);
            Api.FreeBuffer(_allocated);
        }

        foreach (nint buffer in _buffers.Values) Api.FreeBuffer(buffer);
        Api.FreeContext(Context);
    }

    /// <summary>What gives the outputs is known: takes memory for what has none yet.</summary>
    protected void Build(int threads, params ReadOnlySpan<nint> outputs)
    {
        _graph = Api.NewGraph(Context);
        foreach (nint output in outputs) Api.Expand(_graph, output);
        _backend = Api.NewBackend();
        _allocated = Api.AllocateTensors(Context, _backend);
        _pool = Api.NewThreadPool(threads);
        Api.SetThreads(_backend, threads);
        Api.SetThreadPool(_backend, _pool);
        Api.PauseThreadPool(_pool);
    }

    /// <summary>A tensor on our memory, its shortest axis first.</summary>
    /// <param name="tensor">The memory.</param>
    /// <param name="type">Of its elements.</param>
    /// <param name="first">The elements before it.</param>
    /// <param name="columns">The shortest axis.</param>
    /// <param name="rows">The next one.</param>
    /// <param name="heads">The next one.</param>
    /// <param name="batch">The longest axis.</param>
    protected nint Place(Tensor tensor, GgmlType type, long first, int columns, int rows, int heads, int batch)
    {
        if (!_buffers.TryGetValue(tensor, out nint buffer)) _buffers[tensor] = buffer = Api.BufferOn((void*)tensor.Address, (nuint)tensor.Bytes);
        nint placed = Api.NewTensor(Context, type.Number, columns, rows, heads, batch);
        if (Api.PlaceTensor(buffer, placed, (void*)(tensor.Address + (nint)type.BytesOf(first))) != 0) throw new PeerException("it refuses our memory");
        return placed;
    }

    /// <summary>Values [batch, heads, keys, dim] as [batch, heads, dim, keys], in which the way without a fused operator keeps them.</summary>
    protected Tensor Transposed(Tensor headMajor)
    {
        int dim = Shape.HeadDim;
        var tensor = new Tensor(headMajor.Length);
        for (int batch = 0; batch < Shape.Batch; batch++)
        {
            int keys = Shape.KeysOf(batch), first = Shape.FirstKeyOf(batch) * Shape.KeyValueHeads * dim;
            for (int head = 0; head < Shape.KeyValueHeads; head++, first += keys * dim)
            {
                Span<float> from = headMajor.Span.Slice(first, keys * dim), to = tensor.Span.Slice(first, keys * dim);
                for (int j = 0; j < keys; j++)
                    for (int d = 0; d < dim; d++) to[d * keys + j] = from[j * dim + d];
            }
        }

        return tensor;
    }

    /// <summary>Two products and a softmax between them, over all scores.</summary>
    /// <param name="query">Queries.</param>
    /// <param name="key">Keys.</param>
    /// <param name="value">Transposed values.</param>
    /// <param name="mask">0 for none.</param>
    /// <param name="sinks">0 for none.</param>
    /// <param name="cap">Of scores; 0 for none.</param>
    /// <param name="maxBias">Of ALiBi; 0 for none.</param>
    protected nint Unfused(nint query, nint key, nint value, nint mask, nint sinks = 0, float cap = 0, float maxBias = 0)
    {
        float scale = 1 / MathF.Sqrt(Shape.HeadDim);
        nint products = Api.Multiply(Context, key, query);
        if (cap > 0)
        {
            products = Api.Scale(Context, Api.Tanh(Context, Api.Scale(Context, products, scale / cap)), cap);
            scale = 1;
        }

        nint weights = Api.SoftMax(Context, products, mask, scale, maxBias);
        if (sinks != 0) Api.AddSoftMaxSinks(weights, sinks);
        return Api.Multiply(Context, value, weights);
    }

    /// <summary>One operator.</summary>
    /// <param name="query">Queries.</param>
    /// <param name="key">Keys.</param>
    /// <param name="value">Values.</param>
    /// <param name="mask">0 for none.</param>
    /// <param name="sinks">0 for none.</param>
    /// <param name="cap">Of scores; 0 for none.</param>
    /// <param name="maxBias">Of ALiBi; 0 for none.</param>
    protected nint Fused(nint query, nint key, nint value, nint mask, nint sinks = 0, float cap = 0, float maxBias = 0)
    {
        nint output = Api.Flash(Context, query, key, value, mask, 1 / MathF.Sqrt(Shape.HeadDim), maxBias, cap);
        Api.SetFlashPrecision(output, SinglePrecision);
        if (sinks != 0) Api.AddFlashSinks(output, sinks);
        return output;
    }

    /// <summary>A mask without its elements.</summary>
    protected nint NewMask(int heads) => Api.NewTensor(Context, GgmlType.Half.Number, Shape.Keys, RowsOfMask, heads, 1);

    /// <summary>Fills a mask when there is memory for it.</summary>
    /// <param name="tensor">The mask.</param>
    /// <param name="heads">1 where it is the same for all.</param>
    /// <param name="distances">Whether ggml multiplies it by the slopes of ALiBi.</param>
    protected void FillMask(nint tensor, int heads, bool distances)
    {
        var mask = new Span<Half>(Api.Data(tensor), Shape.Keys * RowsOfMask * heads);
        mask.Clear();
        for (int head = 0; head < heads; head++)
        {
            for (int query = 0; query < Shape.Queries; query++)
            {
                var row = mask.Slice((head * RowsOfMask + query) * Shape.Keys, Shape.Keys);
                for (int key = 0; key < row.Length; key++)
                {
                    float added = distances ? -Math.Abs(Shape.Position(query) - key) : Shape.Variant?.Added(Shape.Heads, head, Shape.Position(query), key) ?? 0;
                    row[key] = Shape.Sees(head, query, key) ? (Half)added : Half.NegativeInfinity;
                }
            }
        }
    }

    /// <summary>A row of an output.</summary>
    protected ReadOnlySpan<float> Row(nint output, int row) => new((float*)Api.Data(output) + row * Shape.HeadDim, Shape.HeadDim);

    private int RowsOfMask => (Shape.Queries + MaskRows - 1) / MaskRows * MaskRows;
}
