using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>A bound of positions, keys or distances: a constant and so many times each number that the call brings along.</summary>
internal sealed record MaskBound(long Constant, EquatableArray<long> Scalars)
{
    public bool IsConstant => Scalars.All(factor => factor == 0);

    public MaskBound Plus(long constant) => this with { Constant = Constant + constant };

    /// <summary>In C#, of the parameters with these names.</summary>
    public string Text(IReadOnlyList<string> names)
    {
        string sum = "";
        for (int i = 0; i < Scalars.Count; i++)
        {
            if (Scalars[i] == 0) continue;
            string sign = Scalars[i] < 0 ? "-" : "+", factor = Math.Abs(Scalars[i]) == 1 ? "" : $"{Math.Abs(Scalars[i])}L * ";
            sum += sum.Length == 0 ? $"{(sign == "-" ? "-" : "")}{factor}(long){names[i]}" : $" {sign} {factor}(long){names[i]}";
        }

        return sum.Length == 0 ? $"{Constant}" : Constant == 0 ? sum : $"{sum} {(Constant < 0 ? "-" : "+")} {Math.Abs(Constant)}";
    }
}

/// <summary>
/// A conjunction of bounds, each from the first value to the one behind the last: of the position p of a query, of a key j, of their distance j - p, and of keys
/// as they move on with the chunk, p / length, of the query. Each side holds all bounds that were said of it.
/// </summary>
internal sealed record MaskTerm
{
    public EquatableArray<MaskBound> FromQuery { get; init; }

    public EquatableArray<MaskBound> ToQuery { get; init; }

    public EquatableArray<MaskBound> FromKey { get; init; }

    public EquatableArray<MaskBound> ToKey { get; init; }

    public EquatableArray<MaskBound> FromDistance { get; init; }

    public EquatableArray<MaskBound> ToDistance { get; init; }

    /// <summary>Keys from so many for each chunk on, and a constant.</summary>
    public (long OfChunk, MaskBound Bound)? FromChunk { get; init; }

    public (long OfChunk, MaskBound Bound)? ToChunk { get; init; }

    /// <summary>What the bounds leave to be computed for each key; null for nothing.</summary>
    public Expression? Rest { get; init; }

    /// <summary>Whether no pair is within the bounds, whatever the call brings along.</summary>
    public bool IsEmpty { get; init; }

    public static MaskTerm All { get; } = new();

    /// <summary>Whether it is bounded by distances and positions only: zones of others, less of it, need no bound among the keys.</summary>
    public bool HasKeys => FromKey.Count + ToKey.Count > 0 || FromChunk is not null || ToChunk is not null;

    /// <summary>The bounds of a sum that is to be at most 0; null where they are none.</summary>
    public static MaskTerm? OfAtMostZero(Linear sum, int chunk)
    {
        if (sum.IsConstant) return All with { IsEmpty = sum.Constant > 0 };
        if (sum.HasNoScalars && Divisor(sum) is > 1 and var divisor)
        {
            // a * x + c <= 0 says x <= -c / a, rounded down.
            sum = new Linear(sum.Query / divisor, sum.Key / divisor, sum.QueryChunk / divisor, sum.KeyChunk / divisor, -FloorDivide(-sum.Constant, divisor), sum.Scalars);
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

            // key / length <= e are the keys before (e + 1) * length, key / length >= e those from e * length on.
            { Query: 0, Key: 0, KeyChunk: 1, QueryChunk: 0 } => All with { ToKey = One(Times(to, chunk)) },
            { Query: 0, Key: 0, KeyChunk: -1, QueryChunk: 0 } => From(Times(from, chunk)),
            { Query: 0, Key: 0, KeyChunk: 1 } => All with { ToChunk = (-sum.QueryChunk * chunk, Times(to, chunk)) },
            { Query: 0, Key: 0, KeyChunk: -1 } => All with { FromChunk = (sum.QueryChunk * chunk, Times(from, chunk)) },

            // The same of positions, which may be negative: C# divides towards 0.
            { Query: 0, Key: 0, KeyChunk: 0, QueryChunk: 1, HasNoScalars: true } => All with { ToQuery = One(Constant(sum.Constant <= 0 ? (1 - sum.Constant) * chunk : 1 - sum.Constant * chunk)) },
            { Query: 0, Key: 0, KeyChunk: 0, QueryChunk: -1, HasNoScalars: true } => All with { FromQuery = One(Constant(sum.Constant > 0 ? sum.Constant * chunk : (sum.Constant - 1) * chunk + 1)) },
            _ => null,
        };
    }

