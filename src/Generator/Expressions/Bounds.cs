using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Expressions;

/// <summary>
/// What a mask says of the distance between key and query, closed on either side or open: the keys with -Left &lt;= key - query &lt;= Right. The parts of a
/// conjunction that say no more than that are taken out of it: they become bounds of the loops.
/// </summary>
internal sealed record MaskBounds(int? Left, int? Right, Expression? Rest)
{
    public static MaskBounds Of(Expression mask)
    {
        var bounds = new MaskBounds(null, null, null);
        foreach (var part in Conjuncts(mask)) bounds = bounds.With(part);
        return bounds;
    }

    private static IEnumerable<Expression> Conjuncts(Expression mask) => mask switch
    {
        OperationExpression { Operation: "&&" } and => and.Operands.SelectMany(Conjuncts),
        OperationExpression { Operation: "<" or "<=", First: OperationExpression { Operation: "Abs", Kind: Kind.Int } abs, Second: { } limit } less =>
            [Of(less.Operation, abs.Operands[0], limit), Of(less.Operation, Negative(abs.Operands[0]), limit)],
        OperationExpression { Operation: ">" or ">=", First: var limit, Second: OperationExpression { Operation: "Abs", Kind: Kind.Int } abs } more =>
            [Of(more.Operation, limit, abs.Operands[0]), Of(more.Operation, limit, Negative(abs.Operands[0]))],
        _ => [mask],
    };

    private static OperationExpression Of(string operation, Expression left, Expression right) => new(Kind.Bool, operation, new[] { left, right }.ToEquatableArray());

    private static OperationExpression Negative(Expression x) => new(Kind.Int, "-", new[] { x }.ToEquatableArray());

    private MaskBounds With(Expression part)
    {
        if (part is ConstantExpression { Value: 1 }) return this;
        if (part is OperationExpression { Operation: "<" or "<=" or ">" or ">=" or "==", First: { Kind: Kind.Int } left, Second: { } right } comparison
            && Affine.Of(left) is { } a && Affine.Of(right) is { } b && a.Minus(b) is { Query: var query, Key: var key, Constant: var constant } && query == -key && Math.Abs(key) == 1)
        {
            // key - query op constant, with the sides exchanged where the key stands on the other one.
            string operation = key == 1 ? comparison.Operation : comparison.Operation switch { "<" => ">", "<=" => ">=", ">" => "<", ">=" => "<=", var equal => equal };
            long distance = -key * constant;
            long? upper = operation switch { "<" => distance - 1, "<=" or "==" => distance, _ => null };
            long? lower = operation switch { ">" => distance + 1, ">=" or "==" => distance, _ => null };

            // The bounds of the loops hold the query's own position: what ends before it is left to the comparison.
            bool isWhole = upper is null or >= 0 && lower is null or <= 0;
            var bounds = this with
            {
                Right = upper is { } u and < int.MaxValue ? Math.Min(Right ?? int.MaxValue, (int)Math.Max(u, 0)) : Right,
                Left = lower is { } l and > -int.MaxValue ? Math.Min(Left ?? int.MaxValue, (int)Math.Max(-l, 0)) : Left,
            };
            if (isWhole) return bounds;
            return bounds with { Rest = And(bounds.Rest, part) };
        }

        return this with { Rest = And(Rest, part) };
    }

    private static Expression And(Expression? rest, Expression part) => rest is null ? part : Of("&&", rest, part);

    /// <summary>query * Query + key * Key + Constant.</summary>
    private sealed record Affine(long Query, long Key, long Constant)
    {
        public static Affine? Of(Expression expression) => expression switch
        {
            InputExpression { Input: Input.Query } => new(1, 0, 0),
            InputExpression { Input: Input.Key } => new(0, 1, 0),
            ConstantExpression { Kind: Kind.Int, Value: var value } => new(0, 0, (long)value),
            OperationExpression { Operation: "+", First: var x, Second: { } y } when Of(x) is { } a && Of(y) is { } b => a.Plus(b, 1),
            OperationExpression { Operation: "-", First: var x, Second: { } y } when Of(x) is { } a && Of(y) is { } b => a.Plus(b, -1),
            OperationExpression { Operation: "-", First: var x, Second: null } when Of(x) is { } a => new Affine(0, 0, 0).Plus(a, -1),
            _ => null,
        };

        public Affine Minus(Affine other) => Plus(other, -1);

        private Affine Plus(Affine other, long sign) => new(Query + sign * other.Query, Key + sign * other.Key, Constant + sign * other.Constant);
    }
}
