using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>
/// A conjunction of bounds. They limit the position p of a query, the key j, the distance j - p, and the key relative to the chunk p / length of the query. A
/// lower bound is the first value, an upper bound the value after the last. A side may have several bounds, which all hold.
/// </summary>
internal sealed record MaskTerm
{
    public EquatableArray<MaskBound> FromQuery { get; init; }

    public EquatableArray<MaskBound> ToQuery { get; init; }

    public EquatableArray<MaskBound> FromKey { get; init; }

    public EquatableArray<MaskBound> ToKey { get; init; }

    public EquatableArray<MaskBound> FromDistance { get; init; }

    public EquatableArray<MaskBound> ToDistance { get; init; }

    /// <summary>The first key, as <c>OfChunk</c> times the chunk of the query plus a bound; null for none.</summary>
    public (long OfChunk, MaskBound Bound)? FromChunk { get; init; }

    /// <summary>The key after the last, in the same form; null for none.</summary>
    public (long OfChunk, MaskBound Bound)? ToChunk { get; init; }

    /// <summary>The part of the mask that is computed for each key; null if the bounds decide.</summary>
    public Expression? Rest { get; init; }

    /// <summary>Whether no pair is within the bounds, for any arguments of a call.</summary>
    public bool IsEmpty { get; init; }

    public static MaskTerm All { get; } = new();

    /// <summary>Whether the term bounds keys themselves, not only distances and positions.</summary>
    public bool HasKeys => FromKey.Count + ToKey.Count > 0 || FromChunk is not null || ToChunk is not null;

    /// <summary>The bounds that say that a linear sum is at most 0; null if bounds cannot say it.</summary>
    public static MaskTerm? OfAtMostZero(Linear sum, int chunk)
    {
        if (sum.IsConstant) return All with { IsEmpty = sum.Constant > 0 };
        if (sum.HasNoScalars && Divisor(sum) is > 1 and var divisor)
        {
            // a * x + c <= 0 means x <= -c / a, rounded down.
            sum = new Linear(
                sum.Query / divisor, sum.Key / divisor, sum.QueryChunk / divisor, sum.KeyChunk / divisor, -FloorDivide(-sum.Constant, divisor), sum.Scalars);
        }

        MaskBound from = new(sum.Constant, sum.Scalars), to = new(1 - sum.Constant, sum.Scalars.Select(factor => -factor).ToEquatableArray());
        return sum switch
        {
            { Query: -1, Key: 1, QueryChunk: 0, KeyChunk: 0 } => All with { ToDistance = One(to) },
            { Query: 1, Key: -1, QueryChunk: 0, KeyChunk: 0 } => All with { FromDistance = One(from) },
            { Query: 0, Key: 1, QueryChunk: 0, KeyChunk: 0 } => All with { ToKey = One(to) },
            { Query: 0, Key: -1, QueryChunk: 0, KeyChunk: 0 } => From(from),
            { Query: 1, Key: 0, QueryChunk: 0, KeyChunk: 0 } => All with { ToQuery = One(to) },
            { Query: -1, Key: 0, QueryChunk: 0, KeyChunk: 0 } => All with { FromQuery = One(from) },
            { Query: 0, Key: 1, KeyChunk: 0 } => All with { ToChunk = (-sum.QueryChunk, to) },
            { Query: 0, Key: -1, KeyChunk: 0 } => All with { FromChunk = (sum.QueryChunk, from) },

            // key / length <= e means key < (e + 1) * length, and key / length >= e means key >= e * length.
            { Query: 0, Key: 0, KeyChunk: 1, QueryChunk: 0 } => All with { ToKey = One(Times(to, chunk)) },
            { Query: 0, Key: 0, KeyChunk: -1, QueryChunk: 0 } => From(Times(from, chunk)),
            { Query: 0, Key: 0, KeyChunk: 1 } => All with { ToChunk = (-sum.QueryChunk * chunk, Times(to, chunk)) },
            { Query: 0, Key: 0, KeyChunk: -1 } => All with { FromChunk = (sum.QueryChunk * chunk, Times(from, chunk)) },

            // Positions may be negative, and C# rounds their quotient towards 0.
            { Query: 0, Key: 0, KeyChunk: 0, QueryChunk: 1, HasNoScalars: true } =>
                All with { ToQuery = One(Constant(sum.Constant <= 0 ? (1 - sum.Constant) * chunk : 1 - sum.Constant * chunk)) },
            { Query: 0, Key: 0, KeyChunk: 0, QueryChunk: -1, HasNoScalars: true } =>
                All with { FromQuery = One(Constant(sum.Constant > 0 ? sum.Constant * chunk : (sum.Constant - 1) * chunk + 1)) },
            _ => null,
        };
    }

