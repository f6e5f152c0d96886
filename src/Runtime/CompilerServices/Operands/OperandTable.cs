#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
using Axes = AttentionGen.AttentionAxes;
using Role = AttentionGen.AttentionRole;

namespace AttentionGen.CompilerServices;
#endif

/// <summary>The type of the elements of an operand.</summary>
internal enum ElementType
{
    Float,
    Int,
    Bool,
    Byte,
}

/// <summary>How a parameter brings an operand.</summary>
internal enum OperandKind
{
    /// <summary>A tensor [batch, tokens, heads, dim]: a span in the declared layout, or a tensor span with its own shape.</summary>
    Tensor,

    /// <summary>An <c>int</c>.</summary>
    Number,

    /// <summary>Numbers that bound what is read and written: they are copied, checked, and used by the layout.</summary>
    Numbers,

    /// <summary>A tensor over some of batch, heads, queries and keys that kernels read beside the scores.</summary>
    Input,

    /// <summary>A tensor over some of these axes that kernels write beside the output.</summary>
    Result,

    /// <summary>Memory that belongs to no operand of the formula.</summary>
    Memory,
}

/// <summary>How many elements an operand has.</summary>
internal enum OperandExtent
{
    /// <summary>One for each index of its axes.</summary>
    Axes,

    /// <summary>One for each element of a query head: [headDim].</summary>
    HeadDim,

    /// <summary>One for each bucket and query head: [buckets, heads].</summary>
    Buckets,

    /// <summary>Whatever the operand's own rule says.</summary>
    Own,
}

/// <summary>Which values of an operand are refused.</summary>
internal enum OperandValues
{
    Any,

    /// <summary>NaN and infinities are refused.</summary>
    Finite,

    /// <summary>NaN and +infinity are refused: -infinity is "none".</summary>
    BelowInfinity,
}

/// <summary>The elements that a result has for a row that sees no key.</summary>
internal enum OperandEmpty
{
    NegativeInfinity,
    Zero,
    MinusOne,

    /// <summary>The sink of the head; -infinity without sinks.</summary>
    Sink,

    /// <summary>What the stage of the score matrix has for a hidden key: the weight 0, or the score -infinity.</summary>
    Hidden,
}

/// <summary>
/// What a parameter of a kernel can be, one row for each role. The row gives the name and types that the parser knows, what rules and messages say, the call that the dispatcher
/// makes, what the call checks, the slot where a core finds it, the harness of the NEON tests its layout, and the table of the reference documentation.
/// </summary>
/// <param name="Role">The role; its number is the slot.</param>
/// <param name="Name">The name of a parameter with the role, in any case.</param>
/// <param name="Kind">How it comes.</param>
/// <param name="Element">The type of its elements.</param>
/// <param name="Axes">The axes that it has; of an operand whose axes are declared, those that it has unless they are.</param>
/// <param name="Shape">Its shape, for people.</param>
/// <param name="Text">What it is, for people: sentences.</param>
internal sealed record OperandRow(Role Role, string Name, OperandKind Kind, ElementType Element, Axes Axes, string Shape, string Text)
{
    /// <summary>Whether every kernel needs it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Whether it means nothing without a mask or a score of positions.</summary>
    public bool NeedsPositions { get; init; }

    public OperandExtent Extent { get; init; }

    public OperandValues Values { get; init; }

    /// <summary>Whether the declaration may give it other axes.</summary>
    public bool HasDeclaredAxes { get; init; }

    /// <summary>What a result has for a row that sees no key.</summary>
    public OperandEmpty Empty { get; init; }

    /// <summary>Whether the kernel writes it.</summary>
    public bool IsWritten => Kind == OperandKind.Result || Role == Role.Output;

    /// <summary>Whether cores find it in a slot.</summary>
    public bool HasSlot => Kind is OperandKind.Input or OperandKind.Result;
}

/// <summary>The rows, in the order of the roles.</summary>
internal static class OperandTable
{
    private const Axes OfRows = Axes.Batch | Axes.Head | Axes.Query;

