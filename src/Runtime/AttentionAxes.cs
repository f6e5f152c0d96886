namespace AttentionGen;

/// <summary>The axes that a tensor beside the scores has. Along the others it is the same; those that it has follow each other in this order.</summary>
[Flags]
public enum AttentionAxes
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
