namespace AttentionGen.CompilerServices;

/// <summary>The division of a call into units of work, and the memory that each thread needs.</summary>
internal struct PrefillSchedule
{
    /// <summary>
    /// The number of query blocks whose states are kept while a long key range is packed stretch after stretch. With 8 blocks of 96 rows, packing is a small
    /// part of the work on a stretch (an estimate of 2 %, not measured).
    /// </summary>
    public const int LongRangeBlocks = 8;

    // The work for which a further thread pays: 10 to 20 us at 100 to 200 GFLOP/s. The thread pool starts and joins an empty job in 0.6 to 1.4 us.
    private const double FlopsPerThread = 2e6;

    /// <summary>The number of threads, including the caller's.</summary>
    public int Threads;

    /// <summary>The number of keys that are packed at a time.</summary>
    public int Stretch;

    /// <summary>The number of segments of each sequence head, a key-value head of a sequence.</summary>
    public long Segments;

    /// <summary>The number of segments in the call.</summary>
    public long Units;

    /// <summary>The bytes of memory of a thread.</summary>
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

        int stretch = (int)Math.Min(MaxStretch(plan, PanelFloats(call, plan)), ((long)longest + plan.KeyBlock - 1) / plan.KeyBlock * plan.KeyBlock);
        int states = longest <= stretch ? 1 : LongRangeBlocks;
        nint workerBytes = sizeof(float) * ((nint)stretch * (plan.PackedKeyFloats + plan.PackedValueFloats) + plan.ScratchFloats + PanelFloats(call, plan) + states * plan.StateFloats);
        if (call.Scratch != null)
        {
            nint fits = call.ScratchBytes / workerBytes;
            if (fits == 0 && !call.OnlyAsks) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, workerBytes);
            maxThreads = (int)Math.Clamp(fits, 1, maxThreads);
        }

        int threads = (int)Math.Clamp(pairs * call.Heads * plan.FlopsPerPair / FlopsPerThread, 1, Math.Min(Math.Min(maxThreads, ParallelJob.MaxThreads), Math.Max(sequenceHeads * blocks, 1)));

        // One segment for each sequence head, unless a thread would then have fewer than four units. More segments cost more packing: each thread packs the
        // keys of its sequence head again.
        long segments = threads == 1 ? 1 : (long)Math.Min(blocks, (4 * threads + sequenceHeads - 1) / sequenceHeads);
        return new PrefillSchedule { Threads = threads, Stretch = stretch, Segments = segments, Units = sequenceHeads * segments, WorkerBytes = workerBytes };
    }

    /// <summary>Floats of memory for a panel of keys and values of several pages of a cache, and for their scales; 0 without a cache.</summary>
    public static unsafe int PanelFloats(in ForwardArguments call, in PrefillPlan plan) =>
        call.Memory == null ? 0 : (plan.PanelKeys * (plan.HeadDim + plan.ValueDim + 2) + 15) / 16 * 16;

    /// <summary>The number of keys that a row sees.</summary>
    private static long Seen(in ForwardArguments call, in RowPiece piece, int row)
    {
        long seen = 0;
        foreach (var range in new KeyRanges(call, piece, keyHead: 0, row, row)) seen += range.Count;
        return seen;
    }

    /// <summary>
    /// The number of keys that fit into a thread's memory at a time. It is the same for all calls of a kernel, because results must not depend on the call.
    /// </summary>
    private static int MaxStretch(in PrefillPlan plan, int panelFloats)
    {
        int rest = ScratchCache.MaxBytes / sizeof(float) - plan.ScratchFloats - panelFloats - LongRangeBlocks * plan.StateFloats;
        return rest / (plan.PackedKeyFloats + plan.PackedValueFloats) / plan.KeyBlock * plan.KeyBlock;
    }
}
