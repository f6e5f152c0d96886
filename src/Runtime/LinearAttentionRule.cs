#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>How a token changes the state S [headDim, valueDim] of linear attention. The output is o_t = S_t^T q_t * scale.</summary>
#if ATTENTIONGEN_GENERATOR
internal enum Rule
#else
public enum LinearAttentionRule
#endif
{
    /// <summary>
    /// No rule. With <see cref="AttentionMask.Causal"/> it is <see cref="Linear"/>. Without a mask every query attends to all keys, and there is no order of tokens and no state.
    /// </summary>
    None = 0,

    /// <summary>S_t = S_{t-1} + k_t v_t^T (Katharopoulos et al. 2020, <see href="https://arxiv.org/abs/2006.16236"/>).</summary>
    Linear = 1,

    /// <summary>S_t = exp(decay_t) S_{t-1} + k_t v_t^T (Yang et al. 2023, <see href="https://arxiv.org/abs/2312.06635"/>; Mamba-2, <see href="https://arxiv.org/abs/2405.21060"/>).</summary>
    Gated = 2,

    /// <summary>S_t = S_{t-1} + beta_t k_t (v_t - S_{t-1}^T k_t)^T (Schlag et al. 2021, <see href="https://arxiv.org/abs/2102.11174"/>; Yang et al. 2024, <see href="https://arxiv.org/abs/2406.06484"/>).</summary>
    Delta = 3,

    /// <summary>The decay of <see cref="Gated"/>, then the correction of <see cref="Delta"/> (Yang et al. 2024, <see href="https://arxiv.org/abs/2412.06464"/>).</summary>
    GatedDelta = 4,
}
