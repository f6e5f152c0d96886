using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>The keys that a query sees: the mask and the window of the attribute, and the bounds of the user's own mask.</summary>
/// <param name="Left">The number of keys that a query sees before its position; null for all.</param>
/// <param name="Right">The number of keys that a query sees after its position; null for all.</param>
/// <param name="ChunkLength">The length of the chunks if queries see keys of their own chunk only; 0 for no chunks.</param>
/// <param name="Dilation">The number that divides the distance of each visible key; 1 for no dilation.</param>
internal sealed record MaskProgram(int? Left, int? Right, int ChunkLength, int Dilation)
{
    /// <summary>The bounds of the user's own mask; null for none.</summary>
    public MaskBounds? Own { get; init; }

    /// <summary>
    /// The terms of the user's own mask that a call passes to the runtime; none if the mask is a window, which <see cref="Left"/> and <see cref="Right"/> hold.
    /// </summary>
    public EquatableArray<MaskTerm> Terms { get; init; }

    /// <summary>The form of the bounds of each row.</summary>
    public VisibleKeys Visible { get; init; } = VisibleKeys.All;

    /// <summary>The part of the user's own mask that a kernel computes for each key; null for none.</summary>
    public Expression? Rest => Own?.Rest;

    /// <summary>Whether the bounds decide some keys, so that the kernel computes the own mask only for the others.</summary>
    public bool DecidesSome => Own is { Rest: not null } && Own.Terms.Any(term => term.Rest is null);

    /// <summary>Whether the user's own mask hides every key.</summary>
    public bool HidesAll => Own is { Terms.Count: 0 };

    public static MaskProgram Of(KernelSpec spec)
    {
        var attention = spec.Attention;
        var (left, right) = MaskKinds.Window(attention.Mask);
        left = Least(left, attention.GivenWindowLeft is >= 0 ? attention.GivenWindowLeft : null);
        right = Least(right, attention.GivenWindowRight is >= 0 ? attention.GivenWindowRight : null);
        int chunkLength = attention.GivenChunkLength ?? 0, dilation = attention.GivenDilation ?? 1;
        // The zone of the first keys ends before the window, which moves from row to row.
        var visible = attention.FirstKeys > 0 ? VisibleKeys.Window : VisibleKeys.Of(left, right);
        if (spec.Mask?.Result is not { } mask) return new(left, right, chunkLength, dilation) { Visible = visible };

        bool lists = attention.KeyBlockSize is not null || spec.Has(Role.KeyBlocks);
        bool interleaves = attention.GivenDilation is null && !lists && !spec.Has(Role.Bias) && !spec.Has(Role.Keep);
        var own = MaskBounds.Of(mask, chunks: attention.GivenChunkLength is null && !lists, interleaves);

        // A prefix widens the causal mask of the attribute only, and first keys its window; a ring has that window. So an own mask that is a window stays separate.
        if (own.Window is var (ownLeft, ownRight) && !HasPrefix(spec) && attention.FirstKeys == 0 && !spec.HasRing)
        {
            (left, right) = (Least(left, ownLeft), Least(right, ownRight));
            return new(left, right, chunkLength, dilation) { Own = own, Visible = VisibleKeys.Of(left, right) };
        }

        return new(left, right, attention.GivenChunkLength ?? own.ChunkLength, attention.GivenDilation ?? own.Dilation)
        {
            Own = own, Terms = own.Terms, Visible = visible.And(VisibleKeys.Of(own.Terms)),
        };
    }

    /// <summary>
    /// Whether each row sees one interval of keys, and all rows of a call are one piece. A mask that bounds positions cuts the rows into pieces at these
    /// bounds.
    /// </summary>
    public bool IsOneZone(KernelSpec spec) =>
        Terms.Count <= 1 && Terms.All(term => term.FromQuery.Count == 0 && term.ToQuery.Count == 0)
        && ChunkLength == 0 && Dilation == 1 && Own?.RowChunk is null or 0
        && spec.Attention.KeyBlockSize is null && spec.Attention.FirstKeys == 0 && spec.Attention.GivenPrefixLength is null or 0
        && !spec.Has(Role.PrefixLength) && !spec.Has(Role.PrefixLengths) && !spec.Has(Role.DocumentStarts);

    /// <summary>Whether a call may skip the last keys: those after a length, or after a bound of the user's own mask.</summary>
    public bool EndsEarly(KernelSpec spec) => spec.Has(Role.KeyLengths) || Terms.Any(term => term.ToKey.Count > 0);

    private static bool HasPrefix(KernelSpec spec) =>
        spec.Attention.GivenPrefixLength is not null || spec.Has(Role.PrefixLength) || spec.Has(Role.PrefixLengths);

    private static int? Least(int? x, int? y) => x is { } a && y is { } b ? Math.Min(a, b) : x ?? y;
}
