using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>The use of an argument's memory by a call.</summary>
internal enum ArgumentUse : byte
{
    /// <summary>The call has copied its numbers.</summary>
    Numbers,

    /// <summary>Cores read it, through a slot.</summary>
    Input,

    /// <summary>Cores write it, through a slot.</summary>
    Result,

    /// <summary>It holds the biases of buckets, which the call expands to biases of distances.</summary>
    Buckets,

    /// <summary>The user's own masks and scores read it.</summary>
    Own,

    /// <summary>It is working memory.</summary>
    Scratch,

    /// <summary>A layer writes it after the attention.</summary>
    Later,
}

/// <summary>The memory of an argument. The call fills the fields in place, because a copy of fields just written is slow to read.</summary>
internal ref struct CallArgument
{
    public MemoryBlock Memory;

    /// <summary>The name of the parameter.</summary>
    public string Name;

    /// <summary>The use of the memory.</summary>
    public ArgumentUse Use;

    /// <summary>The slot of an operand, or the index of a user's span.</summary>
    public byte Slot;

    /// <summary>For an operand, the bytes of an element.</summary>
    public byte ElementBytes;

    private byte _axes;

    /// <summary>The axes of an operand.</summary>
    public AttentionAxes Axes { readonly get => (AttentionAxes)_axes; set => _axes = (byte)value; }

    public readonly bool IsWritten => Use is ArgumentUse.Result or ArgumentUse.Scratch or ArgumentUse.Later;
}

/// <summary>The memory of all arguments of a call except the tensors, in the order in which the call receives them.</summary>
internal ref struct CallMemory
{
    /// <summary>The most arguments: one for each role with memory, and the spans of the user's own masks and scores.</summary>
    public const int Most = 27;

    // A ref struct cannot have an array of ref structs. Instead, fields of one type follow each other in memory in the order of their declaration, which a test
    // checks.
    public CallArgument A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17, A18, A19, A20, A21, A22, A23, A24, A25, A26;

    public int Count { get; private set; }

    /// <summary>Starts an empty list. It leaves earlier entries in place, since nobody reads them: to clear them would cost a short call 5 % (Zen 4).</summary>
    public void Clear() => Count = 0;

    /// <summary>The place of the next argument. <see cref="Keep"/> adds it to the call.</summary>
    /// <exception cref="InvalidOperationException">There are more arguments than a kernel can have.</exception>
    [UnscopedRef]
    public ref CallArgument Next()
    {
        if (Count == Most) throw new InvalidOperationException("A call has more arguments than a kernel can have.");
        return ref Unsafe.Add(ref A0, Count);
    }

    public void Keep() => Count++;
}
