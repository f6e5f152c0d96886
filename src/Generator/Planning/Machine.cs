using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Planning;

/// <summary>What an instruction set has, and the tiles that suit it: one row for each. Nothing else in planning asks which instruction set it is.</summary>
/// <param name="Lanes">Floats of a vector.</param>
/// <param name="Registers">Vector registers.</param>
/// <param name="InRegisters">Whether there are enough registers for scores to become weights where they were computed.</param>
/// <param name="Accumulators">Registers for accumulators.</param>
/// <param name="ChainSets">Sets of accumulators that the steps over the head dimension use in turn.</param>
/// <param name="Tile">Query rows and vectors of keys of a score tile.</param>
internal sealed record Machine(Isas Isa, int Lanes, int Registers, bool InRegisters, int Accumulators, int ChainSets, (int Rows, int Vectors) Tile)
{
    /// <summary>Whether an operand of a multiply-add can be an element of a vector: rows of the left operand then stay in registers.</summary>
    public bool MultipliesByElement { get; init; }

    /// <summary>
    /// Whether the rows of a score tile put their partial sums aside one after the other instead of all at once. Where half of the registers are accumulators, all of them at once
    /// leave nothing to multiply meanwhile.
    /// </summary>
    public bool StaggersSums { get; init; }

    /// <summary>Keys that the product with the values takes in a pass of its loop.</summary>
    public int ValueSteps { get; init; } = 1;

    /// <summary>Query rows that share a load of a key in place, and registers for their outputs.</summary>
    public IReadOnlyList<DecodeTile> DecodeTiles { get; init; } = [];

    /// <summary>
    /// Whether tiles of decode keep their weights key by key: see <see cref="DecodePlan.KeyByKey"/>. Few queries of a group of four, D 128, take 0.85 of the time of 2 x 4 row by row with AVX2. With
    /// AVX-512 they take 1.05 of the time of 4 x 4 row by row, whose sums of four keys are one store already (Zen 4).
    /// </summary>
    public bool DecodesKeyByKey { get; init; }

    /// <summary>
    /// The most rows for which keys are not packed, for heads whose dimensions add up to less than 192, and for wider ones; packing pays once rows share what it costs.
    /// </summary>
    /// <remarks>
    /// Time against packing on Zen 4 with 64 and 128 rows (D 128, 4096 keys of 8 heads for 32, token-major / head-major): AVX-512 0.87 / 1.03, 1.03 / 1.14, AVX2 0.79 / 0.96, 0.94 / 0.98;
    /// with 32 rows of D 128 (AVX2) 0.5 / 0.7; with 32 and 64 of D 64 (1024 keys, 12 heads): AVX-512 0.77, 0.92, AVX2 1.05, 1.2. Portable with 16, 24, 32 rows 1.01, 0.88, 1.18 and
    /// 0.70, 0.79, 0.83 (Zen 5, with earlier tiles).
    /// </remarks>
    public (int Narrow, int Wide) MaxDecodeRows { get; init; }

    /// <summary>
    /// The most vectors of a row for which a single row has loops of its own, with the query or the output in registers: 83 to 87 % of a plain read instead of 83 (D 64 in L3, Zen 4). With
    /// more than 8 vectors, and for 128-bit vectors, they are not worth their text.
    /// </summary>
    public int OneRowVectors { get; init; }

    /// <summary>Whether decode has loops for halves that are known to be finite: see <see cref="CorePlan.DecodesHalves"/>. They are not measured with NEON.</summary>
    public bool DecodesFiniteHalves { get; init; }

    /// <remarks>
    /// Accumulators: the rest of 32 (16) registers beside a row of the right operand, the broadcast and, in the JIT's hands, two or three more. 24 of 32 and 12 of 16 do not spill in
    /// the loops over the head and over the keys; NEON has 16 beside 8 vectors of the left operand and 2 of the right.
    ///
    /// Scores of AVX-512 have two sets of 12: 6 x 2 in two sets runs its products at 98.7 % of the peak, 6 x 4 and 8 x 2 in one at 95.5 and 98.4 (D 64, Zen 4), but the partial sums of one
    /// set have to be stored three times instead of once, a 512-bit store takes two cycles, and 12 scores leave room for their exponents and the constants of the exponential, where 24
    /// have 12 moves to and from the stack a panel. In one set, 8 x 2 and 6 x 4 were 1 to 2 % slower with and without a causal mask (D 64, Zen 4). The portable 4 x 2 is as fast as 6 x 2
    /// (D 64 causal, SSE, within 1 %) and a third less to write.
    ///
    /// Decode: four rows times four keys are 16 accumulators beside 4 queries and a key: 0.94 of the FMA peak in the first-level cache on Zen 4, and their weights times four values 0.95. With
    /// 16 registers, four rows and three keys, or two rows and six: 12 accumulators, three keys and a query. In L1, 4 x 3 has 0.94 of the peak for scores and for values (Zen 4).
    /// </remarks>
    public static IReadOnlyList<Machine> BestFirst { get; } =
    [
        new(Isas.Avx512, Lanes: 16, Registers: 32, InRegisters: true, Accumulators: 24, ChainSets: 2, Tile: (6, 2)) { DecodeTiles = [new(4, 4)], MaxDecodeRows = (64, 64), OneRowVectors = 8, DecodesFiniteHalves = true },
        new(Isas.Avx2, Lanes: 8, Registers: 16, InRegisters: false, Accumulators: 12, ChainSets: 1, Tile: (6, 2)) { StaggersSums = true, ValueSteps = 2, DecodeTiles = [new(4, 3), new(2, 6)], DecodesKeyByKey = true, MaxDecodeRows = (32, 64), OneRowVectors = 8, DecodesFiniteHalves = true },
        new(Isas.Neon, Lanes: 4, Registers: 32, InRegisters: true, Accumulators: 16, ChainSets: 1, Tile: (8, 2)) { MultipliesByElement = true, DecodeTiles = [new(4, 4)], MaxDecodeRows = (24, 24) },
        new(Isas.Portable, Lanes: 4, Registers: 16, InRegisters: false, Accumulators: 8, ChainSets: 1, Tile: (4, 2)) { DecodeTiles = [new(2, 4)], MaxDecodeRows = (24, 24), DecodesFiniteHalves = true },
    ];

    public static Machine Of(Isas isa) => BestFirst.First(machine => machine.Isa == isa);
}
