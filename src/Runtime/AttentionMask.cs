#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>The mask of a kernel: it says which keys a query sees.</summary>
#if ATTENTIONGEN_GENERATOR
internal enum Mask
#else
public enum AttentionMask
#endif
{
    /// <summary>A query sees all keys (bidirectional and cross attention), or all keys in its window.</summary>
    None = 0,

    /// <summary>
    /// The query at position p sees the keys j &lt;= p. The parameter <c>queryStart</c> gives the position of the first query. Without this parameter, the
    /// last query sees the last key.
    /// </summary>
    Causal = 1,
}
