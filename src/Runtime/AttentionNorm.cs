#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>How queries and keys are normalised before their product, each head of a token by itself.</summary>
/// <remarks>
/// Squares and their sums are in single precision: of elements beyond 1e18 they are infinite, and the normalised ones 0, or NaN
/// where keys are read as they lie and the product overflows before the norm divides it. Rotary positions come after the norm; as a rotation
/// keeps lengths, queries and keys that are rotated already may be normalised here where there are no weights.
/// </remarks>
#if ATTENTIONGEN_GENERATOR
internal enum Norm
#else
public enum AttentionNorm
#endif
{
    /// <summary>Queries and keys stay as they are.</summary>
    None = 0,

    /// <summary>
    /// x / sqrt(mean(x^2) + NormEpsilon) * weight, the mean over HeadDim: RMSNorm of each head, as in Qwen 3 and Gemma 3 (which stores its weights less 1). In OLMo 2 the mean is over
    /// all heads of a token: that is not this.
    /// </summary>
    /// <remarks>Zhang and Sennrich, Root Mean Square Layer Normalization, <see href="https://arxiv.org/abs/1910.07467"/>.</remarks>
    Rms = 1,

    /// <summary>x / max(sqrt(sum(x^2)), NormEpsilon) * weight, as <c>torch.nn.functional.normalize</c> has it: scores are cosines times the scale, which such models learn.</summary>
    /// <remarks>Henry et al., Query-Key Normalization for Transformers, <see href="https://arxiv.org/abs/2010.04245"/>; Swin V2.</remarks>
    L2 = 2,
}
