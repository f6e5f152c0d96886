#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>The order of the axes of query, key, value and output in memory.</summary>
#if ATTENTIONGEN_GENERATOR
internal enum Layout
#else
public enum AttentionLayout
#endif
{
    /// <summary>[batch, tokens, heads, dim]: the heads of a token are adjacent, as a fused projection writes them.</summary>
    TokenMajor = 0,

    /// <summary>[batch, heads, tokens, dim]: the tokens of a head are adjacent (PyTorch, ONNX, most key-value caches).</summary>
    HeadMajor = 1,
}
