namespace AttentionGen.CompilerServices;

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
            var (begin, end) = call.Range(b, 0, call.Queries - 1);
            chunks = Math.Max(chunks, Chunks(call, plan, b));
            allKeys += (double)(end - begin) * call.KeyValueHeads;
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

        // Chunk after chunk of each lane, unless there is no room for their states.
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

    /// <summary>The chunks of a lane of a batch item: of the keys that some row sees.</summary>
    public static int Chunks(in ForwardArguments call, in ForwardPlan plan, int batch)
    {
        var (begin, end) = call.Range(batch, 0, call.Queries - 1);
        int size = ChunkKeys(end - begin, plan);
        return (end - begin + size - 1) / size;
    }

    public static (int First, int Count) Chunk(in ForwardArguments call, in ForwardPlan plan, int batch, int chunk)
    {
        var (begin, end) = call.Range(batch, 0, call.Queries - 1);
        int size = ChunkKeys(end - begin, plan), first = begin + chunk * size;
        return (first, Math.Min(size, end - first));
    }

    /// <summary>The keys of a chunk: a block, or a number of them.</summary>
    private static int ChunkKeys(int keys, in ForwardPlan plan)
    {
        int blocks = (keys + plan.KeyBlock - 1) / plan.KeyBlock;
        return Math.Max((blocks + MaxChunks - 1) / MaxChunks, 1) * plan.KeyBlock;
    }
}
