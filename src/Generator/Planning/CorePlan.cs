using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Steps.Loads;
using AttentionGen.Generator.Steps.RowStates;
using AttentionGen.Generator.Steps.Scores;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Planning;

/// <summary>What the code for an instruction set depends on. Heads do not belong to it: kernels that differ only in them share their cores.</summary>
internal sealed record CoreSpec(int HeadDim, int ValueDim, VisibleKeys Visible, float Scale)
{
    /// <summary>What happens to queries and keys as they are read.</summary>
    public LoadProgram Loads { get; init; } = LoadProgram.Plain;

    /// <summary>What happens to scores before the softmax.</summary>
    public ScoreProgram Scores { get; init; } = ScoreProgram.Plain;

    /// <summary>What rows keep and write beside the output.</summary>
    public RowProgram Rows { get; init; } = RowProgram.Plain;

    /// <summary>How a row combines values.</summary>
    public Selection Selection { get; init; }

    /// <summary>Whether values are multiplied by weights. Otherwise the caller of the core copies the value of the key that a row has chosen.</summary>
    public bool WeighsValues => Selection == Selection.Softmax;

    /// <summary>Whether keys and values lie in the pages of a cache of several sequences.</summary>
    public bool InPages { get; init; }

    /// <summary>The types of the elements in memory; sums are in single precision.</summary>
    public ElementTypes Elements { get; init; } = ElementTypes.Single;

    /// <summary>The lengths, where code is written for them.</summary>
    public FixedSpec? Fixed { get; init; }

    /// <summary>Whether some row may not see a key that another row of its tile sees: then it matters whether values are finite.</summary>
    public bool RowsDiffer => WeighsValues && (Visible.DiffersByRow || Scores.Hides);

    /// <summary>Whether every row of a call sees exactly the keys that the code is written for.</summary>
    public bool HasFixedKeys => Fixed is { Padded: false } && !Visible.DiffersByRow;

    /// <summary>Whether a score is a sum of hyperbolic tangents instead of products.</summary>
    public bool IsAdditive => Loads.IsAdditive;

    /// <summary>Whether scores have to lie in memory before they become weights.</summary>
    public bool ScoresInMemory => !Scores.IsPlain || Rows.ReadsScores || IsAdditive;

    /// <summary>What a pair of query and key costs beside its value: multiplications and additions.</summary>
    public int ScoreFlops => IsAdditive ? TanhFlops * HeadDim : 2 * HeadDim;

    /// <summary>The floating-point operations of a hyperbolic tangent, its argument and its sum; a multiply-add is two.</summary>
    private const int TanhFlops = 28;

    /// <summary>The part of every name that is derived from the shape, <c>d64v13_causal</c>.</summary>
    /// <param name="mask">Other words for the mask.</param>
    public string Name(string heads = "", string? mask = null)
    {
        string name = Fixed is null ? "" : $"m{Fixed.QueryLength}n{Fixed.KeyLength}{(Fixed.Padded ? "p" : "")}_";
        name += $"{heads}d{HeadDim}";
        if (ValueDim != HeadDim) name += $"v{ValueDim}";
        name += mask ?? Visible.Name;
        if (Scale != (float)(1 / Math.Sqrt(HeadDim))) name += "_scale" + Invariant.Name(Scale);
        return name + (WeighsValues ? "" : "_" + Selection.ToString().ToLowerInvariant()) + (InPages ? "_pages" : "") + Loads.Name + Scores.Name + Rows.Name;
    }

    /// <summary>What happens to queries and keys as they are read, for people: what each step is, and its text.</summary>
    public IEnumerable<(string Title, string Text)> LoadTexts => Loads.Steps.Select(step => (step.Title, step.Text));

    /// <summary>What happens to scores and what is written beside the output, for people; nothing where there is nothing.</summary>
    public string ScoresText(ExpressionNames names) => string.Join(", ", Scores.Texts(names).Concat(Rows.Texts));
}

/// <summary>Lengths that every call has.</summary>
/// <param name="Padded">Whether a call may see fewer of the keys.</param>
internal sealed record FixedSpec(int QueryLength, int KeyLength, bool Padded);

