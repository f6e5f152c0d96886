using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>What a call does with the memory of an argument.</summary>
internal enum ArgumentUse : byte
{
    /// <summary>It has copied the numbers.</summary>
    Numbers,

    /// <summary>Cores read it, in a slot.</summary>
    Input,

    /// <summary>Cores write it, in a slot.</summary>
    Result,

    /// <summary>It expands the biases of buckets to those of distances, which cores read.</summary>
    Buckets,

    /// <summary>The user's own masks and scores read it.</summary>
    Own,

    /// <summary>It is the working memory.</summary>
    Scratch,
}

/// <summary>The memory of an argument. It is written where it stays: a copy of fields just written is slow to read.</summary>
internal ref struct CallArgument
{
    public MemoryBlock Memory;

    /// <summary>The name of the parameter.</summary>
    public string Name;

    /// <summary>What the call does with it.</summary>
    public ArgumentUse Use;

    /// <summary>The slot of an operand, or the number of a span of the user's own.</summary>
    public byte Slot;

    /// <summary>Bytes of an element, of an operand.</summary>
    public byte ElementBytes;

    private byte _axes;

    /// <summary>The axes of an operand.</summary>
    public AttentionAxes Axes { readonly get => (AttentionAxes)_axes; set => _axes = (byte)value; }

    public readonly bool IsWritten => Use is ArgumentUse.Result or ArgumentUse.Scratch;
}

/// <summary>The memory of all arguments of a call but the tensors, in the order in which they are given.</summary>
internal ref struct CallMemory
{
    /// <summary>One argument of each role with memory, and the spans of the user's own masks and scores.</summary>
    public const int Most = 25;

    // A ref struct cannot have an array of ref structs: fields of one type lie one after the other, in their order (a test looks).
    public CallArgument A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17, A18, A19, A20, A21, A22, A23, A24;

    public int Count { get; private set; }

    /// <summary>Begins anew. What earlier arguments were stays where it is, and nobody reads it: clearing all of it would cost a short call 5 % (Zen 4).</summary>
    public void Clear() => Count = 0;

    /// <summary>The place of the next argument, which is one of the call after <see cref="Keep"/>.</summary>
    /// <exception cref="InvalidOperationException">There are more arguments than a kernel can have.</exception>
    [UnscopedRef]
    public ref CallArgument Next()
    {
        if (Count == Most) throw new InvalidOperationException("A call has more arguments than a kernel can have.");
        return ref Unsafe.Add(ref A0, Count);
    }

    public void Keep() => Count++;
}
