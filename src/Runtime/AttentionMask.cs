#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>Which keys a query sees.</summary>
#if ATTENTIONGEN_GENERATOR
internal enum Mask
#else
public enum AttentionMask
#endif
{
    /// <summary>Every query sees every key (bidirectional and cross attention) that its window, if there is one, has.</summary>
    None = 0,

    /// <summary>
    /// The query at position p sees the keys j &lt;= p. The first query stands at <c>queryStart</c> where the method has such a parameter;
    /// otherwise the last query sees the last key.
    /// </summary>
    Causal = 1,
}
