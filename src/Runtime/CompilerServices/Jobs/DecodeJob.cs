using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over the decode sequences of a call. It reads each key and value once, for all queries of all heads of the group. A row set is some rows of a
/// piece. It spans several key-value heads if these are adjacent in a token, so that memory is read in the order of addresses. Many queries are divided into
/// several sets. The keys of a set are cut into chunks; their number and size depend on the number of keys alone. Each chunk yields a partial state, and one
/// thread merges the states in order. No result depends on the distribution of work over threads.
/// </summary>
internal sealed unsafe class DecodeJob : PooledJob<DecodeJob>
{
    private ForwardArguments _call;
    private DecodeWalk _walk;
    private DecodeSchedule _schedule;
    private float* _partials; // states, [row sets, chunks, rows], where threads share the chunks of a row set

    private static DecodeJob Create() => new();

    /// <returns>The bytes of memory that a thread needs.</returns>
    public static nint Run(in ForwardArguments call, in DecodeWalk walk)
    {
        var schedule = DecodeSchedule.Of(call, walk.Plan, call.MaxThreads);
        if (call.OnlyAsks) return schedule.WorkerBytes;
        var job = schedule.Threads > 1 ? Rent(&Create) : null;
        if (job is null)
        {
            job = Alone(&Create);
            if (schedule.Threads > 1) schedule = DecodeSchedule.Of(call, walk.Plan, maxThreads: 1);
        }

        float* partials = null, rented = null;
        bool runs = false;
        try
        {
            if (schedule.PartialFloats > 0)
                partials = call.Scratch != null ? (float*)(call.Scratch + schedule.Threads * schedule.WorkerBytes) : rented = ScratchCache.Rent((nuint)schedule.PartialFloats * sizeof(float));
            if (call.Operands->Has(AttentionRole.Scores)) ClearScores(call);
            job._call = call;
            job._walk = walk;
            job._schedule = schedule;
            job._partials = partials;
            runs = true;
            job.Run(schedule.Units, schedule.Threads); // after this line another call may own the job
            if (partials != null) Merge(call, walk, schedule, partials);
        }
        finally
        {
            if (!runs) job.Release();
            if (rented != null) ScratchCache.Return(rented);
        }

        return schedule.WorkerBytes;
    }

    /// <summary>Merges the states of each row set's chunks in order and writes the output rows.</summary>
    private static void Merge(in ForwardArguments call, in DecodeWalk walk, in DecodeSchedule schedule, float* partials)
    {
        for (long set = 0; set < call.PieceCount * schedule.SetsOfPiece; set++)
        {
            var rows = schedule.Rows(call, set);
            int chunks = DecodeSchedule.Chunks(call, walk.Plan, rows);
            float* state = partials + (nint)set * schedule.SetFloats;
            for (int chunk = 1; chunk < chunks; chunk++) walk.Merge(ref *state, ref *(state + chunk * schedule.ChunkFloats), rows.Rows);
            Finish(call, walk, rows, chunks > 0 ? state : null);
        }
    }

