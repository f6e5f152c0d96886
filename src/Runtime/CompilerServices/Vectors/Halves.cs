using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>Half-precision numbers of all kinds: they become floats with a product, and with a repair of infinity and NaN.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct AnyHalves;

/// <summary>
/// Half-precision numbers without infinity and NaN. Their bits, where those of a float lie, are a number 2^112 times too small, and are read as they are. What they are multiplied by, queries and
/// weights, is 2^112 times as large instead. Both are exact, so that a product is the same number, and a sum has the same bits as with <see cref="AnyHalves"/>.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct FiniteHalves;
