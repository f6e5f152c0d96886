using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Dialects;

/// <summary>
/// How an instruction set spells what the emitters write: by a class of functions in the runtime library, with the same functions for every width. A
/// new instruction set is a row here and a row of Machine.
/// </summary>
/// <param name="Title">For people.</param>
/// <param name="Vectors">The class of the functions; its members are in scope.</param>
/// <param name="Transpose">The function that transposes a square of keys, null where each element is gathered.</param>
/// <param name="TransposedKeys">Keys that are transposed or gathered at a time.</param>
internal sealed record Dialect(Isas Isa, string Title, string Vectors, string? Transpose, int TransposedKeys)
{
    /// <summary>Whether an operand can be an element of a vector: a row operand is then loaded for four steps at once.</summary>
    public bool MultipliesByElement { get; init; }

    /// <summary>Whether there is an instruction that fetches memory ahead (.NET has none for arm64).</summary>
    public bool Prefetches { get; init; } = true;

    /// <summary>
    /// Whether weights come from scores in one function that rounds and scales at once, three operations less. Where they come from registers their
    /// exponents are needed, too, to see that none is too large.
    /// </summary>
    public bool WeighsAtOnce { get; init; }

    /// <summary>Writes that a row some rows ahead is fetched.</summary>
    public void Prefetch(SourceWriter w, string row, string stride, int length)
    {
        if (Prefetches) w.Line($"PrefetchRow(ref {row}, {KernelPlanner.PrefetchRows(length)} * {stride}, {length});");
    }

    /// <summary>The property of KernelIsa that tells whether the dialect runs here; none for the portable one, which always does.</summary>
    public string? Supported { get; init; }

    /// <summary>The type of the vectors, in System.Runtime.Intrinsics.</summary>
    public string Vector => Vectors.Replace("Vectors", "Vector");

    public static Dialect Of(Isas isa) => isa switch
    {
        Isas.Avx512 => new(isa, "AVX-512", "Vectors512", "Vectors256.Transpose8", TransposedKeys: 8) { Supported = "Avx512" },
        Isas.Avx2 => new(isa, "AVX2 and FMA", "Vectors256", "Transpose8", TransposedKeys: 8) { Supported = "Avx2", WeighsAtOnce = true },
        Isas.Neon => new(isa, "NEON", "Vectors128", "Transpose4", TransposedKeys: 4) { Supported = "Neon", MultipliesByElement = true, Prefetches = false },
        _ => new(isa, "portable, 128-bit vectors", "Vectors128", Transpose: null, TransposedKeys: 4) { WeighsAtOnce = true },
    };
}
