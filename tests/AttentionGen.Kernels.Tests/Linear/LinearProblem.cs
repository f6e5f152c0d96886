namespace AttentionGen.Kernels.Tests;

/// <summary>What is added to the output of a layer.</summary>
public enum Residual
{
    None,
    Separate,

    /// <summary>The output itself.</summary>
    InPlace,
}

/// <summary>A linear layer and a call of it.</summary>
/// <param name="Type">Of the stored weights.</param>
public sealed record LinearProblem(Storage Type, int Rows, int InputDim, int OutputDim)
{
    /// <summary>The types that weights may have.</summary>
    public static readonly Storage[] Types = [Storage.Wide, Storage.BFloat16, Storage.SByte];

    public AttentionActivation Activation { get; init; }

    public AttentionWeightOrder Order { get; init; }

    public bool Bias { get; init; }

    public Residual Residual { get; init; }

    public int MaxThreads { get; init; } = 1;

    public int Seed { get; init; } = 1;

    /// <summary>Columns of weights: twice those of the output for a gate.</summary>
    public int Columns => Activation == AttentionActivation.SiluGate ? 2 * OutputDim : OutputDim;

    /// <summary>Random in all that a call can differ in.</summary>
    public static LinearProblem Of(Random random, Storage type, int rows, int inputDim, int outputDim) => new(type, rows, inputDim, outputDim)
    {
        Activation = random.GetItems(Enum.GetValues<AttentionActivation>(), 1)[0], Order = random.GetItems(Enum.GetValues<AttentionWeightOrder>(), 1)[0],
        Bias = random.Next(2) == 0, Residual = random.GetItems(Enum.GetValues<Residual>(), 1)[0], MaxThreads = 1 + random.Next(3), Seed = random.Next(),
    };
}
