using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Planning;

/// <summary>What the code for an instruction set depends on. Heads do not belong to it: kernels that differ only in them share their cores.</summary>
internal sealed record CoreSpec(int HeadDim, int ValueDim, VisibleKeys Visible, float Scale)
{
    /// <summary>What is done to scores, and asked for beside the output.</summary>
    public Scoring Scoring { get; init; } = Scoring.None;

    /// <summary>How queries and keys are normalised; null where they are not.</summary>
    public NormSpec? Norm { get; init; }

    /// <summary>Whether some row may not see a key that another row of its tile sees: then it matters whether values are finite.</summary>
    public bool RowsDiffer => Visible.DiffersByRow || Scoring.Hides;

    /// <summary>The lengths, where code is written for them.</summary>
    public FixedSpec? Fixed { get; init; }

    /// <summary>The part of every name that is derived from the shape, <c>d64v13_causal</c>.</summary>
    /// <param name="mask">Other words for the mask.</param>
    public string Name(string heads = "", string? mask = null)
    {
        string name = Fixed is null ? "" : $"m{Fixed.QueryLength}n{Fixed.KeyLength}{(Fixed.Padded ? "p" : "")}_";
        name += $"{heads}d{HeadDim}";
        if (ValueDim != HeadDim) name += $"v{ValueDim}";
        name += mask ?? Visible.Name;
        if (Scale != (float)(1 / Math.Sqrt(HeadDim))) name += "_scale" + Invariant.Name(Scale);
        return name + Norm?.Name + Scoring.Name;
    }
}

/// <summary>Lengths that every call has.</summary>
/// <param name="Padded">Whether a call may see fewer of the keys.</param>
internal sealed record FixedSpec(int QueryLength, int KeyLength, bool Padded);

/// <summary>What a core computes.</summary>
internal enum CorePath
{
    /// <summary>Blocks of rows with packed keys; and few rows.</summary>
    Prefill,

    /// <summary>Only few rows.</summary>
    Decode,

    /// <summary>Rows of small, fixed lengths with packed keys: a tile takes all keys at once.</summary>
    FixedLength,
}

/// <summary>How the work of a kernel is cut for an instruction set. Every number is chosen in <see cref="KernelPlanner"/>.</summary>
/// <param name="Lanes">Floats of a vector.</param>
/// <param name="InRegisters">
/// Whether scores become weights in the registers that they were computed in; otherwise they wait in the first-level cache, as there are too few
/// registers for that beside them.
/// </param>
/// <param name="TileRows">Query rows of a tile.</param>
/// <param name="TileVectors">Vectors of keys of a score tile: a panel.</param>
/// <param name="ValueVectors">Vectors of the strips that the product with the values takes.</param>
/// <param name="ChainQuads">Four-element steps over the head dimension before a partial score is put aside.</param>
/// <param name="ChainSets">Sets of accumulators that these steps go to in turn.</param>
internal sealed record CorePlan(
    CoreSpec Spec, Isas Isa, int Lanes, CorePath Path, bool InRegisters, int TileRows, int TileVectors, EquatableArray<int> ValueVectors, int ChainQuads, int ChainSets, int QueryBlock, int KeyBlock,
    DecodePlan Decode)
{
    /// <summary>
    /// The factor of a score's distance from the maximum, which is then a power of two. It is not folded into the queries: rounding them, and
    /// the factor, would cost large scores their last bits, while here it is lost on the distance only.
    /// </summary>
    public float WeightScale => (float)((Spec.Scoring.IsNatural ? 1 : Math.Abs((double)Spec.Scale)) * 1.4426950408889634);

    /// <summary>The distance by which a score may exceed the running maximum: 8 powers of two. Finite, so that -infinity plus it is less than any score.</summary>
    public float LazyScore => (float)Math.Min(8 / (double)WeightScale, 1e30);

    /// <summary>
    /// Whether the 32 registers hold the scores of a tile beside their exponents and the constants of the exponential. With 8 x 2 they do not: 35 vectors
    /// went to and from the stack a panel, and now 16 go to the first-level cache (NEON).
    /// </summary>
    public bool ScoresStay => 2 * TileRows * TileVectors + 8 <= 32;

    /// <summary>Whether every row of a call sees exactly the keys that the code is written for.</summary>
    public bool HasFixedKeys => Spec is { Fixed.Padded: false, Visible.DiffersByRow: false };

    public int PanelKeys => TileVectors * Lanes;

    public int PackedValueDim => (Spec.ValueDim + Lanes - 1) / Lanes * Lanes;

    /// <summary>The head dimension with zeros up to a multiple of four, so that no loop over it has a remainder.</summary>
    public int PackedHeadDim => (Spec.HeadDim + 3) / 4 * 4;

    /// <summary>A packed query, with zeros up to a whole vector.</summary>
    public int QueryRow => (Spec.HeadDim + Lanes - 1) / Lanes * Lanes;

    /// <summary>
    /// The state of a query row: its output where it meets keys block after block, the sum of its weights in a vector, for an entropy that of their exponents, its maximum in
    /// another.
    /// </summary>
    public int StateRow => (Path == CorePath.FixedLength ? 0 : PackedValueDim) + (Spec.Scoring.Entropy ? 3 : 2) * Lanes;

    public int ScratchFloats => (QueryBlock * QueryRow + TileRows * KeyBlock + 15) / 16 * 16;

    /// <summary>Four-element steps over the head dimension.</summary>
    public int Quads => PackedHeadDim / 4;

    public int Chains => (Quads + ChainQuads - 1) / ChainQuads;

    public string Name => (Path == CorePath.Decode
        ? $"rows_f32_{Spec.Name()}__{Isa.ToString().ToLowerInvariant()}_{Decode.TileRows}x4"
        : $"forward_f32_{Spec.Name()}__{Isa.ToString().ToLowerInvariant()}_{TileRows}x{TileVectors}") + NameSuffix;

    /// <summary>What tells the name from that of another plan in the compilation, where the plans do not; usually nothing.</summary>
    public string NameSuffix { get; init; } = "";

    /// <summary>The plan in a line, for people.</summary>
    public string Text => Path switch
    {
        CorePath.Decode => $"few rows, keys as they lie in memory, {Decode.TileRows} rows x 4 keys in vectors of {Lanes}, key block {KeyBlock}",
        CorePath.FixedLength => $"fixed lengths, packed, whole rows of scores in L1, tile {TileRows} x {TileVectors} vectors of {Lanes}",
        _ => $"packed, scores in {(InRegisters ? "registers" : "L1")}, tile {TileRows} x {TileVectors} vectors of {Lanes}, "
            + $"query block {QueryBlock}, key block {KeyBlock}; up to {Decode.MaxRows} rows: keys as they lie in memory",
    };
}

