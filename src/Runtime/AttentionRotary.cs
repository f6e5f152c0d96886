#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>
/// Which elements of a query or key head form the pairs that rotary positions rotate. A pair (x, y) at the position p becomes (x cos - y sin, x sin + y cos)
/// of the angle p * frequency of the pair, as RotaryTable computes them.
/// </summary>
/// <remarks>Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, <see href="https://arxiv.org/abs/2104.09864"/>.</remarks>
#if ATTENTIONGEN_GENERATOR
internal enum Rotary
#else
public enum AttentionRotary
#endif
{
    /// <summary>Queries and keys are not rotated.</summary>
    None = 0,

    /// <summary>The pairs are (x[i], x[i + RotaryDim / 2]): GPT-NeoX, and Llama, Qwen and Gemma in the form of Hugging Face.</summary>
    Halves = 1,

    /// <summary>The pairs are (x[2 i], x[2 i + 1]): RoFormer, GPT-J, and Llama in the form of Meta.</summary>
    Interleaved = 2,
}
