using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>A checked and pinned call: addresses, strides and lengths.</summary>
internal unsafe struct ForwardArguments
{
    public float* Query, Key, Value, Output;
    public int* QueryStarts, KeyLengths; // null where not given
    public byte* Scratch;                // the caller's, or null
    public nint ScratchBytes;
    public string ScratchName;
    public int Batch, Queries, Keys, Heads, KeyValueHeads, HeadDim, ValueDim;
    public int QueryStart;               // -1 where not given
    public bool Causal;
    public int MaxThreads;

    public readonly int Group => Heads / KeyValueHeads;

    /// <summary>The number of visible keys of a batch item.</summary>
    public readonly int Length(int batch) => KeyLengths == null ? Keys : KeyLengths[batch];

    /// <summary>How many keys a query row sees, counted past both ends.</summary>
    public readonly nint Visible(int batch, int row)
    {
        int length = Length(batch);
        if (!Causal) return length;
        nint start = QueryStarts != null ? QueryStarts[batch] : QueryStart >= 0 ? QueryStart : (nint)length - Queries;
        return start + row + 1;
    }
}

/// <summary>
/// Runs a core over a call. A lane is a key-value head of a batch item: the keys and values that are packed once for all its query heads.
/// Its work is a list of query blocks, (block of rows, head of the group); a segment is a stretch of that list, the unit that a thread takes.
/// Blocks stand at fixed rows and keys are packed from key 0 in fixed stretches, so no result depends on who computes what.
/// </summary>
internal sealed unsafe class ForwardJob<TCore> : ParallelJob
    where TCore : struct, IForwardCore
{
    // Query blocks whose states are kept while stretch after stretch of a long key range is packed: packing a stretch for 8 blocks of
    // 96 rows is 2 % of the work on it.
    private const int LongRangeBlocks = 8;

    // A thread is worth waking for about 20 us of work; launch and join take 1.
    private const double FlopsPerThread = 2e6;

    private static readonly ForwardJob<TCore>?[] s_spare = new ForwardJob<TCore>?[2 * Environment.ProcessorCount + 14];

    private ForwardArguments _call;
    private int _stretch;   // keys packed at a time
    private int _segments;  // of a lane
    private nint _workerBytes;

    /// <summary>The keys that fit into a worker's memory at a time, for the whole process: results must not depend on the call.</summary>
    private static int MaxStretch(in ForwardPlan plan)
    {
        int rest = ScratchCache.MaxBytes / sizeof(float) - plan.ScratchFloats - LongRangeBlocks * plan.StateFloats;
        return rest / (plan.PackedKeyFloats + plan.PackedValueFloats) / plan.KeyBlock * plan.KeyBlock;
    }

    public static void Run(in ForwardArguments call)
    {
        ForwardJob<TCore>? job = null;
        for (int i = 0; i < s_spare.Length && job is null; i++)
            if (s_spare[i] is not null) job = Interlocked.Exchange(ref s_spare[i], null);
        job ??= new ForwardJob<TCore>();
        job.Run(call, TCore.Plan);
    }

    private void Run(in ForwardArguments call, in ForwardPlan plan)
    {
        _call = call;
        int longest = 0;
        double pairs = 0;
        for (int b = 0; b < call.Batch; b++)
        {
            int length = call.Length(b);
            longest = Math.Max(longest, length);
            double first = Math.Clamp(call.Visible(b, 0), 0, length), last = Math.Clamp(call.Visible(b, call.Queries - 1), 0, length);
            pairs += (first + last) / 2 * call.Queries;
        }

        _stretch = Math.Min(MaxStretch(plan), (longest + plan.KeyBlock - 1) / plan.KeyBlock * plan.KeyBlock);
        int states = longest <= _stretch ? 1 : LongRangeBlocks;
        _workerBytes = sizeof(float) * ((nint)_stretch * (plan.PackedKeyFloats + plan.PackedValueFloats) + plan.ScratchFloats + states * plan.StateFloats);

        int threads = call.MaxThreads;
        if (call.Scratch != null)
        {
            nint fits = call.ScratchBytes / _workerBytes;
            if (fits == 0) ThrowHelper.ScratchTooSmall(call.ScratchName, call.ScratchBytes, _workerBytes);
            threads = (int)Math.Min(threads, fits);
        }

        int lanes = call.Batch * call.KeyValueHeads;
        int blocks = (call.Queries + plan.QueryBlock - 1) / plan.QueryBlock * call.Group;
        threads = (int)Math.Clamp(pairs * call.Heads * plan.FlopsPerPair / FlopsPerThread, 1, Math.Min(threads, (double)lanes * blocks));

        // One segment for a lane unless that leaves fewer than four units for a thread: each thread that works on a lane packs its keys again.
        _segments = threads == 1 ? 1 : Math.Min(blocks, (4 * threads + lanes - 1) / lanes);
        Run(lanes * _segments, threads);
    }

    protected override void Work(int worker)
    {
        float* memory;
        if (_call.Scratch != null)
        {
            memory = (float*)(_call.Scratch + worker * _workerBytes);
        }
        else
        {
            try
            {
                memory = ScratchCache.Rent((nuint)_workerBytes);
            }
            catch (OutOfMemoryException) when (worker != 0)
            {
                return; // the caller does it alone
            }
        }

        var lane = new Worker(_call, TCore.Plan, _stretch, memory);
        while (TakeUnit(out int unit)) lane.RunSegment(unit / _segments, unit % _segments, _segments);
        if (_call.Scratch == null) ScratchCache.Return(memory);
    }

    protected override void Release()
    {
        for (int i = 0; i < s_spare.Length; i++)
            if (s_spare[i] is null && Interlocked.CompareExchange(ref s_spare[i], this, null) is null)
                return;
    }

    /// <summary>One thread's view of the call: its memory and what it has packed last.</summary>
    private ref struct Worker(in ForwardArguments call, in ForwardPlan plan, int stretch, float* memory)
    {
        private readonly ForwardArguments _call = call;
        private readonly ForwardPlan _plan = plan;
        private readonly float* _packedKeys = memory;
        private readonly float* _packedValues = memory + (nint)stretch * plan.PackedKeyFloats;
        private readonly float* _scratch = memory + (nint)stretch * (plan.PackedKeyFloats + plan.PackedValueFloats);
        private readonly float* _states = memory + (nint)stretch * (plan.PackedKeyFloats + plan.PackedValueFloats) + plan.ScratchFloats;
        private int _packedLane = -1, _packedFirst, _packedCount;
        private bool _valuesFinite;

        public void RunSegment(int lane, int segment, int segments)
        {
            int blocks = (_call.Queries + _plan.QueryBlock - 1) / _plan.QueryBlock * _call.Group;
            int length = _call.Length(lane / _call.KeyValueHeads);
            int chunk = length <= stretch ? 1 : LongRangeBlocks;

            // The last rows see the most keys: they come first, over the segments and within each, so that what they have packed serves all.
            int from = (int)((long)blocks * (segments - 1 - segment) / segments), to = (int)((long)blocks * (segments - segment) / segments);
            for (int end = to; end > from; end -= chunk) RunBlocks(lane, Math.Max(from, end - chunk), end);
        }

        private void RunBlocks(int lane, int from, int to)
        {
            int batch = lane / _call.KeyValueHeads, length = _call.Length(batch);
            int keys = (int)Math.Clamp(_call.Visible(batch, LastRow(to - 1)), 0, length);
            for (int first = 0; first < keys; first += stretch)
            {
                Pack(lane, first, Math.Min(stretch, keys - first));
                for (int block = from; block < to; block++) Attend(lane, block, first, length, State(block - from));
            }

            for (int block = from; block < to; block++)
                Finish(lane, block, seesKeys: Math.Min(length, _call.Visible(batch, LastRow(block))) > 0, State(block - from));
        }

        private readonly int FirstRow(int block) => block / _call.Group * _plan.QueryBlock;

        private readonly int LastRow(int block) => Math.Min(FirstRow(block) + _plan.QueryBlock, _call.Queries) - 1;

        /// <summary>The index of the first row of a block in a tensor [batch, queries, heads].</summary>
        private readonly nint Row(int lane, int block) =>
            ((nint)(lane / _call.KeyValueHeads) * _call.Queries + FirstRow(block)) * _call.Heads
            + lane % _call.KeyValueHeads * _call.Group + block % _call.Group;

        private void Pack(int lane, int first, int count)
        {
            if (_packedLane == lane && _packedFirst == first && _packedCount >= count) return;
            nint row = ((nint)(lane / _call.KeyValueHeads) * _call.Keys + first) * _call.KeyValueHeads + lane % _call.KeyValueHeads;
            _valuesFinite = TCore.Pack(new ForwardKeys
            {
                Key = ref *(_call.Key + row * _call.HeadDim),
                KeyStride = (nint)_call.KeyValueHeads * _call.HeadDim,
                Value = ref *(_call.Value + row * _call.ValueDim),
                ValueStride = (nint)_call.KeyValueHeads * _call.ValueDim,
                Count = count,
                PackedKeys = ref *_packedKeys,
                PackedValues = ref *_packedValues,
            });
            (_packedLane, _packedFirst, _packedCount) = (lane, first, count);
        }

        private readonly void Attend(int lane, int block, int first, int length, float* state)
        {
            int batch = lane / _call.KeyValueHeads;
            int keys = (int)(Math.Min(length, _call.Visible(batch, LastRow(block))) - first);
            if (keys <= 0) return;
            TCore.Attend(new ForwardBlock
            {
                Query = ref *(_call.Query + Row(lane, block) * _call.HeadDim),
                QueryStride = (nint)_call.Heads * _call.HeadDim,
                Rows = LastRow(block) - FirstRow(block) + 1,
                PackedKeys = ref *_packedKeys,
                PackedValues = ref *_packedValues,
                Keys = Math.Min(keys, stretch),
                Visible = _call.Visible(batch, FirstRow(block)) - first,
                ValuesFinite = _valuesFinite,
                First = first == 0,
                State = ref *state,
                Scratch = ref *_scratch,
            });
        }

        private readonly void Finish(int lane, int block, bool seesKeys, float* state)
        {
            float* output = _call.Output + Row(lane, block) * _call.ValueDim;
            nint stride = (nint)_call.Heads * _call.ValueDim;
            int rows = LastRow(block) - FirstRow(block) + 1;
            if (seesKeys)
                TCore.Finish(ref *state, ref *output, stride, rows);
            else
                for (int row = 0; row < rows; row++) new Span<float>(output + row * stride, _call.ValueDim).Clear();
        }

        private readonly float* State(int index) => _states + (nint)index * _plan.StateFloats;
    }
}
