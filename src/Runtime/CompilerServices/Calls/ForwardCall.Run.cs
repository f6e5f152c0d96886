using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// A checked call is pinned, laid out, and given to the jobs.
public unsafe ref partial struct ForwardCall
{
    /// <summary>Runs the call on a core that this processor has the instructions for.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public void Run<TCore>()
        where TCore : struct, IPrefillCore, IDecodeCore => Run(TCore.Plan, &DecodeJob<TCore>.Run, &PrefillJob<TCore>.Run);

    /// <summary>Runs a call that is declared to have many query rows on a core that this processor has the instructions for.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public void RunPrefill<TCore>()
        where TCore : struct, IPrefillCore => Run(TCore.Plan, null, &PrefillJob<TCore>.Run);

    /// <summary>Runs a call that is declared to have few query rows on a core that this processor has the instructions for.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public void RunDecode<TCore>()
        where TCore : struct, IDecodeCore => Run(TCore.Plan, &DecodeJob<TCore>.Run, null);

    /// <summary>Runs a job for sequences of few rows and one for those of many; or one for all, where there is no other.</summary>
    [SkipLocalsInit]
    private void Run(in ForwardPlan plan, delegate*<in ForwardArguments, nint> few, delegate*<in ForwardArguments, nint> many)
    {
        const int Usual = 16; // more than these are rented
        if (_output.IsEmpty)
        {
            _numbers.Return();
            return;
        }

        ForwardChecks.Tensors(plan, _query, _value);
        fixed (float* query = &_query.Data, key = &_key.Data, value = &_value.Data, output = &_output.Data)
        fixed (int* keyBlockStarts = _mask.KeyBlockStarts, keyBlocks = _mask.KeyBlocks)
        fixed (byte* scales = _scales, span0 = _span0, span1 = _span1, span2 = _span2, span3 = _span3)
        fixed (byte* scratch = _scratch, bias = _bias, keep = _keep, slopes = _slopes, sinks = _sinks, queryNormWeight = _queryNormWeight, keyNormWeight = _keyNormWeight)
        fixed (float* logSumExp = _logSumExp.Memory, scores = _scores.Memory, maxScore = _maxScore.Memory, entropy = _entropy.Memory, argmax = _argmax.Memory)
        {
            var call = new ForwardArguments
            {
                Query = new StridedTensor(query, _query), Key = new StridedTensor(key, _key), Value = new StridedTensor(value, _value), Output = new StridedTensor(output, _output),
                Shape = _shape, ScratchName = _scratchName, MaxThreads = _maxThreads,
            };
            var operands = new ForwardOperands { Own = _own };
            operands.Bias = CompilerServices.Operand.Of(bias, sizeof(float), _biasAxes, _shape);
            operands.Keep = CompilerServices.Operand.Of(keep, sizeof(bool), _keepAxes, _shape);
            operands.Slopes = CompilerServices.Operand.Of(slopes, sizeof(float), AttentionAxes.Head, _shape);
            operands.Sinks = CompilerServices.Operand.Of(sinks, sizeof(float), AttentionAxes.Head, _shape);
            operands.QueryNormWeight = (float*)queryNormWeight;
            operands.KeyNormWeight = (float*)keyNormWeight;
            operands.LogSumExp = CompilerServices.Operand.Of(logSumExp, sizeof(float), OfRows, _shape);
            operands.Scores = CompilerServices.Operand.Of(scores, sizeof(float), OfRows | AttentionAxes.Key, _shape);
            operands.MaxScore = CompilerServices.Operand.Of(maxScore, sizeof(float), OfRows, _shape);
            operands.Entropy = CompilerServices.Operand.Of(entropy, sizeof(float), OfRows, _shape);
            operands.ArgMax = CompilerServices.Operand.Of(argmax, sizeof(int), OfRows, _shape);
            operands.Keys = _shape.Keys;
            operands.Hidden = _scoresStage == AttentionStage.Weights ? 0f : float.NegativeInfinity;
            call.Lists = _mask.Lists with { Starts = keyBlockStarts, Blocks = keyBlocks };
            operands.Scales = CompilerServices.Operand.Of(scales, sizeof(float), AttentionAxes.Head, _shape);
            (operands.Spans[0], operands.Spans[1], operands.Spans[2], operands.Spans[3]) = ((long)span0, (long)span1, (long)span2, (long)span3);
            call.Operands = &operands; // until the call ends: no worker that begins later touches it
            if (!_scratch.IsEmpty)
            {
                call.Scratch = (byte*)((nint)(scratch + 63) & ~63);
                call.ScratchBytes = Math.Max((nint)(scratch + _scratch.Length) - (nint)call.Scratch, 0);
            }

            float* distances = null; // the biases of distances lie in memory of the library's
            var layout = new ForwardLayout(stackalloc ForwardSequence[Usual], stackalloc RowPiece[Usual], stackalloc KeyZone[Usual]);
            try
            {
                if (!_relativeStarts.IsEmpty)
                {
                    var table = new CompilerServices.RelativeBias(_relativeBias, _relativeStarts, _relativeBidirectional, call.Heads, _mask.Distances(_shape));
                    distances = ScratchCache.Rent(table.Bytes);
                    table.Expand(distances);
                    operands.Relative = new Operand { Data = (byte*)(distances + table.Reach), Head = (nint)2 * table.Reach * sizeof(float) };
                    operands.Reach = table.Reach;
                }

                Run(ref call, plan, few, many, ref layout);
            }
            finally
            {
                layout.Dispose();
                _numbers.Return();
                _mask = default; // it has the copies
                if (distances != null) ScratchCache.Return(distances);
            }
        }
    }

    private readonly void Run(ref ForwardArguments call, in ForwardPlan plan, delegate*<in ForwardArguments, nint> few, delegate*<in ForwardArguments, nint> many, ref ForwardLayout layout)
    {
        if (few == null || many == null)
        {
            layout.Build(_shape, _mask, plan, ForwardLayout.Part.All);
            Run(ref call, layout, plan, few == null ? many : few, isDecode: many == null);
            return;
        }

        bool isDecode = _mask.FirstIsDecode(_shape, plan);
        var (first, second) = isDecode ? (ForwardLayout.Part.Decode, ForwardLayout.Part.Prefill) : (ForwardLayout.Part.Prefill, ForwardLayout.Part.Decode);
        layout.Build(_shape, _mask, plan, first);
        if (layout.LeftOut > 0 && call.Scratch != null)
        {
            // Both parts must have room in the caller's memory before one of them writes.
            call.OnlyAsks = true;
            nint needed = Run(ref call, layout, plan, isDecode ? few : many, isDecode);
            layout.Build(_shape, _mask, plan, second);
            needed = Math.Max(needed, Run(ref call, layout, plan, isDecode ? many : few, !isDecode));
            if (call.ScratchBytes < needed) ThrowHelper.ScratchTooSmall(_scratchName, call.ScratchBytes, needed);
            call.OnlyAsks = false;
            layout.Build(_shape, _mask, plan, first);
        }

        Run(ref call, layout, plan, isDecode ? few : many, isDecode);
        if (layout.LeftOut == 0) return;
        layout.Build(_shape, _mask, plan, second);
        Run(ref call, layout, plan, isDecode ? many : few, !isDecode);
    }

    /// <returns>The memory that a thread needs.</returns>
    private static nint Run(ref ForwardArguments call, in ForwardLayout layout, in ForwardPlan plan, delegate*<in ForwardArguments, nint> job, bool isDecode)
    {
        fixed (ForwardSequence* sequences = layout.Sequences.Items)
        fixed (RowPiece* pieces = layout.Pieces.Items)
        fixed (KeyZone* zones = layout.Zones.Items)
        {
            call.Sequences = sequences;
            call.Pieces = pieces;
            call.Zones = zones;
            call.SequenceCount = layout.Sequences.Count;
            call.PieceCount = layout.Pieces.Count;
            if (call.PieceCount == 0) return 0;
            ForwardChecks.Layout(call, plan, isDecode);
            return job(call);
        }
    }
}
