using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Planning;

/// <summary>How a product of rows with packed weights is cut for an instruction set. Every number is chosen in <see cref="LinearPlanner"/>.</summary>
/// <param name="Lanes">Floats of a vector. A panel of weights has the columns of two.</param>
/// <param name="Rows">Input rows of a tile.</param>
/// <param name="BlockDepth">Products of a partial sum: the part of a panel that stays in the first-level cache while the tiles meet it.</param>
/// <param name="Streams">Panels that few rows read side by side: for one row, for two, ...</param>
internal sealed record LinearPlan(Isas Isa, int Lanes, int Rows, int BlockDepth, EquatableArray<int> Streams)
{
    /// <summary>Vectors of a panel. Weights of 16 bits lie in pairs, one of each vector.</summary>
    public const int Vectors = 2;

    public int PanelColumns => Vectors * Lanes;

    public string Name => $"linear_f32__{Isa.ToString().ToLowerInvariant()}_{Rows}x{Vectors}";
}