/// <summary>How few query rows are computed, with keys as they lie in memory.</summary>
/// <param name="MaxRows">The most rows (queries times heads of a group) for which that is faster than packing.</param>
/// <param name="TileRows">Query rows that share a load of a key or value.</param>
/// <param name="Accumulators">Registers for outputs.</param>
/// <param name="Vectors">Whole vectors of a value.</param>
/// <param name="ChainVectors">Vectors of products that are summed before a partial score is put aside.</param>
/// <param name="RowsAtOnce">The most rows that are taken together.</param>
/// <param name="RowsTogether">The same for rows of several key-value heads, where each has a tile or more.</param>
/// <param name="PrefetchKeys">How many keys ahead memory is fetched: where keys of one head follow each other, and where those of all heads lie between.</param>
/// <param name="PrefetchValues">The same for values.</param>
/// <param name="OneRowBlock">Keys of a block where each key-value head has a single row.</param>
internal sealed record DecodePlan(
    int MaxRows, int TileRows, int Accumulators, int Vectors, int ChainVectors, int RowsAtOnce, int RowsTogether, (int Contiguous, int Apart) PrefetchKeys, (int Contiguous, int Apart) PrefetchValues, int OneRowBlock)
{
    /// <summary>The vectors of the strips that the product of some rows with values takes.</summary>
    public IEnumerable<int> ValueVectors(int rows)
    {
        int limit = Math.Min(Accumulators / rows, 8), strips = (Vectors + limit - 1) / limit, vectors = Vectors;
        return Enumerable.Range(0, strips).Select(i => (vectors * (i + 1) / strips) - (vectors * i / strips)).OrderByDescending(v => v);
    }
}

/// <summary>A kernel and its cores, best instruction set first.</summary>
internal sealed record KernelPlan(KernelSpec Spec, EquatableArray<CorePlan> Cores)
{
    public string Name
    {
        get
        {
            var attention = Spec.Attention;
            string heads = attention.KeyValueHeads == attention.Heads ? $"h{attention.Heads}" : $"h{attention.Heads}kv{attention.KeyValueHeads}";
            string lengths = (attention.QueryLength is { } m ? $"m{m}" : "") + (attention.KeyLength is { } n ? $"n{n}" : "");
            if (lengths.Length > 0) lengths += "_";
            string mask = attention.Mask == Mask.Causal ? "_causal" : "";
            if (attention.GivenWindowLeft is >= 0 || attention.GivenWindowRight is >= 0) mask += $"_window{attention.Left}to{attention.Right}";
            if (attention.GivenPrefixLength is > 0 || Spec.Has(Role.PrefixLength) || Spec.Has(Role.PrefixLengths)) mask += "_prefix";
            if (attention.ChunkLength > 0) mask += $"_chunk{attention.ChunkLength}";
            if (attention.Dilation > 1) mask += $"_every{attention.Dilation}";
            if (Spec.MaskTerms.Count > 0) mask += "_zones";
            if (Spec.Has(Role.DocumentStarts)) mask += "_documents";
            if (attention.KeyBlockSize is { } keyBlock) mask += $"_blocks{attention.QueryBlockSize}x{keyBlock}";
            return $"forward_f32_{lengths}{KernelPlanner.Core(Spec).Name(heads, mask)}{(attention.Batched ? "_batched" : "")}{(attention.Layout == Layout.HeadMajor ? "_headmajor" : "")}";
        }
    }
}
