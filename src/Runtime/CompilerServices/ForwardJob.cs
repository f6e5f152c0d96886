using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over a call. A lane is a key-value head of a batch item: the keys and values that are packed once for all its query heads.
/// Its work is a list of query blocks, (block of rows, head of the group); a segment is a stretch of that list, the unit that a thread takes.
/// Blocks stand at fixed rows and keys are packed from key 0 in fixed stretches, so no result depends on who computes what.
/// </summary>
internal sealed unsafe class ForwardJob<TCore> : PooledJob<ForwardJob<TCore>>
    where TCore : struct, IForwardCore
{
    private ForwardArguments _call;
    private ForwardSchedule _schedule;

    public static void Run(in ForwardArguments call)
    {
        var schedule = ForwardSchedule.Of(call, TCore.Plan, call.MaxThreads);
        var job = schedule.Threads > 1 ? Rent() : null;
        if (job is null)
        {
            job = Alone;
            if (schedule.Threads > 1) schedule = ForwardSchedule.Of(call, TCore.Plan, maxThreads: 1);
        }

        job._call = call;
        job._schedule = schedule;
        job.Run(schedule.Units, schedule.Threads);
    }

    protected override void Work(int worker)
    {
        float* memory = TakeMemory(_call, _schedule.WorkerBytes, worker);
        if (memory == null) return;
        var lane = new Worker(_call, TCore.Plan, _schedule.Stretch, memory);
        while (TakeUnit(out int unit)) lane.RunSegment(unit / _schedule.Segments, unit % _schedule.Segments, _schedule.Segments);
        ReturnMemory(_call, memory);
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
            int length = _call.Length(Batch(lane));
            int chunk = length <= stretch ? 1 : ForwardSchedule.LongRangeBlocks;

            // The last rows see the most keys: they come first, over the segments and within each, so that what they have packed serves all.
            int from = (int)((long)blocks * (segments - 1 - segment) / segments), to = (int)((long)blocks * (segments - segment) / segments);
            for (int end = to; end > from; end -= chunk) RunBlocks(lane, Math.Max(from, end - chunk), end);
        }

        private void RunBlocks(int lane, int from, int to)
        {
            int batch = Batch(lane), length = _call.Length(batch);
            int keys = (int)Math.Clamp(_call.Visible(batch, LastRow(to - 1)), 0, length);
            for (int first = 0; first < keys; first += stretch)
            {
                Pack(lane, first, Math.Min(stretch, keys - first));
                for (int block = from; block < to; block++) Attend(lane, block, first, length, State(block - from));
            }

            for (int block = from; block < to; block++)
                if (Math.Min(length, _call.Visible(batch, LastRow(block))) <= 0) Clear(lane, block);
        }

        private readonly int FirstRow(int block) => block / _call.Group * _plan.QueryBlock;

        private readonly int LastRow(int block) => Math.Min(FirstRow(block) + _plan.QueryBlock, _call.Queries) - 1;

        private readonly int Batch(int lane) => lane / _call.KeyValueHeads;

        private readonly int KeyHead(int lane) => lane % _call.KeyValueHeads;

        private readonly int Head(int lane, int block) => KeyHead(lane) * _call.Group + block % _call.Group;

        private void Pack(int lane, int first, int count)
        {
            if (_packedLane == lane && _packedFirst == first && _packedCount >= count) return;
            _valuesFinite = TCore.Pack(new ForwardKeys
            {
                Key = ref *_call.Key.Row(Batch(lane), first, KeyHead(lane)),
                KeyStride = _call.Key.TokenStride,
                Value = ref *_call.Value.Row(Batch(lane), first, KeyHead(lane)),
                ValueStride = _call.Value.TokenStride,
                Count = count,
                PackedKeys = ref *_packedKeys,
                PackedValues = ref *_packedValues,
            });
            (_packedLane, _packedFirst, _packedCount) = (lane, first, count);
        }

        private readonly void Attend(int lane, int block, int first, int length, float* state)
        {
            int batch = Batch(lane);
            int keys = (int)(Math.Min(length, _call.Visible(batch, LastRow(block))) - first);
            if (keys <= 0) return;
            TCore.Attend(new ForwardBlock
            {
                Query = ref *_call.Query.Row(batch, FirstRow(block), Head(lane, block)),
                QueryStride = _call.Query.TokenStride,
                Rows = LastRow(block) - FirstRow(block) + 1,
                PackedKeys = ref *_packedKeys,
                PackedValues = ref *_packedValues,
                Keys = Math.Min(keys, stretch),
                Visible = _call.Visible(batch, FirstRow(block)) - first,
                ValuesFinite = _valuesFinite,
                First = first == 0,
                Last = keys <= stretch,
                Output = ref *_call.Output.Row(batch, FirstRow(block), Head(lane, block)),
                OutputStride = _call.Output.TokenStride,
                State = ref *state,
                Scratch = ref *_scratch,
            });
        }

        /// <summary>The output of rows that see no key.</summary>
        private readonly void Clear(int lane, int block)
        {
            float* output = _call.Output.Row(Batch(lane), FirstRow(block), Head(lane, block));
            for (int row = FirstRow(block); row <= LastRow(block); row++, output += _call.Output.TokenStride) new Span<float>(output, _call.Output.Dim).Clear();
        }

        private readonly float* State(int index) => _states + (nint)index * _plan.StateFloats;
    }
}