    /// <summary>The conjunction of both terms; null if it needs more bounds than a term has.</summary>
    public MaskTerm? And(MaskTerm other)
    {
        if ((FromChunk is not null && other.FromChunk is not null) || (ToChunk is not null && other.ToChunk is not null)) return null;
        var both = new MaskTerm
        {
            FromQuery = Both(FromQuery, other.FromQuery, Math.Max), ToQuery = Both(ToQuery, other.ToQuery, Math.Min),
            FromKey = Both(FromKey, other.FromKey, Math.Max), ToKey = Both(ToKey, other.ToKey, Math.Min),
            FromDistance = Both(FromDistance, other.FromDistance, Math.Max), ToDistance = Both(ToDistance, other.ToDistance, Math.Min),
            FromChunk = FromChunk ?? other.FromChunk, ToChunk = ToChunk ?? other.ToChunk,
            Rest = Rest is null ? other.Rest
                : other.Rest is null ? Rest
                : new OperationExpression(Kind.Bool, "&&", new[] { Rest, other.Rest }.ToEquatableArray()),
            IsEmpty = IsEmpty || other.IsEmpty,
        };
        bool crosses = Crosses(both.FromQuery, both.ToQuery) || Crosses(both.FromKey, both.ToKey) || Crosses(both.FromDistance, both.ToDistance);
        return both with { IsEmpty = both.IsEmpty || crosses || One(both.ToKey) <= 0 };
    }

    /// <summary>The constant bound of a side; null if it has none.</summary>
    public static long? One(EquatableArray<MaskBound> side) => side.FirstOrDefault(bound => bound.IsConstant)?.Constant;

    private static bool Crosses(EquatableArray<MaskBound> from, EquatableArray<MaskBound> to) => One(from) is { } first && One(to) is { } end && first >= end;

    private static EquatableArray<MaskBound> One(MaskBound bound) => new[] { bound }.ToEquatableArray();

    /// <summary>The keys from a bound on. A bound of 0 or less is no bound.</summary>
    private static MaskTerm From(MaskBound bound) => bound is { IsConstant: true, Constant: <= 0 } ? All : All with { FromKey = One(bound) };

    private static MaskBound Constant(long constant) => new(constant, Linear.Of(0).Scalars);

    private static MaskBound Times(MaskBound bound, long factor) => new(bound.Constant * factor, bound.Scalars.Select(x => x * factor).ToEquatableArray());

    /// <summary>The bounds of both sides. Bounds that differ only in their constants become one.</summary>
    private static EquatableArray<MaskBound> Both(EquatableArray<MaskBound> x, EquatableArray<MaskBound> y, Func<long, long, long> choose) =>
        x.Concat(y).GroupBy(bound => bound.Scalars)
            .Select(same => same.First() with { Constant = same.Select(bound => bound.Constant).Aggregate(choose) }).ToEquatableArray();

    private static long Divisor(Linear sum)
    {
        long divisor = 0;
        foreach (long factor in new[] { sum.Query, sum.Key, sum.QueryChunk, sum.KeyChunk })
            for (long x = Math.Abs(factor); x != 0;) (divisor, x) = (x, divisor % x);
        return divisor;
    }

    private static long FloorDivide(long x, long y) => x >= 0 ? x / y : -((-x + y - 1) / y);
}
