using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Planning;

/// <summary>Chooses path, tiles and blocks. All tuned numbers stand here, each with its reason.</summary>
internal static class KernelPlanner
{
    // A worker's memory, as the runtime library bounds it (ScratchCache.MaxBytes).
    public const int WorkerBytes = 8 << 20;

    public static KernelPlan Plan(KernelSpec spec)
    {
        Isas[] best = [Isas.Avx512, Isas.Avx2, Isas.Neon, Isas.Portable];
        return new KernelPlan(spec, best.Where(isa => (spec.Attention.Isas & isa) != 0).Select(isa => Plan(spec, isa)).ToEquatableArray());
    }

    private static CorePlan Plan(KernelSpec spec, Isas isa)
    {
        var attention = spec.Attention;
        var core = Core(spec);

        // Whole rows of small lengths are for plain scores: what is done to others is written once, for blocks.
        if (core.Scoring == Scoring.None && spec.IsOneZone && attention is { QueryLength: { } queries, KeyLength: { } keys } && queries >= MinWholeRows && queries <= MaxWholeLength && keys <= MaxWholeLength)
        {
            return Whole(core with { Fixed = new FixedSpec(queries, keys, spec.EndsEarly) }, isa);
        }

        var plan = Plan(core, isa);
        bool fewRows = attention.QueryLength is { } m && (long)m * attention.Heads <= (long)MaxRows(core, isa) * attention.KeyValueHeads;
        return fewRows ? plan with { Path = CorePath.Decode, InRegisters = false } : plan;
    }

    /// <summary>With fewer rows, reading the keys as they lie is as fast: 16 rows and keys of 12 heads of D 64 take 8.8 us either way (AVX-512), 13.6 against 11.4 (AVX2).</summary>
    private const int MinWholeRows = 16;

    /// <summary>Longer rows of scores would not stay in the first-level cache: 512 scores of 12 rows are 24 KiB.</summary>
    private const int MaxWholeLength = 512;

    /// <summary>The path of small, fixed lengths.</summary>
    public static CorePlan Whole(CoreSpec core, Isas isa)
    {
        var machine = Machine(isa);
        var (rows, vectors) = WholeTile(core.Fixed!, isa, machine.Lanes, machine.Accumulators / machine.Sets);
        int panel = vectors * machine.Lanes, blocks = (core.Fixed!.QueryLength + MaxWholeBlock - 1) / MaxWholeBlock;
        int queryBlock = ((core.Fixed.QueryLength + blocks - 1) / blocks + rows - 1) / rows * rows;
        return new CorePlan(
            core, isa, machine.Lanes, CorePath.FixedLength, machine.InRegisters, rows, vectors, ValueStrips(core.ValueDim, machine.Lanes, Math.Max(machine.Accumulators / rows, 1)),
            ChainQuads(core.HeadDim, machine.Sets), machine.Sets, queryBlock, (core.Fixed.KeyLength + panel - 1) / panel * panel, Rows(core, isa));
    }

    /// <summary>A head is cut into blocks of about so many rows, so that threads can share it.</summary>
    private const int MaxWholeBlock = 128;

    /// <summary>
    /// The tile that wastes least on lengths that it does not divide. A step over the head dimension takes rows * vectors multiply-adds and rows +
    /// vectors loads, two of either in a cycle; that loads count a fifth beside multiply-adds, and a tile as much as one more, was fitted to what is
    /// fastest on Zen 5 at 49, 128 and 197 keys with one set of sums. With two, 3 x 4, 5 x 2, 7 x 1 and 10 x 1 are the same within 2 % at 49 keys (Zen 4).
    /// </summary>
    private static (int Rows, int Vectors) WholeTile(FixedSpec lengths, Isas isa, int lanes, int accumulators)
    {
        int keyVectors = (lengths.KeyLength + lanes - 1) / lanes;
        return (from vectors in Enumerable.Range(1, 4)
                from rows in Enumerable.Range(1, Math.Min(Math.Min(accumulators / vectors, 16), lengths.QueryLength))
                where rows * vectors + vectors + (isa == Isas.Neon ? rows : 1) < (isa is Isas.Avx512 or Isas.Neon ? 32 : 16)
                let tiles = (lengths.QueryLength + rows - 1) / rows * ((keyVectors + vectors - 1) / vectors)
                orderby tiles * (5 * Math.Max(rows * vectors, rows + vectors) + rows + vectors + 5), rows * vectors descending
                select (rows, vectors)).First();
    }

    public static CoreSpec Core(KernelSpec spec) => Core(spec.Attention) with { Scoring = Scoring.Of(spec), Norm = NormSpec.Of(spec) };

