namespace AttentionGen.Benchmarks.Shapes;

/// <summary>An attention problem that is timed.</summary>
/// <param name="Id">What results call it.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="HeadDim">Elements of a head.</param>
/// <param name="Queries">Query tokens.</param>
/// <param name="Keys">Key tokens.</param>
/// <param name="Causal">Whether a query sees no later key; the last query sees the last key.</param>
internal sealed record Shape(string Id, int Heads, int KeyValueHeads, int HeadDim, int Queries, int Keys, bool Causal)
{
    public int Batch { get; init; } = 1;

    /// <summary>How many keys before its own position a query sees, -1 for all.</summary>
    public int WindowLeft { get; init; } = -1;

    /// <summary>Whether query, keys and values lie in DRAM when a call begins. Otherwise they lie where the call before left them.</summary>
    public bool Cold { get; init; }

    /// <summary>What it has beside plain attention; null for nothing. Shapes with one have a single batch item.</summary>
    public Variant? Variant { get; init; }

    /// <summary>Where keys and values are kept for our kernel; null for spans. Shapes with one have no variant.</summary>
    public CacheRow? Cache { get; init; }

    /// <summary>The linear layers that it is instead of attention, as <see cref="LinearRow.Shape"/> lays them out; null for attention.</summary>
    public LinearRow? Linear { get; init; }

    /// <summary>The whole layer whose attention it is, with its projections; null for attention alone.</summary>
    public LayerRow? Layer { get; init; }

    /// <summary>The other attention that it is, with its own inputs and contenders; null for attention with dot products and a softmax.</summary>
    public FamilyRow? Family { get; init; }

    /// <summary>The keys of each batch item where they differ in number; the largest number is <see cref="Keys"/>. Only with a single query.</summary>
    public IReadOnlyList<int>? Lengths { get; init; }

    /// <summary>Few queries against many keys, or few rows against many weights: reading those takes a good part of the time, or all of it.</summary>
    public bool ReadsCache => Linear?.ReadsWeights ?? Family?.ReadsMemory ?? Queries < Keys;

    /// <summary>The keys that are there before those of the queries.</summary>
    public int CachedKeys => Keys - Queries;

    /// <summary>Whether the queries see different keys.</summary>
    public bool IsMasked => Queries > 1 && (Causal || WindowLeft >= 0);

    /// <summary>Where a query stands.</summary>
    public int Position(int query) => Keys - Queries + query;

    public int KeysOf(int batch) => Lengths?[batch] ?? Keys;

    /// <summary>The first token of a batch item among those of all.</summary>
    public int FirstKeyOf(int batch) => Lengths?.Take(batch).Sum() ?? batch * Keys;

    /// <summary>The keys that a query may see: the first, and the one behind the last.</summary>
    public (int First, int End) Visible(int query)
    {
        int position = Position(query);
        return (WindowLeft < 0 ? 0 : Math.Max(position - WindowLeft, 0), Causal ? position + 1 : Keys);
    }

    /// <summary>Whether a query sees a key.</summary>
    public bool Sees(int head, int query, int key) =>
        Visible(query) is var (first, end) && key >= first && key < end && Variant?.Sees?.Invoke(head, Position(query), key) != false;

    /// <summary>The (query, key) pairs of all heads that the masks let through.</summary>
    public double VisiblePairs
    {
        get
        {
            if (Lengths is not null) return (double)Heads * Lengths.Sum();
            int different = Variant is { PerHead: true } ? Heads : 1;
            double pairs = 0;
            for (int head = 0; head < different; head++)
            {
                for (int query = 0; query < Queries; query++)
                {
                    var (first, end) = Visible(query);
                    if (Variant?.Sees is null) pairs += end - first;
                    else for (int key = first; key < end; key++) pairs += Sees(head, query, key) ? 1 : 0;
                }
            }

            return Batch * pairs * Heads / different;
        }
    }

    /// <summary>A multiplication and an addition for each element of a head, for the score and for the output; for each weight and row.</summary>
    public double Flops => Linear?.Flops ?? Family?.Flops ?? (Cache is { Kind: CacheKind.Append } ? 0 : 4.0 * HeadDim * VisiblePairs) + 2 * Queries * (Layer?.WeightsOf(this) ?? 0);

    /// <summary>Keys and values, or weights, as they are stored, each counted once.</summary>
    public double KeyValueBytes => Linear?.Bytes ?? Family?.Bytes ?? Layer?.BytesOf(this) ?? 2.0 * KeyElements / HeadDim * (Cache?.Storage.BytesOf(HeadDim) ?? HeadDim * sizeof(float));

    public int QueryElements => Batch * Queries * Heads * HeadDim;

    public int KeyElements => FirstKeyOf(Batch) * KeyValueHeads * HeadDim;

    /// <summary>For people.</summary>
    public string Description
    {
        get
        {
            if (Linear is not null) return Linear.Description;
            if (Family is not null) return Family.Description;
            string heads = Heads == KeyValueHeads ? $"H{Heads}" : $"H{Heads}/{KeyValueHeads}";
            if (Cache is { Kind: CacheKind.Append }) return $"{heads} D{HeadDim}, one token; {Cache.Title}";
            string tokens = Lengths is not null ? $"{Queries} x {Lengths.Min()} to {Keys}" : Queries == Keys ? $"{Keys} tokens" : $"{Queries} x {Keys}";
            string batch = Batch == 1 ? "" : $"{Batch} x ";
            string mask = Queries == 1 || (!Causal && Variant?.Sees is not null) ? "" : Causal ? ", causal" : ", bidirectional";
            if (WindowLeft >= 0) mask += $", window of {WindowLeft + 1}";
            return $"{(Layer is null ? "" : $"{Layer.Description}, ")}{batch}{heads} D{HeadDim}, {tokens}{mask}{(Variant is null ? "" : $"; {Variant.Title}")}{(Cache is null ? "" : $"; {Cache.Title}")}{(Cold ? ", out of DRAM" : "")}";
        }
    }
}
