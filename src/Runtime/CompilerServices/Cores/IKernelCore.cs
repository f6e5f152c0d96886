using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The code of a forward kernel for one instruction set. Its methods are leaves: they get references, lengths and scratch memory, allocate
/// nothing and throw nothing. Who calls them has checked the arguments and pinned the tensors.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IKernelCore
{
    /// <summary>The sizes that the caller lays memory out by.</summary>
    static abstract ForwardPlan Plan { get; }
}

/// <summary>The code for few query rows, with keys and values as they lie in memory.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IDecodeCore : IKernelCore
{
    /// <summary>Sets up the state of some query rows and adds what they take from keys as they lie in memory.</summary>
    static abstract void Decode(in DecodeBlock rows);

    /// <summary>Adds to the state of rows what they took from other keys.</summary>
    static abstract void Merge(ref float state, ref float other, int rows);

    /// <summary>Writes output rows of a head from their state.</summary>
    static abstract void Finish(ref float state, ref float output, nint outputStride, int rows, in ForwardPlace place);
}

/// <summary>The code for blocks of query rows, with packed keys and values.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPrefillCore : IKernelCore
{
    /// <summary>Copies keys into panels and values into padded rows.</summary>
    /// <returns>Whether all values are finite.</returns>
    static abstract bool Pack(in KeysToPack keys);

    /// <summary>Adds what a block of query rows takes from packed keys to the state of the block, and writes the output after the last.</summary>
    static abstract void Prefill(in PrefillBlock block);
}

/// <summary>
/// The sizes of a packed forward kernel. The state, the working memory and a block of packed keys or values are multiples of 16 floats, so that
/// every part stays 64-byte aligned.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct ForwardPlan
{
    /// <summary>Query rows of a block.</summary>
    public int QueryBlock { get; init; }

    /// <summary>Query rows of a tile.</summary>
    public int TileRows { get; init; }

    /// <summary>Keys of a block; the keys that are packed at a time are a multiple of it.</summary>
    public int KeyBlock { get; init; }

    /// <summary>Floats of a packed key.</summary>
    public int PackedKeyFloats { get; init; }

    /// <summary>Floats of a packed value.</summary>
    public int PackedValueFloats { get; init; }

    /// <summary>Floats of the state of a query row: output, sums of weights, maximum.</summary>
    public int StateRowFloats { get; init; }

    /// <summary>Floats of the state of a query block.</summary>
    public readonly int StateFloats => QueryBlock * StateRowFloats;

    /// <summary>Floats of working memory that <see cref="IPrefillCore.Prefill"/> needs beside the state.</summary>
    public int ScratchFloats { get; init; }

    /// <summary>The most rows (queries times heads of a group) that keys are read for as they lie in memory; for more they are packed.</summary>
    public int MaxRows { get; init; }

    /// <summary>Rows that share a load of a key as it lies in memory.</summary>
    public int RowsTile { get; init; }

    /// <summary>The most rows that are taken together.</summary>
    public int RowsAtOnce { get; init; }

    /// <summary>The same for rows of several key-value heads, where each has <see cref="RowsTile"/> of them or more.</summary>
    public int RowsTogether { get; init; }

    /// <summary>Keys of a block where each key-value head has a single row.</summary>
    public int OneRowBlock { get; init; }

    /// <summary>Floats of working memory that <see cref="IDecodeCore.Decode"/> needs beside the state.</summary>
    public int RowsScratchFloats { get; init; }

    /// <summary>Floating-point operations of a visible pair of query and key.</summary>
    public int FlopsPerPair { get; init; }

    /// <summary>The rows that <see cref="IPrefillCore.Prefill"/> needs at least; 0 where any number will do.</summary>
    public int LeastRows { get; init; }

    /// <summary>The keys that <see cref="IPrefillCore.Prefill"/> always takes, so that each row has to see them all; 0 where the runs say it.</summary>
    public int RunKeys { get; init; }

    /// <summary>The most keys of a row that <see cref="IPrefillCore.Prefill"/> has room for; 0 where any number will do.</summary>
    public int MostKeys { get; init; }
}