    /// <summary>Clears the scores of all rows up front, because threads share the rows.</summary>
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
        float* scratch = memory, state = memory + _walk.Plan.ScratchFloats, other = state + _schedule.ChunkFloats;
        while (TakeUnit(out long unit))
        {
            if (_partials != null)
            {
                // Where the heads of a token lie side by side, all sets of a chunk follow each other, else all chunks of a set: in the order of memory.
                long sets = _call.PieceCount * _schedule.SetsOfPiece, chunk, set;
                if (_call.Key.HeadStride < _call.Key.TokenStride) (chunk, set) = Math.DivRem(unit, sets);
                else (set, chunk) = Math.DivRem(unit, _schedule.Units / sets);
                var rows = _schedule.Rows(_call, set);
                if (chunk < DecodeSchedule.Chunks(_call, _walk.Plan, rows))
                    Attend(rows, (int)chunk, _partials + (nint)set * _schedule.SetFloats + (nint)chunk * _schedule.ChunkFloats, scratch);
            }
            else
            {
                var rows = _schedule.Rows(_call, unit);
                int chunks = DecodeSchedule.Chunks(_call, _walk.Plan, rows);
                for (int chunk = 0; chunk < chunks; chunk++)
                {
                    Attend(rows, chunk, chunk == 0 ? state : other, scratch);
                    if (chunk > 0) _walk.Merge(ref *state, ref *other, rows.Rows);
                }

                Finish(_call, _walk, rows, chunks > 0 ? state : null);
            }
        }
    }

    /// <summary>Computes the rows of a set against a chunk of keys.</summary>
    [SkipLocalsInit]
    private void Attend(in DecodeRows rows, int chunk, float* state, float* scratch)
    {
        const int MaxRuns = 32, MaxPages = 96;
        KeyRun* runs = stackalloc KeyRun[MaxRuns];
        nint* pages = stackalloc nint[MaxPages + ForwardArguments.PagesAhead];
        int count = 0, pageCount = 0, listed = 0, pageKeys = 0, last = rows.Row + rows.Queries - 1;
        long passed = 0;
        bool begun = false, finite = true;
        ref readonly var piece = ref _call.Pieces[rows.Piece];
        ref readonly var sequence = ref _call.Sequences[piece.Sequence];
        var (first, keys) = DecodeSchedule.Chunk(_call, _walk.Plan, rows, chunk);
        var ranges = new KeyRanges(_call, piece, rows.KeyHead, piece.FirstRow, piece.FirstRow + piece.Rows - 1);
        while (ranges.MoveNext())
        {
            var range = ranges.Current;
            int begin = (int)Math.Min(range.Begin + Math.Max(first - passed, 0), range.End), end = (int)Math.Min(range.Begin + Math.Min(first + keys - passed, range.Count), range.Zone->Range(last).End);
            passed += range.Count;
            for (int next; begin < end; begin = next)
            {
                if (count == MaxRuns || pageCount == MaxPages)
                {
                    Attend(rows, runs, count, finite, !begun, state, scratch);
                    (begun, finite, count, pageCount) = (true, true, 0, 0);
                }

                nint* firstPage = pages + pageCount;
                if (_walk.Plan.InPages)
                {
                    next = _call.ListPages(sequence, begin, end, firstPage, MaxPages - pageCount, out pageKeys, out listed);
                    pageCount += listed;
                }
                else
                {
                    next = _call.EndOfPage(sequence, begin, end);
                }

                finite = finite && _call.IsFinite(sequence, begin, _walk.Plan.InPages ? listed : 1);
                runs[count++] = range.Run(
                    begin, next, rows.Row, _call.KeyRow(sequence, begin, rows.KeyHead), _call.ValueRow(sequence, begin, rows.KeyHead), firstPage, pageKeys,
                    _call.KeyScale(sequence, begin, rows.KeyHead), _call.ValueScale(sequence, begin, rows.KeyHead));
            }
        }

        if (count > 0 || !begun) Attend(rows, runs, count, finite, !begun, state, scratch);
    }

    private void Attend(in DecodeRows rows, KeyRun* runs, int count, bool finite, bool first, float* state, float* scratch)
    {
        ref readonly var sequence = ref _call.Sequences[_call.Pieces[rows.Piece].Sequence];
        _walk.Decode(new DecodeBlock
        {
            QueryRows = _call.QueryRows(sequence, rows.Row, rows.Head),
            Queries = rows.Queries,
            Heads = rows.KeyHeads * rows.Group,
            KeyHeads = rows.KeyHeads,
            KeyStride = _call.Key.TokenStride * sequence.Step,
            KeyHeadStride = _call.Key.HeadStride,
            ValueStride = _call.Value.TokenStride * sequence.Step,
            ValueHeadStride = _call.Value.HeadStride,
            ScaleStride = sequence.Step,
            Runs = ref *runs,
            RunCount = count,
            Finite = finite,
            First = first,
            State = ref *state,
            Scratch = ref *scratch,
            Place = _call.Place(sequence, rows.Head, rows.Row),
        });
    }

    /// <summary>Writes the output rows of a set, or zeros if its rows see no key.</summary>
    private static void Finish(in ForwardArguments call, in DecodeWalk walk, in DecodeRows rows, float* state)
    {
        if (rows.Queries <= 0) return;
        ref readonly var sequence = ref call.Sequences[call.Pieces[rows.Piece].Sequence];
        for (int i = 0; i < rows.KeyHeads * rows.Group; i++)
        {
            if (state == null)
            {
                call.Clear(sequence, rows.Head + i, rows.Row, rows.Queries);
                continue;
            }

            var output = call.OutputRows(sequence, rows.Row, rows.Head + i);
            float* ofHead = state + (nint)i * rows.Queries * walk.Plan.StateRowFloats;
            walk.Finish(ref *ofHead, output, rows.Queries, call.Place(sequence, rows.Head + i, rows.Row));
            ChosenValues.Write(call, walk.Plan.Chosen, sequence, rows.Head + i, rows.Row, rows.Queries, ofHead, walk.Plan.StateRowFloats);
        }
    }
}
