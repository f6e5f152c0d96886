namespace AttentionGen.CompilerServices;

/// <summary>
/// The division of a decode call into units of work. A row set is some query rows that share the keys they read: see <see cref="DecodeRows"/>.
/// </summary>
internal unsafe struct DecodeSchedule
{
    /// <summary>The most chunks of a row set: enough to keep many threads busy, few enough to keep their states.</summary>
    private const int MaxChunks = 32;

    // The work for which a further thread pays: 10 to 20 us of computing, or of reading at 15 to 25 GB/s.
    private const double BytesPerThread = 256 << 10, FlopsPerThread = 2e6;

    /// <summary>
    /// Units for each thread, so that all threads are busy to the end. It does not apply to one row for each head: that is limited by memory speed, which parts
    /// of tokens would not reach.
    /// </summary>
    private const int UnitsPerThread = 4;

    /// <summary>The number of threads, including the caller's.</summary>
    public int Threads;

    /// <summary>The number of key-value heads in a row set; fewer in the last set of a batch item.</summary>
    public int HeadsOfSet;

    /// <summary>The number of query heads of each group in a row set; fewer in the last set of a group.</summary>
    public int GroupOfSet;

    /// <summary>The number of queries in a row set; fewer in the last set of a piece.</summary>
    public int QueriesOfSet;

    /// <summary>
    /// The number of row sets of each piece: by key-value heads, by parts of their groups, by queries. Smaller pieces have empty sets at the end.
    /// </summary>
    public long SetsOfPiece;

    /// <summary>The number of queries in the largest piece.</summary>
    public int MostRows;

    public long Units;

    /// <summary>Floats of the state of all rows in a set.</summary>
    public nint ChunkFloats;

    public nint SetFloats;

    /// <summary>Floats of all partial states; 0 where a unit is a row set.</summary>
    public nint PartialFloats;

    /// <summary>The bytes of memory of a thread.</summary>
    public nint WorkerBytes;

    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public static DecodeSchedule Of(in ForwardArguments call, in DecodePlan plan, int maxThreads)
    {
        int most = 1, heads = call.Lists.OfHead > 0 ? call.KeyValueHeads : 1; // heads: those with key lists that differ
        long chunks = 1;
        double allKeys = 0, pairs = 0;
        for (int i = 0; i < call.PieceCount; i++)
        {
            ref readonly var piece = ref call.Pieces[i];
            most = Math.Max(most, piece.Rows);
            for (int head = 0; head < heads; head++)
            {
                long keys = Keys(call, piece, head);
                chunks = Math.Max(chunks, Parts(keys, ChunkKeys(call, plan, piece, keys)));
                allKeys += (double)keys * call.KeyValueHeads / heads;
                pairs += (double)keys * piece.Rows * call.Heads / heads;
            }
        }

        long rows = (long)most * call.Group;
        double work = Math.Max(allKeys * ((double)call.Key.Dim * call.Key.ElementBytes + (double)call.Value.Dim * call.Value.ElementBytes) / BytesPerThread, pairs * plan.FlopsPerPair / FlopsPerThread);
        int threads = (int)Math.Clamp(work, 1, Math.Min(Math.Min(maxThreads, ParallelJob.MaxThreads), (double)call.PieceCount * call.KeyValueHeads * chunks));

        // Adjacent heads of a token are read together. Their number is limited by the rows that fit, and by the number of units that the threads need.
        heads = 1;
        if (!plan.OneKeyHead && call.Lists.OfHead == 0 && call.Key.HeadStride < call.Key.TokenStride)
        {
            long together = Math.Max((rows < plan.TileRows ? plan.RowsAtOnce : plan.RowsTogether) / rows, 1), parts = Parts(call.KeyValueHeads, together);
            if (threads > 1) parts = Math.Max(parts, Math.Min(call.KeyValueHeads, Parts((rows == 1 ? 1 : UnitsPerThread) * threads, call.PieceCount * chunks)));
            heads = (int)Parts(call.KeyValueHeads, parts);
        }

        // More rows than fit are divided into parts.
        int group = (int)Parts(call.Group, Parts(call.Group, plan.RowsAtOnce)), queries = Math.Min(most, Math.Max(plan.RowsAtOnce / group, 1));
        if (call.Scratch != null && call.ScratchBytes < threads * Worker(plan, heads * group * queries)) heads = 1;
        nint workerBytes = Worker(plan, heads * group * queries); // for at most RowsAtOnce rows, or for a row of each head of a token
        if (call.Scratch != null)
        {
            nint fits = call.ScratchBytes / workerBytes;
            if (fits == 0 && !call.OnlyAsks) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, workerBytes);
            threads = (int)Math.Clamp(fits, 1, threads);
        }

        long setsOfPiece = Parts(call.KeyValueHeads, heads) * Parts(call.Group, group) * Parts(most, queries), sets = checked(call.PieceCount * setsOfPiece);
        var schedule = new DecodeSchedule
        {
            HeadsOfSet = heads, GroupOfSet = group, QueriesOfSet = queries, SetsOfPiece = setsOfPiece, MostRows = most, Units = sets,
            ChunkFloats = (nint)heads * group * queries * plan.StateRowFloats, WorkerBytes = workerBytes,
        };

