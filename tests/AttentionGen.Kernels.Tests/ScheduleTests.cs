using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>How calls are cut into units, with numbers that no test has the memory for: every product of them has to fit, or to be refused.</summary>
public unsafe class ScheduleTests
{
    private static readonly PrefillPlan s_prefill = new()
    {
        QueryBlock = 96, TileRows = 6, KeyBlock = 384, PackedKeyFloats = 64, PackedValueFloats = 64, StateRowFloats = 96, ScratchFloats = 96 * 64 + 6 * 384, FlopsPerPair = 256,
    };

    private static readonly DecodePlan s_decode = new()
    {
        ChunkKeys = 384, StateRowFloats = 96, MaxRows = 64, TileRows = 4, RowsAtOnce = 32, RowsTogether = 16, OneRowBlock = 1024, ScratchFloats = 32 * (64 + 1040), FlopsPerPair = 256,
    };

    /// <summary>A call that is never run: pieces of some rows that see some keys, each a sequence.</summary>
    private sealed class Call : IDisposable
    {
        private readonly GCHandle _sequences, _pieces, _zones;

        public Call(ForwardShape shape, (int Rows, int Keys)[] pieces, long scratchBytes = 0, int maxThreads = int.MaxValue, bool headMajor = false)
        {
            var sequences = new ForwardSequence[pieces.Length];
            var rows = new RowPiece[pieces.Length];
            var zones = new KeyZone[pieces.Length];
            for (int i = 0; i < pieces.Length; i++)
            {
                var (queries, keys) = pieces[i];
                sequences[i] = new ForwardSequence { Queries = queries, Keys = keys, Step = 1, FirstPiece = i, Pieces = 1, RowBlocks = (queries + s_prefill.QueryBlock - 1) / s_prefill.QueryBlock };
                zones[i] = new KeyZone { End = keys, Low = -MaskTerm.Far, High = MaskTerm.Far, Decided = true };
                rows[i] = new RowPiece { Sequence = i, Rows = queries, FirstZone = i, Zones = 1, Keys = keys, List = -1 };
            }

            (_sequences, _pieces, _zones) = (GCHandle.Alloc(sequences, GCHandleType.Pinned), GCHandle.Alloc(rows, GCHandleType.Pinned), GCHandle.Alloc(zones, GCHandleType.Pinned));
            var layout = headMajor ? AttentionLayout.HeadMajor : AttentionLayout.TokenMajor;
            var key = new StridedTensor(null, KernelTensor.Of(new float[shape.KeyValueHeads * 64 * 2], layout, shape.KeyValueHeads, 64, headMajor ? 64 : shape.KeyValueHeads * 64));
            Arguments = new ForwardArguments
            {
                Shape = shape, Key = key, Value = key, MaxThreads = maxThreads, ScratchName = "scratch",
                Sequences = (ForwardSequence*)_sequences.AddrOfPinnedObject(), Pieces = (RowPiece*)_pieces.AddrOfPinnedObject(), Zones = (KeyZone*)_zones.AddrOfPinnedObject(),
                SequenceCount = pieces.Length, PieceCount = pieces.Length,
                Scratch = scratchBytes > 0 ? (byte*)64 : null, ScratchBytes = (nint)scratchBytes,
            };
        }

        public ForwardArguments Arguments { get; }

        public void Dispose()
        {
            _sequences.Free();
            _pieces.Free();
            _zones.Free();
        }
    }

    /// <summary>Two million documents of a token, and one that is worth many chunks: the units of the one would count for all.</summary>
    [Theory, InlineData(false, 0), InlineData(true, 0), InlineData(true, int.MaxValue), InlineData(false, long.MaxValue / 2)]
    public void Two_million_documents_beside_a_long_one(bool headMajor, long scratchBytes)
    {
        var pieces = Enumerable.Repeat((1, 1), 2_000_000).Append((1, 1_000_000)).ToArray();
        using var call = new Call(new ForwardShape(1, 2_000_001, 3_000_000, 64, 64), pieces, scratchBytes, headMajor: headMajor);
        CheckRows(call.Arguments, new Random(1));
        CheckPacked(call.Arguments);
    }

    [Fact]
    public void Calls_of_any_size()
    {
        var random = new Random(2);
        for (int i = 0; i < 3000; i++)
        {
            int keyHeads = Some(random, 4096), group = Math.Max(4096 / keyHeads, 1) is var most && random.Next(2) == 0 ? most : Some(random, most);
            var pieces = Enumerable.Range(0, random.Next(1, 8)).Select(_ => (Some(random, 1 << 30), Some(random, 1 << 30))).ToArray();
            long scratch = random.Next(3) switch { 0 => 0, 1 => random.NextInt64(1 << 20, int.MaxValue), _ => random.NextInt64(1L << 40, 1L << 62) };
            using var call = new Call(new ForwardShape(1, 1 << 30, 1 << 30, keyHeads * group, keyHeads), pieces, scratch, random.Next(2) == 0 ? int.MaxValue : Some(random, int.MaxValue), random.Next(2) == 0);
            CheckRows(call.Arguments, random);
            CheckPacked(call.Arguments);
        }
    }

