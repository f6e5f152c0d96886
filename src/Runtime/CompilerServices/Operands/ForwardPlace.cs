using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The position of a core's rows in the call, and the operands of their heads, queries and keys. Heads and rows count from the first ones of the core, keys
/// from the first one of the sequence. Generated code always names the role of an operand as a constant, so its slot is a constant too.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Naming", "CA1720", Justification = "Accessors are named after the type of the elements.")]
public readonly unsafe partial struct ForwardPlace
{
    private readonly ForwardOperands* _operands;
    private readonly int _batch, _item, _head, _query, _key, _step;
    private readonly nint _start, _origin;

    /// <param name="operands">The operands of the call.</param>
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

    /// <summary>The distance in tokens from one row or key to the next.</summary>
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

    /// <summary>A number of the call, as an int.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Whole(int index) => _operands->Own.Numbers[index];

    /// <summary>A number of the call, as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Real(int index) => BitConverter.Int32BitsToSingle(_operands->Own.Numbers[index]);

    /// <summary>The first element of a span of the call. Its elements are floats or ints, which have the same size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Span(int slot) => ref *(float*)_operands->Spans[slot];

    /// <summary>The length of a span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Length(int slot) => _operands->Own.Lengths[slot];

    /// <summary>An element of a span of floats; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Real(int slot, int index) => KernelMemory.Element(ref Span(slot), Length(slot), index);

    /// <summary>An element of a span of ints; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Whole(int slot, int index) => BitConverter.SingleToInt32Bits(Real(slot, index));

    /// <summary>The position of a key minus that of a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Distance(int query, int key) => (key - (_start + query)) * _step;

    /// <summary>The distance from a query to a key in steps of the sequence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Away(int query, int key) => key - (_start + query);

    /// <summary>The number for a head, in an operand with one number for each head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Float(AttentionRole role, int head)
    {
        var slot = ForwardOperands.Slot(_operands, role);
        return *(float*)(slot->Data + _batch * slot->Batch + (_head + head) * slot->Head);
    }

    /// <summary>The first element of an operand of floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Floats(AttentionRole role) => ref *(float*)ForwardOperands.Slot(_operands, role)->Data;

    /// <summary>The cosines and then the sines of a position. Rows before the position 0 see no key: they get those of 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Angles(int position)
    {
        var slot = ForwardOperands.Slot(_operands, AttentionRole.Rotary);
        return ref *(float*)(slot->Data + Math.Max(position, 0) * slot->Query);
    }

    /// <summary>An element of an operand of floats. The elements of the next keys follow, each <see cref="Step"/> elements after the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Floats(AttentionRole role, int head, int query, int key) => ref *(float*)At(role, head, query, _key + (nint)key * _step);

    /// <summary>An element of an operand of ints: see <see cref="Floats(AttentionRole, int, int, int)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int Ints(AttentionRole role, int head, int query, int key) => ref *(int*)At(role, head, query, _key + (nint)key * _step);

    /// <summary>An element of an operand of bytes or booleans: see <see cref="Floats(AttentionRole, int, int, int)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Bytes(AttentionRole role, int head, int query, int key) => ref *At(role, head, query, _key + (nint)key * _step);

    /// <summary>The row of a query in an operand of floats. With a key axis, it begins at the first key of the call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float FloatRow(AttentionRole role, int head, int query) => ref *(float*)At(role, head, query, 0);

    /// <summary>
    /// The number of biases on either side of <see cref="AttentionRole.RelativeBias"/>. The outermost ones are equal over the width of a vector.
    /// </summary>
    public nint Reach => _operands->Reach;

    /// <summary>The number of keys of the call.</summary>
    public int Keys => _operands->Keys;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* At(AttentionRole role, int head, int query, nint key) => ForwardOperands.Slot(_operands, role)->At(_batch, _head + head, _query + (nint)query * _step, key);
}
