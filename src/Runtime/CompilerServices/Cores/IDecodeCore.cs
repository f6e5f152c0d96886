using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The decode code for one instruction set: few query rows against keys and values in place. Its methods are leaves: they get references, lengths and scratch
/// memory, allocate nothing and throw nothing. The caller has checked the arguments and pinned the tensors.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IDecodeCore
{
    /// <summary>The sizes from which the caller lays out memory and divides the work.</summary>
    static abstract DecodePlan DecodePlan { get; }

    /// <summary>Initialises the state of query rows where asked, and adds the contribution of keys that it reads in place.</summary>
    static abstract void Decode(in DecodeBlock rows);

    /// <summary>Merges a state of the same rows over other keys into their state.</summary>
    static abstract void Merge(ref float state, ref float other, int rows);

    /// <summary>Writes the output rows of a head from their state.</summary>
    static abstract void Finish(ref float state, in TokenRows outputs, int rows, in ForwardPlace place);
}

/// <summary>The sizes of decode. The state and the working memory are multiples of 16 floats, so that every part stays 64-byte aligned.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct DecodePlan
{
    /// <summary>Elements of a query and of a key, without padding.</summary>
    public int HeadDim { get; init; }

    /// <summary>Elements of a value and of an output row, without padding.</summary>
    public int ValueDim { get; init; }

    /// <summary>Bytes of an element, for each tensor.</summary>
    public TensorBytes Elements { get; init; }

    /// <summary>The most rows (queries times heads of a group) of a sequence. With more rows, packing the keys is faster.</summary>
    public int MaxRows { get; init; }

    /// <summary>The most rows that the core computes in one call.</summary>
    public int RowsAtOnce { get; init; }

    /// <summary>The fewest rows of a tile: they share each load of a key.</summary>
    public int TileRows { get; init; }

    /// <summary>The most rows of one call that spans several key-value heads, where each head has <see cref="TileRows"/> rows or more.</summary>
    public int RowsTogether { get; init; }

    /// <summary>Whether one call takes the rows of one key-value head only: the core copies its keys to the working memory.</summary>
    public bool OneKeyHead { get; init; }

    /// <summary>Keys in a chunk, the unit of work; it is a multiple of <see cref="ChunkStep"/>.</summary>
    public int ChunkKeys { get; init; }

    /// <summary>Whether the core takes runs in pages, and no others.</summary>
    public bool InPages { get; init; }

    /// <summary>What the size of a chunk is a multiple of: the keys of each tile, or of each tile with a key from each of several pages of any size.</summary>
    public readonly int ChunkStep => InPages ? 192 : 48;

    /// <summary>Keys in a block where each key-value head has a single row.</summary>
    public int OneRowBlock { get; init; }

    /// <summary>Floats of the state of a query row: output, sums of weights, maximum.</summary>
    public int StateRowFloats { get; init; }

    /// <summary>For a core whose rows choose a key: where the state has it, and how its value is copied. The core does not write the output.</summary>
    public ChosenValue Chosen { get; init; }

    /// <summary>Floats of working memory that <see cref="IDecodeCore.Decode"/> needs besides the state.</summary>
    public int ScratchFloats { get; init; }

    /// <summary>Floating-point operations for a visible pair of query and key.</summary>
    public int FlopsPerPair { get; init; }
}

/// <summary>The query rows of some heads against keys in place, ordered by key-value head. Row i * Queries + j is query j of head i.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct DecodeBlock
{
    /// <summary>The queries, [<see cref="Heads"/>, <see cref="Queries"/>, headDim].</summary>
    public TokenRows QueryRows;

    /// <summary>The number of queries, 1 or more.</summary>
    public int Queries;

    /// <summary>The number of query heads. Each key-value head has the same share of them.</summary>
    public int Heads;

    /// <summary>The number of key-value heads, 1 or more.</summary>
    public int KeyHeads;

    /// <summary>The number of rows of a key-value head: queries times heads of its share.</summary>
    public readonly int HeadRows => Heads / KeyHeads * Queries;

    /// <summary>Elements from head to head of the keys.</summary>
    public nint KeyHeadStride;

    /// <summary>Elements from head to head of the values.</summary>
    public nint ValueHeadStride;

    /// <summary>Elements from key to key of a run.</summary>
    public nint KeyStride;

    /// <summary>Elements from value to value of a run.</summary>
    public nint ValueStride;

    /// <summary>Floats from scale to scale of a run, where keys and values are integers.</summary>
    public nint ScaleStride;

    /// <summary>The runs of keys that the queries see, with addresses for the first key-value head.</summary>
    public ref KeyRun Runs;

    /// <summary>The number of runs.</summary>
    public int RunCount;

    /// <summary>Whether all keys and values of the runs are halves that are known to be finite: see <see cref="FiniteHalves"/>.</summary>
    public bool Finite;

    /// <summary>Whether these are the first keys of the rows: the core then initialises the state.</summary>
    public bool First;

    /// <summary>The state of the rows, <see cref="DecodePlan.StateRowFloats"/> floats for each.</summary>
    public ref float State;

    /// <summary>Working memory, <see cref="DecodePlan.ScratchFloats"/> floats.</summary>
    public ref float Scratch;

    /// <summary>The position of the first head and of the queries in the call.</summary>
    public ForwardPlace Place;
}

/// <summary>Bytes of an element, for each tensor of a call.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly record struct TensorBytes(int Query, int Key, int Value, int Output);