    public static CoreSpec Core(AttentionSpec attention) => new(attention.HeadDim, attention.ValueDim, VisibleKeys.Of(attention), attention.Scale);

    public static CorePlan Plan(CoreSpec core, Isas isa)
    {
        var machine = Machine(isa);
        var (rows, vectors) = Tile(isa);
        bool inRegisters = machine.InRegisters && !core.Scoring.InMemory;
        return new CorePlan(
            core, isa, machine.Lanes, CorePath.Prefill, inRegisters, rows, vectors, ValueStrips(core.ValueDim, machine.Lanes, machine.Accumulators / rows),
            ChainQuads(core.HeadDim, machine.Sets), machine.Sets, QueryBlock, KeyBlock(inRegisters), Rows(core, isa));
    }

    /// <summary>
    /// Four rows times four keys are 16 accumulators beside 4 queries and a key: 0.94 of the FMA peak in the first-level cache on Zen 4, and their
    /// weights times four values 0.95. With 16 registers two rows: 8 chains barely hide the latency of 4 cycles at two multiply-adds a cycle.
    /// </summary>
    /// <remarks>
    /// 32 rows at once: one row of each of 32 heads of D 128 are 16 KiB of a token, read at 0.99 of the speed of a plain read out of DRAM; 16 heads
    /// at 0.89, 8 at 0.84. But a group's queries and outputs should stay in the first-level cache: four heads of four rows take 0.94 of the time of
    /// eight on keys 4 KiB apart in L3, the same out of DRAM (Zen 4).
    /// </remarks>
    private static DecodePlan Rows(CoreSpec core, Isas isa)
    {
        bool wide = isa is Isas.Avx512 or Isas.Neon;
        return new DecodePlan(
            MaxRows(core, isa), TileRows: wide ? 4 : 2, Accumulators: wide ? 16 : 12, core.ValueDim / Machine(isa).Lanes, ChainVectors: 32,
            RowsAtOnce: 32, RowsTogether: 16, PrefetchKeys: PrefetchAhead(core.HeadDim), PrefetchValues: PrefetchAhead(core.ValueDim),
            OneRowBlock);
    }

    /// <summary>
    /// The most rows for which keys are not packed; it pays once they share what packing costs. Time against packing on Zen 4 with 64 and 128 rows
    /// (D 128, 4096 keys of 8 heads for 32, token-major / head-major): AVX-512 0.87 / 1.03, 1.03 / 1.14, AVX2 0.79 / 0.96, 0.94 / 0.98; with 32 rows
    /// of D 128 (AVX2) 0.5 / 0.7; with 32 and 64 of D 64 (1024 keys, 12 heads): AVX-512 0.77, 0.92, AVX2 1.05, 1.2. Portable with 16, 24, 32 rows
    /// 1.01, 0.88, 1.18 and 0.70, 0.79, 0.83 (Zen 5, tiles as they were).
    /// </summary>
    private static int MaxRows(CoreSpec core, Isas isa) => isa switch
    {
        Isas.Avx512 => 64,
        Isas.Avx2 => core.HeadDim + core.ValueDim < 192 ? 32 : 64,
        _ => 24,
    };

    /// <summary>
    /// How many rows ahead keys and values are fetched that are read as they lie, into the second-level cache: fetched into the first, they come out
    /// of DRAM at half the speed (10 against 19 GB/s). Keys of one head follow each other: 16, 32, 64 rows of D 128 take 375, 360, 358 us out of L3, none
    /// 700 us and three times as long out of DRAM. Where other heads lie between, 8 rows are as good as 4 and 16 (Zen 4).
    /// </summary>
    private static (int Contiguous, int Apart) PrefetchAhead(int dim) => (Math.Min(Math.Max(4096 / dim, 8), 64), 8);

    /// <summary>
    /// Keys of a block where each key-value head has a single row: each block begins four streams anew. Percent of a plain read on huge pages with
    /// 384, 768, 1024, 2048 keys: 79, 83, 87, 87 of 12 heads of D 64 in L3, 62, 64, 68, 70 out of DRAM; 75, 81, 87, 87 of 256 MiB (head-major, Zen 4).
    /// </summary>
    private const int OneRowBlock = 1024;

