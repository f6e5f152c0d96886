using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Steps.Loads;
using AttentionGen.Generator.Steps.RowStates;
using AttentionGen.Generator.Steps.Scores;

namespace AttentionGen.Generator.Planning;

/// <summary>Chooses path, tiles and blocks. All tuned numbers stand here, each with its reason.</summary>
internal static class KernelPlanner
{
    // A worker's memory, as the runtime library bounds it (ScratchCache.MaxBytes).
    public const int WorkerBytes = 8 << 20;

    public static KernelPlan Plan(KernelSpec spec)
    {
        var mask = MaskProgram.Of(spec);
        if (spec.Linear is not null) return new KernelPlan(spec, mask, Enumerable.Empty<CorePlan>().ToEquatableArray()); // its cores are those of the library
        return new KernelPlan(spec, mask, Machine.BestFirst.Where(machine => (spec.Attention.Isas & machine.Isa) != 0).Select(machine => Plan(spec, mask, machine)).ToEquatableArray());
    }

    private static CorePlan Plan(KernelSpec spec, MaskProgram mask, Machine machine)
    {
        var attention = spec.Attention;
        var core = Core(spec, mask);

        // The walk over fixed lengths is for plain scores: what happens to others is written once, for blocks.
        bool isPlain = core.Scores.IsPlain && core.Rows.States.Count == 0 && !core.IsAdditive;
        if (isPlain && mask.IsOneZone(spec) && attention is { QueryLength: { } queries, KeyLength: { } keys } && queries >= MinFixedRows && queries <= MaxFixedLength && keys <= MaxFixedLength)
        {
            return FixedLength(core with { Fixed = new FixedSpec(queries, keys, mask.EndsEarly(spec)) }, machine.Isa);
        }

        var plan = Plan(core, machine.Isa);
        bool onlyDecodes = attention.QueryLength is { } m && (long)m * attention.Heads <= (long)plan.Decode!.MaxRows * attention.KeyValueHeads;
        return onlyDecodes ? plan with { Packed = null } : plan;
    }

    /// <summary>With fewer rows, reading the keys in place is as fast: 16 rows and keys of 12 heads of D 64 take 8.8 us either way (AVX-512), 13.6 against 11.4 (AVX2).</summary>
    private const int MinFixedRows = 16;

    /// <summary>Longer rows of scores would not stay in the first-level cache: 512 scores of 12 rows are 24 KiB.</summary>
    private const int MaxFixedLength = 512;

    /// <summary>The vectors that the softmax takes together.</summary>
    private const int SoftmaxVectors = 4;

    /// <summary>The walk of small, fixed lengths.</summary>
    public static CorePlan FixedLength(CoreSpec core, Isas isa)
    {
        var machine = Machine.Of(isa);
        var (rows, vectors, singles) = FixedTile(core, machine);
        int panel = vectors * machine.Lanes, blocks = (core.Fixed!.QueryLength + MaxFixedBlock - 1) / MaxFixedBlock;
        int queryBlock = ((core.Fixed.QueryLength + blocks - 1) / blocks + rows - 1) / rows * rows;
        var walk = new FixedLengthPlan(
            machine.InRegisters, rows, vectors, ValueStrips(core.ValueDim, machine.Lanes, Math.Max(machine.Accumulators / rows, 1)), EvenStrips(core.ValueDim / machine.Lanes, MaxRowStrip),
            ChainQuads(core.HeadDim, machine), machine.ChainSets, queryBlock)
        {
            SingleKeys = singles,
            StaggersSums = machine.StaggersSums,
            ValueSteps = machine.ValueSteps,
        };

        // A row of weights has whole panels and whole steps of the softmax. Single keys have rows of whole vectors, which may be longer than those of a panel.
        static int RoundUp(int length, int step) => (length + step - 1) / step * step;
        int keys = core.Fixed.KeyLength, packedDim = RoundUp(core.HeadDim, 4);
        int packedKeys = keys - singles + RoundUp(singles * RoundUp(core.HeadDim, machine.Lanes), packedDim) / packedDim;
        return new CorePlan(core, isa, machine.Lanes, Math.Max(Math.Max(RoundUp(keys, panel), RoundUp(keys, SoftmaxVectors * machine.Lanes)), packedKeys), walk, Decode: null);
    }

