namespace AttentionGen.Benchmarks.Shapes;

/// <summary>
/// The tensors of a shape, normally distributed, in both layouts: the contenders read the same memory where they can. Keys and values for a cache are numbers
/// that it stores without an error, so that rounding is not taken for an error of a kernel.
/// </summary>
internal sealed class Inputs
{
    // A prime: the numbers repeat, but no row meets itself again.
    private const int Period = 1_000_003;

    private readonly Lazy<Tensor> _headMajorQuery, _headMajorKey, _headMajorValue, _bias;
    private readonly Lazy<bool[]> _keep;

    public Inputs(Shape shape, int seed)
    {
        Shape = shape;
        float[] numbers = Normal(seed);
        Query = Filled(shape.QueryElements, numbers, 0);
        Key = Filled(shape.KeyElements, numbers, Period / 3);
        Value = Filled(shape.KeyElements, numbers, Period / 3 * 2);
        shape.Cache?.Storage.Round(Key.Span, shape.HeadDim);
        shape.Cache?.Storage.Round(Value.Span, shape.HeadDim);
        _headMajorQuery = new(() => HeadMajor(Query, _ => shape.Queries, shape.Heads));
        _headMajorKey = new(() => HeadMajor(Key, shape.KeysOf, shape.KeyValueHeads));
        _headMajorValue = new(() => HeadMajor(Value, shape.KeysOf, shape.KeyValueHeads));
        _bias = new(() =>
        {
            var bias = new Tensor(MaskHeads * shape.Queries * shape.Keys);
            var values = bias.Memory;
            Pairs((head, query, key, index) =>
                values.Span[index] = shape.Sees(head, query, key) ? shape.Variant?.Added(shape.Heads, head, shape.Position(query), key) ?? 0 : float.NegativeInfinity);
            return bias;
        });
        _keep = new(() =>
        {
            bool[] keep = new bool[MaskHeads * shape.Queries * shape.Keys];
            Pairs((head, query, key, index) => keep[index] = shape.Sees(head, query, key));
            return keep;
        });
    }

    public Shape Shape { get; }

    /// <summary>[batch, queries, heads, headDim].</summary>
    public Tensor Query { get; }

    /// <summary>[batch, keys, keyValueHeads, headDim].</summary>
    public Tensor Key { get; }

    /// <summary>[batch, keys, keyValueHeads, headDim].</summary>
    public Tensor Value { get; }

    /// <summary>[batch, heads, queries, headDim].</summary>
    public Tensor HeadMajorQuery => _headMajorQuery.Value;

    /// <summary>[batch, keyValueHeads, keys, headDim].</summary>
    public Tensor HeadMajorKey => _headMajorKey.Value;

    /// <summary>[batch, keyValueHeads, keys, headDim].</summary>
    public Tensor HeadMajorValue => _headMajorValue.Value;

    /// <summary>Heads of the masks below: 1 where they are the same for all.</summary>
    public int MaskHeads => Shape.Variant is { PerHead: true } ? Shape.Heads : 1;

    /// <summary>[maskHeads, queries, keys]: what is added to the scores, -infinity for what is not seen.</summary>
    public Tensor Bias => _bias.Value;

    /// <summary>[maskHeads, queries, keys]: what is seen.</summary>
    public bool[] Keep => _keep.Value;

    private void Pairs(Action<int, int, int, int> each)
    {
        int index = 0;
        for (int head = 0; head < MaskHeads; head++)
            for (int query = 0; query < Shape.Queries; query++)
                for (int key = 0; key < Shape.Keys; key++) each(head, query, key, index++);
    }

    private static float[] Normal(int seed)
    {
        var random = new Random(seed);
        float[] numbers = new float[Period];
        foreach (ref float number in numbers.AsSpan()) // Box and Muller
            number = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return numbers;
    }

    private static Tensor Filled(int length, float[] numbers, int from)
    {
        var tensor = new Tensor(length);
        var rest = tensor.Span;
        while (!rest.IsEmpty)
        {
            var part = numbers.AsSpan(from, Math.Min(numbers.Length - from, rest.Length));
            part.CopyTo(rest);
            rest = rest[part.Length..];
            from = 0;
        }

        return tensor;
    }

    private Tensor HeadMajor(Tensor tokenMajor, Func<int, int> tokensOf, int heads)
    {
        int dim = Shape.HeadDim, first = 0;
        var tensor = new Tensor(tokenMajor.Length);
        for (int b = 0; b < Shape.Batch; b++)
        {
            int tokens = tokensOf(b);
            Span<float> from = tokenMajor.Span[first..], to = tensor.Span[first..];
            for (int t = 0; t < tokens; t++)
                for (int h = 0; h < heads; h++)
                    from.Slice((t * heads + h) * dim, dim).CopyTo(to[((h * tokens + t) * dim)..]);
            first += tokens * heads * dim;
        }

        return tensor;
    }
}
