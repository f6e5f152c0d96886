using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over a call of few query rows: each key and value is read once, for all queries of all heads of its group. A lane is some
/// rows of a piece: of several key-value heads where these lie side by side in a token, so that they are read in the order of their addresses,
/// or a part of many queries. Its keys are cut into chunks whose number and size follow from the number of keys alone; each chunk gives a partial
/// state, and these are merged in order, by whomever: no result depends on who computes what.
/// </summary>
internal sealed unsafe class DecodeJob<TCore> : PooledJob<DecodeJob<TCore>>
    where TCore : struct, IDecodeCore
{
    private ForwardArguments _call;
    private DecodeSchedule _schedule;
    private float* _partials; // [lanes, chunks, rows] states where the chunks of a lane are split over threads

    /// <returns>The memory that a thread needs.</returns>
    public static nint Run(in ForwardArguments call)
    {
        var plan = TCore.Plan;
        var schedule = DecodeSchedule.Of(call, plan, call.MaxThreads);
        if (call.OnlyAsks) return schedule.WorkerBytes;
        var job = schedule.Threads > 1 ? Rent() : null;
        if (job is null)
        {
            job = Alone;
            if (schedule.Threads > 1) schedule = DecodeSchedule.Of(call, plan, maxThreads: 1);
        }

        float* partials = null, rented = null;
        bool runs = false;
        try
        {
            if (schedule.PartialFloats > 0)
                partials = call.Scratch != null ? (float*)(call.Scratch + schedule.Threads * schedule.WorkerBytes) : rented = ScratchCache.Rent((nuint)schedule.PartialFloats * sizeof(float));
            if (call.Operands->Scores.Data != null) ClearScores(call);
            job._call = call;
            job._schedule = schedule;
            job._partials = partials;
            runs = true;
            job.Run(schedule.Units, schedule.Threads); // another call may have the job afterwards
            if (partials != null) Merge(call, schedule, partials);
        }
        finally
        {
            if (!runs) job.Release();
            if (rented != null) ScratchCache.Return(rented);
        }

        return schedule.WorkerBytes;
    }

    /// <summary>Joins the states of the chunks of each lane, in their order, and writes the output rows.</summary>
    private static void Merge(in ForwardArguments call, in DecodeSchedule schedule, float* partials)
    {
        var plan = TCore.Plan;
        for (long lane = 0; lane < call.PieceCount * schedule.LanesOfPiece; lane++)
        {
            var rows = schedule.Lane(call, lane);
            int chunks = DecodeSchedule.Chunks(call, plan, rows);
            float* state = partials + (nint)lane * schedule.LaneFloats;
            for (int chunk = 1; chunk < chunks; chunk++) TCore.Merge(ref *state, ref *(state + chunk * schedule.ChunkFloats), rows.Rows);
            Finish(call, plan, rows, chunks > 0 ? state : null);
        }
    }

    /// <summary>Before the rows get scores: threads share them.</summary>
    private static void ClearScores(in ForwardArguments call)
    {
        for (int i = 0; i < call.PieceCount; i++)
        {
            ref readonly var piece = ref call.Pieces[i];
            for (int head = 0; head < call.Heads; head++) call.Operands->ClearScores(call.Sequences[piece.Sequence], head, piece.FirstRow, piece.Rows);
        }
    }

    protected override void Work(int worker)
    {
        float* memory = TakeMemory(_call, _schedule.WorkerBytes, worker);
        if (memory == null) return;
        try
        {
            Work(memory);
        }
        finally
        {
            ReturnMemory(_call, memory);
        }
    }

    private void Work(float* memory)
    {
        var plan = TCore.Plan;
        float* scratch = memory, state = memory + plan.RowsScratchFloats, other = state + _schedule.ChunkFloats;
        while (TakeUnit(out long unit))
        {
            if (_partials != null)
            {
                (long chunk, long lane) = Math.DivRem(unit, _call.PieceCount * _schedule.LanesOfPiece);
                var rows = _schedule.Lane(_call, lane);
                if (chunk < DecodeSchedule.Chunks(_call, plan, rows))
                    Attend(rows, (int)chunk, _partials + (nint)lane * _schedule.LaneFloats + (nint)chunk * _schedule.ChunkFloats, scratch);
            }
            else
            {
                var rows = _schedule.Lane(_call, unit);
                int chunks = DecodeSchedule.Chunks(_call, plan, rows);
                for (int chunk = 0; chunk < chunks; chunk++)
                {
                    Attend(rows, chunk, chunk == 0 ? state : other, scratch);
                    if (chunk > 0) TCore.Merge(ref *state, ref *other, rows.Rows);
                }

                Finish(_call, plan, rows, chunks > 0 ? state : null);
            }
        }
    }

    /// <summary>The rows of a lane against a chunk of keys.</summary>
    [SkipLocalsInit]
    private void Attend(in DecodeLane rows, int chunk, float* state, float* scratch)
    {
        const int MaxRuns = 32;
        KeyRun* runs = stackalloc KeyRun[MaxRuns];
        int count = 0, last = rows.Row + rows.Queries - 1;
        long passed = 0;
        bool begun = false;
        ref readonly var piece = ref _call.Pieces[rows.Piece];
        var (first, keys) = DecodeSchedule.Chunk(_call, TCore.Plan, rows, chunk);
        var ranges = new KeyRanges(_call, piece, rows.KeyHead, piece.FirstRow, piece.FirstRow + piece.Rows - 1);
        while (ranges.MoveNext())
        {
            var range = ranges.Current;
            int begin = (int)Math.Min(range.Begin + Math.Max(first - passed, 0), range.End), end = (int)Math.Min(range.Begin + Math.Min(first + keys - passed, range.Count), range.Zone->Range(last).End);
            passed += range.Count;
            if (begin >= end) continue;
            if (count == MaxRuns)
            {
                Attend(rows, runs, count, !begun, state, scratch);
                (begun, count) = (true, 0);
            }

            runs[count++] = range.Run(begin, end, rows.Row, packed: 0);
        }

        if (count > 0 || !begun) Attend(rows, runs, count, !begun, state, scratch);
    }

    private void Attend(in DecodeLane rows, KeyRun* runs, int count, bool first, float* state, float* scratch)
    {
        ref readonly var sequence = ref _call.Sequences[_call.Pieces[rows.Piece].Sequence];
        TCore.Decode(new DecodeBlock
        {
            Query = ref *_call.QueryRow(sequence, rows.Row, rows.Head),
            QueryStride = _call.Query.TokenStride * sequence.Step,
            HeadStride = _call.Query.HeadStride,
            Queries = rows.Queries,
            Heads = rows.KeyHeads * rows.Group,
            KeyHeads = rows.KeyHeads,
            Key = ref *_call.KeyRow(sequence, 0, rows.KeyHead),
            KeyStride = _call.Key.TokenStride * sequence.Step,
            KeyHeadStride = _call.Key.HeadStride,
            Value = ref *_call.ValueRow(sequence, 0, rows.KeyHead),
            ValueStride = _call.Value.TokenStride * sequence.Step,
            ValueHeadStride = _call.Value.HeadStride,
            Runs = ref *runs,
            RunCount = count,
            First = first,
            State = ref *state,
            Scratch = ref *scratch,
            Place = _call.Place(sequence, rows.Head, rows.Row),
        });
    }

    /// <summary>Writes the output rows of a lane; those of a lane whose rows see no key are 0.</summary>
    private static void Finish(in ForwardArguments call, in ForwardPlan plan, in DecodeLane rows, float* state)
    {
        if (rows.Queries <= 0) return;
        ref readonly var sequence = ref call.Sequences[call.Pieces[rows.Piece].Sequence];
        for (int i = 0; i < rows.KeyHeads * rows.Group; i++)
        {
            if (state == null) call.Clear(sequence, rows.Head + i, rows.Row, rows.Queries);
            else TCore.Finish(ref *(state + (nint)i * rows.Queries * plan.StateRowFloats), ref *call.OutputRow(sequence, rows.Row, rows.Head + i), call.Output.TokenStride * sequence.Step, rows.Queries, call.Place(sequence, rows.Head + i, rows.Row));
        }
    }
}
