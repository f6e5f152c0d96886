using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Where the rows of a core stand in a call: what belongs to their heads, queries and keys beside query, key and value. Heads and rows are counted from
/// those of the core, keys from the first of the sequence.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe struct ForwardPlace
{
    private readonly ForwardOperands* _operands;
    private readonly int _batch, _item, _head, _query, _key, _step;
    private readonly nint _start, _origin;

    /// <param name="operands">Of the call.</param>
    /// <param name="sequence">The sequence of the rows.</param>
    /// <param name="head">The first head.</param>
    /// <param name="row">The first row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ForwardPlace(ForwardOperands* operands, in ForwardSequence sequence, int head, int row)
    {
        _operands = operands;
        (_batch, _item, _head, _query, _key, _step) = (sequence.Batch, sequence.Item, head, sequence.Query + row * sequence.Step, sequence.Key, sequence.Step);
        (_start, _origin) = (sequence.Start + row, sequence.Origin);
    }

    /// <summary>The batch item, or the document.</summary>
    public int Batch => _item;

    /// <summary>Tokens from one row or key to the next.</summary>
    public int Step => _step;

    /// <summary>The index of a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Head(int head) => _head + head;

    /// <summary>Where a key stands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Key(int key) => (int)_origin + key * _step;

    /// <summary>The index of a key in the tensors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Token(int key) => _key + key * _step;

    /// <summary>Where a query stands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Position(int query) => (int)(_origin + (_start + query) * _step);

    /// <summary>A number that the call brings along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Whole(int index) => _operands->Own.Numbers[index];

    /// <summary>A number that the call brings along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Real(int index) => BitConverter.Int32BitsToSingle(_operands->Own.Numbers[index]);

    /// <summary>A span that the call brings along, of floats or of ints, which have as many bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Span(int slot) => ref *(float*)_operands->Spans[slot];

    /// <summary>Its length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Length(int slot) => _operands->Own.Lengths[slot];

    /// <summary>An element of a span of floats, 0 where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Real(int slot, int index) => KernelMemory.Element(ref Span(slot), Length(slot), index);

    /// <summary>An element of a span of ints, 0 where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Whole(int slot, int index) => BitConverter.SingleToInt32Bits(Real(slot, index));

    /// <summary>How many positions a key stands behind a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Distance(int query, int key) => (key - (_start + query)) * _step;

    /// <summary>How many steps a key stands behind a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Away(int query, int key) => key - (_start + query);

    /// <summary>The slope of a head, for a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Slope(int head) => *(float*)_operands->Slopes.At(_batch, _head + head, 0, 0) * _step;

    /// <summary>The scale of a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Scale(int head) => *(float*)_operands->Scales.At(_batch, _head + head, 0, 0);

    /// <summary>The bias of a head for the distance 0; those of keys before and behind the query lie around it, <see cref="Reach"/> of them either way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Relative(int head) => ref *(float*)_operands->Relative.At(_batch, _head + head, 0, 0);

    /// <summary>How far the biases of distances reach; a vector of the outermost ones holds one number.</summary>
    public nint Reach => _operands->Reach;

    /// <summary>The sink of a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sink(int head) => *(float*)_operands->Sinks.At(_batch, _head + head, 0, 0);

    /// <summary>The bias of a query and a key; those of the keys that follow lie <see cref="Step"/> apart behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Bias(int head, int query, int key) => ref *(float*)_operands->Bias.At(_batch, _head + head, _query + (nint)query * _step, _key + (nint)key * _step);

    /// <summary>Whether a query keeps a key; those of the keys that follow lie <see cref="Step"/> apart behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Keep(int head, int query, int key) => ref *_operands->Keep.At(_batch, _head + head, _query + (nint)query * _step, _key + (nint)key * _step);

    /// <summary>Where the largest score of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float MaxScore(int head, int query) => ref *(float*)_operands->MaxScore.At(_batch, _head + head, _query + (nint)query * _step, 0);

    /// <summary>Where the entropy of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Entropy(int head, int query) => ref *(float*)_operands->Entropy.At(_batch, _head + head, _query + (nint)query * _step, 0);

    /// <summary>Where the key of the largest weight of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int ArgMax(int head, int query) => ref *(int*)_operands->ArgMax.At(_batch, _head + head, _query + (nint)query * _step, 0);

    /// <summary>Where the score of a query and a key goes; those of the keys that follow lie <see cref="Step"/> apart behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Scores(int head, int query, int key) => ref *(float*)_operands->Scores.At(_batch, _head + head, _query + (nint)query * _step, _key + (nint)key * _step);

    /// <summary>Where the scores of a query go, from the first key of the call on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float ScoreRow(int head, int query) => ref *(float*)_operands->Scores.At(_batch, _head + head, _query + (nint)query * _step, 0);

    /// <summary>What the elements of normalised queries are multiplied by.</summary>
    public ref float QueryNormWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *_operands->QueryNormWeight;
    }

    /// <summary>What the elements of normalised keys are multiplied by.</summary>
    public ref float KeyNormWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *_operands->KeyNormWeight;
    }

    /// <summary>The number of keys of the call.</summary>
    public int Keys => _operands->Keys;

    /// <summary>Where the log-sum-exp of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float LogSumExp(int head, int query) => ref *(float*)_operands->LogSumExp.At(_batch, _head + head, _query + (nint)query * _step, 0);
}
