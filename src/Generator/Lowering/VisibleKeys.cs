namespace AttentionGen.Generator.Lowering;

/// <summary>
/// The form of the interval of keys that a row sees. Each bound is either fixed for all rows, or moves by one key from row to row: under a causal mask the
/// upper bound, in a window both. Only the caller of a core knows the widths, so that windows of all widths share a core.
/// </summary>
/// <remarks>
/// In a core, <c>hidden</c> and <c>seen</c> are the bounds of the first row of a tile, relative to the first key of a run. They may be negative or exceed
/// <c>keys</c>, the number of keys of the run. This type writes the bounds of each row in C#.
/// </remarks>
/// <param name="LowerMoves">Whether the lower bound moves.</param>
/// <param name="UpperMoves">Whether the upper bound moves.</param>
/// <param name="HasLeast">Whether there is also a fixed first key, before which no row sees a key.</param>
internal sealed record VisibleKeys(bool LowerMoves, bool UpperMoves, bool HasLeast = false)
{
    public static VisibleKeys All { get; } = new(LowerMoves: false, UpperMoves: false);

    public static VisibleKeys Causal { get; } = new(LowerMoves: false, UpperMoves: true);

    public static VisibleKeys Window { get; } = new(LowerMoves: true, UpperMoves: true);

    /// <summary>The form with all kinds of bounds, which an own mask may need.</summary>
    public static VisibleKeys Zones { get; } = new(LowerMoves: true, UpperMoves: true, HasLeast: true);

    /// <summary>The form of a window. An open side is null.</summary>
    public static VisibleKeys Of(int? left, int? right) => new(left is not null, right is not null);

    /// <summary>The form of the conjunction of two masks.</summary>
    public VisibleKeys And(VisibleKeys other) => HasLeast || other.HasLeast ? Zones : new(LowerMoves || other.LowerMoves, UpperMoves || other.UpperMoves);

    /// <summary>The form that the terms of an own mask need.</summary>
    public static VisibleKeys Of(IReadOnlyList<MaskTerm> terms)
    {
        if (terms.Count == 0) return All;

        // Zones do not overlap. So the zone of a term that comes after the keys of an earlier term has a first key.
        bool hasLeast = terms.Any(term => term.FromKey.Count > 0 || term.FromChunk is not null)
            || terms.Take(terms.Count - 1).Any(term => term.ToKey.Count > 0 || term.ToChunk is not null);
        return hasLeast ? Zones
            : terms.Count > 1 ? new(LowerMoves: true, UpperMoves: true)
            : new(terms[0].FromDistance.Count > 0, terms[0].ToDistance.Count > 0);
    }

    /// <summary>All forms.</summary>
    public static IReadOnlyList<VisibleKeys> Forms { get; } =
        [All, Causal, Window, new(LowerMoves: true, UpperMoves: false), Zones];

    public bool DiffersByRow => LowerMoves || UpperMoves;

    /// <summary>The form as a part of a core's name.</summary>
    public string Name => (LowerMoves, UpperMoves) switch
    {
        _ when HasLeast => "_zones",
        (false, false) => "",
        (false, true) => "_causal",
        (true, true) => "_window",
        (true, false) => "_since",
    };

    /// <summary>The form in words, for comments in generated code.</summary>
    public string Text => (LowerMoves, UpperMoves) switch
    {
        _ when HasLeast => "zones: each row sees the keys between its bounds, and none before `least`",
        (false, false) => "no mask",
        (false, true) => "causal: each row sees the keys before its bound",
        (true, true) => "window: each row sees the keys between its bounds",
        (true, false) => "window: each row sees the keys from its bound on",
    };

    /// <summary>The lower bound of a row of the tile: the first visible key, in C#.</summary>
    public string Lower(string row) => HasLeast ? $"Math.Max(hidden + {row}, least)" : $"hidden + {row}";

    /// <summary>The upper bound of a row of the tile: the key after the last visible one, in C#.</summary>
    public string Upper(string row) => UpperMoves ? $"seen + {row}" : "keys";

    /// <summary>
    /// The parameters from which a method of a core computes the bounds of a row, without types: <c>hidden</c>, <c>seen</c>, <c>keys</c>, <c>least</c>.
    /// </summary>
    public IEnumerable<string> Bounds =>
        new[] { LowerMoves ? "hidden" : "", UpperMoves ? "seen" : "", "keys", HasLeast ? "least" : "" }.Where(bound => bound.Length > 0);

    /// <summary>The bounds as parameters, with types.</summary>
    public string Parameters => string.Join(", ", Bounds.Select(bound => $"int {bound}"));

    /// <summary>The bounds as arguments, relative to a first key that is <paramref name="origin"/> keys later.</summary>
    public string Arguments(string origin = "") => string.Join(", ", Bounds.Select(bound => origin.Length == 0 ? bound : $"{bound} - {origin}"));
}