    /// <summary>
    /// Of four streams, one line of 512 bytes is fetched 4 KiB ahead; where heads lie side by side, one of each page, a token or 6 KiB ahead. A line touches
    /// the page, whose address is then known when the stream gets there; the processor itself fetches the others. Plain reads of 256 MiB on small
    /// pages by four streams: 27.5 GB/s without, 33.0 with one line of eight, 30.8 of two, 24.5 with all; on huge pages 31 without. 2 to 32 KiB
    /// ahead are the same. In L3 every second line costs 4 %, one of eight nothing (Zen 4).
    /// </summary>
    public const int StreamFloatsApart = 128, StreamFloatsAhead = 1024, PageFloats = 1024, TokenFloatsAhead = 1536;

    /// <summary>
    /// Registers for accumulators: what is left of 32 (16) beside a row of the right operand, the broadcast and, in the JIT's hands, two or three
    /// more. 24 of 32 and 12 of 16 do not spill in the loops over the head and over the keys.
    /// </summary>
    /// <remarks>
    /// Scores of AVX-512 take two sets of 12: 6 x 2 in two sets runs its products at 98.7 % of the peak, 6 x 4 and 8 x 2 in one at 95.5 and 98.4 (D 64,
    /// Zen 4), but the partial sums of one set have to be put aside three times instead of once, a 512-bit store takes two cycles, and 12 scores
    /// leave room for their exponents and the constants of the exponential, where 24 have 12 moves to and from the stack a panel.
    /// </remarks>
    private static (int Lanes, bool InRegisters, int Accumulators, int Sets) Machine(Isas isa) => isa switch
    {
        Isas.Avx512 => (16, true, 24, 2),
        Isas.Avx2 => (8, false, 12, 1),
        Isas.Neon => (4, true, 16, 1), // beside 8 vectors of the left operand and 2 of the right
        _ => (4, false, 8, 1),
    };

    /// <summary>
    /// How many rows ahead the tensors are fetched while they are packed: 8 KiB. Rows of a head lie apart, too far for the processor to foresee; 2 KiB
    /// are a hundredth slower where keys come out of the third level (512 tokens, D 64, Zen 4).
    /// </summary>
    public static int PrefetchRows(int dim) => Math.Max(2048 / dim, 2);

    private static (int Rows, int Vectors) Tile(Isas isa) => isa switch
    {
        // Two sets of sums. In one, 8 x 2 and 6 x 4 were 1 to 2 % slower with and without a causal mask (D 64, Zen 4).
        Isas.Avx512 => (6, 2),
        Isas.Neon => (8, 2),
        Isas.Avx2 => (6, 2),
        _ => (4, 2), // as fast as 6 x 2 (D 64 causal, SSE, within 1 %) and a third less to write
    };

    /// <summary>
    /// Strips of one width where there is one near the limit (8 vectors under a limit of 3 are four times 2: less to
    /// write, and 1 to 2 % faster than 3 + 3 + 2 at D 128 causal, AVX-512, Zen 5), otherwise of nearly equal width: a single vector alone would wait for its own sums.
    /// </summary>
    private static EquatableArray<int> ValueStrips(int valueDim, int lanes, int limit)
    {
        int vectors = (valueDim + lanes - 1) / lanes;
        int width = vectors % limit != 0 && limit > 2 && vectors % (limit - 1) == 0 ? limit - 1 : limit;
        int strips = (vectors + width - 1) / width;
        return Enumerable.Range(0, strips).Select(i => (vectors * (i + 1) / strips) - (vectors * i / strips)).ToEquatableArray();
    }

    /// <summary>
    /// Products are summed in chains, and the chains one after the other: both are to be short. One chain over the whole head loses more than
    /// twice what a 16-lane dot product loses, which is the bound for all inputs. Largest error over that bound, scores near 90 and 1e4, mean of
    /// eight inputs: D 64 in 2, 4 chains 0.85, 0.6; D 128 in 4, 6, 8 chains 0.7, 0.65, 0.58; D 32 in 1, 2, 4 chains 0.9, 0.6, 0.53. Putting
    /// partial sums aside costs 1 % of the time for each time (D 64, one set of 24 accumulators, Zen 4); with two sets, half of them stand side by side.
    /// </summary>
    private static int ChainQuads(int headDim, int sets) => sets * headDim switch
    {
        <= 128 => 4,
        <= 256 => 8,
        _ => 12,
    };

    // 96 is a multiple of every tile; a block of keys is read from the second-level cache once for each block of queries.
    private const int QueryBlock = 96;

    // The weights of a tile over a block of keys stay in the first-level cache, beside a panel of keys or values. 512 keys of D 64 (AVX-512), 128
    // and 512 (AVX2) are the same within 0.7 % (Zen 4).
    private static int KeyBlock(bool inRegisters) => inRegisters ? 384 : 256;
}
