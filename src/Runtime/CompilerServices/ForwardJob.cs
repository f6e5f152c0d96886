using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over a call. A lane is a key-value head of a sequence: the keys and values that are packed once for all its query heads.
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
        int blocks = _call.Sequences[lane / _call.KeyValueHeads].RowBlocks * _call.Group;
        return new Segment(lane, (int)((long)blocks * (after - 1) / segments), (int)((long)blocks * after / segments));
    }

    /// <summary>One thread's view of the call: its memory and what it has packed last.</summary>
    private ref struct Worker(in ForwardArguments call, in ForwardPlan plan, int stretch, float* memory)
    {
        /// <summary>Runs that a core takes at a time.</summary>
        private const int MaxRuns = 32;

        private readonly ForwardArguments _call = call;
        private readonly ForwardPlan _plan = plan;
        private readonly float* _packedKeys = memory;
        private readonly float* _packedValues = memory + (nint)stretch * plan.PackedKeyFloats;
        private readonly float* _scratch = memory + (nint)stretch * (plan.PackedKeyFloats + plan.PackedValueFloats);
        private readonly float* _states = memory + (nint)stretch * (plan.PackedKeyFloats + plan.PackedValueFloats) + plan.ScratchFloats;

        // What is packed: of these keys of a lane those from an offset on.
        private PackedKeys _packed;
        private int _packedLane = -1, _packedFrom;
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
            var keys = Keys(lane, first, to);
            if (keys.Length > stretch) return segment with { From = Math.Max(from, to - ForwardSchedule.LongRangeBlocks) };
            for (; first > from; first--)
            {
                AddKeys(lane, first - 1, ref keys);
                if (keys.Length > stretch) break;
            }

            return segment with { From = first };
        }

        private void RunBlocks(Segment group, Segment next)
        {
            var (lane, from, to) = group;
            PackedKeys keys = Keys(lane, from, to), nextKeys = next.IsEmpty || next.Lane == lane ? default : Keys(next.Lane, next.From, next.To);
            if (_packedLane == lane && _packed.Holds(keys, _packedFrom, _packedFrom + stretch))
            {
                for (int block = from; block < to; block++) Attend(lane, block, _states, done: 0, Ahead(group, block, next, nextKeys));
                return;
            }

            Span<int> done = stackalloc int[ForwardSchedule.LongRangeBlocks]; // keys of each block, where there is more than one stretch
            done.Clear();
            bool atOnce = keys.Length <= stretch;
            for (int first = 0; first == 0 || first < keys.Length; first += Math.Max(stretch, 1))
            {
                Pack(lane, keys, first);
                for (int block = from; block < to; block++)
                {
                    int index = atOnce ? 0 : block - from;
                    done[index] = Attend(lane, block, _states + index * (nint)_plan.StateFloats, done[index], Ahead(group, block, next, nextKeys));
                    if (atOnce) done[index] = 0;
                }
            }
        }

        /// <summary>
        /// What is read and written after a block: the next queries, the output; and a part of the keys and values of the next lane, as many parts as
        /// there are blocks.
        /// </summary>
        private readonly ForwardAhead Ahead(Segment group, int block, Segment next, in PackedKeys nextKeys)
        {
            var (lane, from, to) = group;
            var keys = Keys(lane, block, block + 1);
            var (row, rows) = Rows(lane, block, out _);
            int steps = (rows + _plan.TileRows - 1) / _plan.TileRows * ((Math.Min(keys.Length, stretch) + _plan.KeyBlock - 1) / _plan.KeyBlock);
            if (steps <= 0) return default;

            var ahead = new ForwardAhead { Output = AheadRows.Of(_call.OutputRow(Sequence(lane), row, Head(lane, block)), _call.Output, Sequence(lane).Step, rows, steps) };
            var (nextLane, nextBlock, _) = block + 1 < to ? group with { From = block + 1 } : next;
            if (block + 1 == to && next.IsEmpty) return ahead;
            (row, rows) = Rows(nextLane, nextBlock, out _);
            ahead.Query = AheadRows.Of(_call.QueryRow(Sequence(nextLane), row, Head(nextLane, nextBlock)), _call.Query, Sequence(nextLane).Step, rows, steps);
            if (nextKeys.Count == 0) return ahead;
            var (begin, end, _) = nextKeys[nextKeys.Count - 1];
            int count = Math.Min(end - begin, stretch), low = begin + (int)((long)count * (block - from) / (to - from)), high = begin + (int)((long)count * (block - from + 1) / (to - from));
            ahead.Key = AheadRows.Of(_call.KeyRow(Sequence(next.Lane), low, KeyHead(next.Lane)), _call.Key, Sequence(next.Lane).Step, high - low, steps);
            ahead.Value = AheadRows.Of(_call.ValueRow(Sequence(next.Lane), low, KeyHead(next.Lane)), _call.Value, Sequence(next.Lane).Step, high - low, steps);
            return ahead;
        }

        /// <summary>The keys that some rows of the blocks see, from the starts of blocks of keys.</summary>
        private readonly PackedKeys Keys(int lane, int from, int to)
        {
            // Those of the same rows are the same for all heads of the group.
            var keys = new PackedKeys(_plan.KeyBlock);
            int group = _call.Group;
            for (int rows = from / group; rows <= (to - 1) / group; rows++) AddKeys(lane, rows * group, ref keys);
            return keys;
        }

        private readonly void AddKeys(int lane, int block, ref PackedKeys keys)
        {
            var (row, rows) = Rows(lane, block, out var piece);
            if (piece.List >= 0)
            {
                // Most keys are in the list of some block: all are packed, once.
                if (Sequence(lane).Keys > 0) keys.Add(0, Sequence(lane).Keys);
                return;
            }

            foreach (var range in new KeyRanges(_call, piece, KeyHead(lane), row, row + rows - 1)) keys.Add(Align(range), range.End);
        }

        /// <summary>The start of the block of keys in which a range begins.</summary>
        private readonly int Align(in KeyRange range) => Math.Max(range.Begin / _plan.KeyBlock * _plan.KeyBlock, range.From);

        private readonly ref readonly ForwardSequence Sequence(int lane) => ref _call.Sequences[lane / _call.KeyValueHeads];

        private readonly int KeyHead(int lane) => lane % _call.KeyValueHeads;

        private readonly int Head(int lane, int block) => KeyHead(lane) * _call.Group + block % _call.Group;

        /// <summary>The rows of a block.</summary>
        private readonly (int First, int Count) Rows(int lane, int block, out RowPiece piece)
        {
            ref readonly var sequence = ref Sequence(lane);
            int rowBlock = block / _call.Group, low = sequence.FirstPiece, high = low + sequence.Pieces - 1;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                if (_call.Pieces[middle].BlocksBefore <= rowBlock) low = middle;
                else high = middle - 1;
            }

            piece = _call.Pieces[low];
            int row = (rowBlock - piece.BlocksBefore) * _plan.QueryBlock;
            return (piece.FirstRow + row, Math.Min(_plan.QueryBlock, piece.Rows - row));
        }

        /// <summary>Packs a stretch of keys.</summary>
        private void Pack(int lane, in PackedKeys keys, int from)
        {
            _valuesFinite = true;
            ref readonly var sequence = ref Sequence(lane);
            for (int i = 0; i < keys.Count; i++)
            {
                var (begin, end, offset) = keys[i];
                int first = Math.Max(begin, begin + from - offset), last = Math.Min(end, begin + from + stretch - offset);
                if (first >= last) continue;
                offset += first - begin - from;
                _valuesFinite &= TCore.Pack(new ForwardKeys
                {
                    Key = ref *_call.KeyRow(sequence, first, KeyHead(lane)),
                    KeyStride = _call.Key.TokenStride * sequence.Step,
                    Value = ref *_call.ValueRow(sequence, first, KeyHead(lane)),
                    ValueStride = _call.Value.TokenStride * sequence.Step,
                    Count = last - first,
                    PackedKeys = ref *(_packedKeys + (nint)offset * _plan.PackedKeyFloats),
                    PackedValues = ref *(_packedValues + (nint)offset * _plan.PackedValueFloats),
                });
            }

            (_packedLane, _packed, _packedFrom) = (lane, keys, from);
        }

        /// <summary>A block of rows, which has met so many of its keys before, against those among the packed ones.</summary>
        /// <returns>How many it has met then.</returns>
        [SkipLocalsInit]
        private readonly int Attend(int lane, int block, float* state, int done, ForwardAhead ahead)
        {
            var (row, rows) = Rows(lane, block, out var piece);
            int all = 0, count = 0, pending = 0;
            foreach (var range in new KeyRanges(_call, piece, KeyHead(lane), row, row + rows - 1)) all += range.End - Align(range);
            if (all == 0) _call.Clear(Sequence(lane), Head(lane, block), row, rows);

            ForwardRun* runs = stackalloc ForwardRun[MaxRuns];
            foreach (var range in new KeyRanges(_call, piece, KeyHead(lane), row, row + rows - 1))
            {
                for (int i = 0; i < _packed.Count; i++)
                {
                    var (begin, end, offset) = _packed[i];
                    offset -= begin + _packedFrom;
                    begin = Math.Max(Math.Max(Align(range), begin), -offset);
                    end = Math.Min(Math.Min(range.End, end), stretch - offset);
                    if (begin >= end) continue;
                    if (count == MaxRuns)
                    {
                        Attend(lane, block, row, rows, state, runs, count, first: done == 0, last: false, ref ahead);
                        (done, pending, count) = (done + pending, 0, 0);
                    }

                    runs[count++] = range.Run(begin, end, row, begin + offset);
                    pending += end - begin;
                }
            }

            if (count > 0) Attend(lane, block, row, rows, state, runs, count, first: done == 0, last: done + pending == all, ref ahead);
            return done + pending;
        }

        private readonly void Attend(int lane, int block, int row, int rows, float* state, ForwardRun* runs, int count, bool first, bool last, ref ForwardAhead ahead)
        {
            ref readonly var sequence = ref Sequence(lane);
            int head = Head(lane, block);
            TCore.Attend(new ForwardBlock
            {
                Query = ref *_call.QueryRow(sequence, row, head),
                QueryStride = _call.Query.TokenStride * sequence.Step,
                Rows = rows,
                PackedKeys = ref *_packedKeys,
                PackedValues = ref *_packedValues,
                Runs = ref *runs,
                RunCount = count,
                ValuesFinite = _valuesFinite,
                First = first,
                Last = last,
                Output = ref *_call.OutputRow(sequence, row, head),
                OutputStride = _call.Output.TokenStride * sequence.Step,
                State = ref *state,
                Scratch = ref *_scratch,
                Place = _call.Place(sequence, head, row),
                Ahead = ref ahead,
            });
        }
    }
}

/// <summary>Query blocks of a lane.</summary>
internal readonly record struct Segment(int Lane, int From, int To)
{
    public bool IsEmpty => From >= To;
}
