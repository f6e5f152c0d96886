#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>How a row combines the values of the keys that it sees.</summary>
#if ATTENTIONGEN_GENERATOR
internal enum Selection
#else
public enum AttentionSelection
#endif
{
    /// <summary>The sum of the values, with the softmax of the scores as weights.</summary>
    Softmax = 0,

    /// <summary>
    /// The value of the key with the largest score, the first among equals (hard attention). No exponential is computed. A row that sees no key has 0, a row with a NaN among its scores has NaN.
    /// A key with the score -infinity is hidden.
    /// </summary>
    Hard = 1,
}