    /// <summary>A head is cut into blocks of about so many rows, so that threads can share it.</summary>
    private const int MaxFixedBlock = 128;

    /// <summary>
    /// The tile that wastes the least on lengths that it does not divide. A step over the head dimension has rows * vectors multiply-adds and rows + vectors
    /// loads, two of each in a cycle. In the cost, loads count a fifth of multiply-adds, and each tile counts as one more: this fits the fastest tiles on
    /// Zen 5 at 49, 128 and 197 keys with one set of sums. With two, 3 x 4, 5 x 2, 7 x 1 and 10 x 1 are the same within 2 % at 49 keys (Zen 4).
    /// A key behind the last whole panel costs its loads for each row, and a sum over the vector of each product: 2 for a row, of about 12 for a row of a panel (D 32 and 64, AVX2).
    /// </summary>
    private static (int Rows, int Vectors, int SingleKeys) FixedTile(CoreSpec core, Machine machine)
    {
        var lengths = core.Fixed!;
        int accumulators = machine.Accumulators / machine.ChainSets;
        bool mayBeSingle = !machine.InRegisters && core is { HasFixedKeys: true, HeadDim: <= MaxSingleDim, Loads.Steps.Count: 0 };
        return (from vectors in Enumerable.Range(1, 4)
                from rows in Enumerable.Range(1, Math.Min(Math.Min(accumulators / vectors, 16), lengths.QueryLength))
                where rows * vectors + vectors + (machine.MultipliesByElement ? rows : 1) < machine.Registers
                let panel = vectors * machine.Lanes
                from singles in mayBeSingle && lengths.KeyLength > panel ? new[] { 0, lengths.KeyLength % panel }.Distinct() : [0]
                let panels = (lengths.KeyLength - singles + panel - 1) / panel
                orderby (lengths.QueryLength + rows - 1) / rows * (panels * (5 * Math.Max(rows * vectors, rows + vectors) + rows + vectors + 5) + (2 * rows * singles)), rows * vectors descending
                select (rows, vectors, singles)).First();
    }

    /// <summary>A dot product of vectors has a chain of 32 products at most, as in decode.</summary>
    private const int MaxSingleDim = 128;

    public static CoreSpec Core(KernelSpec spec, MaskProgram mask) => new(spec.Attention.KeyDim, spec.Attention.ValueDim, mask.Visible, spec.Attention.Scale)
    {
        Loads = LoadProgram.Of(spec), Scores = ScoreProgram.Of(spec, mask), Rows = RowProgram.Of(spec), Selection = spec.Attention.Selection, Elements = ElementTypes.Of(spec),
        InPages = spec.Method.Parameters.Any(parameter => parameter.IsPagedCache),
    };

    /// <summary>The walks of any number of rows and keys: prefill, and decode for few rows.</summary>
    public static CorePlan Plan(CoreSpec core, Isas isa)
    {
        var machine = Machine.Of(isa);
        var (rows, vectors) = machine.Tile;
        bool inRegisters = machine.InRegisters && !core.ScoresInMemory;
        var walk = new PrefillPlan(
            inRegisters, rows, vectors, ValueStrips(core.ValueDim, machine.Lanes, machine.Accumulators / rows), ChainQuads(core.HeadDim, machine), machine.ChainSets, QueryBlock)
        {
            StaggersSums = machine.StaggersSums && !core.IsAdditive,
            ValueSteps = machine.ValueSteps,
        };
        return new CorePlan(core, isa, machine.Lanes, KeyBlock, walk, Decode(core, machine, core.Loads.CopiesKeys ? CopiedBlock(core.HeadDim, DecodeBlock(inRegisters)) : core.InPages ? DecodeBlock(inRegisters) / PagesStep * PagesStep : DecodeBlock(inRegisters)));
    }

