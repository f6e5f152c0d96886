using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>Which keys a query sees: the mask and the window of the attribute, and what bounds say of the user's own mask.</summary>
/// <param name="Left">How many keys before its position a query sees; null for all.</param>
/// <param name="Right">How many keys after its position a query sees; null for all.</param>
/// <param name="ChunkLength">Queries see keys of their own chunk, position / length; 0 for no chunks.</param>
/// <param name="Dilation">Queries see keys whose distance is a multiple of it; 1 for all.</param>
internal sealed record MaskProgram(int? Left, int? Right, int ChunkLength, int Dilation)
{
    /// <summary>What bounds say of the user's own mask; null where there is none.</summary>
    public MaskBounds? Own { get; init; }

    /// <summary>The terms of the user's own mask that a call brings along; none where the mask is a window, as the attribute could have said.</summary>
    public EquatableArray<MaskTerm> Terms { get; init; }

    /// <summary>The form of the bounds that each row has.</summary>
    public VisibleKeys Visible { get; init; } = VisibleKeys.All;

    /// <summary>The part of the user's own mask that is computed for each key; null for none.</summary>
    public Expression? Rest => Own?.Rest;

    /// <summary>Whether bounds alone decide on some keys, so that the rest of the user's own mask is computed for the others only.</summary>
    public bool DecidesSome => Own is { Rest: not null } && Own.Terms.Any(term => term.Rest is null);

    /// <summary>Whether the user's own mask lets no key through.</summary>
    public bool HidesAll => Own is { Terms.Count: 0 };

    public static MaskProgram Of(KernelSpec spec)
    {
        var attention = spec.Attention;
        var (left, right) = MaskKinds.Window(attention.Mask);
        left = Least(left, attention.GivenWindowLeft is >= 0 ? attention.GivenWindowLeft : null);
        right = Least(right, attention.GivenWindowRight is >= 0 ? attention.GivenWindowRight : null);
        int chunkLength = attention.GivenChunkLength ?? 0, dilation = attention.GivenDilation ?? 1;
        if (spec.Mask?.Result is not { } mask) return new(left, right, chunkLength, dilation) { Visible = VisibleKeys.Of(left, right) };

        bool lists = attention.KeyBlockSize is not null || spec.Has(Role.KeyBlocks);
        var own = MaskBounds.Of(
            mask, chunks: attention.GivenChunkLength is null && !lists, interleaves: attention.GivenDilation is null && !lists && !spec.Has(Role.Bias) && !spec.Has(Role.Keep));

        // A prefix widens the causal mask of the attribute only, so that a window of the user's own has to stand beside it.
        if (own.Window is var (ownLeft, ownRight) && !HasPrefix(spec))
        {
            (left, right) = (Least(left, ownLeft), Least(right, ownRight));
            return new(left, right, chunkLength, dilation) { Own = own, Visible = VisibleKeys.Of(left, right) };
        }

        return new(left, right, attention.GivenChunkLength ?? own.ChunkLength, attention.GivenDilation ?? own.Dilation)
        {
            Own = own, Terms = own.Terms, Visible = VisibleKeys.Of(left, right).And(VisibleKeys.Of(own.Terms)),
        };
    }

    /// <summary>
    /// Whether all rows of a call see an interval of keys, and the rows of a call are one piece: a mask that bounds positions cuts it where they begin and end.
    /// </summary>
    public bool IsOneZone(KernelSpec spec) =>
        Terms.Count <= 1 && Terms.All(term => term.FromQuery.Count == 0 && term.ToQuery.Count == 0) && ChunkLength == 0 && Dilation == 1 && Own?.RowChunk is null or 0
        && spec.Attention.KeyBlockSize is null && spec.Attention.GivenPrefixLength is null or 0 && !spec.Has(Role.PrefixLength) && !spec.Has(Role.PrefixLengths) && !spec.Has(Role.DocumentStarts);

    /// <summary>Whether a call may leave out the last keys: those after a length, or after a bound of the user's own mask.</summary>
    public bool EndsEarly(KernelSpec spec) => spec.Has(Role.KeyLengths) || Terms.Any(term => term.ToKey.Count > 0);

    private static bool HasPrefix(KernelSpec spec) => spec.Attention.GivenPrefixLength is not null || spec.Has(Role.PrefixLength) || spec.Has(Role.PrefixLengths);

    private static int? Least(int? x, int? y) => x is { } a && y is { } b ? Math.Min(a, b) : x ?? y;
}
