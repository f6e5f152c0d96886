namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over a call of few query rows: each key and value is read once, for all queries of all heads of its group. A lane is a key-value
/// head of a batch item. Its keys are cut into chunks whose number and size follow from the number of keys alone; each chunk gives a partial
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
        for (int lane = 0; lane < call.Batch * call.KeyValueHeads; lane++)
        {
            int chunks = RowsSchedule.Chunks(call, plan, lane / call.KeyValueHeads, out _);
            float* state = partials + lane * schedule.LaneFloats;
            for (int chunk = 1; chunk < chunks; chunk++) TCore.Merge(ref *state, ref *(state + chunk * schedule.ChunkFloats), call.Queries * call.Group);
            Finish(call, plan, lane, chunks > 0 ? state : null);
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
                int lanes = _call.Batch * _call.KeyValueHeads, lane = unit % lanes, chunk = unit / lanes;
                if (chunk < RowsSchedule.Chunks(_call, plan, lane / _call.KeyValueHeads, out int keys))
                    Attend(lane, chunk, keys, _partials + lane * _schedule.LaneFloats + chunk * _schedule.ChunkFloats, scratch);
            }
            else
            {
                int chunks = RowsSchedule.Chunks(_call, plan, unit / _call.KeyValueHeads, out int keys);
                for (int chunk = 0; chunk < chunks; chunk++)
                {
                    Attend(unit, chunk, keys, chunk == 0 ? state : other, scratch);
                    if (chunk > 0) TCore.Merge(ref *state, ref *other, _call.Queries * _call.Group);
                }

                Finish(_call, plan, unit, chunks > 0 ? state : null);
            }
        }

        ReturnMemory(_call, memory);
    }

    private void Attend(int lane, int chunk, int keys, float* state, float* scratch)
    {
        int batch = lane / _call.KeyValueHeads, keyHead = lane % _call.KeyValueHeads, head = keyHead * _call.Group;
        int size = RowsSchedule.ChunkKeys(_call.Length(batch), TCore.Plan), first = chunk * size;
        TCore.AttendRows(new ForwardRows
        {
            Query = ref *_call.Query.Row(batch, 0, head),
            QueryStride = _call.Query.TokenStride,
            HeadStride = _call.Query.HeadStride,
            Queries = _call.Queries,
            Heads = _call.Group,
            Key = ref *_call.Key.Row(batch, first, keyHead),
            KeyStride = _call.Key.TokenStride,
            Value = ref *_call.Value.Row(batch, first, keyHead),
            ValueStride = _call.Value.TokenStride,
            Keys = Math.Min(keys - first, size),
            Visible = _call.Visible(batch, 0) - first,
            State = ref *state,
            Scratch = ref *scratch,
        });
    }

    /// <summary>Writes the output rows of a lane; those of a lane whose rows see no key are 0.</summary>
    private static void Finish(in ForwardArguments call, in ForwardPlan plan, int lane, float* state)
    {
        int batch = lane / call.KeyValueHeads, head = lane % call.KeyValueHeads * call.Group;
        for (int i = 0; i < call.Group; i++)
        {
            float* output = call.Output.Row(batch, 0, head + i);
            if (state != null)
                TCore.Finish(ref *(state + (nint)i * call.Queries * plan.StateRowFloats), ref *output, call.Output.TokenStride, call.Queries);
            else
                for (int row = 0; row < call.Queries; row++) new Span<float>(output + row * call.Output.TokenStride, call.Output.Dim).Clear();
        }
    }
}

/// <summary>How a call of few rows is cut into units of work.</summary>
internal unsafe struct RowsSchedule
{
    /// <summary>The most chunks of a lane: enough to keep many threads busy, few enough to keep their states.</summary>
    private const int MaxChunks = 32;

    // 10 to 20 us of reading at 15 to 25 GB/s, or of computing.
    private const double BytesPerThread = 256 << 10, FlopsPerThread = 2e6;

    /// <summary>Threads, the caller's included.</summary>
    public int Threads;

    /// <summary>Chunks of a lane that are units of their own; 1 where a lane is a unit.</summary>
    public int ChunksOfLane;

    public int Units;

    /// <summary>Floats of the state of all rows.</summary>
    public nint ChunkFloats;

    public nint LaneFloats;

    /// <summary>Floats of all partial states, 0 where a lane is a unit.</summary>
    public nint PartialFloats;

    /// <summary>The memory of a thread.</summary>
    public nint WorkerBytes;

    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public static RowsSchedule Of(in ForwardArguments call, in ForwardPlan plan, int maxThreads)
    {
        int lanes = call.Batch * call.KeyValueHeads, rows = call.Queries * call.Group, chunks = 1;
        double allKeys = 0;
        for (int b = 0; b < call.Batch; b++)
        {
            chunks = Math.Max(chunks, Chunks(call, plan, b, out int keys));
            allKeys += (double)keys * call.KeyValueHeads;
        }

        nint chunkFloats = (nint)rows * plan.StateRowFloats;
        nint workerBytes = sizeof(float) * (plan.RowsScratchFloats + 2 * chunkFloats);
        if (call.Scratch != null)
        {
            nint fits = call.ScratchBytes / workerBytes;
            if (fits == 0) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, workerBytes);
            maxThreads = (int)Math.Min(maxThreads, fits);
        }

        double work = Math.Max(
            allKeys * sizeof(float) * ((double)call.Key.Dim + call.Value.Dim) / BytesPerThread,
            allKeys * rows * plan.FlopsPerPair / FlopsPerThread);
        int threads = (int)Math.Clamp(work, 1, Math.Min(maxThreads, (double)lanes * chunks));
        var schedule = new RowsSchedule { Threads = threads, ChunksOfLane = 1, Units = lanes, ChunkFloats = chunkFloats, WorkerBytes = workerBytes };

        // The lanes themselves, unless that leaves fewer than four for a thread.
        nint partialFloats = lanes * chunks * chunkFloats;
        bool fit = call.Scratch == null ? partialFloats * sizeof(float) <= ScratchCache.MaxBytes : call.ScratchBytes - threads * workerBytes >= partialFloats * sizeof(float);
        if (chunks > 1 && fit)
        {
            schedule.ChunksOfLane = chunks;
            schedule.Units = lanes * chunks;
            schedule.LaneFloats = chunks * chunkFloats;
            schedule.PartialFloats = partialFloats;
        }

        schedule.Threads = Math.Min(threads, schedule.Units);
        return schedule;
    }

    /// <summary>The chunks of a lane of a batch item, up to the last key that some row sees.</summary>
    public static int Chunks(in ForwardArguments call, in ForwardPlan plan, int batch, out int keys)
    {
        int length = call.Length(batch), size = ChunkKeys(length, plan);
        keys = (int)Math.Clamp(call.Visible(batch, call.Queries - 1), 0, length);
        return (keys + size - 1) / size;
    }

    /// <summary>The keys of a chunk: a block, or a number of them.</summary>
    public static int ChunkKeys(int length, in ForwardPlan plan)
    {
        int blocks = (length + plan.KeyBlock - 1) / plan.KeyBlock;
        return Math.Max((blocks + MaxChunks - 1) / MaxChunks, 1) * plan.KeyBlock;
    }
}
