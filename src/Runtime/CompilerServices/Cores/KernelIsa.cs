using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>The instruction sets that a generated kernel may use on this processor. The JIT treats them as constants.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class KernelIsa
{
    /// <summary>AVX-512 F and DQ; false where the runtime avoids 512-bit vectors.</summary>
    public static bool Avx512
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.IsHardwareAccelerated && Avx512F.IsSupported && Avx512DQ.IsSupported;
    }

    /// <summary>AVX2 and FMA.</summary>
    public static bool Avx2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => System.Runtime.Intrinsics.X86.Avx2.IsSupported && Fma.IsSupported;
    }

    /// <summary>Advanced SIMD of arm64.</summary>
    public static bool Neon
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => AdvSimd.Arm64.IsSupported;
    }
}
