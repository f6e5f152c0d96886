#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>
/// The stages that a score passes through, each with the values of the one before. The numbers are those of <c>qk_matmul_output_mode</c> of the ONNX operator
/// Attention.
/// </summary>
/// <remarks>
/// What a key that a row does not see has there: 0 as its weight, -infinity masked. Before the mask, keys hidden by <c>bias</c>, <c>keep</c> or a score method have the
/// score that they would have had; those beyond the bounds of the row (mask, window, mask method, key lengths) have none, and -infinity stands for it. A visible score that is
/// itself -infinity has the weight 0, too, also in a row of nothing else, whose output is NaN.
/// </remarks>
#if ATTENTIONGEN_GENERATOR
internal enum Stage
#else
public enum AttentionStage
#endif
{
    /// <summary>Scale * query * key.</summary>
    Scaled = 0,

    /// <summary>After the soft cap; where there is none, as <see cref="Scaled"/>.</summary>
    Capped = 1,

    /// <summary>After score method, bias, slopes and masks: the input of the softmax.</summary>
    Masked = 2,

    /// <summary>After the softmax: what the values are multiplied by. With a sink, the weights of a row add up to less than 1.</summary>
    Weights = 3,
}
