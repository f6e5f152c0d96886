#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>The norm of queries and keys before their product, for each head of a token separately.</summary>
/// <remarks>
/// <para>
/// The kernel computes squares and their sums in single precision. Elements beyond 1e18 make them infinite, and the normalised elements are 0. Where a
/// kernel reads keys in place, the product may overflow before the division by the norm; the result is then NaN.
/// </para>
/// <para>
/// Models apply rotary positions after the norm, and so does a kernel with <c>Rotary</c>. A rotation preserves lengths. The kernel may therefore normalise
/// queries and keys that are already rotated, if there are no weights.
/// </para>
/// </remarks>
#if ATTENTIONGEN_GENERATOR
internal enum Norm
#else
public enum AttentionNorm
#endif
{
    /// <summary>Queries and keys are not normalised.</summary>
    None = 0,

    /// <summary>
    /// x / sqrt(mean(x^2) + NormEpsilon) * weight, with the mean over HeadDim: RMSNorm of each head, as in Qwen 3 and Gemma 3 (Gemma stores its weights
    /// less 1). In OLMo 2, the mean is over all heads of a token: this norm does not support that.
    /// </summary>
    /// <remarks>Zhang and Sennrich, Root Mean Square Layer Normalization, <see href="https://arxiv.org/abs/1910.07467"/>.</remarks>
    Rms = 1,

    /// <summary>
    /// x / max(sqrt(sum(x^2)), NormEpsilon) * weight, as in <c>torch.nn.functional.normalize</c>. Scores are cosines times the scale, which such models
    /// learn.
    /// </summary>
    /// <remarks>Henry et al., Query-Key Normalization for Transformers, <see href="https://arxiv.org/abs/2010.04245"/>; Swin V2.</remarks>
    L2 = 2,
}
