using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>
/// An own mask of the user as bounds: chunks and a dilation that hold for all pairs, and terms, of which at least one must contain the key. The kernel computes
/// the rest of the mask for each key of the terms that are not decided.
/// </summary>
/// <param name="ChunkLength">The length of the chunks if queries see keys of their own chunk only; 0 for no chunks.</param>
/// <param name="Dilation">The number that divides the distance of each visible key; 1 for no dilation.</param>
/// <param name="RowChunk">The chunk length in bounds of the terms that move from chunk to chunk of the query; 0 for none.</param>
/// <param name="Terms">The terms, decided ones first.</param>
/// <param name="Rest">The expression that decides the keys of the other terms; null if all terms are decided.</param>
internal sealed record MaskBounds(int ChunkLength, int Dilation, int RowChunk, EquatableArray<MaskTerm> Terms, Expression? Rest)
{
    /// <summary>Reads the bounds of a mask.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="chunks">Whether a call can compute each chunk as a separate sequence.</param>
    /// <param name="interleaves">Whether a call can compute every n-th token as a separate sequence.</param>
    public static MaskBounds Of(Expression mask, bool chunks = true, bool interleaves = true)
    {
        int chunkLength = 0, dilation = 1, rowChunk = 0;
        var left = new List<Expression>();
        foreach (var part in Conjuncts(mask))
        {
            if (chunks && chunkLength == 0 && Chunk(part) is { } length) chunkLength = length;
            else if (interleaves && dilation == 1 && Step(part) is { } step) dilation = step;
            else left.Add(part);
        }

        // Bounds express each part that they can, unless there would be too many terms. The kernel computes the other parts.
        var all = Condition.Of(MaskTerm.All);
        Expression? computed = null;
        foreach (var part in left)
        {
            int chunk = rowChunk;
            var condition = Condition.Of(part, negated: false, ref chunk);
            var both = all.And(condition);
            if (both.Terms is not null && !IsSplitInVain(condition.Terms!))
            {
                (all, rowChunk) = (both, chunk);
                continue;
            }

            computed = computed is null ? part : new OperationExpression(Kind.Bool, "&&", new[] { computed, part }.ToEquatableArray());
        }

        var terms = all.Terms!.Select(term => computed is null ? term : term.And(MaskTerm.All with { Rest = computed })!).ToList();
        if (terms.All(term => term.FromChunk is null && term.ToChunk is null)) rowChunk = 0;
        if (terms.Count == 1) return new(chunkLength, dilation, rowChunk, terms.ToEquatableArray(), terms[0].Rest);

        // A key that one term rejects may be visible by another. So the complete expression decides the keys of terms that are not decided. Terms without
        // bounds of keys come first: the zones of later terms exclude them, and need no bounds of keys for that.
        var ordered = terms.OrderBy(term => term.Rest is not null).ThenBy(term => term.HasKeys).ToEquatableArray();
        return new(chunkLength, dilation, rowChunk, ordered, terms.Any(term => term.Rest is not null) ? mask : null);
    }

    /// <summary>
    /// Whether the terms would separate a few decided keys from an expression that is computed for all keys. Two runs would cost more than one.
    /// </summary>
    private static bool IsSplitInVain(IReadOnlyList<MaskTerm> terms) =>
        terms.Count > 1 && terms.Any(term => term.Rest is not null && !term.HasKeys) && terms.Any(term => term.Rest is null && term.HasKeys);

    /// <summary>
    /// The mask as a window: the number of keys that a query sees before its position and after it, null for an open side. The property is null if the bounds
    /// say more than a window.
    /// </summary>
    public (int? Left, int? Right)? Window
    {
        get
        {
            if (ChunkLength != 0 || Dilation != 1 || Terms.Count != 1) return null;
            var term = Terms[0];
            if (term with { FromDistance = default, ToDistance = default, Rest = null } != MaskTerm.All) return null;
            if (!IsSimple(term.FromDistance) || !IsSimple(term.ToDistance)) return null;
            long? left = -MaskTerm.One(term.FromDistance), right = MaskTerm.One(term.ToDistance) - 1;
            return left is null or (>= 0 and < int.MaxValue) && right is null or (>= 0 and < int.MaxValue) ? ((int?)left, (int?)right) : null;
        }
    }

    private static bool IsSimple(EquatableArray<MaskBound> side) => side.Count == 0 || (side.Count == 1 && side[0].IsConstant);

    private static IEnumerable<Expression> Conjuncts(Expression mask) => mask switch
    {
        OperationExpression { Operation: "&&" } and => and.Operands.SelectMany(Conjuncts),
        OperationExpression { Operation: "!", First: OperationExpression { Operation: "||" } or } => or.Operands.SelectMany(part => Conjuncts(Not(part))),
        OperationExpression { Operation: "!", First: OperationExpression { Operation: "!", First: var twice } } => Conjuncts(twice),
        _ => [mask],
    };

    private static OperationExpression Not(Expression part) => new(Kind.Bool, "!", new[] { part }.ToEquatableArray());

    /// <summary>The length in <c>query / length == key / length</c>.</summary>
    private static int? Chunk(Expression part) =>
        part is OperationExpression
        {
            Operation: "==", First: OperationExpression { Operation: "/", Kind: Kind.Int, First: InputExpression first } left,
            Second: OperationExpression { Operation: "/", First: InputExpression second } right,
        }
        && left.Second is ConstantExpression { Value: > 1 and var length } && right.Second == left.Second
        && (first.Input, second.Input) is (Input.Query, Input.Key) or (Input.Key, Input.Query)
            ? (int)length
            : null;

    /// <summary>The step in <c>(query - key) % step == 0</c>.</summary>
    private static int? Step(Expression part) =>
        part is OperationExpression
        {
            Operation: "==",
            First: OperationExpression
            {
                Operation: "%", First: OperationExpression { Operation: "-", First: InputExpression first, Second: InputExpression second },
                Second: ConstantExpression { Value: > 1 and <= 1 << 20 and var step },
            },
            Second: ConstantExpression { Value: 0 },
        }
        && (first.Input, second.Input) is (Input.Query, Input.Key) or (Input.Key, Input.Query)
            ? (int)step
            : null;
}
