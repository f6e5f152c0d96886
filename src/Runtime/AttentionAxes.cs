#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>
/// The axes of a tensor that the kernel combines with the scores. The tensor is constant along the other axes. Its axes follow each other in the order of
/// this enum, those of operands of linear attention in the order of the layout.
/// </summary>
[Flags]
#if ATTENTIONGEN_GENERATOR
internal enum Axes
#else
public enum AttentionAxes
#endif
{
    /// <summary>No axis.</summary>
    None = 0,

    /// <summary>A value for each batch item.</summary>
    Batch = 1,

    /// <summary>A value for each query head; in linear attention for each key-value head.</summary>
    Head = 2,

    /// <summary>A value for each query.</summary>
    Query = 4,

    /// <summary>A value for each key.</summary>
    Key = 8,

    /// <summary>A value for each element of a key head: only for operands of linear attention, where it is the last axis.</summary>
    HeadDim = 16,
}
