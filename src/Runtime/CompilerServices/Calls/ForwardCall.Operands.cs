using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// Operands besides the tensors. The operand table says what each must be. All memory goes to one store, so that written memory is compared with all the rest.
public unsafe ref partial struct ForwardCall
{
    /// <summary>Adds an operand that cores read.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="memory">Its elements, in the order of its axes.</param>
    /// <param name="axes">The axes of the operand: those of the role's row in the table, unless the role lets the user declare them.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">
    /// The length does not fit the axes, the role refuses a value, or the memory overlaps memory that is written.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such operand with this role or these axes.</exception>
    public void Input(AttentionRole role, ReadOnlySpan<float> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "")
    {
        var row = RowOf(role, OperandKind.Input, ElementType.Float, axes);
        AddOperand(row, MemoryBlock.Of(memory), memory.Length, sizeof(float), axes, name);
        CheckValues(memory, row.Values, name);
    }

    /// <inheritdoc cref="Input(AttentionRole, ReadOnlySpan{float}, AttentionAxes, string)"/>
    public void Input(AttentionRole role, ReadOnlySpan<bool> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "") =>
        AddOperand(RowOf(role, OperandKind.Input, ElementType.Bool, axes), MemoryBlock.Of(memory), memory.Length, sizeof(bool), axes, name);

    /// <summary>Adds an operand that cores write.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="memory">Its elements, in the order of its axes.</param>
    /// <param name="axes">The axes of the operand: those of the role's row in the table.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">The length does not fit the axes, or the memory overlaps another argument.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such operand with this role or these axes.</exception>
    public void Result(AttentionRole role, Span<float> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "") =>
        AddOperand(RowOf(role, OperandKind.Result, ElementType.Float, axes), MemoryBlock.Of<float>(memory), memory.Length, sizeof(float), axes, name);

    /// <inheritdoc cref="Result(AttentionRole, Span{float}, AttentionAxes, string)"/>
    public void Result(AttentionRole role, Span<int> memory, AttentionAxes axes, [CallerArgumentExpression(nameof(memory))] string name = "") =>
        AddOperand(RowOf(role, OperandKind.Result, ElementType.Int, axes), MemoryBlock.Of<int>(memory), memory.Length, sizeof(int), axes, name);

    /// <summary>What a layer writes after the attention: no argument of the attention lies in it.</summary>
    /// <exception cref="ArgumentException">One does.</exception>
    public void Later(Span<float> memory, [CallerArgumentExpression(nameof(memory))] string name = "") => Add(MemoryBlock.Of<float>(memory), name, ArgumentUse.Later);

    /// <summary>The score matrix, [batch, heads, queries, keys], and the stage at which cores write it.</summary>
    /// <exception cref="ArgumentException">The length does not fit, or the memory overlaps another argument.</exception>
    public void Scores(Span<float> scores, AttentionStage stage, [CallerArgumentExpression(nameof(scores))] string name = "")
    {
        Result(AttentionRole.Scores, scores, OperandTable.Row(AttentionRole.Scores).Axes, name);
        _scoresStage = stage;
    }

    /// <summary>The matrices between queries and keys: the call multiplies each query by that of its head before anything reads it.</summary>
    /// <param name="queryKeyWeight">[heads, headDim, keyDim].</param>
    /// <param name="keyDim">The number of elements of a key.</param>
    /// <param name="halves">Whether the queries are halves.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">The length does not fit, or the memory overlaps memory that is written.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A key has no element.</exception>
    public void QueryKeyWeight(ReadOnlySpan<float> queryKeyWeight, int keyDim, bool halves = false, [CallerArgumentExpression(nameof(queryKeyWeight))] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(keyDim);
        (_keyDim, _halfQuery) = (keyDim, halves);
        Input(AttentionRole.QueryKeyWeight, queryKeyWeight, OperandTable.Row(AttentionRole.QueryKeyWeight).Axes, name);
    }

    /// <summary>The bias of a score by head and bucket. The distance of query and key selects the bucket.</summary>
    /// <param name="relativeBias">[buckets, heads], finite.</param>
    /// <param name="starts">The least distance of each bucket, for one direction.</param>
    /// <param name="bidirectional">Whether keys after the query have separate buckets.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">
    /// There is not one number for each bucket and head, one is not finite, or the memory overlaps memory that is written.
    /// </exception>
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
        bool isOne = row is { Extent: not OperandExtent.Buckets } && row.Kind == kind && row.Element == element && (axes == row.Axes || row.HasDeclaredAxes);
        if (isOne) return row!;
        throw ThrowHelper.NoSuchOperand(nameof(role), role, kind, element, axes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddOperand(OperandRow row, MemoryBlock memory, int length, int elementBytes, AttentionAxes axes, string name)
    {
        switch (row.Extent)
        {
            case OperandExtent.Axes:
                CheckLength(length, axes, name);
                break;
            case OperandExtent.HeadsByDim when length != (long)_shape.Heads * _query.Dim:
                ThrowHelper.OneForEachElement(name, length, $"[{_shape.Heads}, {_query.Dim}]", (long)_shape.Heads * _query.Dim);
                break;
            case OperandExtent.HeadsByDims when length != (long)_shape.Heads * _query.Dim * _keyDim:
                ThrowHelper.OneForEachElement(name, length, $"[{_shape.Heads}, {_query.Dim}, {_keyDim}]", (long)_shape.Heads * _query.Dim * _keyDim);
                break;
            case OperandExtent.HeadDim when length != _query.Dim:
                ThrowHelper.NormWeightLength(name, length, _query.Dim);
                break;
        }

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

        // Each length fits an int. If a product does not fit, no span has that many elements, unless a later length is 0.
        static long Times(long product, int count) => count == 0 ? 0 : product > int.MaxValue ? product : product * count;
    }

    private static void CheckValues(ReadOnlySpan<float> numbers, OperandValues values, string name)
    {
        if (values == OperandValues.Finite)
        {
            for (int i = 0; i < numbers.Length; i++)
                if (!float.IsFinite(numbers[i])) ThrowHelper.NotFinite(name, i, numbers[i]);
        }
        else if (values == OperandValues.Factors)
        {
            for (int i = 0; i < numbers.Length; i++)
                if (!(Math.Abs(numbers[i]) <= OperandTable.MostFactor)) ThrowHelper.BadFactor(name, i, numbers[i], OperandTable.MostFactor);
        }
        else if (values == OperandValues.BelowInfinity)
        {
            for (int i = 0; i < numbers.Length; i++)
                if (!(numbers[i] < float.PositiveInfinity)) ThrowHelper.BadSink(name, i, numbers[i]);
        }
    }

    /// <summary>A number for the user's own mask or score.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not that of a number of a call.</exception>
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

    /// <summary>A span for the user's own mask or score. Call it after the mask's numbers, which determine the length that it needs.</summary>
    /// <param name="slot">The index of the span.</param>
    /// <param name="span">Its elements.</param>
    /// <param name="axes">The axes that index the span: it needs an element for each index.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">The span is too short, or overlaps memory that is written.</exception>
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

    /// <summary>The position after the last query of any batch item; 0 without queries.</summary>
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

    /// <summary>The caller's working memory. With an empty span the call uses the library's.</summary>
    /// <exception cref="ArgumentException">It overlaps another argument.</exception>
    public void Scratch(Span<byte> scratch, [CallerArgumentExpression(nameof(scratch))] string name = "") =>
        Add(MemoryBlock.Of<byte>(scratch), name, ArgumentUse.Scratch);

    /// <summary>Adds an argument's memory to the store.</summary>
    /// <exception cref="ArgumentException">It overlaps memory that is written, or is written and overlaps the memory of another argument.</exception>
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

        // The mask's numbers are copied before anything is written, but an argument that is overwritten is still a mistake.
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

    /// <summary>Reports an overlap. The message begins with the memory that is written: working memory before a result.</summary>
    [DoesNotReturn]
    private static void Overlap(in CallArgument argument, in CallArgument other)
    {
        if (argument.Use == ArgumentUse.Scratch) ThrowHelper.ScratchOverlap(argument.Name, other.Name);
        if (other.Use == ArgumentUse.Scratch) ThrowHelper.ScratchOverlap(other.Name, argument.Name);
        if (argument.IsWritten) ThrowHelper.Overlap(argument.Name, other.Name);
        ThrowHelper.Overlap(other.Name, argument.Name);
    }
}
