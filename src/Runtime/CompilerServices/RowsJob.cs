namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over a call of few query rows: each key and value is read once, for all queries of all heads of its group. A lane is some
/// rows of a batch item: of several key-value heads where these lie side by side in a token, so that they are read in the order of their addresses,
/// or a part of many queries. Its keys are cut into chunks whose number and size follow from the number of keys alone; each chunk gives a partial
/// state, and these are merged in order, by whomever: no result depends on who computes what.
/// </summary>
internal sealed unsafe class RowsJob<TCore> : PooledJob<RowsJob<TCore>>
    where TCore : struct, IRowsCore
{
    private ForwardArguments _call;
    private RowsSchedule _schedule;
    private float* _partials; // [lanes, chunks, rows] states where the chunks of a lane are split over threads

    public static void Run(in ForwardArguments call)
    {
        var plan = TCore.Plan;
        var schedule = RowsSchedule.Of(call, plan, call.MaxThreads);
        var job = schedule.Threads > 1 ? Rent() : null;
        if (job is null)
        {
            job = Alone;
            if (schedule.Threads > 1) schedule = RowsSchedule.Of(call, plan, maxThreads: 1);
        }

        float* partials = null;
        if (schedule.PartialFloats > 0)
            partials = call.Scratch != null ? (float*)(call.Scratch + schedule.Threads * schedule.WorkerBytes) : ScratchCache.Rent((nuint)schedule.PartialFloats * sizeof(float));
        call.Operands->ClearScores(call);
        job._call = call;
        job._schedule = schedule;
        job._partials = partials;
        job.Run(schedule.Units, schedule.Threads);

        // Another call may have the job by now.
        if (partials == null) return;
        for (int lane = 0; lane < call.Batch * schedule.LanesOfItem; lane++)
        {
            var rows = schedule.Lane(call, lane);
            int chunks = RowsSchedule.Chunks(call, plan, rows.Batch);
            float* state = partials + lane * schedule.LaneFloats;
            for (int chunk = 1; chunk < chunks; chunk++) TCore.Merge(ref *state, ref *(state + chunk * schedule.ChunkFloats), rows.Rows);
            Finish(call, plan, rows, chunks > 0 ? state : null);
        }

        if (call.Scratch == null) ScratchCache.Return(partials);
    }

    protected override void Work(int worker)
    {
        float* memory = TakeMemory(_call, _schedule.WorkerBytes, worker);
        if (memory == null) return;
        var plan = TCore.Plan;
        float* scratch = memory, state = memory + plan.RowsScratchFloats, other = state + _schedule.ChunkFloats;
        while (TakeUnit(out int unit))
        {
            if (_partials != null)
            {
                int lanes = _call.Batch * _schedule.LanesOfItem, lane = unit % lanes, chunk = unit / lanes;
                var rows = _schedule.Lane(_call, lane);
                if (chunk < RowsSchedule.Chunks(_call, plan, rows.Batch))
                    Attend(rows, chunk, _partials + lane * _schedule.LaneFloats + chunk * _schedule.ChunkFloats, scratch);
            }
            else
            {
                var rows = _schedule.Lane(_call, unit);
                int chunks = RowsSchedule.Chunks(_call, plan, rows.Batch);
                for (int chunk = 0; chunk < chunks; chunk++)
                {
                    Attend(rows, chunk, chunk == 0 ? state : other, scratch);
                    if (chunk > 0) TCore.Merge(ref *state, ref *other, rows.Rows);
                }

                Finish(_call, plan, rows, chunks > 0 ? state : null);
            }
        }

        ReturnMemory(_call, memory);
    }

    private void Attend(in RowsLane rows, int chunk, float* state, float* scratch)
    {
        var (first, count) = RowsSchedule.Chunk(_call, TCore.Plan, rows.Batch, chunk);
        nint seen = _call.End(rows.Batch, rows.Query + rows.Queries - 1) - first; // by the last query of the lane, which need not be that of the call
        TCore.AttendRows(new ForwardRows
        {
            Query = ref *_call.Query.Row(rows.Batch, rows.Query, rows.Head),
            QueryStride = _call.Query.TokenStride,
            HeadStride = _call.Query.HeadStride,
            Queries = rows.Queries,
            Heads = rows.KeyHeads * rows.Group,
            KeyHeads = rows.KeyHeads,
            Key = ref *_call.Key.Row(rows.Batch, first, rows.KeyHead),
            KeyStride = _call.Key.TokenStride,
            KeyHeadStride = _call.Key.HeadStride,
            Value = ref *_call.Value.Row(rows.Batch, first, rows.KeyHead),
            ValueStride = _call.Value.TokenStride,
            ValueHeadStride = _call.Value.HeadStride,
            Keys = (int)Math.Clamp(seen, 1, count),
            Visible = _call.End(rows.Batch, rows.Query) - first,
            Hidden = _call.Begin(rows.Batch, rows.Query) - first,
            State = ref *state,
            Scratch = ref *scratch,
            Place = _call.Place(rows.Batch, rows.Head, rows.Query, first),
        });
    }

    /// <summary>Writes the output rows of a lane; those of a lane whose rows see no key are 0.</summary>
    private static void Finish(in ForwardArguments call, in ForwardPlan plan, in RowsLane rows, float* state)
    {
        for (int i = 0; i < rows.KeyHeads * rows.Group; i++)
        {
            float* output = call.Output.Row(rows.Batch, rows.Query, rows.Head + i);
            if (state != null)
            {
                var place = call.Place(rows.Batch, rows.Head + i, rows.Query, key: 0);
                TCore.Finish(ref *(state + (nint)i * rows.Queries * plan.StateRowFloats), ref *output, call.Output.TokenStride, rows.Queries, place);
                continue;
            }

            for (int row = 0; row < rows.Queries; row++)
            {
                new Span<float>(output + row * call.Output.TokenStride, call.Output.Dim).Clear();
                call.Operands->WriteEmpty(rows.Batch, rows.Head + i, rows.Query + row);
            }
        }
    }
}
