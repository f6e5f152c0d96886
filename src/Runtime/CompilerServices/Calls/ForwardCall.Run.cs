using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// Pins a checked call, builds its layout and passes it to the jobs.
public unsafe ref partial struct ForwardCall
{
    /// <summary>Runs the call on a core whose instruction set this processor has.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    /// <exception cref="InvalidOperationException">The call, or a copy of it, has already run.</exception>
    public void Run<TCore>()
        where TCore : struct, IPrefillCore, IDecodeCore =>
        Run(new ForwardWalks { Prefill = PrefillWalk.Of<TCore>(), Decode = DecodeWalk.Of<TCore>() });

    /// <summary>Runs the call on a core with prefill only.</summary>
    /// <inheritdoc cref="Run{TCore}"/>
    public void RunPrefill<TCore>()
        where TCore : struct, IPrefillCore => Run(new ForwardWalks { Prefill = PrefillWalk.Of<TCore>() });

    /// <summary>Runs the call on a core with decode only.</summary>
    /// <inheritdoc cref="Run{TCore}"/>
    public void RunDecode<TCore>()
        where TCore : struct, IDecodeCore => Run(new ForwardWalks { Decode = DecodeWalk.Of<TCore>() });

    /// <summary>Not private: what only generic methods reach would not be compiled ahead.</summary>
    internal void Run(in ForwardWalks walks)
    {
        _numbers.CheckOwned();
        if (_output.IsEmpty) _numbers.Return();
        else if (_memory.Count == 0) RunPinned(walks);
        else RunFew(walks);
    }

    /// <summary>
    /// Runs the call with the first arguments pinned, which are all in most calls. A field without an argument holds a null reference, or that of an earlier
    /// call.
    /// </summary>
    private void RunFew(in ForwardWalks walks)
    {
        fixed (byte*
            p0 = &_memory.A0.Memory.Origin, p1 = &_memory.A1.Memory.Origin, p2 = &_memory.A2.Memory.Origin, p3 = &_memory.A3.Memory.Origin,
            p4 = &_memory.A4.Memory.Origin, p5 = &_memory.A5.Memory.Origin, p6 = &_memory.A6.Memory.Origin, p7 = &_memory.A7.Memory.Origin)
        {
            if (_memory.Count <= 8) RunPinned(walks);
            else RunMany(walks);
        }
    }

    private void RunMany(in ForwardWalks walks)
    {
        fixed (byte*
            p8 = &_memory.A8.Memory.Origin, p9 = &_memory.A9.Memory.Origin, p10 = &_memory.A10.Memory.Origin, p11 = &_memory.A11.Memory.Origin,
            p12 = &_memory.A12.Memory.Origin, p13 = &_memory.A13.Memory.Origin, p14 = &_memory.A14.Memory.Origin, p15 = &_memory.A15.Memory.Origin,
            p16 = &_memory.A16.Memory.Origin, p17 = &_memory.A17.Memory.Origin, p18 = &_memory.A18.Memory.Origin, p19 = &_memory.A19.Memory.Origin,
            p20 = &_memory.A20.Memory.Origin, p21 = &_memory.A21.Memory.Origin, p22 = &_memory.A22.Memory.Origin, p23 = &_memory.A23.Memory.Origin,
            p24 = &_memory.A24.Memory.Origin, p25 = &_memory.A25.Memory.Origin, p26 = &_memory.A26.Memory.Origin)
        {
            RunPinned(walks);
        }
    }

    /// <summary>Runs the call after all arguments except the tensors are pinned.</summary>
    [SkipLocalsInit]
    private void RunPinned(in ForwardWalks walks)
    {
        const int Usual = 16; // larger layouts use rented arrays
        var stored = _cache?.Shape ?? _paged?.Shape;
        var asked = _keyDim > 0 ? KernelTensor.OfRows(_query.Heads, _keyDim, sizeof(float), ElementType.Float) : _query;
        if (stored is null) ForwardChecks.Tensors(walks, asked, _key, _value, _output);
        else ForwardChecks.Tensors(walks, asked, KernelTensor.OfCache(stored, stored.HeadDim), KernelTensor.OfCache(stored, stored.ValueDim), _output);
        fixed (byte* query = &_query.Data, key = &_key.Data, value = &_value.Data, output = &_output.Data)
        fixed (int* keyBlockStarts = _mask.KeyBlockStarts, keyBlocks = _mask.KeyBlocks)
        {
            var call = new ForwardArguments
            {
                Query = new StridedTensor(query, _query), Key = new StridedTensor(key, _key), Value = new StridedTensor(value, _value), Output = new StridedTensor(output, _output),
                Shape = _shape, ScratchName = "", MaxThreads = _maxThreads, Lists = _mask.Lists with { Starts = keyBlockStarts, Blocks = keyBlocks },
            };
            var operands = new ForwardOperands { Keys = _shape.Keys, Own = _own };
            call.Operands = &operands; // valid until the call ends: workers that begin later do not touch it
            Place(ref call, ref operands, out var buckets);

            float* distances = null, projected = null; // the biases of distances and the projected queries, in memory of the library
            ForwardSequence* sequences = stackalloc ForwardSequence[Usual];
            RowPiece* pieces = stackalloc RowPiece[Usual];
            KeyZone* zones = stackalloc KeyZone[Usual];
            var layout = new ForwardLayout(sequences, pieces, zones, Usual);
            try
            {
                if (!_bucketStarts.IsEmpty)
                {
                    var table = new CompilerServices.RelativeBias(buckets, _bucketStarts, _bucketsBidirectional, call.Heads, _mask.Distances(_shape));
                    distances = ScratchCache.Rent(table.Bytes);
                    table.Expand(distances);
                    *ForwardOperands.Slot(&operands, AttentionRole.RelativeBias) = new Operand { Data = (byte*)(distances + table.Reach), Head = (nint)2 * table.Reach * sizeof(float) };
                    operands.Reach = table.Reach;
                }

                if (_keyDim > 0)
                {
                    projected = ScratchCache.RentForLayer(Projection.BytesOf(_shape, _keyDim));
                    call.Query = ProjectJob.Run(new Projection(call.Query, _shape, (float*)ForwardOperands.Slot(&operands, AttentionRole.QueryKeyWeight)->Data, projected, _keyDim, _halfQuery), _maxThreads);
                }

                if (stored is null) Run(ref call, walks, ref layout);
                else if (_paged is null) RunCached(ref call, walks, ref layout);
                else RunPaged(ref call, walks, ref layout);
            }
            finally
            {
                layout.Dispose();
                _numbers.Return();
                _mask = default; // it refers to the returned copies
                if (distances != null) ScratchCache.Return(distances);
                if (projected != null) ScratchCache.ReturnOfLayer(projected);
                GC.KeepAlive(_rotary);
            }
        }
    }

    /// <summary>Stores the addresses of the pinned arguments where cores and jobs read them.</summary>
    private void Place(ref ForwardArguments call, ref ForwardOperands operands, out ReadOnlySpan<float> buckets)
    {
        buckets = default;
        uint sinkResults = 0;
        ref var argument = ref _memory.A0;
        for (int left = _memory.Count; left > 0; left--, argument = ref Unsafe.Add(ref argument, 1))
        {
            var address = (byte*)Unsafe.AsPointer(ref argument.Memory.Origin);
            switch (argument.Use)
            {
                case ArgumentUse.Input:
                    ForwardOperands.Slot(call.Operands, argument.Slot)->Set(address, argument.ElementBytes, argument.Axes, _shape);
                    break;
                case ArgumentUse.Result:
                    ForwardOperands.Slot(call.Operands, argument.Slot)->Set(address, argument.ElementBytes, argument.Axes, _shape);
                    operands.Results |= 1u << argument.Slot;
                    var empty = OperandTable.Row(OperandSlots.RoleOf(argument.Slot)).Empty;
                    operands.Empty[argument.Slot] = Bits(empty);
                    if (empty == OperandEmpty.Sink) sinkResults |= 1u << argument.Slot;
                    break;
                case ArgumentUse.Own:
                    operands.Spans[argument.Slot] = (long)address;
                    break;
                case ArgumentUse.Buckets:
                    buckets = argument.Memory.As<float>();
                    break;
                case ArgumentUse.Scratch when argument.Memory.Bytes > 0:
                    call.ScratchName = argument.Name;
                    call.Scratch = (byte*)((nint)(address + 63) & ~63);
                    call.ScratchBytes = Math.Max((nint)(address + argument.Memory.Bytes) - (nint)call.Scratch, 0);
                    break;
            }
        }

        if (ForwardOperands.Slot(call.Operands, AttentionRole.Sinks)->Data != null) operands.SinkResults = sinkResults;
        if (_rotary is not null) *ForwardOperands.Slot(call.Operands, AttentionRole.Rotary) = new Operand { Data = (byte*)_rotary.Row(0), Query = (nint)_rotary.RotaryDim * sizeof(float) };
    }

    /// <summary>The bits of a result's element in a row that sees no key.</summary>
    private readonly int Bits(OperandEmpty empty) => empty switch
    {
        OperandEmpty.Zero => 0,
        OperandEmpty.MinusOne => -1,
        OperandEmpty.Hidden when _scoresStage == AttentionStage.Weights => 0,
        _ => BitConverter.SingleToInt32Bits(float.NegativeInfinity),
    };

    private readonly void Run(ref ForwardArguments call, in ForwardWalks walks, ref ForwardLayout layout)
    {
        bool isDecode = _mask.FirstIsDecode(_shape, walks);
        layout.Build(_shape, _mask, walks, isDecode);
        if (layout.LeftOut > 0 && call.Scratch != null)
        {
            // Both walks must fit into the caller's memory before one of them writes.
            call.OnlyAsks = true;
            nint needed = Run(ref call, layout, walks, isDecode);
            layout.Build(_shape, _mask, walks, !isDecode);
            needed = Math.Max(needed, Run(ref call, layout, walks, !isDecode));
            if (call.ScratchBytes < needed) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, needed);
            call.OnlyAsks = false;
            layout.Build(_shape, _mask, walks, isDecode);
        }

        Run(ref call, layout, walks, isDecode);
        if (layout.LeftOut == 0) return;
        layout.Build(_shape, _mask, walks, !isDecode);
        Run(ref call, layout, walks, !isDecode);
    }

    /// <returns>The bytes of memory that a thread needs.</returns>
    private static nint Run(ref ForwardArguments call, in ForwardLayout layout, in ForwardWalks walks, bool isDecode)
    {
        fixed (ForwardSequence* sequences = &layout.Sequences.First)
        fixed (RowPiece* pieces = &layout.Pieces.First)
        fixed (KeyZone* zones = &layout.Zones.First)
        {
            call.Sequences = sequences;
            call.Pieces = pieces;
            call.Zones = zones;
            call.SequenceCount = layout.Sequences.Count;
            call.PieceCount = layout.Pieces.Count;
            if (call.PieceCount == 0) return 0;
            if (isDecode) ForwardChecks.Layout(call);
            else ForwardChecks.Layout(call, walks.Prefill.Plan);
            return isDecode ? DecodeJob.Run(call, walks.Decode) : PrefillJob.Run(call, walks.Prefill);
        }
    }
}
