using System.Numerics;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// What a call brings beside query, key, value and output, pinned: a slot for each role of <see cref="OperandTable"/> that cores read or write, and what the user's own methods
/// read. The harness of the NEON tests has the same structure in <c>operands.h</c>, which a test holds to this one.
/// </summary>
internal unsafe struct ForwardOperands
{
    /// <summary>The operands by <see cref="OperandSlots.Of"/>, each a tensor with a stride of 0 along the axes that it does not have.</summary>
    public OperandSlots Slots;

    /// <summary>Of each result of the call: the bits of its elements for a row that sees no key.</summary>
    public fixed int Empty[OperandSlots.Count];

    /// <summary>The slots of the results of the call, as bits.</summary>
    public uint Results;

    /// <summary>Those that hold the sink of the head for a row that sees no key.</summary>
    public uint SinkResults;

    /// <summary>The keys of the call.</summary>
    public int Keys;

    /// <summary>The biases of distances before the distance 0 of each head, where <see cref="AttentionRole.RelativeBias"/> points; as many lie from there on.</summary>
    public int Reach;

    public fixed long Spans[OwnArguments.MaxSpans]; // addresses of ints or floats
    public OwnArguments Own;

    /// <summary>The slot of a role: its address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Operand* Slot(ForwardOperands* operands, AttentionRole role) => (Operand*)&operands->Slots + OperandSlots.Of(role);

    /// <summary>Whether the call has a result.</summary>
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
                var result = ((Operand*)&operands->Slots)[slot];
                int bits = (SinkResults >> slot & 1) != 0 ? *(int*)Slot(operands, AttentionRole.Sinks)->At(batch, head, 0, 0) : operands->Empty[slot];
                int* row = (int*)result.At(batch, head, query, 0);
                int count = result.Key == 0 ? 1 : Keys;
                for (int i = 0; i < count; i++) row[i] = bits;
            }
        }
    }

    /// <summary>Before some rows get scores: none has any. Cores write those of the keys that a row sees, and leave out what no row of a tile does.</summary>
    public readonly void ClearScores(in ForwardSequence sequence, int head, int row, int rows)
    {
        if (!Has(AttentionRole.Scores)) return;
        var scores = Slots[OperandSlots.Of(AttentionRole.Scores)];
        for (int i = row; i < row + rows; i++) new Span<float>(scores.At(sequence.Batch, head, sequence.Query + (nint)i * sequence.Step, 0), Keys).Fill(float.NegativeInfinity);
    }
}

/// <summary>A slot for each role from the first that cores read beside the tensors to the last; those of other roles between them are empty.</summary>
[InlineArray(Count)]
internal struct OperandSlots
{
    private const AttentionRole First = AttentionRole.Bias, Last = OperandTable.LastSlot;

    public const int Count = Last - First + 1;

    private Operand _first;

    /// <summary>The slot of a role: a constant where the role is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Of(AttentionRole role) => role - First;

    public static AttentionRole RoleOf(int slot) => First + slot;
}

/// <summary>What a call brings along for the user's own masks and scores.</summary>
internal unsafe struct OwnArguments
{
    /// <summary>The most numbers of a call; more is an error of the generator.</summary>
    public const int MaxNumbers = 8;

    /// <summary>The most spans that the user's own methods index.</summary>
    public const int MaxSpans = 4;

    public fixed int Numbers[MaxNumbers]; // ints, or floats with the same bits
    public fixed int Lengths[MaxSpans];
}
