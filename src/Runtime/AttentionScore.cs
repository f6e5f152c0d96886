#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>How a query and a key give a score, before the scale.</summary>
#if ATTENTIONGEN_GENERATOR
internal enum Scoring
#else
public enum AttentionScore
#endif
{
    /// <summary>The sum of q[d] * k[d]. The scale is 1 / sqrt(headDim) unless it is given.</summary>
    Dot,

    /// <summary>
    /// q^T W k, the sum of q[d] * W[h, d, e] * k[e], with a matrix for each head in the parameter <c>queryKeyWeight</c>. Queries and keys may differ in width: see <see cref="AttentionAttribute.KeyDim"/>.
    /// The scale is 1 unless it is given.
    /// </summary>
    /// <remarks>Luong et al., Effective Approaches to Attention-based Neural Machine Translation, <see href="https://arxiv.org/abs/1508.04025"/>, section 3.1.</remarks>
    General,

    /// <summary>
    /// The sum of v[h, d] * tanh(q[d] + k[d]), with a vector for each head in the parameter <c>scoreVector</c>. Queries and keys are projected before. The scale is 1 unless it is given. A pair costs
    /// headDim hyperbolic tangents, each with a relative error of at most 1e-6.
    /// </summary>
    /// <remarks>Bahdanau et al., Neural Machine Translation by Jointly Learning to Align and Translate, <see href="https://arxiv.org/abs/1409.0473"/>, appendix A.1.2.</remarks>
    Additive,
}
