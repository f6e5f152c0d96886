using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The prefill code for one instruction set: blocks of query rows against packed keys and values. Its methods are leaves: they get references, lengths and
/// scratch memory, allocate nothing and throw nothing. The caller has checked the arguments and pinned the tensors.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPrefillCore
{
    /// <summary>The sizes from which the caller lays out memory and divides the work.</summary>
    static abstract PrefillPlan PrefillPlan { get; }

    /// <summary>Copies keys into panels and values into padded rows.</summary>
    /// <returns>Whether all values are finite.</returns>
    static abstract bool Pack(in KeysToPack keys);

    /// <summary>Adds the contribution of packed keys to the state of a block of query rows. After the last keys it writes the output.</summary>
    static abstract void Prefill(in PrefillBlock block);
}

/// <summary>
/// The sizes of prefill and of fixed-length attention. The state, the working memory and a block of packed keys or values are multiples of 16 floats, so that
/// every part stays 64-byte aligned.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PrefillPlan
{
    /// <summary>Elements of a query and of a key, without padding.</summary>
    public int HeadDim { get; init; }

    /// <summary>Elements of a value and of an output row, without padding.</summary>
    public int ValueDim { get; init; }

    /// <summary>Bytes of an element, for each tensor.</summary>
    public TensorBytes Elements { get; init; }

    /// <summary>Query rows in a block.</summary>
    public int QueryBlock { get; init; }

    /// <summary>Query rows in a tile.</summary>
    public int TileRows { get; init; }

    /// <summary>Keys in a panel. A block has whole panels.</summary>
    public int PanelKeys { get; init; }

    /// <summary>Keys in a block. A stretch is a multiple of it.</summary>
    public int KeyBlock { get; init; }

    /// <summary>Floats of a packed key.</summary>
    public int PackedKeyFloats { get; init; }

    /// <summary>Floats of a packed value.</summary>
    public int PackedValueFloats { get; init; }

    /// <summary>Floats of the state of a query row: output, sums of weights, maximum.</summary>
    public int StateRowFloats { get; init; }

    /// <summary>For a core whose rows choose a key: where the state has it, and how its value is copied. The core does not write the output.</summary>
    public ChosenValue Chosen { get; init; }

    /// <summary>Floats of the state of a query block.</summary>
    public readonly int StateFloats => QueryBlock * StateRowFloats;

    /// <summary>Floats of working memory that <see cref="IPrefillCore.Prefill"/>, besides the state, or <see cref="IPrefillCore.Pack"/> needs.</summary>
    public int ScratchFloats { get; init; }

    /// <summary>Floating-point operations for a visible pair of query and key.</summary>
    public int FlopsPerPair { get; init; }

    /// <summary>The fewest rows that <see cref="IPrefillCore.Prefill"/> can compute; 0 without a limit.</summary>
    public int LeastRows { get; init; }

    /// <summary>
    /// The number of keys that <see cref="IPrefillCore.Prefill"/> always reads. Each row must see all of them. 0 where the runs give the number.
    /// </summary>
    public int RunKeys { get; init; }

    /// <summary>The most keys of a row for which <see cref="IPrefillCore.Prefill"/> has room; 0 without a limit.</summary>
    public int MostKeys { get; init; }
}

/// <summary>The keys and values of one head to pack.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct KeysToPack
{
    /// <summary>The keys, [<see cref="Count"/>, headDim].</summary>
    public TokenRows KeyRows;

    /// <summary>The values, [<see cref="Count"/>, valueDim].</summary>
    public TokenRows ValueRows;

    /// <summary>The number of keys, 1 or more.</summary>
    public int Count;

    /// <summary>The destination of the key panels. The core fills the last panel with copies of the last key.</summary>
    public ref float PackedKeys;

    /// <summary>The destination of the value rows.</summary>
    public ref float PackedValues;

    /// <summary>The index of the first key in its sequence.</summary>
    public int Key;

    /// <summary>The place of the keys in the call: their sequence, and the first head that reads them.</summary>
    public ForwardPlace Place;

    /// <summary>Working memory, <see cref="PrefillPlan.ScratchFloats"/> floats: that of <see cref="IPrefillCore.Prefill"/>.</summary>
    public ref float Scratch;
}

/// <summary>A block of query rows of one head against packed keys.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct PrefillBlock
{
    /// <summary>The queries, [<see cref="Rows"/>, headDim].</summary>
    public TokenRows QueryRows;

    /// <summary>The output rows, [<see cref="Rows"/>, valueDim].</summary>
    public TokenRows OutputRows;

    /// <summary>The query rows of the block, 1 or more.</summary>
    public int Rows;

    /// <summary>The packed keys that the rows see.</summary>
    public ref KeyRun Runs;

    /// <summary>The number of runs, 1 or more.</summary>
    public int RunCount;

    /// <summary>Whether all packed values are finite.</summary>
    public bool ValuesFinite;

    /// <summary>Whether these are the first keys of the block: the core then initialises the state.</summary>
    public bool First;

    /// <summary>Whether these are the last keys that a row of the block sees: the core then writes the output.</summary>
    public bool Last;

    /// <summary>The state of the block, <see cref="PrefillPlan.StateFloats"/> floats.</summary>
    public ref float State;

    /// <summary>Working memory, <see cref="PrefillPlan.ScratchFloats"/> floats.</summary>
    public ref float Scratch;

    /// <summary>The position of the rows in the call.</summary>
    public ForwardPlace Place;

    /// <summary>The rows to prefetch between the tiles.</summary>
    public ref ForwardAhead Ahead;
}
