namespace AttentionGen.CompilerServices;

/// <summary>How a call of few rows is cut into units of work.</summary>
internal unsafe struct RowsSchedule
{
    /// <summary>The most chunks of a lane: enough to keep many threads busy, few enough to keep their states.</summary>
    private const int MaxChunks = 32;

    // 10 to 20 us of reading at 15 to 25 GB/s, or of computing.
    private const double BytesPerThread = 256 << 10, FlopsPerThread = 2e6;

    /// <summary>Units for each thread, so that all are busy to the end. One row for each head is read at the speed of memory: parts of tokens would not be.</summary>
    private const int UnitsPerThread = 4;

    /// <summary>Threads, the caller's included.</summary>
    public int Threads;

    /// <summary>The key-value heads of a lane; the last lane of a batch item may have fewer.</summary>
    public int HeadsOfLane;

    /// <summary>The query heads of a group that a lane has; the last lane of a group may have fewer.</summary>
    public int GroupOfLane;

    /// <summary>The queries of a lane; the last lanes may have fewer.</summary>
    public int QueriesOfLane;

    /// <summary>The lanes of a batch item: of key-value heads, of parts of their groups, of queries.</summary>
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
        int heads = 1;
        if (call.Key.HeadStride < call.Key.TokenStride)
        {
            int most = Math.Max((rows < plan.RowsTile ? plan.RowsAtOnce : plan.RowsTogether) / rows, 1), parts = Parts(call.KeyValueHeads, most);
            if (threads > 1) parts = Math.Max(parts, Math.Min(call.KeyValueHeads, Parts((rows == 1 ? 1 : UnitsPerThread) * threads, call.Batch * chunks)));
            heads = Parts(call.KeyValueHeads, parts);
        }

        // Of more rows than there is room for, parts.
        int group = Parts(call.Group, Parts(call.Group, plan.RowsAtOnce)), queries = Math.Min(call.Queries, Math.Max(plan.RowsAtOnce / group, 1));
        if (call.Scratch != null && call.ScratchBytes < threads * Worker(plan, heads * group * queries)) heads = 1;
        nint workerBytes = Worker(plan, heads * group * queries);
        if (call.Scratch != null)
        {
            nint fits = call.ScratchBytes / workerBytes;
            if (fits == 0) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, workerBytes);
            threads = (int)Math.Min(threads, fits);
        }

        int lanesOfItem = Parts(call.KeyValueHeads, heads) * Parts(call.Group, group) * Parts(call.Queries, queries), lanes = call.Batch * lanesOfItem;
        var schedule = new RowsSchedule
        {
            HeadsOfLane = heads, GroupOfLane = group, QueriesOfLane = queries, LanesOfItem = lanesOfItem, Units = lanes,
            ChunkFloats = (nint)heads * group * queries * plan.StateRowFloats, WorkerBytes = workerBytes,
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

        static nint Worker(in ForwardPlan plan, int rows) => sizeof(float) * (plan.RowsScratchFloats + 2 * (nint)rows * plan.StateRowFloats);
    }

    /// <summary>The rows of a lane.</summary>
    public readonly RowsLane Lane(in ForwardArguments call, int lane)
    {
        var (batch, part) = Math.DivRem(lane, LanesOfItem);
        (part, int queries) = Math.DivRem(part, Parts(call.Queries, QueriesOfLane));
        (int heads, int group) = Math.DivRem(part, Parts(call.Group, GroupOfLane));
        int query = queries * QueriesOfLane, keyHead = heads * HeadsOfLane, head = group * GroupOfLane;
        return new RowsLane(
            batch, query, Math.Min(QueriesOfLane, call.Queries - query), keyHead, Math.Min(HeadsOfLane, call.KeyValueHeads - keyHead),
            keyHead * call.Group + head, Math.Min(GroupOfLane, call.Group - head));
    }

    private static int Parts(int count, int size) => (count + size - 1) / size;

    /// <summary>The chunks of a lane of a batch item: of the keys that some row sees.</summary>
    public static int Chunks(in ForwardArguments call, in ForwardPlan plan, int batch)
    {
        var (begin, end) = call.Range(batch, 0, call.Queries - 1);
        int size = ChunkKeys(call, plan, end - begin);
        return (end - begin + size - 1) / size;
    }

    public static (int First, int Count) Chunk(in ForwardArguments call, in ForwardPlan plan, int batch, int chunk)
    {
        var (begin, end) = call.Range(batch, 0, call.Queries - 1);
        int size = ChunkKeys(call, plan, end - begin), first = begin + chunk * size;
        return (first, Math.Min(size, end - first));
    }

    /// <summary>The keys of a chunk: at most a block, or a number of them, and the same for all but the last.</summary>
    private static int ChunkKeys(in ForwardArguments call, in ForwardPlan plan, int keys)
    {
        const int Step = 16;
        // One row for each head: long blocks, but two at least, so that two threads need not share the heads of a token (12 heads of D 64, 1024 keys, token-major:
        // two threads take 0.6 of the time of one instead of all of it, for 2 % of one thread's, Zen 4).
        int block = plan.KeyBlock;
        if (call.Queries * call.Group == 1) block = Math.Max(keys < 2 * plan.OneRowBlock ? plan.OneRowBlock / 2 : plan.OneRowBlock, plan.KeyBlock);
        int blocks = (keys + block - 1) / block;
        int most = Math.Max((blocks + MaxChunks - 1) / MaxChunks, 1) * block, chunks = Math.Max((keys + most - 1) / most, 1);
        return Math.Max(((keys + chunks - 1) / chunks + Step - 1) / Step * Step, Step);
    }
}

/// <summary>Some query rows that share what they read of keys: queries of heads, the same number for each key-value head.</summary>
internal readonly record struct RowsLane(int Batch, int Query, int Queries, int KeyHead, int KeyHeads, int Head, int Group)
{
    // Query heads from Head on, Group of them for each key-value head.
    public int Rows => KeyHeads * Group * Queries;
}