    /// <summary>What both let through; null where it takes more bounds than a term has.</summary>
    public MaskTerm? And(MaskTerm other)
    {
        if ((FromChunk is not null && other.FromChunk is not null) || (ToChunk is not null && other.ToChunk is not null)) return null;
        var both = new MaskTerm
        {
            FromQuery = Both(FromQuery, other.FromQuery, Math.Max), ToQuery = Both(ToQuery, other.ToQuery, Math.Min),
            FromKey = Both(FromKey, other.FromKey, Math.Max), ToKey = Both(ToKey, other.ToKey, Math.Min),
            FromDistance = Both(FromDistance, other.FromDistance, Math.Max), ToDistance = Both(ToDistance, other.ToDistance, Math.Min),
            FromChunk = FromChunk ?? other.FromChunk, ToChunk = ToChunk ?? other.ToChunk,
            Rest = Rest is null ? other.Rest : other.Rest is null ? Rest : new OperationExpression(Kind.Bool, "&&", new[] { Rest, other.Rest }.ToEquatableArray()),
            IsEmpty = IsEmpty || other.IsEmpty,
        };
        return both with { IsEmpty = both.IsEmpty || Crosses(both.FromQuery, both.ToQuery) || Crosses(both.FromKey, both.ToKey) || Crosses(both.FromDistance, both.ToDistance) || One(both.ToKey) <= 0 };
    }

    /// <summary>The one constant bound of a side; null where there is none.</summary>
    public static long? One(EquatableArray<MaskBound> side) => side.FirstOrDefault(bound => bound.IsConstant)?.Constant;

    private static bool Crosses(EquatableArray<MaskBound> from, EquatableArray<MaskBound> to) => One(from) is { } first && One(to) is { } end && first >= end;

    private static EquatableArray<MaskBound> One(MaskBound bound) => new[] { bound }.ToEquatableArray();

    /// <summary>Keys from one on; there are none before 0.</summary>
    private static MaskTerm From(MaskBound bound) => bound is { IsConstant: true, Constant: <= 0 } ? All : All with { FromKey = One(bound) };

    private static MaskBound Constant(long constant) => new(constant, Linear.Of(0).Scalars);

    private static MaskBound Times(MaskBound bound, long factor) => new(bound.Constant * factor, bound.Scalars.Select(x => x * factor).ToEquatableArray());

    /// <summary>Bounds that differ in constants only are one.</summary>
    private static EquatableArray<MaskBound> Both(EquatableArray<MaskBound> x, EquatableArray<MaskBound> y, Func<long, long, long> choose) =>
        x.Concat(y).GroupBy(bound => bound.Scalars).Select(same => same.First() with { Constant = same.Select(bound => bound.Constant).Aggregate(choose) }).ToEquatableArray();

    private static long Divisor(Linear sum)
    {
        long divisor = 0;
        foreach (long factor in new[] { sum.Query, sum.Key, sum.QueryChunk, sum.KeyChunk })
            for (long x = Math.Abs(factor); x != 0;) (divisor, x) = (x, divisor % x);
        return divisor;
    }

    private static long FloorDivide(long x, long y) => x >= 0 ? x / y : -((-x + y - 1) / y);
}

/// <summary>When a mask lets a key through: in any of these terms. Null terms are none that bounds can say.</summary>
internal sealed class Condition
{
    /// <summary>As many as a call takes.</summary>
    public const int MaxTerms = 8;

