using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>How an instruction set spells what the emitters write. A new instruction set is one more of these and a row in the planner.</summary>
/// <param name="Title">For people.</param>
/// <param name="VectorClass">The class of the vector operations, in System.Runtime.Intrinsics; its members are in scope.</param>
/// <param name="MultiplyAdd">The operation x * y + z, of the vector class.</param>
/// <param name="FirstOf">The function of KernelMath that makes a mask of the first elements.</param>
/// <param name="Transpose">The function of KernelMath that transposes a square of keys, null where each element is gathered.</param>
/// <param name="TransposedKeys">Keys that are transposed or gathered at a time.</param>
internal sealed record Dialect(Isas Isa, string Title, string VectorClass, string MultiplyAdd, string FirstOf, string? Transpose, int TransposedKeys)
{
    /// <summary>The operation z + x * y[i] with an element of a vector, where there is one: a row operand is then loaded for four steps at once.</summary>
    public string? MultiplyAddByElement { get; init; }

    /// <summary>Whether there is an instruction that fetches memory ahead (.NET has none for arm64).</summary>
    public bool Prefetches { get; init; } = true;

    /// <summary>Writes that a row some rows ahead is fetched.</summary>
    public void Prefetch(SourceWriter w, string row, string stride, int length)
    {
        if (Prefetches) w.Line($"KernelMath.Prefetch(ref Unsafe.Add(ref {row}, {KernelPlanner.PrefetchRows(length)} * {stride}), {length});");
    }

    /// <summary>The property of KernelIsa that tells whether the dialect runs here; none for the portable one, which always does.</summary>
    public string? Supported => Isa == Isas.Portable ? null : Isa.ToString();

    public static Dialect Of(Isas isa) => isa switch
    {
        Isas.Avx512 => new(isa, "AVX-512", "Vector512", "FusedMultiplyAdd", "FirstOf512", "Transpose8", TransposedKeys: 8),
        Isas.Avx2 => new(isa, "AVX2 and FMA", "Vector256", "FusedMultiplyAdd", "FirstOf256", "Transpose8", TransposedKeys: 8),
        Isas.Neon => new(isa, "NEON", "Vector128", "FusedMultiplyAdd", "FirstOf128", "Transpose4", TransposedKeys: 4)
        {
            MultiplyAddByElement = "FusedMultiplyAddBySelectedScalar",
            Prefetches = false,
        },
        _ => new(isa, "portable, 128-bit vectors", "Vector128", "MultiplyAddEstimate", "FirstOf128", Transpose: null, TransposedKeys: 4),
    };
}