/// <summary>How the work of a kernel is cut for an instruction set: a plan for each walk that the core has. Every number is chosen in <see cref="KernelPlanner"/>.</summary>
/// <param name="Lanes">Floats of a vector.</param>
/// <param name="KeyBlock">Keys of a block: floats of a row of weights.</param>
/// <param name="Packed">The plan for many rows and packed keys: <see cref="PrefillPlan"/> or <see cref="FixedLengthPlan"/>; null where the core only decodes.</param>
/// <param name="Decode">The plan for few rows and keys in place; null where the lengths are fixed.</param>
internal sealed record CorePlan(CoreSpec Spec, Isas Isa, int Lanes, int KeyBlock, PackedPlan? Packed, DecodePlan? Decode)
{
    public PrefillPlan? Prefill => Packed as PrefillPlan;

    public FixedLengthPlan? FixedLength => Packed as FixedLengthPlan;

    /// <summary>The types of the elements in memory, in C#.</summary>
    public string QueryType => ElementTypes.Text(Spec.Elements.Query);

    public string KeyType => ElementTypes.Text(Spec.Elements.Key);

    /// <summary>The type of the elements of keys as scores in place and packing read them: copied keys are in single precision.</summary>
    public ElementType ScoredKeys => Spec.Loads.CopiesKeys ? ElementType.Float : Spec.Elements.Key;

    /// <summary>The same in C#.</summary>
    public string ScoredKeyType => ElementTypes.Text(ScoredKeys);

    /// <summary>Whether keys and values are integers, each row with a scale of its own: scores and weights are multiplied by the scales.</summary>
    public bool HasScales => Spec.Elements.Key == ElementType.SByte;

    /// <summary>
    /// Whether decode has its loops twice, as methods with a type parameter: for halves that are known to be finite, which are read faster, and for all. Keys that are changed, or of which more
    /// is computed, do not come from a cache, which alone knows that.
    /// </summary>
    public bool DecodesHalves => Decode is { FiniteHalves: true } && Spec.Elements is { Key: ElementType.Half, Value: ElementType.Half } && !Spec.Loads.CopiesKeys && Spec.Loads.Factors.Count == 0 && !Spec.IsAdditive;

    /// <summary>The type parameter of the methods of decode, with its brackets, and what it needs; nothing where they have none.</summary>
    public string Halves => DecodesHalves ? "<THalves>" : "";

    /// <inheritdoc cref="Halves"/>
    public string WhereHalves => DecodesHalves ? " where THalves : struct" : "";

    /// <summary>A function of the vector classes that decode loads elements of a type with.</summary>
    public string Loading(string name, ElementType type) => ElementTypes.Function(name, type) + (type == ElementType.Half ? Halves : "");

    public string ValueType => ElementTypes.Text(Spec.Elements.Value);

    public string OutputType => ElementTypes.Text(Spec.Elements.Output);

    /// <summary>Whether scores become weights in the registers that they were computed in.</summary>
    public bool InRegisters => Packed is { InRegisters: true };

    /// <summary>
    /// The factor of the distance of a score from the maximum; a weight is two to the power of the product. The queries do not contain it: rounding them, and
    /// the factor, would cost large scores their last bits. Here only the distance loses bits.
    /// </summary>
    public float WeightScale => (float)((Spec.Scores.IsNatural ? 1 : Math.Abs((double)Spec.Scale)) * 1.4426950408889634);

    /// <summary>The distance by which a score may exceed the running maximum: 8 powers of two. Finite, so that -infinity plus it is less than any score.</summary>
    public float LazyScore => (float)Math.Min(8 / (double)WeightScale, 1e30);

    /// <summary>Whether every row of a call sees exactly the keys that the code is written for.</summary>
    public bool HasFixedKeys => Spec.HasFixedKeys;

    /// <summary>Keys after the last whole panel that lie behind it as rows.</summary>
    public int SingleKeys => FixedLength?.SingleKeys ?? 0;

    /// <summary>Floats from one row of weights to the next. Rows a multiple of a kilobyte apart would share few sets of the first-level cache.</summary>
    public int WeightRow => KeyBlock % 256 == 0 ? KeyBlock + 16 : KeyBlock;

