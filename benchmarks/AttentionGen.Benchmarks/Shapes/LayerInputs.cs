namespace AttentionGen.Benchmarks.Shapes;

/// <summary>The rows, the weights and the older keys and values of an attention layer.</summary>
internal sealed class LayerInputs
{
    public LayerInputs(Shape shape, int seed)
    {
        Shape = shape;
        int modelDim = shape.Layer!.ModelDim, cached = shape.CachedKeys * KeyWidth;
        var random = new Random(seed);
        Input = Filled(shape.Queries * modelDim, 1);
        Query = Filled(QueryWidth * modelDim, SizeOf(modelDim));
        Key = Filled(KeyWidth * modelDim, SizeOf(modelDim));
        Value = Filled(KeyWidth * modelDim, SizeOf(modelDim));
        Output = Filled(modelDim * QueryWidth, SizeOf(QueryWidth));
        CachedKeys = Filled(cached, 1);
        CachedValues = Filled(cached, 1);

        Tensor Filled(int length, float size)
        {
            var tensor = new Tensor(length);
            foreach (ref float x in tensor.Span) x = size * (2 * random.NextSingle() - 1);
            return tensor;
        }
    }

    public Shape Shape { get; }

    public int ModelDim => Shape.Layer!.ModelDim;

    /// <summary>The elements of a row of queries, and of a row of what the heads give.</summary>
    public int QueryWidth => Shape.Heads * Shape.HeadDim;

    /// <summary>The elements of a row of keys, and of a row of values.</summary>
    public int KeyWidth => Shape.KeyValueHeads * Shape.HeadDim;

    /// <summary>[queries, modelDim].</summary>
    public Tensor Input { get; }

    /// <summary>The projection of the queries, [heads * headDim, modelDim].</summary>
    public Tensor Query { get; }

    /// <summary>That of the keys, [keyValueHeads * headDim, modelDim].</summary>
    public Tensor Key { get; }

    /// <summary>That of the values, [keyValueHeads * headDim, modelDim].</summary>
    public Tensor Value { get; }

    /// <summary>That of the output, [modelDim, heads * headDim].</summary>
    public Tensor Output { get; }

    /// <summary>[cached keys, keyValueHeads, headDim].</summary>
    public Tensor CachedKeys { get; }

    /// <summary>[cached keys, keyValueHeads, headDim].</summary>
    public Tensor CachedValues { get; }

    /// <summary>Of weights that make outputs of about 1.</summary>
    private static float SizeOf(int depth) => MathF.Sqrt(9f / depth);
}
