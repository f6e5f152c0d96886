namespace AttentionGen.CompilerServices;

/// <summary>How a call of few rows is cut into units of work.</summary>
internal unsafe struct RowsSchedule
{
    /// <summary>The most chunks of a lane: enough to keep many threads busy, few enough to keep their states.</summary>
    private const int MaxChunks = 32;

    // 10 to 20 us of reading at 15 to 25 GB/s, or of computing.
    private const double BytesPerThread = 256 << 10, FlopsPerThread = 2e6;

    /// <summary>Units for each thread, so that all are busy to the end.</summary>
    private const int UnitsPerThread = 4;

    /// <summary>Threads, the caller's included.</summary>
    public int Threads;

    /// <summary>The key-value heads of a lane; the last lane of a batch item may have fewer.</summary>
    public int HeadsOfLane;

    /// <summary>The lanes of a batch item.</summary>
    public int LanesOfItem;

    public int Units;

    /// <summary>Floats of the state of all rows of a lane.</summary>
    public nint ChunkFloats;

    public nint LaneFloats;

    /// <summary>Floats of all partial states, 0 where a lane is a unit.</summary>
    public nint PartialFloats;

    /// <summary>The memory of a thread.</summary>
    public nint WorkerBytes;

    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public static RowsSchedule Of(in ForwardArguments call, in ForwardPlan plan, int maxThreads)
    {
        int rows = call.Queries * call.Group, chunks = 1;
        double allKeys = 0;
        for (int b = 0; b < call.Batch; b++)
        {
            var (begin, end) = call.Range(b, 0, call.Queries - 1);
            chunks = Math.Max(chunks, Chunks(call, plan, b));
            allKeys += (double)(end - begin) * call.KeyValueHeads;
        }

        double work = Math.Max(
            allKeys * sizeof(float) * ((double)call.Key.Dim + call.Value.Dim) / BytesPerThread,
            allKeys * rows * plan.FlopsPerPair / FlopsPerThread);
        int threads = (int)Math.Clamp(work, 1, Math.Min(maxThreads, (double)call.Batch * call.KeyValueHeads * chunks));

        // Heads that lie side by side in a token are read side by side: as many as there is room for, or fewer where there would be too few units.
        int lanesOfItem = call.KeyValueHeads;
        if (call.Key.HeadStride < call.Key.TokenStride)
        {
            int most = Math.Max((rows < plan.RowsTile ? plan.RowsTogetherBelowTile : plan.RowsTogether) / rows, 1);
            lanesOfItem = (call.KeyValueHeads + most - 1) / most;
            if (threads > 1) lanesOfItem = Math.Max(lanesOfItem, Math.Min(call.KeyValueHeads, (UnitsPerThread * threads + call.Batch * chunks - 1) / (call.Batch * chunks)));
        }

        int heads = (call.KeyValueHeads + lanesOfItem - 1) / lanesOfItem;
        if (call.Scratch != null && call.ScratchBytes < threads * Worker(heads, plan)) heads = 1;
        nint workerBytes = Worker(heads, plan);
        if (call.Scratch != null)
        {
            nint fits = call.ScratchBytes / workerBytes;
            if (fits == 0) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, workerBytes);
            threads = (int)Math.Min(threads, fits);
        }

        lanesOfItem = (call.KeyValueHeads + heads - 1) / heads;
        int lanes = call.Batch * lanesOfItem;
        var schedule = new RowsSchedule
        {
            HeadsOfLane = heads, LanesOfItem = lanesOfItem, Units = lanes, ChunkFloats = (nint)heads * rows * plan.StateRowFloats, WorkerBytes = workerBytes,
        };

        // Chunk after chunk of each lane, unless there is no room for their states.
        nint partialFloats = lanes * chunks * schedule.ChunkFloats;
        bool fit = call.Scratch == null ? partialFloats * sizeof(float) <= ScratchCache.MaxBytes : call.ScratchBytes - threads * workerBytes >= partialFloats * sizeof(float);
        if (chunks > 1 && fit)
        {
            schedule.Units = lanes * chunks;
            schedule.LaneFloats = chunks * schedule.ChunkFloats;
            schedule.PartialFloats = partialFloats;
        }

        schedule.Threads = Math.Min(threads, schedule.Units);
        return schedule;

        nint Worker(int heads, in ForwardPlan plan) => sizeof(float) * (plan.RowsScratchFloats + 2 * (nint)heads * rows * plan.StateRowFloats);
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

    /// <summary>The keys of a chunk: at most a block, or a number of them, and the same for all but the last.</summary>
    private static int ChunkKeys(int keys, in ForwardPlan plan)
    {
        const int Step = 16;
        int blocks = (keys + plan.KeyBlock - 1) / plan.KeyBlock;
        int most = Math.Max((blocks + MaxChunks - 1) / MaxChunks, 1) * plan.KeyBlock, chunks = Math.Max((keys + most - 1) / most, 1);
        return Math.Max(((keys + chunks - 1) / chunks + Step - 1) / Step * Step, Step);
    }
}
