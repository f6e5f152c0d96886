namespace AttentionGen.CompilerServices;

/// <summary>
/// The products of rows with packed weights for one instruction set. Its methods are leaves: they get references and lengths, allocate nothing and throw nothing. A sum is made of partial sums of
/// <see cref="LinearPlan.BlockDepth"/> products, in the order of the depth, whichever method makes it.
/// </summary>
/// <remarks>
/// Weights [depth, columns] lie in panels of <see cref="LinearPlan.PanelColumns"/> columns, two vectors, row after row of the depth; their columns and their depth are padded with zeros. The
/// numbers of a row are bfloat16 in pairs, one of each vector, and else in order.
/// </remarks>
internal interface ILinearCore
{
    /// <summary>The sizes from which the caller lays out memory and divides the work.</summary>
    static abstract LinearPlan Plan { get; }

    /// <summary>Adds the products of packed rows, <see cref="LinearPlan.InputRow"/> apart, with a part of a panel to sums, <see cref="LinearPlan.SumRow"/> apart.</summary>
    /// <param name="input">[rows, depth], zeros behind the depth up to a multiple of four.</param>
    /// <param name="panel">[depth, panel columns].</param>
    /// <param name="ahead">As much that follows, to fetch meanwhile.</param>
    /// <param name="depth">At most <see cref="LinearPlan.BlockDepth"/>; as if it were a multiple of four.</param>
    /// <param name="rows">Any number of rows.</param>
    /// <param name="sums">[rows, panel columns].</param>
    static abstract void Multiply(ref float input, ref float panel, ref float ahead, int depth, int rows, ref float sums);

    /// <inheritdoc cref="Multiply"/>
    static abstract void MultiplyBFloat16(ref float input, ref BFloat16 panel, ref BFloat16 ahead, int depth, int rows, ref float sums);

    /// <inheritdoc cref="Multiply"/>
    static abstract void MultiplySByte(ref float input, ref sbyte panel, ref sbyte ahead, int depth, int rows, ref float sums);

    /// <summary>Adds the products of a few rows in place with whole panels to sums.</summary>
    /// <param name="input">[rows, depth].</param>
    /// <param name="inputRow">Floats from row to row.</param>
    /// <param name="rows">At most <see cref="LinearPlan.FewRows"/>.</param>
    /// <param name="panel">The first panel.</param>
    /// <param name="apart">Elements from panel to panel.</param>
    /// <param name="panels">The number of panels.</param>
    /// <param name="depth">The number of products of a sum.</param>
    /// <param name="sums">[rows, panels * panel columns].</param>
    static abstract void Few(ref float input, nint inputRow, int rows, ref float panel, nint apart, int panels, int depth, ref float sums);

    /// <inheritdoc cref="Few"/>
    static abstract void FewBFloat16(ref float input, nint inputRow, int rows, ref BFloat16 panel, nint apart, int panels, int depth, ref float sums);

    /// <inheritdoc cref="Few"/>
    static abstract void FewSByte(ref float input, nint inputRow, int rows, ref sbyte panel, nint apart, int panels, int depth, ref float sums);
}

/// <summary>The sizes of products with packed weights, in floats.</summary>
internal readonly struct LinearPlan
{
    /// <summary>The columns of a panel.</summary>
    public int PanelColumns { get; init; }

    /// <summary>The most columns of a unit of work: whole panels.</summary>
    public int GroupColumns { get; init; }

    /// <summary>The most products of a partial sum; a multiple of four.</summary>
    public int BlockDepth { get; init; }

    /// <summary>From one packed row to the next.</summary>
    public int InputRow { get; init; }

    /// <summary>From one row of sums to the next.</summary>
    public int SumRow { get; init; }

    /// <summary>Rows of a tile.</summary>
    public int TileRows { get; init; }

    /// <summary>The most rows that read the weights in place.</summary>
    public int FewRows { get; init; }
}