    /// <summary>Floats of the partial sums of a tile that are put aside in memory of their own.</summary>
    public int PartialFloats => Packed is { StaggersSums: true } && PackedHeadDim > PackedPlan.Turn ? Packed.TileRows * PanelKeys : 0;

    public int PanelKeys => Packed is null ? 0 : Packed.TileVectors * Lanes;

    public int Chains => Packed is null ? 0 : (Quads + Packed.ChainQuads - 1) / Packed.ChainQuads;

    /// <summary>The value dimension with zeros up to a whole vector; 0 where values are not multiplied.</summary>
    public int PackedValueDim => Spec.WeighsValues ? (Spec.ValueDim + Lanes - 1) / Lanes * Lanes : 0;

    /// <summary>The head dimension with zeros up to a multiple of four, so that no loop over it has a remainder.</summary>
    public int PackedHeadDim => (Spec.HeadDim + 3) / 4 * 4;

    /// <summary>The elements of a copied query, with zeros up to a whole vector.</summary>
    public int HeadRow => (Spec.HeadDim + Lanes - 1) / Lanes * Lanes;

    /// <summary>A copied query, and for additive scores the vector of its head beside it.</summary>
    public int QueryRow => Spec.IsAdditive ? 2 * HeadRow : HeadRow;

    /// <summary>The state of a query row: its output where it meets keys block after block, sums in vectors, its maximum in another.</summary>
    public int StateRow => (FixedLength is not null ? 0 : PackedValueDim) + (1 + Spec.Rows.States.Sum(state => state.Sums.Count()) + NumberVectors) * Lanes;

    /// <summary>The vectors that hold the maximum of a row, its level and the numbers of its states.</summary>
    public int NumberVectors => (2 + Spec.Rows.States.Sum(state => state.Numbers.Names.Length) + Lanes - 1) / Lanes;

    /// <summary>Floats of working memory of a block of packed rows: queries and the weights of a tile, or a panel of copied keys.</summary>
    public int ScratchFloats => Packed is null ? 0 : (Math.Max(Packed.QueryBlock * QueryRow + Packed.TileRows * WeightRow + 2 * PartialFloats, CopiedPanelFloats) + 15) / 16 * 16;

    private int CopiedPanelFloats => Spec.Loads.CopiesKeys ? PanelKeys * QueryRow : 0;

    /// <summary>Four-element steps over the head dimension.</summary>
    public int Quads => PackedHeadDim / 4;

    public string Name => (Packed is null
        ? $"decode_{Spec.Elements.Name}_{Spec.Name()}__{IsaName}_{Decode!.Tiles[0].Rows}x{Decode.Tiles[0].Keys}"
        : $"forward_{Spec.Elements.Name}_{Spec.Name()}__{IsaName}_{Packed.TileRows}x{Packed.TileVectors}") + NameSuffix;

    private string IsaName => Isa.ToString().ToLowerInvariant();

    /// <summary>What tells the name from that of another plan in the compilation, where the plans do not; usually nothing.</summary>
    public string NameSuffix { get; init; } = "";

    /// <summary>The plan in a line, for people.</summary>
    public string Text
    {
        get
        {
            string tile = Packed is null ? "" : $"tile {Packed.TileRows} x {Packed.TileVectors} vectors of {Lanes}";
            if (FixedLength is not null) return $"fixed lengths, packed keys, whole rows of scores in L1, {tile}";
            return Packed is null
                ? $"decode, keys in place, {Decode!.Tiles[0].Rows} rows x {Decode.Tiles[0].Keys} keys in vectors of {Lanes}, key block {Decode.KeyBlock}"
                : $"prefill, packed keys, scores in {(InRegisters ? "registers" : "L1")}, {tile}, query block {Packed.QueryBlock}, key block {KeyBlock}; up to {Decode!.MaxRows} rows: decode, keys in place";
        }
    }
}