    /// <remarks>
    /// 32 rows at once: one row of each of 32 heads of D 128 are 16 KiB of a token, read at 0.99 of the speed of a plain read out of DRAM; 16 heads
    /// at 0.89, 8 at 0.84. But a group's queries and outputs should stay in the first-level cache: four heads of four rows take 0.94 of the time of
    /// eight on keys 4 KiB apart in L3, the same out of DRAM (AVX-512, Zen 4). Key by key, the weights of eight take few lines of it: four heads take 1.1 of the time of eight in L3, twice as
    /// long out of DRAM, where they read half of each page.
    /// </remarks>
    private static DecodePlan Decode(CoreSpec core, Machine machine, int keyBlock) => new(
        keyBlock, (LeastChunk + keyBlock - 1) / keyBlock * keyBlock, core.HeadDim + core.ValueDim < 192 ? machine.MaxDecodeRows.Narrow : machine.MaxDecodeRows.Wide,
        (core.IsAdditive ? [s_additiveTile] : machine.DecodeTiles.Select(tile => Fit(tile, core.Loads.Factors.Count, machine))).ToEquatableArray(), ChainVectors: 32,
        RowsAtOnce: 32, RowsTogether: machine.DecodesKeyByKey ? 32 : 16, PrefetchKeys: PrefetchAhead(core.HeadDim), PrefetchValues: PrefetchAhead(core.ValueDim), core.Loads.CopiesKeys ? keyBlock : OneRowBlock, machine.OneRowVectors)
    {
        KeyByKey = machine.DecodesKeyByKey && !core.IsAdditive,
        FiniteHalves = machine.DecodesFiniteHalves,
    };

    /// <summary>A hyperbolic tangent takes some twenty operations beside a load, so that tiles need not share loads; small ones are less to write and to compile.</summary>
    private static readonly DecodeTile s_additiveTile = new(2, 4);

    /// <summary>A tile with as many keys as registers allow beside sums of the keys that load steps need.</summary>
    private static DecodeTile Fit(DecodeTile tile, int sums, Machine machine)
    {
        while (tile.Keys * (tile.Rows + sums) + Math.Min(tile.Rows, tile.Keys) + 1 > machine.Registers) tile = tile with { Keys = tile.Keys - 4 / tile.Rows };
        return tile;
    }

    /// <summary>Half as many keys in a chunk cost 2 % for states and merging (a group of four, D 128, Zen 4), more leave too few chunks for several threads.</summary>
    private const int LeastChunk = 384;

    /// <summary>
    /// How many rows ahead keys and values in place are fetched, into the second-level cache: fetched into the first, they come out
    /// of DRAM at half the speed (10 against 19 GB/s). Keys of one head follow each other: 16, 32, 64 rows of D 128 take 375, 360, 358 us out of L3, none
    /// 700 us and three times as long out of DRAM. Where other heads lie between, 8 rows are as good as 4 and 16 (Zen 4).
    /// </summary>
    private static (int Contiguous, int Apart) PrefetchAhead(int dim) => (Math.Min(Math.Max(4096 / dim, 8), 64), 8);

    /// <summary>
    /// Keys of a block where each key-value head has a single row: each block starts four new streams. Percent of a plain read on huge pages with
    /// 384, 768, 1024, 2048 keys: 79, 83, 87, 87 of 12 heads of D 64 in L3, 62, 64, 68, 70 out of DRAM; 75, 81, 87, 87 of 256 MiB (head-major, Zen 4).
    /// </summary>
    private const int OneRowBlock = 1024;

    /// <summary>
    /// Of four streams, one line of 512 bytes is fetched 4 KiB ahead; where heads lie side by side, one of each page, a token or 6 KiB ahead. A line touches
    /// the page, whose address is then known when the stream gets there; the processor itself fetches the others. Plain reads of 256 MiB on small
    /// pages by four streams: 27.5 GB/s without, 33.0 with one line of eight, 30.8 of two, 24.5 with all; on huge pages 31 without. 2 to 32 KiB
    /// ahead are the same. In L3 every second line costs 4 %, one of eight nothing (Zen 4). 32 heads of D 128, 8192 integers, by bytes: 0.91 of the time of so many elements (Zen 5).
    /// </summary>
    public const int StreamBytesApart = 512, StreamBytesAhead = 4096, PageFloats = 1024, TokenFloatsAhead = 1536;

    /// <summary>Elements of a line of the cache.</summary>
    public static int LineElements(ElementType type) => 64 / ElementTable.Of(type).Bytes;

    /// <summary>
    /// The steps in which tiles of decode read streams; then the next streams begin. What these read is fetched meanwhile where the rows of a head follow each other, every line, into the second
    /// level, if it takes at most so many bytes. A few rows ahead of each stream would come too late, and leave out the first of each. A group of four, D 128, eight heads, 4096 keys in L3 and out of
    /// DRAM: 1350 and 1900 us with 40 steps, 1450 and 2000 with 80, 1560 and 2000 with 16; 1830 and 2200 us with all steps of a block and 4 rows ahead in the first level (AVX2, Zen 4).
    /// </summary>
    public const int GroupSteps = 40, GroupBytesAhead = 128 << 10;

