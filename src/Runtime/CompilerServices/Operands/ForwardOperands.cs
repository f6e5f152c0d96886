using System.Numerics;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The pinned operands of a call: a slot for each role of <see cref="OperandTable"/> that cores read or write, and the numbers and spans of the user's own
/// methods. The harness of the NEON tests has the same structure in <c>operands.h</c>; a test compares both.
/// </summary>
internal unsafe struct ForwardOperands
{
    /// <summary>The operands by <see cref="OperandSlots.Of"/>. An operand has a stride of 0 along each axis that it lacks.</summary>
    public OperandSlots Slots;

    /// <summary>For each result of the call, the bits of its elements in a row that sees no key.</summary>
    public fixed int Empty[OperandSlots.Count];

    /// <summary>The slots of the results of the call, one bit each.</summary>
    public uint Results;

    /// <summary>The slots of the results that hold the head's sink in a row that sees no key, one bit each.</summary>
    public uint SinkResults;

    /// <summary>The number of keys of the call.</summary>
    public int Keys;

    /// <summary>The number of biases on either side of the distance 0 of each head, to which <see cref="AttentionRole.RelativeBias"/> points.</summary>
    public int Reach;

    public fixed long Spans[OwnArguments.MaxSpans]; // addresses of ints or floats
    public OwnArguments Own;

    /// <summary>The address of the slot of a role.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Operand* Slot(ForwardOperands* operands, AttentionRole role) => Slot(operands, OperandSlots.Of(role));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Operand* Slot(ForwardOperands* operands, int slot) => (Operand*)&operands->Slots + slot;

    /// <summary>Whether the call has this result.</summary>
    public readonly bool Has(AttentionRole result) => (Results >> OperandSlots.Of(result) & 1) != 0;

    /// <summary>Writes the results of a row that sees no key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void WriteEmpty(int batch, int head, int query)
    {
        fixed (ForwardOperands* operands = &this)
        {
            for (uint rest = Results; rest != 0; rest &= rest - 1)
            {
                int slot = BitOperations.TrailingZeroCount(rest);
                var result = *Slot(operands, slot);
                int bits = (SinkResults >> slot & 1) != 0 ? *(int*)Slot(operands, AttentionRole.Sinks)->At(batch, head, 0, 0) : operands->Empty[slot];
                int* row = (int*)result.At(batch, head, query, 0);
                int count = result.Key == 0 ? 1 : Keys;
                for (int i = 0; i < count; i++) row[i] = bits;
            }
        }
    }

    /// <summary>Fills the scores of some rows with -infinity before cores write them. Cores write only the keys that at least one row of a tile sees.</summary>
    public readonly void ClearScores(in ForwardSequence sequence, int head, int row, int rows)
    {
        if (!Has(AttentionRole.Scores)) return;
        var scores = Slots[OperandSlots.Of(AttentionRole.Scores)];
        for (int i = row; i < row + rows; i++) new Span<float>(scores.At(sequence.Batch, head, sequence.Query + (nint)i * sequence.Step, 0), Keys).Fill(float.NegativeInfinity);
    }
}

/// <summary>One slot for each role, from the first that cores read besides the tensors to the last. The slots of other roles in between are empty.</summary>
[InlineArray(Count)]
internal struct OperandSlots
{
    private const AttentionRole First = AttentionRole.Bias, Last = OperandTable.LastSlot;

    public const int Count = Last - First + 1;

    private Operand _first;

    /// <summary>The slot of a role. It is a constant if the role is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Of(AttentionRole role) => role - First;

    public static AttentionRole RoleOf(int slot) => First + slot;
}

/// <summary>The arguments of the user's own masks and scores.</summary>
internal unsafe struct OwnArguments
{
    /// <summary>The most numbers of a call. The generator never emits more.</summary>
    public const int MaxNumbers = 8;

    /// <summary>The most spans that the user's own methods index.</summary>
    public const int MaxSpans = 4;

    public fixed int Numbers[MaxNumbers]; // ints, or floats as bits
    public fixed int Lengths[MaxSpans];
}
