using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Where the rows of a core stand in a call, and the operands of their heads, queries and keys beside query, key and value. Heads and rows are counted from
/// those of the core, keys from the first of the sequence. The role of an operand is a constant wherever emitted code names it, and its slot with it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Naming", "CA1720", Justification = "Accessors are named after the type of the elements.")]
public readonly unsafe partial struct ForwardPlace
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

    /// <summary>The position of a key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Key(int key) => (int)_origin + key * _step;

    /// <summary>The index of a key in the tensors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Token(int key) => _key + key * _step;

    /// <summary>The position of a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Position(int query) => (int)(_origin + (_start + query) * _step);

    /// <summary>A number that the call brings along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Whole(int index) => _operands->Own.Numbers[index];

    /// <summary>A number that the call brings along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Real(int index) => BitConverter.Int32BitsToSingle(_operands->Own.Numbers[index]);

    /// <summary>The first element of a span that the call brings along, of floats or of ints, which have as many bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Span(int slot) => ref *(float*)_operands->Spans[slot];

    /// <summary>The length of a span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Length(int slot) => _operands->Own.Lengths[slot];

    /// <summary>An element of a span of floats, 0 where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Real(int slot, int index) => KernelMemory.Element(ref Span(slot), Length(slot), index);

    /// <summary>An element of a span of ints, 0 where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Whole(int slot, int index) => BitConverter.SingleToInt32Bits(Real(slot, index));

    /// <summary>How many positions a key stands after a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Distance(int query, int key) => (key - (_start + query)) * _step;

    /// <summary>How many steps a key stands after a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Away(int query, int key) => key - (_start + query);

    /// <summary>A number of a head, of an operand that has one for each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Float(AttentionRole role, int head)
    {
        var slot = ForwardOperands.Slot(_operands, role);
        return *(float*)(slot->Data + _batch * slot->Batch + (_head + head) * slot->Head);
    }

    /// <summary>The first element of an operand of floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Floats(AttentionRole role) => ref *(float*)ForwardOperands.Slot(_operands, role)->Data;

    /// <summary>An element of an operand of floats. Those of the keys that follow lie <see cref="Step"/> elements apart from there on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Floats(AttentionRole role, int head, int query, int key) => ref *(float*)At(role, head, query, _key + (nint)key * _step);

    /// <summary>The same of an operand of ints.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int Ints(AttentionRole role, int head, int query, int key) => ref *(int*)At(role, head, query, _key + (nint)key * _step);

    /// <summary>The same of an operand of bytes, or of truth values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Bytes(AttentionRole role, int head, int query, int key) => ref *At(role, head, query, _key + (nint)key * _step);

    /// <summary>The elements of a query, of an operand of floats: from the first key of the call on, where it has keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float FloatRow(AttentionRole role, int head, int query) => ref *(float*)At(role, head, query, 0);

    /// <summary>How far the biases of distances reach to either side of <see cref="AttentionRole.RelativeBias"/>. A vector of the outermost ones holds one number.</summary>
    public nint Reach => _operands->Reach;

    /// <summary>The number of keys of the call.</summary>
    public int Keys => _operands->Keys;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* At(AttentionRole role, int head, int query, nint key) => ForwardOperands.Slot(_operands, role)->At(_batch, _head + head, _query + (nint)query * _step, key);
}
