namespace AttentionGen.CompilerServices;

/// <summary>How a call is cut into units of work, and how much memory each thread needs for it.</summary>
internal struct PrefillSchedule
{
    /// <summary>
    /// Query blocks whose states are kept while stretch after stretch of a long key range is packed: over 8 blocks of 96 rows, packing a
    /// stretch is a small part of the work on it (an estimate of 2 %, not measured).
    /// </summary>
    public const int LongRangeBlocks = 8;

    // 10 to 20 us of work at 100 to 200 GFLOP/s. Launch and join of an empty job by the thread pool take 0.6 to 1.4 us.
    private const double FlopsPerThread = 2e6;

    /// <summary>Threads, the caller's included.</summary>
    public int Threads;

    /// <summary>Keys that are packed at a time.</summary>
    public int Stretch;

    /// <summary>Segments of a sequence head: a key-value head of a sequence.</summary>
    public long Segments;

    /// <summary>Segments in all.</summary>
    public long Units;

    /// <summary>The memory of a thread.</summary>
    public nint WorkerBytes;

    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public static unsafe PrefillSchedule Of(in ForwardArguments call, in PrefillPlan plan, int maxThreads)
    {
        int longest = 0;
        long sequenceHeads = (long)call.SequenceCount * call.KeyValueHeads;
        double pairs = 0, blocks = 0;
        for (int i = 0; i < call.PieceCount && maxThreads > 1; i++)
        {
            ref readonly var piece = ref call.Pieces[i];
            int first = piece.FirstRow, last = first + piece.Rows - 1;
            pairs += (Seen(call, piece, first) + Seen(call, piece, first + (last - first) / 2) + Seen(call, piece, last)) / 3.0 * piece.Rows;
        }

        for (int i = 0; i < call.SequenceCount; i++)
        {
            longest = Math.Max(longest, call.Sequences[i].Keys);
            blocks = Math.Max(blocks, (double)call.Sequences[i].RowBlocks * call.Group);
        }

        int stretch = (int)Math.Min(MaxStretch(plan), ((long)longest + plan.KeyBlock - 1) / plan.KeyBlock * plan.KeyBlock);
        int states = longest <= stretch ? 1 : LongRangeBlocks;
        nint workerBytes = sizeof(float) * ((nint)stretch * (plan.PackedKeyFloats + plan.PackedValueFloats) + plan.ScratchFloats + states * plan.StateFloats);
        if (call.Scratch != null)
        {
            nint fits = call.ScratchBytes / workerBytes;
            if (fits == 0 && !call.OnlyAsks) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, workerBytes);
            maxThreads = (int)Math.Clamp(fits, 1, maxThreads);
        }

        int threads = (int)Math.Clamp(pairs * call.Heads * plan.FlopsPerPair / FlopsPerThread, 1, Math.Min(Math.Min(maxThreads, ParallelJob.MaxThreads), Math.Max(sequenceHeads * blocks, 1)));

        // One segment for a sequence head, unless that leaves fewer than four units for a thread: each thread that works on a sequence head packs its keys again.
        long segments = threads == 1 ? 1 : (long)Math.Min(blocks, (4 * threads + sequenceHeads - 1) / sequenceHeads);
        return new PrefillSchedule { Threads = threads, Stretch = stretch, Segments = segments, Units = sequenceHeads * segments, WorkerBytes = workerBytes };
    }

    /// <summary>The number of keys that a row sees.</summary>
    private static long Seen(in ForwardArguments call, in RowPiece piece, int row)
    {
        long seen = 0;
        foreach (var range in new KeyRanges(call, piece, keyHead: 0, row, row)) seen += range.Count;
        return seen;
    }

    /// <summary>The keys that fit into a thread's memory at a time, the same for all calls of a kernel: results must not depend on the call.</summary>
    private static int MaxStretch(in PrefillPlan plan)
    {
        int rest = ScratchCache.MaxBytes / sizeof(float) - plan.ScratchFloats - LongRangeBlocks * plan.StateFloats;
        return rest / (plan.PackedKeyFloats + plan.PackedValueFloats) / plan.KeyBlock * plan.KeyBlock;
    }
}
