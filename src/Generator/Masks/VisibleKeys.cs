using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Masks;

/// <summary>
/// The visible keys of a row in closed form: those from 0 up to a bound. Relative to a block of keys, with <c>seen</c> the bound of the tile's
/// first row (possibly negative or past the block) and <c>keys</c> the block's length, this spells the bounds of its rows.
/// </summary>
/// <param name="Step">How many more keys each further row sees: 1 under a causal mask, 0 where all rows see the same.</param>
internal sealed record VisibleKeys(int Step)
{
    public static VisibleKeys Of(Mask mask) => new(mask == Mask.Causal ? 1 : 0);

    public bool DiffersByRow => Step != 0;

    /// <summary>The bound of a row of the tile.</summary>
    public string Bound(string row) => DiffersByRow ? $"seen + {row}" : "seen";

    /// <summary>The bound that no row of the tile reaches past.</summary>
    public string LargestBound(int rows) => DiffersByRow ? $"seen + {Step * (rows - 1)}" : "seen";
}
