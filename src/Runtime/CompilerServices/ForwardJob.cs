using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over a call. A lane is a key-value head of a batch item: the keys and values that are packed once for all its query heads.
/// Its work is a list of query blocks, (block of rows, head of the group); a segment is a stretch of that list, the unit that a thread takes.
/// Blocks of rows and of keys stand at fixed places, so no result depends on who computes what.
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
        while (TakeUnit(out int unit)) lane.Run(SegmentOf(unit), SegmentOf(NextUnit));
        ReturnMemory(_call, memory);
    }

    /// <summary>The segment of a unit; an empty one where there is no such unit. Under a causal mask the last rows see the most keys: they come first.</summary>
    private Segment SegmentOf(int unit)
    {
        if (unit >= _schedule.Units) return default;
        int segments = _schedule.Segments, lane = unit / segments, after = segments - unit % segments;
        int blocks = (_call.Queries + TCore.Plan.QueryBlock - 1) / TCore.Plan.QueryBlock * _call.Group;
        return new Segment(lane, (int)((long)blocks * (after - 1) / segments), (int)((long)blocks * after / segments));
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

        /// <summary>Runs a segment, and has what is likely to be run next fetched.</summary>
        public void Run(Segment segment, Segment next)
        {
            for (Segment group = LastGroup(segment), before; !group.IsEmpty; group = before)
            {
                before = LastGroup(segment with { To = group.From });
                RunBlocks(group, before.IsEmpty ? LastGroup(next) : before);
            }
        }

        /// <summary>
        /// As many blocks at the end of a segment as see keys that can be packed together. Where those of one block are too many, some blocks whose
        /// states are kept while stretch after stretch of their keys is packed.
        /// </summary>
        private readonly Segment LastGroup(Segment segment)
        {
            var (lane, from, to) = segment;
            if (segment.IsEmpty) return segment;
            int first = to - 1;
            if (Count(lane, first, to) > stretch) return segment with { From = Math.Max(from, to - ForwardSchedule.LongRangeBlocks) };
            while (first > from && Count(lane, first - 1, to) <= stretch) first--;
            return segment with { From = first };
        }

        private void RunBlocks(Segment group, Segment next)
        {
            var (lane, from, to) = group;
            var (begin, end) = Keys(lane, from, to);
            bool atOnce = end - begin <= stretch;
            for (int first = begin; first < end; first += stretch)
            {
                Pack(lane, first, Math.Min(stretch, end - first));
                for (int block = from; block < to; block++)
                    Attend(lane, block, first, _states + (atOnce ? 0 : block - from) * (nint)_plan.StateFloats, Ahead(group, block, first, next));
            }

            for (int block = from; block < to; block++)
                if (Count(lane, block, block + 1) == 0) Clear(lane, block);
        }

        /// <summary>
        /// What is read and written after a block: the next queries, the output; and a part of the keys and values of the next lane, as many parts as
        /// there are blocks.
        /// </summary>
        private readonly ForwardAhead Ahead(Segment group, int block, int first, Segment next)
        {
            var (lane, from, to) = group;
            var (begin, end) = Keys(lane, block, block + 1);
            int keys = Math.Min(end, first + stretch) - Math.Max(begin, first);
            int steps = (LastRow(block) - FirstRow(block) + _plan.TileRows) / _plan.TileRows * ((keys + _plan.KeyBlock - 1) / _plan.KeyBlock);
            if (steps <= 0) return default;

            var ahead = new ForwardAhead();
            ahead.Output = AheadRows.Of(_call.Output, Batch(lane), Head(lane, block), FirstRow(block), LastRow(block) + 1, steps);
            var (nextLane, nextBlock, _) = block + 1 < to ? group with { From = block + 1 } : next;
            if (block + 1 == to && next.IsEmpty) return ahead;
            ahead.Query = AheadRows.Of(_call.Query, Batch(nextLane), Head(nextLane, nextBlock), FirstRow(nextBlock), LastRow(nextBlock) + 1, steps);
            if (next.IsEmpty || next.Lane == lane) return ahead;
            (begin, end) = Keys(next.Lane, next.From, next.To);
            int count = Math.Min(end - begin, stretch);
            int low = begin + (int)((long)count * (block - from) / (to - from)), high = begin + (int)((long)count * (block - from + 1) / (to - from));
            ahead.Key = AheadRows.Of(_call.Key, Batch(next.Lane), KeyHead(next.Lane), low, high, steps);
            ahead.Value = AheadRows.Of(_call.Value, Batch(next.Lane), KeyHead(next.Lane), low, high, steps);
            return ahead;
        }

        /// <summary>
        /// The keys that some rows of the blocks see, from the start of a block of keys: blocks of keys stand at fixed keys, so that no result depends
        /// on what is packed together.
        /// </summary>
        private readonly (int Begin, int End) Keys(int lane, int from, int to)
        {
            var (begin, end) = _call.Range(Batch(lane), FirstRow(from), LastRow(to - 1));
            return begin == end ? (0, 0) : (begin / _plan.KeyBlock * _plan.KeyBlock, end);
        }

        private readonly int Count(int lane, int from, int to) => Keys(lane, from, to) is var (begin, end) ? end - begin : 0;

        private readonly int FirstRow(int block) => block / _call.Group * _plan.QueryBlock;

        private readonly int LastRow(int block) => Math.Min(FirstRow(block) + _plan.QueryBlock, _call.Queries) - 1;

        private readonly int Batch(int lane) => lane / _call.KeyValueHeads;

        private readonly int KeyHead(int lane) => lane % _call.KeyValueHeads;

        private readonly int Head(int lane, int block) => KeyHead(lane) * _call.Group + block % _call.Group;

        private void Pack(int lane, int first, int count)
        {
            if (_packedLane == lane && _packedFirst <= first && _packedFirst + _packedCount >= first + count) return;
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

        /// <summary>A block of rows against its keys among the packed ones from <paramref name="first"/> on.</summary>
        private readonly void Attend(int lane, int block, int first, float* state, ForwardAhead ahead)
        {
            int batch = Batch(lane);
            var (begin, end) = Keys(lane, block, block + 1);
            int from = Math.Max(begin, first), keys = Math.Min(end - from, first + stretch - from);
            if (keys <= 0) return;
            if (from == begin) _call.Operands->ClearScores(batch, Head(lane, block), FirstRow(block), LastRow(block) - FirstRow(block) + 1);
            TCore.Attend(new ForwardBlock
            {
                Query = ref *_call.Query.Row(batch, FirstRow(block), Head(lane, block)),
                QueryStride = _call.Query.TokenStride,
                Rows = LastRow(block) - FirstRow(block) + 1,
                PackedKeys = ref *(_packedKeys + (nint)(from - _packedFirst) * _plan.PackedKeyFloats),
                PackedValues = ref *(_packedValues + (nint)(from - _packedFirst) * _plan.PackedValueFloats),
                Keys = keys,
                Visible = _call.End(batch, FirstRow(block)) - from,
                Hidden = _call.Begin(batch, FirstRow(block)) - from,
                ValuesFinite = _valuesFinite,
                First = from == begin,
                Last = from + keys == end,
                Output = ref *_call.Output.Row(batch, FirstRow(block), Head(lane, block)),
                OutputStride = _call.Output.TokenStride,
                State = ref *state,
                Scratch = ref *_scratch,
                Place = _call.Place(batch, Head(lane, block), FirstRow(block), from),
                Ahead = ref ahead,
            });
        }

        /// <summary>The output of rows that see no key.</summary>
        private readonly void Clear(int lane, int block)
        {
            float* output = _call.Output.Row(Batch(lane), FirstRow(block), Head(lane, block));
            for (int row = FirstRow(block); row <= LastRow(block); row++, output += _call.Output.TokenStride)
            {
                new Span<float>(output, _call.Output.Dim).Clear();
                _call.Operands->WriteEmpty(Batch(lane), Head(lane, block), row);
            }
        }
    }
}

/// <summary>Query blocks of a lane.</summary>
internal readonly record struct Segment(int Lane, int From, int To)
{
    public bool IsEmpty => From >= To;
}
