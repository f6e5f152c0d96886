using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>
/// An int of a mask as a sum: so many times the query's position, the key, both divided by a chunk's length, and the numbers that the call brings along, and a
/// constant.
/// </summary>
internal sealed record Linear(long Query, long Key, long QueryChunk, long KeyChunk, long Constant, EquatableArray<long> Scalars)
{
    /// <summary>In C#, larger constants can make a sum overflow that is then no sum any more.</summary>
    private const long MaxConstant = 1 << 30;

    private static readonly EquatableArray<long> s_none = Enumerable.Repeat(0L, LiftedSpec.MaxScalars).ToEquatableArray();

    public static Linear Of(long constant) => new(0, 0, 0, 0, constant, s_none);

    public bool IsConstant => Query == 0 && Key == 0 && QueryChunk == 0 && KeyChunk == 0 && HasNoScalars;

    public bool HasNoScalars => Scalars.All(factor => factor == 0);

    public Linear Plus(Linear other) => new(
        Query + other.Query, Key + other.Key, QueryChunk + other.QueryChunk, KeyChunk + other.KeyChunk, Constant + other.Constant,
        Scalars.Zip(other.Scalars, (x, y) => x + y).ToEquatableArray());

    public Linear Times(long factor) => new(factor * Query, factor * Key, factor * QueryChunk, factor * KeyChunk, factor * Constant, Scalars.Select(x => factor * x).ToEquatableArray());

    /// <summary>An int expression as the least and the largest of sums; null where it is none.</summary>
    /// <param name="chunk">The length that positions and keys are divided by, 0 until one is met.</param>
    public static Extremes? Of(Expression expression, ref int chunk)
    {
        switch (expression)
        {
            case InputExpression { Input: Input.Query }:
                return new(new Linear(1, 0, 0, 0, 0, s_none));
            case InputExpression { Input: Input.Key }:
                return new(new Linear(0, 1, 0, 0, 0, s_none));
            case ConstantExpression { Kind: Kind.Int, Value: >= -MaxConstant and <= MaxConstant and var value }:
                return new(Of((long)value));
            case ScalarExpression { Kind: Kind.Int, Index: var index }:
                return new(Of(0) with { Scalars = s_none.Select((_, i) => i == index ? 1L : 0).ToEquatableArray() });
            case OperationExpression { Operation: "/", Kind: Kind.Int, First: InputExpression { Input: Input.Query or Input.Key } input, Second: ConstantExpression { Value: > 1 and <= MaxConstant and var length } }
                when chunk == 0 || chunk == (int)length:
                chunk = (int)length;
                return new(input.Input == Input.Query ? Of(0) with { QueryChunk = 1 } : Of(0) with { KeyChunk = 1 });
            case OperationExpression { Operation: ">>", First: InputExpression { Input: Input.Key } key, Second: ConstantExpression { Value: > 0 and <= 30 and var bits } }: // of positions, which may be negative, it is no division
                return Of(new OperationExpression(Kind.Int, "/", new Expression[] { key, new ConstantExpression(Kind.Int, 1 << (int)bits) }.ToEquatableArray()), ref chunk);
            case OperationExpression { Operation: "<<", First: var x, Second: ConstantExpression { Value: <= 12 and var bits } }:
                return Of(x, ref chunk)?.Times(1 << (int)bits);
            case OperationExpression { Operation: "*", Kind: Kind.Int, First: var x, Second: ConstantExpression { Value: >= -4096 and <= 4096 and var factor } }:
                return Of(x, ref chunk)?.Times((long)factor);
            case OperationExpression { Operation: "*", Kind: Kind.Int, First: ConstantExpression { Value: >= -4096 and <= 4096 and var factor }, Second: { } x }:
                return Of(x, ref chunk)?.Times((long)factor);
            case OperationExpression { Kind: Kind.Int, Operation: "+" or "-" or "Min" or "Max" or "Abs", First: var first, Second: var second } operation:
                if (Of(first, ref chunk) is not { } a) return null;
                if (second is null) return operation.Operation == "Abs" ? Extremes.Most(a, a.Times(-1)) : a.Times(-1);
                if (Of(second, ref chunk) is not { } b) return null;
                return operation.Operation switch { "+" => a.Plus(b), "-" => a.Plus(b.Times(-1)), "Min" => Extremes.Least(a, b), _ => Extremes.Most(a, b) };
            default:
                return null;
        }
    }
}

/// <summary>A sum, or the least or the largest of some.</summary>
internal sealed class Extremes
{
    /// <summary>More parts than these are no simple mask any more.</summary>
    private const int MaxParts = 16;

    private readonly Linear? _sum;
    private readonly bool _isLeast;
    private readonly Extremes[] _parts;

    public Extremes(Linear sum)
    {
        (_sum, _parts) = (sum, []);
    }

    private Extremes(bool isLeast, Extremes[] parts)
    {
        (_isLeast, _parts) = (isLeast, parts);
    }

    private int Count => _sum is null ? _parts.Sum(part => part.Count) : 1;

    public static Extremes? Least(Extremes a, Extremes b) => Of(isLeast: true, [a, b]);

    public static Extremes? Most(Extremes a, Extremes b) => Of(isLeast: false, [a, b]);

    private static Extremes? Of(bool isLeast, Extremes[] parts)
    {
        var result = new Extremes(isLeast, parts);
        return result.Count <= MaxParts ? result : null;
    }

    public Extremes Times(long factor) => _sum is not null ? new(_sum.Times(factor)) : new(factor < 0 ? !_isLeast : _isLeast, [.. _parts.Select(part => part.Times(factor))]);

    /// <summary>The sum of the extremes: that of each part with the other.</summary>
    public Extremes? Plus(Extremes other)
    {
        if (_sum is { } sum && other._sum is { } another) return new(sum.Plus(another));
        var (parts, rest, isLeast) = _sum is null ? (_parts, other, _isLeast) : (other._parts, this, other._isLeast);
        var sums = parts.Select(part => part.Plus(rest)).ToArray();
        return sums.Any(part => part is null) ? null : Of(isLeast, sums!);
    }

    /// <summary>When it is at most 0: of a largest one, when all parts are; of a least one, when any is.</summary>
    public Condition IsAtMostZero(int chunk) => _sum is { } sum
        ? Condition.Of(MaskTerm.OfAtMostZero(sum, chunk))
        : _parts.Select(part => part.IsAtMostZero(chunk)).Aggregate((x, y) => _isLeast ? x.Or(y) : x.And(y));
}
