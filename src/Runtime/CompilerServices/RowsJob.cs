namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over a call of few query rows: each key and value is read once, for all queries of all heads of its group. A lane is some
/// key-value heads of a batch item: where heads lie side by side in a token, those of several are read in the order of their addresses. Its keys are cut into chunks whose number and size follow from the number of keys alone; each chunk gives a partial
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
        job._call = call;
        job._schedule = schedule;
        job._partials = partials;
        job.Run(schedule.Units, schedule.Threads);

        // Another call may have the job by now.
        if (partials == null) return;
        for (int lane = 0; lane < call.Batch * schedule.LanesOfItem; lane++)
        {
            var (batch, head, heads) = Lane(call, schedule, lane);
            int chunks = RowsSchedule.Chunks(call, plan, batch);
            float* state = partials + lane * schedule.LaneFloats;
            for (int chunk = 1; chunk < chunks; chunk++) TCore.Merge(ref *state, ref *(state + chunk * schedule.ChunkFloats), call.Queries * call.Group * heads);
            Finish(call, plan, batch, head, heads, chunks > 0 ? state : null);
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
                var (batch, head, heads) = Lane(_call, _schedule, lane);
                if (chunk < RowsSchedule.Chunks(_call, plan, batch))
                    Attend(batch, head, heads, chunk, _partials + lane * _schedule.LaneFloats + chunk * _schedule.ChunkFloats, scratch);
            }
            else
            {
                var (batch, head, heads) = Lane(_call, _schedule, unit);
                int chunks = RowsSchedule.Chunks(_call, plan, batch);
                for (int chunk = 0; chunk < chunks; chunk++)
                {
                    Attend(batch, head, heads, chunk, chunk == 0 ? state : other, scratch);
                    if (chunk > 0) TCore.Merge(ref *state, ref *other, _call.Queries * _call.Group * heads);
                }

                Finish(_call, plan, batch, head, heads, chunks > 0 ? state : null);
            }
        }

        ReturnMemory(_call, memory);
    }

    private static (int Batch, int Head, int Heads) Lane(in ForwardArguments call, in RowsSchedule schedule, int lane)
    {
        int head = lane % schedule.LanesOfItem * schedule.HeadsOfLane;
        return (lane / schedule.LanesOfItem, head, Math.Min(schedule.HeadsOfLane, call.KeyValueHeads - head));
    }

    private void Attend(int batch, int head, int heads, int chunk, float* state, float* scratch)
    {
        var (first, count) = RowsSchedule.Chunk(_call, TCore.Plan, batch, chunk);
        TCore.AttendRows(new ForwardRows
        {
            Query = ref *_call.Query.Row(batch, 0, head * _call.Group),
            QueryStride = _call.Query.TokenStride,
            HeadStride = _call.Query.HeadStride,
            Queries = _call.Queries,
            Heads = heads * _call.Group,
            KeyHeads = heads,
            Key = ref *_call.Key.Row(batch, first, head),
            KeyStride = _call.Key.TokenStride,
            KeyHeadStride = _call.Key.HeadStride,
            Value = ref *_call.Value.Row(batch, first, head),
            ValueStride = _call.Value.TokenStride,
            ValueHeadStride = _call.Value.HeadStride,
            Keys = count,
            Visible = _call.End(batch, 0) - first,
            Hidden = _call.Begin(batch, 0) - first,
            State = ref *state,
            Scratch = ref *scratch,
        });
    }

    /// <summary>Writes the output rows of a lane; those of a lane whose rows see no key are 0.</summary>
    private static void Finish(in ForwardArguments call, in ForwardPlan plan, int batch, int head, int heads, float* state)
    {
        for (int i = 0; i < heads * call.Group; i++)
        {
            float* output = call.Output.Row(batch, 0, head * call.Group + i);
            if (state != null)
                TCore.Finish(ref *(state + (nint)i * call.Queries * plan.StateRowFloats), ref *output, call.Output.TokenStride, call.Queries);
            else
                for (int row = 0; row < call.Queries; row++) new Span<float>(output + row * call.Output.TokenStride, call.Output.Dim).Clear();
        }
    }
}