    /// <summary>How many rows ahead tiles of decode fetch where other heads lie between: 413 us against 465 us without, for 2048 keys in L3 (AVX2, Zen 4).</summary>
    public const int TileAhead = 4;

    /// <summary>
    /// How many rows ahead the tensors are fetched while they are packed: 8 KiB. Rows of a head are too far apart for the prefetcher of the processor; 2 KiB
    /// are a hundredth slower where keys come out of the third level (512 tokens, D 64, Zen 4).
    /// </summary>
    public static int PrefetchRows(int dim) => Math.Max(2048 / dim, 2);

    /// <summary>
    /// Strips of one width where there is one near the limit (8 vectors under a limit of 3 are four times 2: less to
    /// write, and 1 to 2 % faster than 3 + 3 + 2 at D 128 causal, AVX-512, Zen 5), otherwise of nearly equal width: a single vector alone would wait for its own sums.
    /// </summary>
    private static EquatableArray<int> ValueStrips(int valueDim, int lanes, int limit)
    {
        int vectors = (valueDim + lanes - 1) / lanes;
        int width = vectors % limit != 0 && limit > 2 && vectors % (limit - 1) == 0 ? limit - 1 : limit;
        return EvenStrips(vectors, width);
    }

    /// <summary>A single row has at most so many accumulators: more would not hide more latency.</summary>
    private const int MaxRowStrip = 8;

    private static EquatableArray<int> EvenStrips(int vectors, int limit)
    {
        int strips = (vectors + limit - 1) / limit;
        return Enumerable.Range(0, strips).Select(i => (vectors * (i + 1) / strips) - (vectors * i / strips)).ToEquatableArray();
    }

    /// <summary>
    /// Products are summed in chains, and the sums of the chains in turn: both must be short. One chain over the whole head loses more than
    /// twice what a 16-lane dot product loses, which is the bound for all inputs. Largest error over that bound, scores near 90 and 1e4, mean of
    /// eight inputs: D 64 in 2, 4 chains 0.85, 0.6; D 128 in 4, 6, 8 chains 0.7, 0.65, 0.58; D 32 in 1, 2, 4 chains 0.9, 0.6, 0.53. Putting
    /// partial sums aside costs 1 % of the time for each time (D 64, one set of 24 accumulators, Zen 4); with two sets, half of them stand side by side.
    /// </summary>
    private static int ChainQuads(int headDim, Machine machine) => machine.StaggersSums ? PackedPlan.Turn / 4 : machine.ChainSets * headDim switch
    {
        <= 128 => 4,
        <= 256 => 8,
        _ => 12,
    };

    // 96 is a multiple of every tile; a block of keys is read from the second-level cache once for each block of queries.
    private const int QueryBlock = 96;

    // The weights of a tile over a block of keys stay in the first-level cache, beside a panel of keys or values. 512 keys of D 64 (AVX-512), 128, 256
    // and 512 (AVX2) are the same within 0.7 %; 384 keys of D 32 take 0.985 of the time of 256 and 128 (AVX2, Zen 4).
    private const int KeyBlock = 384;

    /// <summary>The same for decode, where the weights of up to 32 rows stay in the first-level cache, or near it: a multiple of the keys of each tile (3, 4 and 6) and of a line.</summary>
    private static int DecodeBlock(bool inRegisters) => inRegisters ? 384 : 240;

    /// <summary>
    /// The same where keys are copied: the copies of a block are at most 96 KiB, a part of the second-level cache, but never fewer than 48 keys. With 32 KiB, 16 queries of a group of four and
    /// 2048 keys of D 128 take 1.03 to 1.07 of the time, one query the same (AVX-512, Zen 4).
    /// </summary>
    private static int CopiedBlock(int headDim, int block) => Math.Min(Math.Max(CopiedFloats / headDim / 48, 1) * 48, block);

    private const int CopiedFloats = 24 << 10;

    /// <summary>Whole pages of 16, 32 or 64 keys, of which 3, 4 or 6 are read side by side.</summary>
    private const int PagesStep = 192;
}
