using AttentionGen.Benchmarks.Kernels;

namespace AttentionGen.Benchmarks.Shapes;

/// <summary>Linear layers that are timed: all of them, one after the other, with the same rows.</summary>
/// <param name="Rows">Input rows.</param>
/// <param name="InputDim">Elements of an input row.</param>
/// <param name="OutputDim">Elements of an output row.</param>
/// <param name="Layers">Layers, each with weights of its own.</param>
/// <param name="Weights">How they are stored.</param>
internal sealed record LinearRow(int Rows, int InputDim, int OutputDim, int Layers, LinearStorage Weights)
{
    /// <summary>Several layers stand for a model whose weights no cache holds.</summary>
    public bool ReadsWeights => Layers > 1;

    public double Elements => (double)Layers * InputDim * OutputDim;

    public double Bytes => Elements * Weights.ElementBytes;

    public double Flops => 2 * Rows * Elements;

    public string Description => $"{Rows} row{(Rows == 1 ? "" : "s")}, {(Layers == 1 ? "" : $"{Layers} layers of ")}{InputDim} to {OutputDim}, weights of {Weights.Name}{(ReadsWeights ? ", out of DRAM" : "")}";

    /// <summary>A layer is an item of a batch, a row a query, an output row a head.</summary>
    public static Shape Shape(string id, int rows, int inputDim, int outputDim, int layers = 1, LinearStorage? weights = null) => new(id, 1, 1, outputDim, rows, inputDim, Causal: false)
    {
        Batch = layers, Linear = new(rows, inputDim, outputDim, layers, weights ?? LinearStorage.Float),
    };
}
