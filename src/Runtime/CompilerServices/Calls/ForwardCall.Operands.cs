using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// Operands beside the tensors: their rows in the table of operands say what they have to be. All memory goes to one store, so that what is written is compared with everything.
public unsafe ref partial struct ForwardCall
{
    /// <summary>An operand that cores read beside the scores.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="memory">Its elements, in the order of its axes.</param>
    /// <param name="axes">The axes that it has: those of the role's row, unless these can be declared.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">Its length is not that of its axes, it has a value that the role refuses, or it overlaps memory that is written.</exception>
    /// <exception cref="ArgumentOutOfRangeException">No such operand has the role, or these axes.</exception>
    public void Input(AttentionRole role, ReadOnlySpan<float> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "")
    {
        var row = RowOf(role, OperandKind.Input, ElementType.Float, axes);
        AddOperand(row, MemoryBlock.Of(memory), memory.Length, sizeof(float), axes, name);
        CheckValues(memory, row.Values, name);
    }

    /// <inheritdoc cref="Input(AttentionRole, ReadOnlySpan{float}, AttentionAxes, string)"/>
    public void Input(AttentionRole role, ReadOnlySpan<bool> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "") =>
        AddOperand(RowOf(role, OperandKind.Input, ElementType.Bool, axes), MemoryBlock.Of(memory), memory.Length, sizeof(bool), axes, name);

    /// <summary>An operand that cores write beside the output.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="memory">Its elements, in the order of its axes.</param>
    /// <param name="axes">The axes that it has: those of the role's row.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">Its length is not that of its axes, or it overlaps another argument.</exception>
    /// <exception cref="ArgumentOutOfRangeException">No such operand has the role, or these axes.</exception>
    public void Result(AttentionRole role, Span<float> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "") =>
        AddOperand(RowOf(role, OperandKind.Result, ElementType.Float, axes), MemoryBlock.Of<float>(memory), memory.Length, sizeof(float), axes, name);

    /// <inheritdoc cref="Result(AttentionRole, Span{float}, AttentionAxes, string)"/>
    public void Result(AttentionRole role, Span<int> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "") =>
        AddOperand(RowOf(role, OperandKind.Result, ElementType.Int, axes), MemoryBlock.Of<int>(memory), memory.Length, sizeof(int), axes, name);

    /// <summary>The score matrix, [batch, heads, queries, keys], and the stage that it shows.</summary>
    /// <exception cref="ArgumentException">Its length is another, or it overlaps another argument.</exception>
    public void Scores(Span<float> scores, AttentionStage stage, [CallerArgumentExpression(nameof(scores))] string name = "")
    {
        Result(AttentionRole.Scores, scores, OperandTable.Row(AttentionRole.Scores).Axes, name);
        _scoresStage = stage;
    }

    /// <summary>The bias of a score by the bucket and head: the bucket of the distance of query and key.</summary>
    /// <param name="relativeBias">[buckets, heads], finite.</param>
    /// <param name="starts">The least distance of each bucket of a direction.</param>
    /// <param name="bidirectional">Whether keys after the query have buckets of their own.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">There is not one for each bucket and head, one is not finite, or they overlap memory that is written.</exception>
    public void RelativeBias(ReadOnlySpan<float> relativeBias, ReadOnlySpan<int> starts, bool bidirectional, [CallerArgumentExpression(nameof(relativeBias))] string name = "")
    {
        int buckets = bidirectional ? 2 * starts.Length : starts.Length;
        if (relativeBias.Length != buckets * _shape.Heads) ThrowHelper.OneForEachBucket(name, relativeBias.Length, buckets, _shape.Heads);
        Add(MemoryBlock.Of(relativeBias), name, ArgumentUse.Buckets);
        CheckValues(relativeBias, OperandTable.Row(AttentionRole.RelativeBias).Values, name);
        _bucketStarts = starts;
        _bucketsBidirectional = bidirectional;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static OperandRow RowOf(AttentionRole role, OperandKind kind, ElementType element, AttentionAxes axes)
    {
        var row = OperandTable.Find(role);
        bool isOne = row is { Extent: OperandExtent.Axes or OperandExtent.HeadDim } && row.Kind == kind && row.Element == element && (axes == row.Axes || row.HasDeclaredAxes);
        if (isOne) return row!;
        throw ThrowHelper.NoSuchOperand(nameof(role), role, kind, element, axes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddOperand(OperandRow row, MemoryBlock memory, int length, int elementBytes, AttentionAxes axes, string name)
    {
        if (row.Extent == OperandExtent.Axes) CheckLength(length, axes, name);
        else if (length != _query.Dim) ThrowHelper.NormWeightLength(name, length, _query.Dim);
        var use = row.Kind == OperandKind.Result ? ArgumentUse.Result : ArgumentUse.Input;
        Add(memory, name, use, OperandSlots.Of(row.Role), elementBytes, axes);
    }

    private readonly void CheckLength(int length, AttentionAxes axes, string name)
    {
        long needed = 1;
        if ((axes & AttentionAxes.Batch) != 0) needed = Times(needed, _shape.Batch);
        if ((axes & AttentionAxes.Head) != 0) needed = Times(needed, _shape.Heads);
        if ((axes & AttentionAxes.Query) != 0) needed = Times(needed, _shape.Queries);
        if ((axes & AttentionAxes.Key) != 0) needed = Times(needed, _shape.Keys);
        if (length != needed) ThrowHelper.OperandLength(name, length, axes, _shape.Batch, _shape.Heads, _shape.Queries, _shape.Keys);

        // Lengths fit an int each. Once a product does not, no span has so many elements, unless a length of 0 follows.
        static long Times(long product, int count) => count == 0 ? 0 : product > int.MaxValue ? product : product * count;
    }

    private static void CheckValues(ReadOnlySpan<float> numbers, OperandValues values, string name)
    {
        if (values == OperandValues.Finite)
        {
            for (int i = 0; i < numbers.Length; i++)
                if (!float.IsFinite(numbers[i])) ThrowHelper.NotFinite(name, i, numbers[i]);
        }
        else if (values == OperandValues.BelowInfinity)
        {
            for (int i = 0; i < numbers.Length; i++)
                if (!(numbers[i] < float.PositiveInfinity)) ThrowHelper.BadSink(name, i, numbers[i]);
        }
    }

    /// <summary>A number for the user's own mask or score.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No number of a call has this index.</exception>
    public void Number(int index, int value)
    {
        CheckIndex(index, OwnArguments.MaxNumbers);
        _own.Numbers[index] = value;
    }

    /// <inheritdoc cref="Number(int, int)"/>
    public void Number(int index, float value) => Number(index, BitConverter.SingleToInt32Bits(value));

    private static void CheckIndex(int index, int count, [CallerArgumentExpression(nameof(index))] string name = "")
    {
        if ((uint)index >= (uint)count) ThrowHelper.BadIndex(name, index, count);
    }

    /// <summary>A span for the user's own mask or score, after the numbers of the mask.</summary>
    /// <param name="slot">Its number.</param>
    /// <param name="span">Its elements.</param>
    /// <param name="axes">The axes that index it: it needs an element for each index.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">It is too short, or overlaps memory that is written.</exception>
    public void Span(int slot, ReadOnlySpan<float> span, AttentionAxes axes, [CallerArgumentExpression(nameof(span))] string name = "") =>
        Span(slot, MemoryBlock.Of(span), span.Length, axes, name);

    /// <inheritdoc cref="Span(int, ReadOnlySpan{float}, AttentionAxes, string)"/>
    public void Span(int slot, ReadOnlySpan<int> span, AttentionAxes axes, [CallerArgumentExpression(nameof(span))] string name = "") =>
        Span(slot, MemoryBlock.Of(span), span.Length, axes, name);

    private void Span(int slot, MemoryBlock memory, int length, AttentionAxes axes, string name)
    {
        CheckIndex(slot, OwnArguments.MaxSpans);
        if ((axes & AttentionAxes.Batch) != 0 && length < _mask.Items(_shape)) ThrowHelper.SpanTooShort(name, length, _mask.Items(_shape), _mask.DocumentStarts.IsEmpty ? "batch items" : "documents");
        if ((axes & AttentionAxes.Head) != 0 && length < _shape.Heads) ThrowHelper.SpanTooShort(name, length, _shape.Heads, "heads");
        if ((axes & AttentionAxes.Key) != 0 && length < _shape.Keys) ThrowHelper.SpanTooShort(name, length, _shape.Keys, "keys");
        if ((axes & AttentionAxes.Query) != 0 && length < EndOfPositions) ThrowHelper.SpanTooShort(name, length, EndOfPositions, "positions of queries, from 0 on");
        Add(memory, name, ArgumentUse.Own, slot);
        _own.Lengths[slot] = length;
    }

    /// <summary>The position after that of the last query of any batch item; 0 where there is none.</summary>
    private readonly long EndOfPositions
    {
        get
        {
            if (_shape.Queries == 0) return 0;
            long end = 0;
            for (int i = 0; i < _mask.Items(_shape); i++)
            {
                var (_, _, queries, _, keys) = _mask.Item(_shape, i);
                long start = _mask.Start(i, queries, keys);
                if (queries > 0) end = Math.Max(end, start + queries);
            }

            return end;
        }
    }

    /// <summary>Working memory of the caller; an empty span means the library's own.</summary>
    /// <exception cref="ArgumentException">It overlaps another argument.</exception>
    public void Scratch(Span<byte> scratch, [CallerArgumentExpression(nameof(scratch))] string name = "") =>
        Add(MemoryBlock.Of<byte>(scratch), name, ArgumentUse.Scratch);

    /// <summary>Adds the memory of an argument to the store.</summary>
    /// <exception cref="ArgumentException">It overlaps memory that is written, or is written and overlaps memory of another argument.</exception>
    private void Add(MemoryBlock memory, string name, ArgumentUse use, int slot = 0, int elementBytes = 0, AttentionAxes axes = AttentionAxes.None)
    {
        ref var argument = ref _memory.Next();
        argument.Memory = memory;
        argument.Name = name;
        argument.Use = use;
        argument.Slot = (byte)slot;
        argument.ElementBytes = (byte)elementBytes;
        argument.Axes = axes;
        if (argument.Memory.Meets(MemoryBlock.Of(_output))) Overlap(argument, _output.Name);
        if (argument.IsWritten)
        {
            if (argument.Memory.Meets(MemoryBlock.Of(_query))) Overlap(argument, _query.Name);
            if (argument.Memory.Meets(MemoryBlock.Of(_key))) Overlap(argument, _key.Name);
            if (argument.Memory.Meets(MemoryBlock.Of(_value))) Overlap(argument, _value.Name);
        }

        // Numbers of the mask are copied before anything is written, but an argument that is overwritten is a mistake all the same.
        ref var other = ref _memory.A0;
        for (int left = _memory.Count; left > 0; left--, other = ref Unsafe.Add(ref other, 1))
            if ((argument.IsWritten || other.IsWritten) && argument.Memory.Meets(other.Memory)) Overlap(argument, other);
        _memory.Keep();
    }

    [DoesNotReturn]
    private readonly void Overlap(in CallArgument argument, string tensor)
    {
        if (argument.Use == ArgumentUse.Scratch) ThrowHelper.ScratchOverlap(argument.Name, tensor);
        if (tensor == _output.Name) ThrowHelper.Overlap(tensor, argument.Name);
        ThrowHelper.Overlap(argument.Name, tensor);
    }

    /// <summary>Names first the one that is written, the working memory before a result.</summary>
    [DoesNotReturn]
    private static void Overlap(in CallArgument argument, in CallArgument other)
    {
        if (argument.Use == ArgumentUse.Scratch) ThrowHelper.ScratchOverlap(argument.Name, other.Name);
        if (other.Use == ArgumentUse.Scratch) ThrowHelper.ScratchOverlap(other.Name, argument.Name);
        if (argument.IsWritten) ThrowHelper.Overlap(argument.Name, other.Name);
        ThrowHelper.Overlap(other.Name, argument.Name);
    }
}