        // The units are the chunks of all row sets, unless there is no room for their states. The condition divides because the product may overflow.
        nint room = call.Scratch == null ? ScratchCache.MaxBytes : call.ScratchBytes - threads * workerBytes;
        if (chunks > 1 && sets <= room / sizeof(float) / schedule.ChunkFloats / chunks)
        {
            schedule.Units = sets * chunks;
            schedule.SetFloats = (nint)chunks * schedule.ChunkFloats;
            schedule.PartialFloats = (nint)sets * schedule.SetFloats;
        }

        schedule.Threads = (int)Math.Min(threads, schedule.Units);
        return schedule;

        static nint Worker(in DecodePlan plan, int rows) => sizeof(float) * (plan.ScratchFloats + 2 * (nint)rows * plan.StateRowFloats);
    }

    /// <summary>The rows of a set; none if its piece has fewer.</summary>
    public readonly DecodeRows Rows(in ForwardArguments call, long set)
    {
        int piece = (int)(set / SetsOfPiece);
        (long part, long queries) = Math.DivRem(set - piece * SetsOfPiece, Parts(MostRows, QueriesOfSet));
        (long heads, long group) = Math.DivRem(part, Parts(call.Group, GroupOfSet));
        int query = (int)queries * QueriesOfSet, keyHead = (int)heads * HeadsOfSet, head = (int)group * GroupOfSet;
        return new DecodeRows(
            piece, call.Pieces[piece].FirstRow + query, Math.Min(QueriesOfSet, call.Pieces[piece].Rows - query), keyHead, Math.Min(HeadsOfSet, call.KeyValueHeads - keyHead),
            keyHead * call.Group + head, Math.Min(GroupOfSet, call.Group - head));
    }

    private static long Parts(long count, long size) => count <= size ? Math.Min(count, 1) : (count + size - 1) / size;

    /// <summary>The number of keys that at least one row of a piece sees.</summary>
    private static long Keys(in ForwardArguments call, in RowPiece piece, int keyHead)
    {
        if (piece.List < 0) return piece.Keys;
        long keys = 0;
        foreach (var range in new KeyRanges(call, piece, keyHead, piece.FirstRow, piece.FirstRow + piece.Rows - 1)) keys += range.Count;
        return keys;
    }

    /// <summary>The number of chunks of a row set. Chunks divide the keys that at least one row of its piece sees, range after range.</summary>
    public static int Chunks(in ForwardArguments call, in DecodePlan plan, in DecodeRows rows)
    {
        if (rows.Queries <= 0) return 0;
        long keys = Keys(call, call.Pieces[rows.Piece], rows.KeyHead);
        return (int)Parts(keys, ChunkKeys(call, plan, call.Pieces[rows.Piece], keys));
    }

    /// <summary>The first key of a chunk and the number of its keys, counted over the ranges.</summary>
    public static (long First, long Count) Chunk(in ForwardArguments call, in DecodePlan plan, in DecodeRows rows, int chunk)
    {
        long keys = Keys(call, call.Pieces[rows.Piece], rows.KeyHead), size = ChunkKeys(call, plan, call.Pieces[rows.Piece], keys), first = chunk * size;
        return (first, Math.Min(size, keys - first));
    }

    /// <summary>
    /// The size of a chunk: at most a block, or several blocks where the number of chunks is limited. All chunks but the last have this size.
    /// </summary>
    private static long ChunkKeys(in ForwardArguments call, in DecodePlan plan, in RowPiece piece, long keys)
    {
        int step = plan.ChunkStep;
        // One row for each head: long blocks, but at least two of them, so that two threads need not share the heads of a token. With 12 heads of D 64 and 1024
        // keys, token-major, two threads then need 0.6 of the time of one instead of all of it. One thread loses 2 % (Zen 4).
        int block = plan.ChunkKeys;
        if (piece.Rows == 1 && call.Group == 1) block = Math.Max(keys < 2 * plan.OneRowBlock ? plan.OneRowBlock / 2 : plan.OneRowBlock, plan.ChunkKeys);
        if (keys <= block) return Math.Max((keys + step - 1) / step * step, step); // avoids divisions, since this runs for each row set
        long blocks = (keys + block - 1) / block;
        long most = (blocks + MaxChunks - 1) / MaxChunks * block, chunks = (keys + most - 1) / most;
        return ((keys + chunks - 1) / chunks + step - 1) / step * step;
    }
}

/// <summary>Query rows that share the keys and values they read: queries of several heads, the same number for each key-value head.</summary>
internal readonly record struct DecodeRows(int Piece, int Row, int Queries, int KeyHead, int KeyHeads, int Head, int Group)
{
    /// <summary>The number of rows: those of Group query heads for each key-value head, from Head on.</summary>
    public int Rows => KeyHeads * Group * Queries;
}
