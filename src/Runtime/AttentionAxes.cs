#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>The axes that a tensor beside the scores has. Along the others it is the same; those that it has follow each other in this order.</summary>
[Flags]
#if ATTENTIONGEN_GENERATOR
internal enum Axes
#else
public enum AttentionAxes
#endif
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>A value for each batch item.</summary>
    Batch = 1,

    /// <summary>A value for each query head.</summary>
    Head = 2,

    /// <summary>A value for each query.</summary>
    Query = 4,

    /// <summary>A value for each key.</summary>
    Key = 8,
}
