using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a core over the prefill sequences of a call. A sequence head is a key-value head of a sequence: its keys and values are packed once for all its query
/// heads. Its work is a list of query blocks, (block of rows, head of the group). A segment is a consecutive part of that list and the unit of work of a
/// thread. Blocks of rows and keys begin at fixed places, so no result depends on the distribution of work over threads.
/// </summary>
internal sealed unsafe class PrefillJob : PooledJob<PrefillJob>
{
    private ForwardArguments _call;
    private PrefillWalk _walk;
    private PrefillSchedule _schedule;

    private static PrefillJob Create() => new();

    /// <returns>The bytes of memory that a thread needs.</returns>
    public static nint Run(in ForwardArguments call, in PrefillWalk walk)
    {
        var schedule = PrefillSchedule.Of(call, walk.Plan, call.MaxThreads);
        if (call.OnlyAsks) return schedule.WorkerBytes;
        var job = schedule.Threads > 1 ? Rent(&Create) : null;
        if (job is null)
        {
            job = Alone(&Create);
            if (schedule.Threads > 1) schedule = PrefillSchedule.Of(call, walk.Plan, maxThreads: 1);
        }

        job._call = call;
        job._walk = walk;
        job._schedule = schedule;
        job.Run(schedule.Units, schedule.Threads);
        return schedule.WorkerBytes;
    }

    protected override void Work(int worker)
    {
        float* memory = TakeMemory(_call, _schedule.WorkerBytes, worker);
        if (memory == null) return;
        try
        {
            var thread = new Worker(_call, _walk, _schedule.Stretch, memory);
            while (TakeUnit(out long unit)) thread.Run(SegmentOf(unit), SegmentOf(NextUnit));
        }
        finally
        {
            ReturnMemory(_call, memory);
        }
    }

    /// <summary>The segment of a unit; empty if there is no such unit. The last rows come first, because they see the most keys under a causal mask.</summary>
    private Segment SegmentOf(long unit)
    {
        if (unit >= _schedule.Units) return default;
        long segments = _schedule.Segments, after = segments - unit % segments;
        var (sequence, keyHead) = Math.DivRem(unit / segments, _call.KeyValueHeads);
        long blocks = (long)_call.Sequences[sequence].RowBlocks * _call.Group;
        return new Segment(new SequenceHead((int)sequence, (int)keyHead), Part(blocks, after - 1, segments), Part(blocks, after, segments));
    }

    /// <summary>The first block of a part. There are at most as many parts as blocks.</summary>
    private static long Part(long blocks, long part, long parts) => blocks / parts * part + blocks % parts * part / parts;

