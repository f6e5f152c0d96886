using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>
/// A linear sum of ints in a mask. Its terms are the position of the query, the key, the chunk of each (the position or key divided by the chunk length), the
/// int parameters of the kernel, each with an integer factor, and a constant.
/// </summary>
internal sealed record Linear(long Query, long Key, long QueryChunk, long KeyChunk, long Constant, EquatableArray<long> Scalars)
{
    /// <summary>The limit of constants. Larger ones can overflow in C#, and the result would not be the sum.</summary>
    private const long MaxConstant = 1 << 30;

    /// <summary>The limit of factors, for the same reason.</summary>
    private const int MaxFactor = 4096;

    private static readonly EquatableArray<long> s_none = Enumerable.Repeat(0L, LiftedSpec.MaxScalars).ToEquatableArray();

    public static Linear Of(long constant) => new(0, 0, 0, 0, constant, s_none);

    public bool IsConstant => Query == 0 && Key == 0 && QueryChunk == 0 && KeyChunk == 0 && HasNoScalars;

    public bool HasNoScalars => Scalars.All(factor => factor == 0);

    public Linear Plus(Linear other) => new(
        Query + other.Query, Key + other.Key, QueryChunk + other.QueryChunk, KeyChunk + other.KeyChunk, Constant + other.Constant,
        Scalars.Zip(other.Scalars, (x, y) => x + y).ToEquatableArray());

    public Linear Times(long factor) => new(
        factor * Query, factor * Key, factor * QueryChunk, factor * KeyChunk, factor * Constant, Scalars.Select(x => factor * x).ToEquatableArray());

    /// <summary>An int expression as minima and maxima of linear sums; null if it has another form.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="chunk">The chunk length that positions and keys are divided by; 0 until the first division sets it.</param>
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
            case OperationExpression
            {
                Operation: "/", Kind: Kind.Int, First: InputExpression { Input: Input.Query or Input.Key } input,
                Second: ConstantExpression { Value: > 1 and <= MaxConstant and var length },
            }
                when chunk == 0 || chunk == (int)length:
                chunk = (int)length;
                return new(input.Input == Input.Query ? Of(0) with { QueryChunk = 1 } : Of(0) with { KeyChunk = 1 });
            case OperationExpression
            {
                Operation: ">>", First: InputExpression { Input: Input.Key } key, Second: ConstantExpression { Value: > 0 and <= 30 and var bits },
            }:
                // A shift of a key is a division. Positions may be negative: their shift rounds down, and their division rounds towards 0.
                var size = new ConstantExpression(Kind.Int, 1 << (int)bits);
                return Of(new OperationExpression(Kind.Int, "/", new Expression[] { key, size }.ToEquatableArray()), ref chunk);
            case OperationExpression { Operation: "<<", First: var x, Second: ConstantExpression { Value: <= 12 and var bits } }:
                return Of(x, ref chunk)?.Times(1 << (int)bits);
            case OperationExpression
            {
                Operation: "*", Kind: Kind.Int, First: var x, Second: ConstantExpression { Value: >= -MaxFactor and <= MaxFactor and var factor },
            }:
                return Of(x, ref chunk)?.Times((long)factor);
            case OperationExpression
            {
                Operation: "*", Kind: Kind.Int, First: ConstantExpression { Value: >= -MaxFactor and <= MaxFactor and var factor }, Second: { } x,
            }:
                return Of(x, ref chunk)?.Times((long)factor);
            case OperationExpression { Kind: Kind.Int, Operation: "+" or "-" or "Min" or "Max" or "Abs", First: var first, Second: var second } operation:
                if (Of(first, ref chunk) is not { } a) return null;
                if (second is null) return operation.Operation == "Abs" ? Extremes.Most(a, a.Times(-1)) : a.Times(-1);
                if (Of(second, ref chunk) is not { } b) return null;
                return operation.Operation switch
                {
                    "+" => a.Plus(b),
                    "-" => a.Plus(b.Times(-1)),
                    "Min" => Extremes.Least(a, b),
                    _ => Extremes.Most(a, b),
                };
            default:
                return null;
        }
    }
}
