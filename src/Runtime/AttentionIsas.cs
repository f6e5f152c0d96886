#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>The instruction sets for which the generator produces code.</summary>
[Flags]
#if ATTENTIONGEN_GENERATOR
internal enum Isas
#else
public enum AttentionIsas
#endif
{
    /// <summary>128-bit vectors, in the instructions that the processor has for them.</summary>
    Portable = 1,

    /// <summary>x64 with AVX2 and FMA.</summary>
    Avx2 = 2,

    /// <summary>x64 with AVX-512 (F, DQ), where the runtime considers 512-bit vectors profitable.</summary>
    Avx512 = 4,

    /// <summary>arm64 with Advanced SIMD, which every arm64 processor has.</summary>
    Neon = 8,

    /// <summary>All instruction sets.</summary>
    All = Portable | Avx2 | Avx512 | Neon,
}
