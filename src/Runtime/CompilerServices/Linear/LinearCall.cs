namespace AttentionGen.CompilerServices;

/// <summary>Weights as a call sees them, and where its results go. The caller holds the weights and has pinned the rest.</summary>
internal unsafe struct LinearTarget
{
    public ElementType Type;

    /// <summary>The elements of an input row.</summary>
    public int Depth;

    /// <summary>The columns of a part and of the output.</summary>
    public int Columns;

    /// <summary>2 for a gated product.</summary>
    public int Parts;

    /// <summary>The panels of a part.</summary>
    public int PartPanels;

    public nint PanelBytes;

    /// <summary>[parts, panels].</summary>
    public byte* Panels;

    /// <summary>[parts, columns]; null for weights that are no integers.</summary>
    public float* Scales;

    /// <summary>[parts, columns]; null without biases.</summary>
    public float* Bias;

    public AttentionActivation Activation;

    /// <summary>[rows, columns].</summary>
    public float* Output;

    /// <summary>Floats from row to row.</summary>
    public nint OutputStride;

    /// <summary>What is added to the output, [rows, columns]; null for nothing. It may be the output.</summary>
    public float* Residual;

    /// <summary>Floats from row to row.</summary>
    public nint ResidualStride;
}

/// <summary>The products of the same rows with some weights.</summary>
internal unsafe struct LinearCall
{
    /// <summary>[rows, depth].</summary>
    public float* Input;

    /// <summary>Floats from row to row.</summary>
    public nint InputStride;

    public int Rows;

    /// <summary>Weights for rows of <see cref="Depth"/> elements.</summary>
    public LinearTarget* Targets;

    public int TargetCount;

    /// <summary>The elements of an input row, which all targets share.</summary>
    public readonly int Depth => Targets[0].Depth;

    public int MaxThreads;

    /// <summary>The memory of the caller's thread, <see cref="LinearJob.BytesOf(int, int)"/> bytes: such a call cannot fail for lack of memory. Null to rent it.</summary>
    public float* Memory;
}