/// <summary>Keys and values of one head to pack.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct KeysToPack
{
    /// <summary>The first key.</summary>
    public ref float Key;

    /// <summary>Elements from key to key.</summary>
    public nint KeyStride;

    /// <summary>The first value.</summary>
    public ref float Value;

    /// <summary>Elements from value to value.</summary>
    public nint ValueStride;

    /// <summary>The number of keys, 1 or more.</summary>
    public int Count;

    /// <summary>Where the key panels go; a last panel is filled up with copies of the last key.</summary>
    public ref float PackedKeys;

    /// <summary>Where the value rows go.</summary>
    public ref float PackedValues;
}

/// <summary>A block of query rows of one head against packed keys.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct PrefillBlock
{
    /// <summary>The first query row.</summary>
    public ref float Query;

    /// <summary>Elements from query to query.</summary>
    public nint QueryStride;

    /// <summary>The query rows of the block, 1 or more.</summary>
    public int Rows;

    /// <summary>The packed keys.</summary>
    public ref float PackedKeys;

    /// <summary>The packed values.</summary>
    public ref float PackedValues;

    /// <summary>Which of them the rows see.</summary>
    public ref KeyRun Runs;

    /// <summary>The number of runs, 1 or more.</summary>
    public int RunCount;

    /// <summary>Whether all packed values are finite.</summary>
    public bool ValuesFinite;

    /// <summary>Whether these are the first keys of the block: the state is to be set up.</summary>
    public bool First;

    /// <summary>Whether these are the last keys that a row of the block sees: the output is to be written.</summary>
    public bool Last;

    /// <summary>The first output row.</summary>
    public ref float Output;

    /// <summary>Elements from output row to output row.</summary>
    public nint OutputStride;

    /// <summary>The state of the block.</summary>
    public ref float State;

    /// <summary>Working memory.</summary>
    public ref float Scratch;

    /// <summary>Where the rows stand.</summary>
    public ForwardPlace Place;

    /// <summary>What is to be fetched between the tiles.</summary>
    public ref ForwardAhead Ahead;
}

/// <summary>
/// The query rows of some heads against keys as they lie in memory, those of one key-value head after those of another. Row i * Queries + j is
/// the query j of head i.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct DecodeBlock
{
    /// <summary>The first query of the first head.</summary>
    public ref float Query;

    /// <summary>Elements from query to query.</summary>
    public nint QueryStride;

    /// <summary>Elements from head to head of the queries.</summary>
    public nint HeadStride;

    /// <summary>The number of queries, 1 or more.</summary>
    public int Queries;

    /// <summary>The number of query heads, the same for each key-value head.</summary>
    public int Heads;

    /// <summary>The number of key-value heads, 1 or more.</summary>
    public int KeyHeads;

    /// <summary>Elements from head to head of the keys.</summary>
    public nint KeyHeadStride;

    /// <summary>Elements from head to head of the values.</summary>
    public nint ValueHeadStride;

    /// <summary>The first key of the sequence.</summary>
    public ref float Key;

    /// <summary>Elements from key to key.</summary>
    public nint KeyStride;

    /// <summary>The first value.</summary>
    public ref float Value;

    /// <summary>Elements from value to value.</summary>
    public nint ValueStride;

    /// <summary>Which keys the queries see.</summary>
    public ref KeyRun Runs;

    /// <summary>The number of runs.</summary>
    public int RunCount;

    /// <summary>Whether the state is to be set up.</summary>
    public bool First;

    /// <summary>The state of the rows.</summary>
    public ref float State;

    /// <summary>Working memory.</summary>
    public ref float Scratch;

    /// <summary>Where the first head and the queries stand.</summary>
    public ForwardPlace Place;
}