    private Condition(IReadOnlyList<MaskTerm>? terms) => Terms = terms;

    public IReadOnlyList<MaskTerm>? Terms { get; }

    public static Condition Of(MaskTerm? term) => new(term is null ? null : term.IsEmpty ? [] : [term]);

    public Condition Or(Condition other) => Terms is null || other.Terms is null || Terms.Count + other.Terms.Count > MaxTerms ? new(null) : new([.. Terms, .. other.Terms]);

    public Condition And(Condition other)
    {
        if (Terms is null || other.Terms is null) return new(null);
        var terms = Terms.SelectMany(x => other.Terms.Select(x.And)).ToList();
        return terms.Any(term => term is null) || terms.Count(term => !term!.IsEmpty) > MaxTerms ? new(null) : new([.. terms.Where(term => !term!.IsEmpty)!]);
    }

    /// <summary>A condition of a mask: with what no bound can say left to be computed.</summary>
    public static Condition Of(Expression mask, bool negated, ref int chunk)
    {
        switch (mask)
        {
            case ConstantExpression { Value: var value }:
                return new(value == 0 == negated ? [MaskTerm.All] : []);
            case OperationExpression { Operation: "!", First: var operand }:
                return Of(operand, !negated, ref chunk);
            case OperationExpression { Operation: "&&" or "||", First: var first, Second: { } second } both:
                Condition x = Of(first, negated, ref chunk), y = Of(second, negated, ref chunk), result = both.Operation == "&&" == !negated ? x.And(y) : x.Or(y);
                return result.Terms is null ? Computed(mask, negated) : result;
            case OperationExpression { Kind: Kind.Bool, Operation: "?", Operands: { } parts } when !IsChosen(parts[0]): // or else each choice would be looked at twice for each that it decides
                Condition when = Of(parts[0], negated: false, ref chunk), otherwise = Of(parts[0], negated: true, ref chunk);
                var either = when.And(Of(parts[1], negated, ref chunk)).Or(otherwise.And(Of(parts[2], negated, ref chunk)));
                return either.Terms is null || (either.Terms.Count > 0 && either.Terms.All(term => term.Rest is not null)) ? Computed(mask, negated) : either;
            case OperationExpression { Operation: "<" or "<=" or ">" or ">=" or "==" or "!=", First: { Kind: Kind.Int } left, Second: { } right } comparison:
                int met = chunk;
                if (Linear.Of(left, ref met) is { } a && Linear.Of(right, ref met) is { } b && a.Plus(b.Times(-1)) is { } difference && Compare(comparison.Operation, negated, difference, met) is { Terms: not null } bounds)
                {
                    chunk = met;
                    return bounds;
                }

                return Computed(mask, negated);
            default:
                return Computed(mask, negated);
        }
    }

    private static Condition Compare(string operation, bool negated, Extremes difference, int chunk)
    {
        if (negated) operation = operation switch { "<" => ">=", "<=" => ">", ">" => "<=", ">=" => "<", "==" => "!=", _ => "==" };
        Extremes one = new(Linear.Of(1)), opposite = difference.Times(-1);
        Condition Below(Extremes x) => x.Plus(one)?.IsAtMostZero(chunk) ?? new(null);
        return operation switch
        {
            "<" => Below(difference),
            "<=" => difference.IsAtMostZero(chunk),
            ">" => Below(opposite),
            ">=" => opposite.IsAtMostZero(chunk),
            "==" => difference.IsAtMostZero(chunk).And(opposite.IsAtMostZero(chunk)),
            _ => Below(difference).Or(Below(opposite)),
        };
    }

    private static bool IsChosen(Expression condition) => condition is OperationExpression { Operation: "?" } || condition.Parts.Any(IsChosen);

    private static Condition Computed(Expression mask, bool negated) =>
        new([MaskTerm.All with { Rest = negated ? new OperationExpression(Kind.Bool, "!", new[] { mask }.ToEquatableArray()) : mask }]);
}
