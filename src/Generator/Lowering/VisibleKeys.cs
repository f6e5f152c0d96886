
namespace AttentionGen.Generator.Lowering;

/// <summary>
/// The visible keys of a row in closed form, an interval. Each of its ends is either the same for all rows, the first or the last key that may be
/// read, or moves on by one key from row to row: under a causal mask the upper one, in a window both. How far from a row's position its ends are
/// is known to the caller of a core only, so that windows of all widths share one.
/// </summary>
/// <remarks>
/// Relative to some keys, with <c>hidden</c> and <c>seen</c> the ends of the tile's first row (possibly negative or past the keys) and <c>keys</c>
/// their number, this spells the ends of each row.
/// </remarks>
/// <param name="LowerMoves">Whether the first key moves on.</param>
/// <param name="UpperMoves">Whether the last key moves on.</param>
/// <param name="HasLeast">Whether a row sees no key before a certain one, wherever its own bound is.</param>
internal sealed record VisibleKeys(bool LowerMoves, bool UpperMoves, bool HasLeast = false)
{
    public static VisibleKeys All { get; } = new(LowerMoves: false, UpperMoves: false);

    public static VisibleKeys Causal { get; } = new(LowerMoves: false, UpperMoves: true);

    /// <summary>What the user's own mask may need: bounds of every kind.</summary>
    public static VisibleKeys Zones { get; } = new(LowerMoves: true, UpperMoves: true, HasLeast: true);

    /// <summary>The form of a window; null for a side that is open.</summary>
    public static VisibleKeys Of(int? left, int? right) => new(left is not null, right is not null);

    /// <summary>The form of two masks at once.</summary>
    public VisibleKeys And(VisibleKeys other) => HasLeast || other.HasLeast ? Zones : new(LowerMoves || other.LowerMoves, UpperMoves || other.UpperMoves);

    /// <summary>What the bounds of a mask of the user's own need.</summary>
    public static VisibleKeys Of(IReadOnlyList<MaskTerm> terms)
    {
        if (terms.Count == 0) return All;

        // What is taken from a term ends where another begins: keys behind the keys of an earlier one have a first.
        bool hasLeast = terms.Any(term => term.FromKey.Count > 0 || term.FromChunk is not null) || terms.Take(terms.Count - 1).Any(term => term.ToKey.Count > 0 || term.ToChunk is not null);
        return hasLeast ? Zones : terms.Count > 1 ? new(LowerMoves: true, UpperMoves: true) : new(terms[0].FromDistance.Count > 0, terms[0].ToDistance.Count > 0);
    }

    /// <summary>Every form.</summary>
    public static IReadOnlyList<VisibleKeys> Forms { get; } = [All, Causal, new(LowerMoves: true, UpperMoves: true), new(LowerMoves: true, UpperMoves: false), Zones];

    public bool DiffersByRow => LowerMoves || UpperMoves;

    /// <summary>The part of a core's name.</summary>
    public string Name => (LowerMoves, UpperMoves) switch
    {
        _ when HasLeast => "_zones",
        (false, false) => "",
        (false, true) => "_causal",
        (true, true) => "_window",
        (true, false) => "_since",
    };

    /// <summary>For people.</summary>
    public string Text => (LowerMoves, UpperMoves) switch
    {
        _ when HasLeast => "zones: each row sees the keys between its bounds, and none before `least`",
        (false, false) => "no mask",
        (false, true) => "causal: each row sees the keys before its bound",
        (true, true) => "window: each row sees the keys between its bounds",
        (true, false) => "window: each row sees the keys from its bound on",
    };

    /// <summary>The first visible key of a row of the tile.</summary>
    public string Lower(string row) => HasLeast ? $"Math.Max(hidden + {row}, least)" : $"hidden + {row}";

    /// <summary>The key behind the last visible one of a row of the tile.</summary>
    public string Upper(string row) => UpperMoves ? $"seen + {row}" : "keys";

    /// <summary>What methods pass on so that each row can tell its ends, <c>int hidden, int seen, int keys</c> without the types.</summary>
    public IEnumerable<string> Bounds => new[] { LowerMoves ? "hidden" : "", UpperMoves ? "seen" : "", "keys", HasLeast ? "least" : "" }.Where(bound => bound.Length > 0);

    public string Parameters => string.Join(", ", Bounds.Select(bound => $"int {bound}"));

    /// <summary>The bounds as arguments, relative to keys that begin <paramref name="origin"/> later.</summary>
    public string Arguments(string origin = "") => string.Join(", ", Bounds.Select(bound => origin.Length == 0 ? bound : $"{bound} - {origin}"));
}