    private static readonly OperandRow[] s_rows =
    [
        new(Role.Query, "query", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, queries, heads, headDim]",
            "The queries.") { IsRequired = true },
        new(Role.Key, "key", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, keys, keyValueHeads, headDim]",
            "The keys.") { IsRequired = true },
        new(Role.Value, "value", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, keys, keyValueHeads, valueDim]",
            "The values.") { IsRequired = true },
        new(Role.Output, "output", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, queries, heads, valueDim]",
            "The output. It must not overlap another argument.") { IsRequired = true },
        new(Role.Batch, "batch", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The number of batch items, 0 or more. Required with `Batched`, unless all tensors are tensor spans."),
        new(Role.QueryStart, "queryStart", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The position of the first query of every batch item, 0 or more. Without it, the last query sees the last key. PyTorch's `is_causal` means 0.") { NeedsPositions = true },
        new(Role.QueryStarts, "queryStarts", OperandKind.Numbers, ElementType.Int, Axes.Batch, "[batch]",
            "The position of the first query of each batch item.") { NeedsPositions = true },
        new(Role.KeyLengths, "keyLengths", OperandKind.Numbers, ElementType.Int, Axes.Batch, "[batch]",
            "The number of visible keys of each batch item (padding)."),
        new(Role.MaxThreads, "maxThreads", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The most threads of the call, 1 or more. Without it, `AttentionOptions.MaxDegreeOfParallelism`."),
        new(Role.Scratch, "scratch", OperandKind.Memory, ElementType.Byte, Axes.None, "",
            "Working memory of the caller. An empty span means the library's own."),
        new(Role.Bias, "bias", OperandKind.Input, ElementType.Float, Axes.Query | Axes.Key, "`BiasAxes`",
            "It is added to the scores. -infinity hides the key.") { HasDeclaredAxes = true },
        new(Role.Keep, "keep", OperandKind.Input, ElementType.Bool, Axes.Query | Axes.Key, "`KeepAxes`",
            "Which keys are visible; it combines with the other masks.") { HasDeclaredAxes = true },
        new(Role.Slopes, "slopes", OperandKind.Input, ElementType.Float, Axes.Head, "[heads]",
            "What a score loses for each position between query and key (ALiBi). Finite.") { Values = OperandValues.Finite },
        new(Role.Sinks, "sinks", OperandKind.Input, ElementType.Float, Axes.Head, "[heads]",
            "One more score of each row, without a key and without a value. It is not scaled. Finite, or -infinity for none.") { Values = OperandValues.BelowInfinity },
        new(Role.LogSumExp, "logSumExp", OperandKind.Result, ElementType.Float, OfRows, "[batch, heads, queries]",
            "The natural log-sum-exp of the scores of each row; -infinity for a row that sees no key. `AttentionState` merges outputs by it.") { Empty = OperandEmpty.Sink },
        new(Role.PrefixLength, "prefixLength", OperandKind.Number, ElementType.Int, Axes.None, "",
            "Under a causal mask, every query sees so many of the first keys. In place of `PrefixLength` of the attribute."),
        new(Role.PrefixLengths, "prefixLengths", OperandKind.Numbers, ElementType.Int, Axes.Batch, "[batch]",
            "The same for each batch item."),
        new(Role.DocumentStarts, "documentStarts", OperandKind.Numbers, ElementType.Int, Axes.None, "[documents + 1]",
            "Where each packed document begins, from 0 on, and where the last one ends. A query sees keys of its own document. The output has the bits of separate calls."),
        new(Role.KeyDocumentStarts, "keyDocumentStarts", OperandKind.Numbers, ElementType.Int, Axes.None, "[documents + 1]",
            "The same for keys and values, where they are not as many as queries."),
        new(Role.KeyBlockStarts, "keyBlockStarts", OperandKind.Numbers, ElementType.Int, Axes.None, "[batch, keyValueHeads, query blocks] of `BlockAxes`, + 1",
            "Where the list of visible key blocks of each query block begins in `keyBlocks`, and where the last list ends (compressed rows)."),
        new(Role.KeyBlocks, "keyBlocks", OperandKind.Numbers, ElementType.Int, Axes.None, "[visible blocks]",
            "The lists, each of them rising: block i holds the keys from i * `KeyBlockSize` on. The other masks apply within the blocks."),
        new(Role.RelativeBias, "relativeBias", OperandKind.Input, ElementType.Float, Axes.Head, "[buckets, heads]",
            "It is added to the scores of a head by the bucket of the distance of query and key, as T5's embedding stores it. Finite. T5 does not scale: `Scale = 1`.") { Extent = OperandExtent.Buckets, Values = OperandValues.Finite },
        new(Role.Scales, "scales", OperandKind.Input, ElementType.Float, Axes.Head, "[heads]",
            "The factor of the scores of each head instead of `Scale`. Finite.") { Values = OperandValues.Finite },
        new(Role.Scores, "scores", OperandKind.Result, ElementType.Float, OfRows | Axes.Key, "[batch, heads, queries, keys]",
            "The score matrix at the stage that `ScoresStage` names. A key that a row does not see has the weight 0, and the score -infinity.") { Empty = OperandEmpty.Hidden },
        new(Role.MaxScore, "maxScore", OperandKind.Result, ElementType.Float, OfRows, "[batch, heads, queries]",
            "The largest score of each row after cap, bias and mask; -infinity for a row that sees no key."),
        new(Role.Entropy, "entropy", OperandKind.Result, ElementType.Float, OfRows, "[batch, heads, queries]",
            "The entropy of the weights of each row, natural; a sink counts as a key. 0 for a row that sees no key.") { Empty = OperandEmpty.Zero },
        new(Role.ArgMax, "argmax", OperandKind.Result, ElementType.Int, OfRows, "[batch, heads, queries]",
            "The key with the largest weight of each row, the first among equals; -1 for a row that sees no key or has a NaN.") { Empty = OperandEmpty.MinusOne },
        new(Role.QueryNormWeight, "queryNormWeight", OperandKind.Input, ElementType.Float, Axes.None, "[headDim]",
            "Normalised queries are multiplied by it (see `QueryKeyNorm`). Gemma stores its weights less 1: add it.") { Extent = OperandExtent.HeadDim },
        new(Role.KeyNormWeight, "keyNormWeight", OperandKind.Input, ElementType.Float, Axes.None, "[headDim]",
            "Normalised keys are multiplied by it.") { Extent = OperandExtent.HeadDim },
    ];

    public static IReadOnlyList<OperandRow> Rows => s_rows;

    public static OperandRow Row(Role role) => s_rows[(int)role];

    /// <summary>The row of a role, null where there is no such role.</summary>
    public static OperandRow? Find(Role role) => (uint)role < (uint)s_rows.Length ? s_rows[(int)role] : null;
}
