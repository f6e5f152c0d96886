namespace AttentionGen.Benchmarks.Shapes;

/// <summary>The rows and the weights of linear layers. Weights are numbers that their storage has, so that all contenders of single precision have the same.</summary>
internal sealed class LinearInputs
{
    public LinearInputs(Shape shape, int seed)
    {
        Shape = shape;
        Row = shape.Linear!;
        var random = new Random(seed);
        Input = new Tensor(Row.Rows * Row.InputDim);
        Weights = new Tensor(checked((int)Row.Elements));
        foreach (ref float x in Input.Span) x = 2 * random.NextSingle() - 1;
        float size = MathF.Sqrt(9f / Row.InputDim); // outputs about 1
        foreach (ref float x in Weights.Span) x = size * (2 * random.NextSingle() - 1);
        for (int layer = 0; layer < Row.Layers; layer++) Row.Weights.Round(WeightsOf(layer), Row.InputDim, Row.OutputDim);
    }

    public Shape Shape { get; }

    public LinearRow Row { get; }

    /// <summary>[rows, inputDim].</summary>
    public Tensor Input { get; }

    /// <summary>[layers, outputDim, inputDim].</summary>
    public Tensor Weights { get; }

    public Span<float> WeightsOf(int layer) => Weights.Span.Slice(layer * Row.InputDim * Row.OutputDim, Row.InputDim * Row.OutputDim);
}
