#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>What linear attention does to queries and keys before it multiplies them.</summary>
#if ATTENTIONGEN_GENERATOR
internal enum FeatureMap
#else
public enum LinearAttentionFeatureMap
#endif
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>elu(x) + 1: x + 1 for positive x, else e^x (Katharopoulos et al. 2020, <see href="https://arxiv.org/abs/2006.16236"/>).</summary>
    EluPlusOne = 1,

    /// <summary>max(x, 0).</summary>
    Relu = 2,

    /// <summary>The softmax over the elements of a head: e^x / sum(e^x).</summary>
    SoftmaxFeature = 3,
}