    /// <summary>A number of any magnitude.</summary>
    private static int Some(Random random, int most) => (int)Math.Clamp(Math.Pow(most, random.NextDouble() * 1.05), 1, most);

    private static void CheckRows(in ForwardArguments call, Random random)
    {
        DecodeSchedule schedule;
        try
        {
            schedule = DecodeSchedule.Of(call, s_decode, call.MaxThreads);
        }
        catch (ArgumentException e) when (e.ParamName == "scratch" && call.ScratchBytes < 1 << 30)
        {
            return;
        }

        Int128 sets = (Int128)call.PieceCount * schedule.SetsOfPiece;
        Assert.InRange(schedule.Threads, 1, ParallelJob.MaxThreads);
        Assert.InRange(schedule.WorkerBytes, 1, nint.MaxValue);
        Assert.InRange(schedule.ChunkFloats, 1, nint.MaxValue / sizeof(float));
        Assert.True(schedule.Units >= sets && sets > 0, $"{schedule.Units} units of {sets} row sets");
        Assert.Equal(Int128.Zero, schedule.Units % sets);
        Int128 chunks = schedule.Units / sets, bytes = sets * chunks * schedule.ChunkFloats * sizeof(float);
        if (schedule.PartialFloats > 0)
        {
            Assert.Equal(sets * chunks * schedule.ChunkFloats, schedule.PartialFloats);
            Assert.Equal(chunks * schedule.ChunkFloats, schedule.SetFloats);
            if (call.Scratch == null) Assert.True(bytes <= ScratchCache.MaxBytes, $"{bytes} bytes of partial states");
            else Assert.True(bytes + (Int128)schedule.Threads * schedule.WorkerBytes <= call.ScratchBytes, $"{bytes} bytes of partial states in {call.ScratchBytes}");
        }
        else
        {
            Assert.Equal(sets, schedule.Units);
        }

        for (int i = 0; i < 20; i++)
        {
            long set = i == 0 ? (long)sets - 1 : random.NextInt64((long)sets);
            var rows = schedule.Rows(call, set);
            Assert.Equal(set / schedule.SetsOfPiece, rows.Piece);
            if (rows.Queries <= 0) continue;
            Assert.True(rows.Row >= 0 && rows.Row + rows.Queries <= call.Pieces[rows.Piece].Rows, $"{rows}");
            Assert.True(rows is { KeyHead: >= 0, KeyHeads: > 0, Group: > 0 } && rows.KeyHead + rows.KeyHeads <= call.KeyValueHeads, $"{rows}");
            Assert.True(rows.Head >= rows.KeyHead * call.Group && rows.Head + (rows.KeyHeads - 1) * call.Group + rows.Group <= (rows.KeyHead + rows.KeyHeads) * call.Group, $"{rows}");
            Assert.True((nint)rows.Rows * s_decode.StateRowFloats <= schedule.ChunkFloats, $"{rows}");
            long keys = 0;
            int count = DecodeSchedule.Chunks(call, s_decode, rows);
            Assert.True(schedule.PartialFloats == 0 || count <= chunks);
            for (int chunk = 0; chunk < count; chunk++)
            {
                var (first, size) = DecodeSchedule.Chunk(call, s_decode, rows, chunk);
                Assert.Equal(keys, first);
                Assert.True(size > 0);
                keys += size;
            }

            Assert.Equal(call.Pieces[rows.Piece].Keys, keys);
        }
    }

    private static void CheckPacked(in ForwardArguments call)
    {
        PrefillSchedule schedule;
        try
        {
            schedule = PrefillSchedule.Of(call, s_prefill, call.MaxThreads);
        }
        catch (ArgumentException e) when (e.ParamName == "scratch" && call.ScratchBytes < 1 << 30)
        {
            return;
        }

        Int128 sequenceHeads = (Int128)call.SequenceCount * call.KeyValueHeads;
        Assert.InRange(schedule.Threads, 1, ParallelJob.MaxThreads);
        Assert.InRange(schedule.WorkerBytes, 1, ScratchCache.MaxBytes);
        Assert.True(schedule.Stretch > 0 && schedule.Stretch % s_prefill.KeyBlock == 0);
        Assert.True(schedule.Segments > 0);
        Assert.Equal(sequenceHeads * schedule.Segments, schedule.Units);
        if (call.Scratch != null) Assert.True((Int128)schedule.Threads * schedule.WorkerBytes <= call.ScratchBytes);
    }

    /// <summary>Keys near the most that there are, packed beside others: places of packed keys do not overflow.</summary>
    [Fact]
    public void Packed_keys_at_the_end_of_a_long_sequence()
    {
        const int Most = KernelTensor.MaxTokens, Block = 384;
        PackedKeys keys = default;
        keys.Add(0, Most, Block);
        Assert.Equal(Most, keys.Length);
        keys.Clear();
        for (int i = 0; i < 12; i++) keys.Add(i * (Most / 12) / Block * Block, i * (Most / 12) / Block * Block + Block + 1, Block);
        Assert.InRange(keys.Length, 8 * Block, Most + 12L * Block);
        Assert.True(keys.Holds(keys, 0, checked((int)keys.Length)));
    }
}