/// <summary>Blocks of query rows with packed keys.</summary>
/// <param name="InRegisters">
/// Whether scores become weights in the registers in which they were computed. Where there are too few registers for that, scores wait in the first-level
/// cache.
/// </param>
/// <param name="TileRows">Query rows of a tile.</param>
/// <param name="TileVectors">Vectors of keys of a score tile: a panel.</param>
/// <param name="ValueVectors">Vectors of the strips of the product with the values.</param>
/// <param name="ChainQuads">Four-element steps over the head dimension before a partial score is stored.</param>
/// <param name="ChainSets">Sets of accumulators that these steps use in turn.</param>
/// <param name="QueryBlock">Query rows of a block.</param>
internal abstract record PackedPlan(bool InRegisters, int TileRows, int TileVectors, EquatableArray<int> ValueVectors, int ChainQuads, int ChainSets, int QueryBlock)
{
    /// <summary>Elements from one time that a row of a tile puts its partial sums aside to the next, where rows take turns.</summary>
    public const int Turn = 16;

    /// <summary>Whether the rows of a tile put their partial sums aside one after the other: see <see cref="Machine.StaggersSums"/>.</summary>
    public bool StaggersSums { get; init; }

    /// <summary>Steps over the keys that the product with the values makes in a pass of its loop.</summary>
    public int ValueSteps { get; init; } = 1;

    /// <summary>
    /// Whether the 32 registers hold the scores of a tile beside their exponents and the constants of the exponential. With 8 x 2 they do not (NEON): 35
    /// vectors moved to and from the stack for each panel; 16 stores to the first-level cache replace them.
    /// </summary>
    public bool ScoresStay => 2 * TileRows * TileVectors + 8 <= 32;
}

/// <summary>Any number of rows and keys: a running maximum, block of keys after block of keys.</summary>
internal sealed record PrefillPlan(bool InRegisters, int TileRows, int TileVectors, EquatableArray<int> ValueVectors, int ChainQuads, int ChainSets, int QueryBlock)
    : PackedPlan(InRegisters, TileRows, TileVectors, ValueVectors, ChainQuads, ChainSets, QueryBlock);

/// <summary>Small, fixed lengths: a tile meets all keys at once, without a state between blocks of keys.</summary>
/// <param name="RowVectors">Whole vectors of the strips of the product of a single row with the values.</param>
internal sealed record FixedLengthPlan(
    bool InRegisters, int TileRows, int TileVectors, EquatableArray<int> ValueVectors, EquatableArray<int> RowVectors, int ChainQuads, int ChainSets, int QueryBlock)
    : PackedPlan(InRegisters, TileRows, TileVectors, ValueVectors, ChainQuads, ChainSets, QueryBlock)
{
    /// <summary>Keys after the last whole panel whose scores are dot products with rows; 0 where the last panel is padded.</summary>
    public int SingleKeys { get; init; }
}

/// <summary>Few query rows with keys in place.</summary>
/// <param name="KeyBlock">Keys of a block where a key-value head has several rows: a multiple of the keys of each tile.</param>
/// <param name="ChunkKeys">Keys of a unit of work.</param>
/// <param name="MaxRows">The most rows (queries times heads of a group) for which that is faster than packing.</param>
/// <param name="Tiles">The tiles in which query rows share loads of keys and values, those with most rows first. Rows that make none go one by one.</param>
/// <param name="ChainVectors">Vectors of products that are summed before a partial score is stored.</param>
/// <param name="RowsAtOnce">The most rows that read keys together.</param>
/// <param name="RowsTogether">The same for rows of several key-value heads, where each has a tile or more.</param>
/// <param name="PrefetchKeys">How many keys ahead memory is fetched: where the keys of one head are contiguous, and where the keys of all heads alternate.</param>
/// <param name="PrefetchValues">The same for values.</param>
/// <param name="OneRowBlock">Keys of a block where each key-value head has a single row.</param>
/// <param name="OneRowVectors">The most vectors of a row for which a single row has its own loops; 0 for no such loops.</param>
internal sealed record DecodePlan(
    int KeyBlock, int ChunkKeys, int MaxRows, EquatableArray<DecodeTile> Tiles, int ChainVectors, int RowsAtOnce, int RowsTogether, (int Contiguous, int Apart) PrefetchKeys, (int Contiguous, int Apart) PrefetchValues,
    int OneRowBlock, int OneRowVectors)
{
    /// <summary>
    /// Whether the weights of a tile lie key by key, the rows side by side: a key then costs one store and one line of the cache, wherever it lies, so that the keys of a step may be
    /// streams. Otherwise weights lie row by row, and the keys of a tile are neighbours.
    /// </summary>
    public bool KeyByKey { get; init; }

    /// <summary>Whether halves that are known to be finite have loops of their own: see <see cref="CorePlan.DecodesHalves"/>.</summary>
    public bool FiniteHalves { get; init; }

    /// <summary>The kinds of tiles, with that of a single row at the end.</summary>
    public IReadOnlyList<DecodeTile> Kinds => [.. Tiles, new DecodeTile(1, 4)];

    /// <summary>Whether a single row has loops of its own over elements of so many, with the query or the output in registers.</summary>
    public bool HasOneRow(int dim, int lanes) => dim % lanes == 0 && dim / lanes <= OneRowVectors;
}

