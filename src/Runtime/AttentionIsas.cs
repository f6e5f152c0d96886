#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>Instruction sets that kernels are generated for.</summary>
[Flags]
#if ATTENTIONGEN_GENERATOR
internal enum Isas
#else
public enum AttentionIsas
#endif
{
    /// <summary>128-bit vectors in whatever instructions the processor has for them.</summary>
    Portable = 1,

    /// <summary>x64 with AVX2 and FMA.</summary>
    Avx2 = 2,

    /// <summary>x64 with AVX-512 (F, DQ), where the runtime finds 512-bit vectors worth using.</summary>
    Avx512 = 4,

    /// <summary>arm64 with Advanced SIMD, as every arm64 processor has it.</summary>
    Neon = 8,

    /// <summary>All of them.</summary>
    All = Portable | Avx2 | Avx512 | Neon,
}