    /// <summary>The state of one thread: its memory, and the keys that it has packed last.</summary>
    private ref struct Worker(in ForwardArguments call, in PrefillWalk walk, int stretch, float* memory)
    {
        /// <summary>The most runs in one call of the core.</summary>
        private const int MaxRuns = 32;

        private readonly ForwardArguments _call = call;
        private readonly PrefillWalk _walk = walk;
        private readonly float* _packedKeys = memory;
        private readonly float* _packedValues = memory + (nint)stretch * walk.Plan.PackedKeyFloats;
        private readonly float* _scratch = memory + (nint)stretch * (walk.Plan.PackedKeyFloats + walk.Plan.PackedValueFloats);
        private readonly float* _panel = memory + (nint)stretch * (walk.Plan.PackedKeyFloats + walk.Plan.PackedValueFloats) + walk.Plan.ScratchFloats;
        private readonly float* _states = memory + (nint)stretch * (walk.Plan.PackedKeyFloats + walk.Plan.PackedValueFloats) + walk.Plan.ScratchFloats + PrefillSchedule.PanelFloats(call, walk.Plan);

        // The packed keys: the stretch that begins at an offset in a list of keys of a sequence head.
        private PackedKeys _packed;
        private SequenceHead _packedHead = new(-1, -1);
        private long _packedFrom;
        private bool _valuesFinite;

        // The current group of blocks and the next one.
        private PackGroup _group, _next;

        /// <summary>Runs a segment and prefetches for the one that likely follows.</summary>
        public void Run(Segment segment, Segment next)
        {
            if (segment.IsEmpty) return;
            if (_next.Segment != segment) FindLastGroup(segment, ref _next);
            do
            {
                _group = _next;
                segment = segment with { To = _group.Blocks.From };
                FindLastGroup(segment.IsEmpty ? next : segment, ref _next);
                RunBlocks(_group, _next);
            }
            while (!segment.IsEmpty);
        }

        /// <summary>
        /// Finds the blocks at the end of a segment whose keys fit into one stretch. If the keys of one block do not fit, it finds up to <see
        /// cref="PrefillSchedule.LongRangeBlocks"/> blocks; their states are kept while their keys are packed stretch after stretch.
        /// </summary>
        private readonly void FindLastGroup(Segment segment, ref PackGroup group)
        {
            var (sequenceHead, from, to) = segment;
            group.Segment = group.Blocks = segment;
            group.Keys.Clear();
            if (segment.IsEmpty) return;
            long first = to - 1;
            AddKeys(sequenceHead, first, ref group.Keys);
            bool isLong = group.Keys.Length > stretch;
            long least = isLong ? Math.Max(from, to - PrefillSchedule.LongRangeBlocks) : from;
            while (first > least)
            {
                // All heads of a group see the same keys in the same rows.
                if (first % _call.Group == 0)
                {
                    var keys = group.Keys;
                    AddKeys(sequenceHead, first - 1, ref keys);
                    if (!isLong && keys.Length > stretch) break;
                    group.Keys = keys;
                }

                first--;
            }

            group.Blocks = segment with { From = first };
        }

        private void RunBlocks(in PackGroup group, in PackGroup next)
        {
            var (sequenceHead, from, to) = group.Blocks;
            if (_packedHead == sequenceHead && _packed.Holds(group.Keys, _packedFrom, _packedFrom + stretch))
            {
                for (long block = from; block < to; block++) Attend(group, block, _states, done: 0, next);
                return;
            }

            Span<long> done = stackalloc long[PrefillSchedule.LongRangeBlocks]; // keys that each block has processed, if there is more than one stretch
            done.Clear();
            bool atOnce = group.Keys.Length <= stretch;
            for (long first = 0; first == 0 || first < group.Keys.Length; first += Math.Max(stretch, 1))
            {
                Pack(sequenceHead, group.Keys, first);
                for (long block = from; block < to; block++)
                {
                    int index = atOnce ? 0 : (int)(block - from);
                    done[index] = Attend(group, block, _states + index * (nint)_walk.Plan.StateFloats, done[index], next);
                    if (atOnce) done[index] = 0;
                }
            }
        }

        /// <summary>
        /// The memory to prefetch during a block: the next queries, the output, and a part of the keys and values of the next sequence head. The blocks share
        /// these keys and values in equal parts.
        /// </summary>
        /// <param name="group">The blocks.</param>
        /// <param name="block">The current block.</param>
        /// <param name="next">The group that runs after these blocks.</param>
        /// <param name="row">The first row of the block.</param>
        /// <param name="rows">The number of its rows.</param>
        /// <param name="keys">The number of keys that they see.</param>
        private readonly ForwardAhead Ahead(in PackGroup group, long block, in PackGroup next, int row, int rows, long keys)
        {
            var (sequenceHead, from, to) = group.Blocks;
            int steps = (rows + _walk.Plan.TileRows - 1) / _walk.Plan.TileRows * (((int)Math.Min(keys, stretch) + _walk.Plan.KeyBlock - 1) / _walk.Plan.KeyBlock);
            var ahead = new ForwardAhead { Output = AheadRows.Of(_call.OutputRow(Sequence(sequenceHead), row, Head(sequenceHead, block)), _call.Output, Sequence(sequenceHead).Step, rows, steps) };
            var (nextHead, nextBlock, _) = block + 1 < to ? group.Blocks with { From = block + 1 } : next.Blocks;
            if (block + 1 == to && next.Blocks.IsEmpty) return ahead;
            (row, rows) = Rows(nextHead, nextBlock, out _);
            ahead.Query = AheadRows.Of(_call.QueryRow(Sequence(nextHead), row, Head(nextHead, nextBlock)), _call.Query, Sequence(nextHead).Step, rows, steps);
            if (next.Blocks.IsEmpty || next.Blocks.SequenceHead == sequenceHead || next.Keys.Count == 0) return ahead;
            var (begin, end, _) = next.Keys[next.Keys.Count - 1];
            int count = Math.Min(end - begin, stretch), low = begin + (int)Part(count, block - from, to - from), high = begin + (int)Part(count, block - from + 1, to - from);
            ref readonly var sequence = ref Sequence(next.Blocks.SequenceHead);
            ahead.Key = AheadRows.Of(_call.KeyRow(sequence, low, next.Blocks.SequenceHead.KeyHead), _call.Key, sequence.Step, high - low, steps);
            if (_walk.Plan.PackedValueFloats > 0) ahead.Value = AheadRows.Of(_call.ValueRow(sequence, low, next.Blocks.SequenceHead.KeyHead), _call.Value, sequence.Step, high - low, steps);
            return ahead;
        }

        /// <summary>Adds the keys that at least one row of a block sees, from the start of their key blocks.</summary>
        private readonly void AddKeys(SequenceHead sequenceHead, long block, ref PackedKeys keys)
        {
            var (row, rows) = Rows(sequenceHead, block, out int index);
            ref readonly var piece = ref _call.Pieces[index];
            if (piece.List >= 0)
            {
                // Most keys are in the list of at least one block, so all keys are packed once.
                if (Sequence(sequenceHead).Keys > 0) keys.Add(0, Sequence(sequenceHead).Keys, _walk.Plan.KeyBlock);
                return;
            }

            var ranges = new KeyRanges(_call, piece, sequenceHead.KeyHead, row, row + rows - 1);
            while (ranges.MoveNext()) keys.Add(Align(ranges.Current), ranges.Current.End, _walk.Plan.KeyBlock);
        }

        /// <summary>The start of the key block in which a range begins.</summary>
        private readonly int Align(in KeyRange range) => Math.Max(range.Begin / _walk.Plan.KeyBlock * _walk.Plan.KeyBlock, range.From);

        private readonly ref readonly ForwardSequence Sequence(SequenceHead sequenceHead) => ref _call.Sequences[sequenceHead.Sequence];

        private readonly int Head(SequenceHead sequenceHead, long block) => sequenceHead.KeyHead * _call.Group + (int)(block % _call.Group);

        /// <summary>The rows of a block, and the index of their piece.</summary>
        private readonly (int First, int Count) Rows(SequenceHead sequenceHead, long block, out int index)
        {
            ref readonly var sequence = ref Sequence(sequenceHead);
            int rowBlock = (int)(_call.Group == 1 ? block : block / _call.Group), low = sequence.FirstPiece, high = low + sequence.Pieces - 1;
            while (low < high)
            {
                int middle = low + (high - low + 1) / 2;
                if (_call.Pieces[middle].BlocksBefore <= rowBlock) low = middle;
                else high = middle - 1;
            }

            index = low;
            ref readonly var piece = ref _call.Pieces[low];
            int row = (rowBlock - piece.BlocksBefore) * _walk.Plan.QueryBlock;
            return (piece.FirstRow + row, Math.Min(_walk.Plan.QueryBlock, piece.Rows - row));
        }

        /// <summary>Packs a stretch of keys.</summary>
        private void Pack(SequenceHead sequenceHead, in PackedKeys keys, long from)
        {
            _valuesFinite = true;
            ref readonly var sequence = ref Sequence(sequenceHead);
            for (int i = 0; i < keys.Count; i++)
            {
                var (begin, end, offset) = keys[i];
                int first = (int)Math.Max(begin, Math.Min(begin + from - offset, end)), last = (int)Math.Min(end, begin + from + stretch - offset);
                if (first >= last) continue;
                offset += first - begin - from; // the offset in the stretch
                for (int next; first < last; offset += next - first, first = next)
                {
                    // Whole panels of a page are packed where they lie; a panel of several pages is put together first.
                    next = _call.EndOfPage(sequence, first, last);
                    if (next < last) next -= (next - first) % _walk.Plan.PanelKeys;
                    if (next > first)
                    {
                        Pack(_call.KeyRows(sequence, first, sequenceHead.KeyHead), _call.ValueRows(sequence, first, sequenceHead.KeyHead), sequence, sequenceHead, first, next, offset);
                        continue;
                    }

                    next = Math.Min(first + _walk.Plan.PanelKeys, last);
                    var (keyRows, valueRows) = CopyRows(sequence, first, next, sequenceHead.KeyHead);
                    Pack(keyRows, valueRows, sequence, sequenceHead, first, next, offset);
                }
            }

            (_packedHead, _packed, _packedFrom) = (sequenceHead, keys, from);
        }

        private void Pack(in TokenRows keys, in TokenRows values, in ForwardSequence sequence, SequenceHead sequenceHead, int first, int end, long offset) => _valuesFinite &= _walk.Pack(new KeysToPack
        {
            KeyRows = keys,
            ValueRows = values,
            Count = end - first,
            PackedKeys = ref *(_packedKeys + (nint)offset * _walk.Plan.PackedKeyFloats),
            PackedValues = ref *(_packedValues + (nint)offset * _walk.Plan.PackedValueFloats),
            Key = first,
            Place = _call.Place(sequence, sequenceHead.KeyHead * _call.Group, row: 0),
            Scratch = ref *_scratch,
        });

        /// <summary>Puts the keys of a panel and their values side by side.</summary>
        private readonly (TokenRows Keys, TokenRows Values) CopyRows(in ForwardSequence sequence, int first, int end, int keyHead)
        {
            int keyBytes = _call.Key.Dim * _call.Key.ElementBytes, valueBytes = _call.Value.Dim * _call.Value.ElementBytes;
            float* keyScales = _panel, valueScales = keyScales + _walk.Plan.PanelKeys;
            byte* keys = (byte*)(valueScales + _walk.Plan.PanelKeys), values = keys + (nint)_walk.Plan.PanelKeys * keyBytes, key = keys, value = values;
            for (int i = first; i < end; i++, key += keyBytes, value += valueBytes)
            {
                Unsafe.CopyBlockUnaligned(key, _call.KeyRow(sequence, i, keyHead), (uint)keyBytes);
                Unsafe.CopyBlockUnaligned(value, _call.ValueRow(sequence, i, keyHead), (uint)valueBytes);
                if (!_call.HasScales) continue;
                keyScales[i - first] = *_call.KeyScale(sequence, i, keyHead);
                valueScales[i - first] = *_call.ValueScale(sequence, i, keyHead);
            }

            return (new TokenRows(keys, _call.Key.Dim, scales: keyScales, scaleStride: 1), new TokenRows(values, _call.Value.Dim, scales: valueScales, scaleStride: 1));
        }

        /// <summary>Computes a block of rows against the packed keys that it sees. The block has processed <paramref name="done"/> keys before.</summary>
        /// <returns>The number of keys that it has processed after the call.</returns>
        [SkipLocalsInit]
        private readonly long Attend(in PackGroup group, long block, float* state, long done, in PackGroup next)
        {
            var sequenceHead = group.Blocks.SequenceHead;
            int count = 0;
            long all = 0, pending = 0;
            var (row, rows) = Rows(sequenceHead, block, out int index);
            ref readonly var piece = ref _call.Pieces[index];
            var ranges = new KeyRanges(_call, piece, sequenceHead.KeyHead, row, row + rows - 1);
            while (ranges.MoveNext()) all += ranges.Current.End - Align(ranges.Current);
            if (all == 0)
            {
                _call.Clear(Sequence(sequenceHead), Head(sequenceHead, block), row, rows);
                return 0;
            }

            var ahead = Ahead(group, block, next, row, rows, all);
            KeyRun* runs = stackalloc KeyRun[MaxRuns];
            ranges = new KeyRanges(_call, piece, sequenceHead.KeyHead, row, row + rows - 1);
            while (ranges.MoveNext())
            {
                var range = ranges.Current;
                for (int i = 0; i < _packed.Count; i++)
                {
                    var (begin, end, offset) = _packed[i];
                    offset -= begin + _packedFrom; // from the index of a key to its place in the stretch
                    begin = (int)Math.Min(Math.Max(Math.Max(Align(range), begin), -offset), end);
                    end = (int)Math.Min(Math.Min(range.End, end), stretch - offset);
                    if (begin >= end) continue;
                    if (count == MaxRuns)
                    {
                        Attend(sequenceHead, block, row, rows, state, runs, count, first: done == 0, last: false, ref ahead);
                        (done, pending, count) = (done + pending, 0, 0);
                    }

                    nint place = (nint)(begin + offset);
                    runs[count++] = range.Run(begin, end, row, _packedKeys + place * _walk.Plan.PackedKeyFloats, _packedValues + place * _walk.Plan.PackedValueFloats);
                    pending += end - begin;
                }
            }

            if (count > 0) Attend(sequenceHead, block, row, rows, state, runs, count, first: done == 0, last: done + pending == all, ref ahead);
            return done + pending;
        }

        private readonly void Attend(SequenceHead sequenceHead, long block, int row, int rows, float* state, KeyRun* runs, int count, bool first, bool last, ref ForwardAhead ahead)
        {
            ref readonly var sequence = ref Sequence(sequenceHead);
            int head = Head(sequenceHead, block);
            if (first) _call.Operands->ClearScores(sequence, head, row, rows);
            _walk.Prefill(new PrefillBlock
            {
                QueryRows = _call.QueryRows(sequence, row, head),
                OutputRows = _call.OutputRows(sequence, row, head),
                Rows = rows,
                Runs = ref *runs,
                RunCount = count,
                ValuesFinite = _valuesFinite,
                First = first,
                Last = last,
                State = ref *state,
                Scratch = ref *_scratch,
                Place = _call.Place(sequence, head, row),
                Ahead = ref ahead,
            });
            if (last) ChosenValues.Write(_call, _walk.Plan.Chosen, sequence, head, row, rows, state, _walk.Plan.StateRowFloats);
        }
    }
}

/// <summary>Blocks at the end of a segment that run one after the other, and the keys that are packed for them.</summary>
internal struct PackGroup
{
    public Segment Segment, Blocks;
    public PackedKeys Keys;
}

/// <summary>A key-value head of a sequence.</summary>
internal readonly record struct SequenceHead(int Sequence, int KeyHead);

/// <summary>Query blocks of a sequence head.</summary>
internal readonly record struct Segment(SequenceHead SequenceHead, long From, long To)
{
    public bool IsEmpty => From >= To;

    // What the compiler writes instead goes through EqualityComparer<SequenceHead>, which cannot be compiled ahead.
    public bool Equals(Segment other) => SequenceHead == other.SequenceHead && From == other.From && To == other.To;

    public override int GetHashCode() => HashCode.Combine(SequenceHead, From, To);
}
