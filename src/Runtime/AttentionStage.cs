#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>
/// The stages of a score. Each stage starts from the values of the previous one. The numbers are those of <c>qk_matmul_output_mode</c> of the ONNX operator
/// Attention.
/// </summary>
/// <remarks>
/// <para>
/// A key that a row does not see has the weight 0, and the masked score -infinity. At the stages before the mask, a key that <c>bias</c>, <c>keep</c> or a
/// score method hides has the same score as if they did not hide it. A key beyond the bounds of the row (mask, window, mask method, key lengths) has no
/// score there, and the matrix holds -infinity.
/// </para>
/// <para>A visible score of -infinity also has the weight 0. This includes a row in which all visible scores are -infinity; its output is NaN.</para>
/// </remarks>
#if ATTENTIONGEN_GENERATOR
internal enum Stage
#else
public enum AttentionStage
#endif
{
    /// <summary>Scale * query * key.</summary>
    Scaled = 0,

    /// <summary>After the soft cap. Without a soft cap, the same as <see cref="Scaled"/>.</summary>
    Capped = 1,

    /// <summary>After score method, bias, slopes and masks: the input of the softmax.</summary>
    Masked = 2,

    /// <summary>After the softmax: the factors of the values. With a sink, the weights of a row add up to less than 1.</summary>
    Weights = 3,
}
