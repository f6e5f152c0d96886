using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>
/// What bounds say of a mask of the user's, in closed form: chunks and a dilation that hold for all pairs, and the terms of which a key has to be in one. What
/// they leave is computed for each key of the terms that are not decided.
/// </summary>
/// <param name="ChunkLength">Queries see keys of their own chunk, position / length; 0 where it is not so.</param>
/// <param name="Dilation">The distance of query and key is a multiple of it; 1 where it is not so.</param>
/// <param name="RowChunk">The length of the chunks by which bounds of the terms move on; 0 for none.</param>
/// <param name="Terms">The decided ones first.</param>
/// <param name="Rest">What decides on the keys of a term that is not decided; null where all are.</param>
internal sealed record MaskBounds(int ChunkLength, int Dilation, int RowChunk, EquatableArray<MaskTerm> Terms, Expression? Rest)
{
    /// <summary>Bounds of a mask.</summary>
    /// <param name="chunks">Whether chunks can be taken by themselves.</param>
    /// <param name="interleaves">Whether every n-th key can be taken by itself.</param>
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

        // Each part that bounds can say, unless there would be too many terms; the others are computed.
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

        // What one term leaves open another may let through: for the keys of terms that are not decided, the whole expression decides. Terms without bounds among
        // the keys come first: what is taken from others then needs none.
        var ordered = terms.OrderBy(term => term.Rest is not null).ThenBy(term => term.HasKeys).ToEquatableArray();
        return new(chunkLength, dilation, rowChunk, ordered, terms.Any(term => term.Rest is not null) ? mask : null);
    }

    /// <summary>Whether a few decided keys would be cut out of what is computed for all: two runs instead of one, for nothing.</summary>
    private static bool IsSplitInVain(IReadOnlyList<MaskTerm> terms) => terms.Count > 1 && terms.Any(term => term.Rest is not null && !term.HasKeys) && terms.Any(term => term.Rest is null && term.HasKeys);

    /// <summary>How many keys before its position a query sees, and behind it, where that is all that the mask says beside its rest; null where a side is open.</summary>
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
        part is OperationExpression { Operation: "==", First: OperationExpression { Operation: "/", Kind: Kind.Int, First: InputExpression first } left, Second: OperationExpression { Operation: "/", First: InputExpression second } right }
        && left.Second is ConstantExpression { Value: > 1 and var length } && right.Second == left.Second
        && (first.Input, second.Input) is (Input.Query, Input.Key) or (Input.Key, Input.Query)
            ? (int)length
            : null;

    /// <summary>The step in <c>(query - key) % step == 0</c>.</summary>
    private static int? Step(Expression part) =>
        part is OperationExpression
        {
            Operation: "==", First: OperationExpression { Operation: "%", First: OperationExpression { Operation: "-", First: InputExpression first, Second: InputExpression second }, Second: ConstantExpression { Value: > 1 and <= 1 << 20 and var step } },
            Second: ConstantExpression { Value: 0 },
        }
        && (first.Input, second.Input) is (Input.Query, Input.Key) or (Input.Key, Input.Query)
            ? (int)step
            : null;
}