/// <summary>Query rows, 2 or 4, and keys of a tile of decode. Two rows have an even number of keys, since sums are stored four at a time.</summary>
internal sealed record DecodeTile(int Rows, int Keys);

/// <summary>A kernel and its cores, best instruction set first.</summary>
internal sealed record KernelPlan(KernelSpec Spec, MaskProgram Mask, EquatableArray<CorePlan> Cores)
{
    public string Name
    {
        get
        {
            var attention = Spec.Attention;
            string heads = attention.KeyValueHeads == attention.Heads ? $"h{attention.Heads}" : $"h{attention.Heads}kv{attention.KeyValueHeads}";
            string lengths = (attention.QueryLength is { } m ? $"m{m}" : "") + (attention.KeyLength is { } n ? $"n{n}" : "");
            if (lengths.Length > 0) lengths += "_";
            string mask = attention.Mask == Model.Mask.None ? "" : $"_{attention.Mask.ToString().ToLowerInvariant()}";
            if (Spec.Linear is { } linear)
            {
                string kind = linear.Rule == Rule.None ? attention.Mask == Model.Mask.Causal ? "linear" : "all" : linear.Rule.ToString().ToLowerInvariant();
                string map = linear.FeatureMap == FeatureMap.None ? "" : $"_{linear.FeatureMap.ToString().ToLowerInvariant()}";
                return $"recurrence_{ElementTypes.Of(Spec).Name}_{KernelPlanner.Core(Spec, Mask).Name(heads, $"_{kind}{map}")}{(linear.Normalize ? "_normalized" : "")}{(Spec.Has(Role.DocumentStarts) ? "_documents" : "")}{(attention.Batched ? "_batched" : "")}{(attention.Layout == Layout.HeadMajor ? "_headmajor" : "")}";
            }

            if (attention.GivenWindowLeft is >= 0 || attention.GivenWindowRight is >= 0) mask += $"_window{Mask.Left}to{Mask.Right}";
            if (attention.FirstKeys > 0) mask += $"_first{attention.FirstKeys}";
            if (attention.GivenPrefixLength is > 0 || Spec.Has(Role.PrefixLength) || Spec.Has(Role.PrefixLengths)) mask += "_prefix";
            if (Mask.ChunkLength > 0) mask += $"_chunk{Mask.ChunkLength}";
            if (Mask.Dilation > 1) mask += $"_every{Mask.Dilation}";
            if (Mask.Terms.Count > 0) mask += "_zones";
            if (Spec.Has(Role.DocumentStarts)) mask += "_documents";
            if (attention.KeyBlockSize is { } keyBlock) mask += $"_blocks{attention.QueryBlockSize}x{keyBlock}";
            string score = attention.Scoring == Scoring.General ? $"_general{attention.HeadDim}" : ""; // the projection is no part of a core
            return $"{(Spec.Layer is { } layer ? $"layer_{(Spec.Has(Role.Context) ? $"{layer.ModelDim}c{layer.ContextDim}" : $"{layer.ModelDim}")}to{layer.OutputDim}" : "forward")}_{ElementTypes.Of(Spec).Name}_{lengths}{KernelPlanner.Core(Spec, Mask).Name(heads, mask)}{score}{(attention.Batched ? "_batched" : "")}{(Spec.Has(Role.Cache) ? "_cached" : "")}{(attention.Layout == Layout.HeadMajor ? "_headmajor" : "")}";
        }
    }
}
