using AttentionGen.Benchmarks.Kernels;

namespace AttentionGen.Benchmarks.Shapes;

/// <summary>A whole attention layer that is timed: its projections around its attention. Its new tokens are the queries of the shape; older keys and values lie in a cache.</summary>
/// <param name="ModelDim">Elements of an input row and of an output row.</param>
/// <param name="Declared">Our layer.</param>
/// <param name="Step">A call of it.</param>
internal sealed record LayerRow(int ModelDim, Delegate Declared, LayerStep Step)
{
    public string Description => $"layer of {ModelDim}";

    /// <summary>An output row is a row of all heads.</summary>
    public static Shape Shape(string id, int modelDim, int heads, int keyValueHeads, int headDim, int queries, int keys, bool causal, Delegate declared, LayerStep step) =>
        new(id, heads, keyValueHeads, headDim, queries, keys, causal) { Layer = new(modelDim, declared, step) };

    /// <summary>The weights of all four projections.</summary>
    public double WeightsOf(Shape shape) => 2.0 * ModelDim * (shape.Heads + shape.KeyValueHeads) * shape.HeadDim;

    /// <summary>The weights, and the keys and values in the cache, each counted once.</summary>
    public double BytesOf(Shape shape) => sizeof(float) * (WeightsOf(shape) + 2.0 * shape.CachedKeys * shape.KeyValueHeads * shape.HeadDim);
}
