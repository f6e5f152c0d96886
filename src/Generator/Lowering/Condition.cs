using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>The condition under which a mask shows a key: a union of terms. The terms are null if bounds cannot express the condition.</summary>
internal sealed class Condition
{
    /// <summary>The limit of terms: a call has as many slots.</summary>
    public const int MaxTerms = 8;

    private Condition(IReadOnlyList<MaskTerm>? terms) => Terms = terms;

    public IReadOnlyList<MaskTerm>? Terms { get; }

    public static Condition Of(MaskTerm? term) => new(term is null ? null : term.IsEmpty ? [] : [term]);

    public Condition Or(Condition other) =>
        Terms is null || other.Terms is null || Terms.Count + other.Terms.Count > MaxTerms ? new(null) : new([.. Terms, .. other.Terms]);

    public Condition And(Condition other)
    {
        if (Terms is null || other.Terms is null) return new(null);
        var terms = Terms.SelectMany(x => other.Terms.Select(x.And)).ToList();
        return terms.Any(term => term is null) || terms.Count(term => !term!.IsEmpty) > MaxTerms ? new(null) : new([.. terms.Where(term => !term!.IsEmpty)!]);
    }

    /// <summary>The condition of a mask. The parts that bounds cannot express remain in the terms, to be computed for each key.</summary>
    /// <param name="mask">The mask, or a part of it.</param>
    /// <param name="negated">Whether the condition is the opposite of the mask.</param>
    /// <param name="chunk">The chunk length that positions and keys are divided by; 0 until the first division sets it.</param>
    public static Condition Of(Expression mask, bool negated, ref int chunk)
    {
        switch (mask)
        {
            case ConstantExpression { Value: var value }:
                return new(value == 0 == negated ? [MaskTerm.All] : []);
            case OperationExpression { Operation: "!", First: var operand }:
                return Of(operand, !negated, ref chunk);
            case OperationExpression { Operation: "&&" or "||", First: var first, Second: { } second } both:
                Condition x = Of(first, negated, ref chunk), y = Of(second, negated, ref chunk);
                var result = both.Operation == "&&" == !negated ? x.And(y) : x.Or(y);
                return result.Terms is null ? Computed(mask, negated) : result;
            case OperationExpression { Kind: Kind.Bool, Operation: "?", Operands: { } parts } when !HasChoice(parts[0]):
                // Each choice visits its condition twice. Choices in conditions would make the number of visits exponential.
                Condition when = Of(parts[0], negated: false, ref chunk), otherwise = Of(parts[0], negated: true, ref chunk);
                var either = when.And(Of(parts[1], negated, ref chunk)).Or(otherwise.And(Of(parts[2], negated, ref chunk)));
                return either.Terms is null || (either.Terms.Count > 0 && either.Terms.All(term => term.Rest is not null)) ? Computed(mask, negated) : either;
            case OperationExpression { Operation: "<" or "<=" or ">" or ">=" or "==" or "!=", First: { Kind: Kind.Int } left, Second: { } right } comparison:
                int met = chunk;
                if (Linear.Of(left, ref met) is { } a && Linear.Of(right, ref met) is { } b && a.Plus(b.Times(-1)) is { } difference
                    && Compare(comparison.Operation, negated, difference, met) is { Terms: not null } bounds)
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

    private static bool HasChoice(Expression condition) => condition is OperationExpression { Operation: "?" } || condition.Parts.Any(HasChoice);

    private static Condition Computed(Expression mask, bool negated) =>
        new([MaskTerm.All with { Rest = negated ? new OperationExpression(Kind.Bool, "!", new[] { mask }.ToEquatableArray()) : mask }]);
}
