#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
using Axes = AttentionGen.AttentionAxes;
using Role = AttentionGen.AttentionRole;

namespace AttentionGen;
#endif

/// <summary>
/// The role of a parameter of a kernel. The name of the parameter, in any case, gives the role, unless a <see cref="RoleAttribute"/> gives another one. A
/// tensor is a span or a tensor span. The declaration determines the shape of a span. A <see cref="System.Numerics.Tensors.ReadOnlyTensorSpan{T}"/>
/// (<see cref="System.Numerics.Tensors.TensorSpan{T}"/> for the output) has a shape, which the kernel checks, and strides, which the kernel uses. The elements of
/// keys and values may also be <see cref="Half"/> or <see cref="BFloat16"/>, those of query and output that type or float.
/// </summary>
#if ATTENTIONGEN_GENERATOR
internal enum Role
#else
public enum AttentionRole
#endif
{
    /// <summary><c>ReadOnlySpan&lt;float&gt; query</c> or <c>ReadOnlyTensorSpan&lt;float&gt; query</c>: [batch, queries, heads, headDim].</summary>
    Query,

    /// <summary><c>ReadOnlySpan&lt;float&gt; key</c> or <c>ReadOnlyTensorSpan&lt;float&gt; key</c>: [batch, keys, keyValueHeads, headDim].</summary>
    Key,

    /// <summary><c>ReadOnlySpan&lt;float&gt; value</c> or <c>ReadOnlyTensorSpan&lt;float&gt; value</c>: [batch, keys, keyValueHeads, valueDim].</summary>
    Value,

    /// <summary>
    /// <c>Span&lt;float&gt; output</c> or <c>TensorSpan&lt;float&gt; output</c>: [batch, queries, heads, valueDim]. It must not overlap another argument.
    /// </summary>
    Output,

    /// <summary>
    /// <c>int batch</c>: the number of batch items. It is valid only with <see cref="AttentionAttribute.Batched"/>, which requires it unless all tensors
    /// are tensor spans.
    /// </summary>
    Batch,

    /// <summary><c>int queryStart</c>: the position of the first query, 0 or more, for all batch items. It applies to a causal mask or a window.</summary>
    QueryStart,

    /// <summary><c>ReadOnlySpan&lt;int&gt; queryStarts</c>: [batch], the position of the first query of each batch item.</summary>
    QueryStarts,

    /// <summary><c>ReadOnlySpan&lt;int&gt; keyLengths</c>: [batch], the number of visible keys of each batch item (padding).</summary>
    KeyLengths,

    /// <summary><c>int maxThreads</c>: the maximum number of threads of the call, 1 or more.</summary>
    MaxThreads,

    /// <summary>
    /// <c>Span&lt;byte&gt; scratch</c>: working memory of the caller, in bytes, which replaces the library's own. One thread needs at most
    /// <see cref="AttentionKernelInfo.ScratchBytes"/>. With less memory than all threads need, the call uses fewer threads. With an empty span, the call
    /// uses the library's own memory.
    /// </summary>
    Scratch,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; bias</c>: an addend of the scores, after scale and soft cap. It has the axes <see cref="AttentionAttribute.BiasAxes"/>.
    /// -infinity hides the key.
    /// </summary>
    Bias,

    /// <summary>
    /// <c>ReadOnlySpan&lt;bool&gt; keep</c>: true where a key is visible; false hides it. It has the axes <see cref="AttentionAttribute.KeepAxes"/>. It
    /// combines with the other masks.
    /// </summary>
    Keep,

    /// <summary><c>ReadOnlySpan&lt;float&gt; slopes</c>: [heads], the amount that a score loses for each position between query and key (ALiBi).</summary>
    Slopes,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; sinks</c>: [heads], one more score of each row, without a key. It receives weight and adds no value. It is not scaled.
    /// </summary>
    Sinks,

    /// <summary>
    /// <c>Span&lt;float&gt; logSumExp</c>: [batch, heads, queries], the natural logarithm of the sum of the exponentials of each row's scores. A row that
    /// sees no key has -infinity. <see cref="AttentionState"/> uses it to merge outputs of the same rows over different keys.
    /// </summary>
    LogSumExp,

    /// <summary>
    /// <c>int prefixLength</c>: the number of first keys that every query sees under a causal mask, 0 or more, for all batch items. It replaces
    /// <see cref="AttentionAttribute.PrefixLength"/>.
    /// </summary>
    PrefixLength,

    /// <summary><c>ReadOnlySpan&lt;int&gt; prefixLengths</c>: [batch], the number of first keys that every query of each batch item sees.</summary>
    PrefixLengths,

    /// <summary>
    /// <c>ReadOnlySpan&lt;int&gt; documentStarts</c>: [documents + 1], the index of the first token of each document, from 0, and the end of the last
    /// document. The tensors contain the documents one after the other. A query sees keys of its own document, and positions start at 0 in each document.
    /// Operands with an element for each batch item (queryStarts, keyLengths, prefixLengths) then have an element for each document. The output is bitwise
    /// equal to that of separate calls.
    /// </summary>
    DocumentStarts,

    /// <summary>
    /// <c>ReadOnlySpan&lt;int&gt; keyDocumentStarts</c>: [documents + 1], the same for keys and values, where their number differs from that of the
    /// queries.
    /// </summary>
    KeyDocumentStarts,

    /// <summary>
    /// <c>ReadOnlySpan&lt;int&gt; keyBlockStarts</c>: [batch, keyValueHeads, query blocks], reduced to the axes of
    /// <see cref="AttentionAttribute.BlockAxes"/>, and one more element. Each block of <see cref="AttentionAttribute.QueryBlockSize"/> queries has a list
    /// of visible key blocks in <c>keyBlocks</c>. An element is the index at which the list starts. The last element is the end of the last list
    /// (compressed rows).
    /// </summary>
    KeyBlockStarts,

    /// <summary>
    /// <c>ReadOnlySpan&lt;int&gt; keyBlocks</c>: the lists of visible key blocks, each in rising order. Block i starts at key i *
    /// <see cref="AttentionAttribute.KeyBlockSize"/>. The other masks apply within the blocks.
    /// </summary>
    KeyBlocks,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; relativeBias</c>: [buckets, heads], finite, an addend of the scores of each head for the bucket of the distance between
    /// query and key (T5, as its embedding stores it). It needs <see cref="AttentionAttribute.RelativeBuckets"/>. T5 does not scale: use <c>Scale = 1</c>.
    /// </summary>
    RelativeBias,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; scales</c>: [heads], the factor of the scores of each head. It replaces <see cref="AttentionAttribute.Scale"/>. Finite;
    /// negative and 0 are valid.
    /// </summary>
    Scales,

    /// <summary>
    /// <c>Span&lt;float&gt; scores</c>: [batch, heads, queries, keys], the score matrix at the stage <see cref="AttentionAttribute.ScoresStage"/>; the
    /// default is the weights. The kernel writes all elements.
    /// </summary>
    Scores,

    /// <summary>
    /// <c>Span&lt;float&gt; maxScore</c>: [batch, heads, queries], the largest score of each row after cap, bias and mask. A row that sees no key has
    /// -infinity.
    /// </summary>
    MaxScore,

    /// <summary>
    /// <c>Span&lt;float&gt; entropy</c>: [batch, heads, queries], the entropy of the weights of each row, in nats. It is 0 if one key has all the weight,
    /// and ln(keys) if all keys have the same weight. A sink counts as one more key. A row that sees no key has 0.
    /// </summary>
    Entropy,

    /// <summary>
    /// <c>Span&lt;int&gt; argmax</c>: [batch, heads, queries], the index of the key with the largest weight of each row, the first among equals. The index
    /// counts the keys of the tensors, like the columns of <see cref="Scores"/>. A row that sees no key or has a NaN has -1.
    /// </summary>
    ArgMax,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; queryNormWeight</c>: [headDim], the factors of the elements of normalised queries, see
    /// <see cref="AttentionAttribute.QueryKeyNorm"/>.
    /// </summary>
    QueryNormWeight,

    /// <summary><c>ReadOnlySpan&lt;float&gt; keyNormWeight</c>: [headDim], the factors of the elements of normalised keys.</summary>
    KeyNormWeight,

    /// <summary>
    /// <c>RotaryTable rotary</c>: the cosines and sines of the positions of queries and keys, which <see cref="AttentionAttribute.Rotary"/> rotates. It is not
    /// null. Its RotaryDim is that of the kernel, and it has the positions of all queries and keys of the call.
    /// </summary>
    Rotary,

    /// <summary>
    /// <c>KeyValueCache&lt;T&gt; cache</c> or <c>RingKeyValueCache&lt;T&gt; cache</c>: keys and values of earlier tokens. With parameters <c>key</c> and <c>value</c>, the call first appends these, one token
    /// for each query; without them, the queries attend to what is there. The type T is the one in which keys and values are stored.
    /// <c>PagedKeyValueCache&lt;T&gt; cache</c> holds several sequences, which the parameter <c>sequences</c> selects.
    /// </summary>
    Cache,

    /// <summary><c>int layer</c>: the layer of the cache, 0 or more and less than <see cref="AttentionCache.Layers"/>; 0 if it is not given.</summary>
    Layer,

    /// <summary>
    /// <c>ReadOnlySpan&lt;SequenceId&gt; sequences</c>: [documents], the sequence of each document in a <see cref="PagedKeyValueCache{T}"/>, each once. Without
    /// <c>documentStarts</c>, there is one sequence.
    /// </summary>
    Sequences,

    /// <summary><c>ReadOnlySpan&lt;float&gt; input</c>: [batch, queries, modelDim], the rows of a layer (<see cref="MultiHeadAttentionAttribute"/>) from which queries, keys and values come.</summary>
    Input,

    /// <summary><c>ReadOnlySpan&lt;float&gt; context</c>: [batch, keys, contextDim], the rows from which the keys and values of a layer come, where they are not those of the input (cross attention).</summary>
    Context,

    /// <summary><c>AttentionWeights&lt;T&gt; weights</c>: the projections of a layer.</summary>
    Weights,

    /// <summary><c>ReadOnlySpan&lt;float&gt; residual</c>: [batch, queries, outputDim], an addend of the output of a layer. It may be the output itself.</summary>
    Residual,

    /// <summary><c>ReadOnlySpan&lt;float&gt; scoreVector</c>: [heads, headDim], the factors of the hyperbolic tangents of <see cref="AttentionScore.Additive"/>, at most 1e20 in magnitude.</summary>
    ScoreVector,

    /// <summary><c>ReadOnlySpan&lt;float&gt; queryKeyWeight</c>: [heads, headDim, keyDim], the matrices of <see cref="AttentionScore.General"/>.</summary>
    QueryKeyWeight,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; decay</c>: the natural logarithm of the factor of the state of linear attention (<see cref="LinearAttentionAttribute"/>). It has the axes
    /// <see cref="LinearAttentionAttribute.DecayAxes"/>. -infinity forgets all earlier tokens.
    /// </summary>
    Decay,

    /// <summary><c>ReadOnlySpan&lt;float&gt; beta</c>: the rate of the correction of the state. It has the axes <see cref="LinearAttentionAttribute.BetaAxes"/>.</summary>
    Beta,

    /// <summary><c>Span&lt;float&gt; state</c>: [batch, keyValueHeads, headDim, valueDim], the state before the call and after it. With documents, each has one.</summary>
    State,

    /// <summary><c>Span&lt;float&gt; normalizer</c>: [batch, keyValueHeads, headDim], the sum of the keys before the call and after it (<see cref="LinearAttentionAttribute.Normalize"/>).</summary>
    Normalizer,
}

/// <summary>The type of the elements of an operand.</summary>
internal enum ElementType
{
    Float,
    Int,
    Bool,
    Byte,
    Half,
    BFloat16,
    SByte,
}

/// <summary>The properties of element types.</summary>
internal static class ElementTable
{
    /// <summary>
    /// The C# name with its namespace, the size of an element in bytes, the part in the name of a core, and the last part in the names of the functions that
    /// load and store it.
    /// </summary>
    public static (string Text, int Bytes, string Name, string Suffix) Of(ElementType type) => type switch
    {
        ElementType.Float => ("float", 4, "f32", ""),
        ElementType.Int => ("int", 4, "i32", ""),
        ElementType.Bool => ("bool", 1, "bool", ""),
        ElementType.Byte => ("byte", 1, "u8", ""),
        ElementType.Half => ("global::System.Half", 2, "f16", "Half"),
        ElementType.BFloat16 => ("global::AttentionGen.BFloat16", 2, "bf16", "BFloat16"),
        ElementType.SByte => ("sbyte", 1, "i8", "SByte"),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "The element type has no row in the table."),
    };
}

/// <summary>The form in which a parameter passes an operand.</summary>
internal enum OperandKind
{
    /// <summary>A tensor [batch, tokens, heads, dim]: a span in the declared layout, or a tensor span with its own shape.</summary>
    Tensor,

    /// <summary>An <c>int</c>.</summary>
    Number,

    /// <summary>Numbers that bound the memory that a kernel reads and writes. The call copies and checks them; the layout uses them.</summary>
    Numbers,

    /// <summary>A tensor over some of batch, heads, queries and keys. Kernels read it to compute scores.</summary>
    Input,

    /// <summary>A tensor over some of these axes. Kernels write it in addition to the output.</summary>
    Result,

    /// <summary>Memory that is not an operand of the formula.</summary>
    Memory,

    /// <summary>An object of the library with numbers that kernels read.</summary>
    Table,

    /// <summary>An object of the library with the keys and values.</summary>
    Cache,

    /// <summary>Rows before or after the projections of a layer, or these.</summary>
    Layer,

    /// <summary>The state of linear attention, or what changes it.</summary>
    Recurrence,
}

/// <summary>The declarations that have a role.</summary>
[Flags]
internal enum OperandUse
{
    /// <summary>A kernel, with queries, keys and values of its own.</summary>
    Kernel = 1,

    /// <summary>A layer, which projects them.</summary>
    Layer = 2,

    /// <summary>Linear attention.</summary>
    Linear = 4,

    All = Kernel | Layer | Linear,
}

/// <summary>The number of elements of an operand.</summary>
internal enum OperandExtent
{
    /// <summary>One for each index of its axes.</summary>
    Axes,

    /// <summary>One for each element of a query head: [headDim].</summary>
    HeadDim,

    /// <summary>One for each bucket and query head: [buckets, heads].</summary>
    Buckets,

    /// <summary>One for each element of each query head: [heads, headDim].</summary>
    HeadsByDim,

    /// <summary>One for each element of a query and of a key, of each query head: [heads, headDim, keyDim].</summary>
    HeadsByDims,
}

/// <summary>The values that a call refuses in an operand.</summary>
internal enum OperandValues
{
    Any,

    /// <summary>NaN and infinities are refused.</summary>
    Finite,

    /// <summary>NaN and +infinity are refused. -infinity means "none".</summary>
    BelowInfinity,

    /// <summary>NaN and magnitudes above <see cref="OperandTable.MostFactor"/> are refused, whose products would leave the range of floats.</summary>
    Factors,
}

/// <summary>The elements of a result for a row that sees no key.</summary>
internal enum OperandEmpty
{
    NegativeInfinity,
    Zero,
    MinusOne,

    /// <summary>The sink of the head, or -infinity without sinks.</summary>
    Sink,

    /// <summary>The value of a hidden key at the stage of the score matrix: the weight 0, or the score -infinity.</summary>
    Hidden,
}

/// <summary>
/// The row of a role in the table of operands. The parser reads the name and the types of the parameter from it. Rules and messages, the call in the
/// dispatcher, the checks of the call and the slot in a core come from it. The harness of the NEON tests and the table of the reference documentation use
/// it, too.
/// </summary>
/// <param name="Role">The role. Its number is the place of the row in the table.</param>
/// <param name="Name">The name of a parameter with the role, in any case.</param>
/// <param name="Kind">The form in which the parameter passes the operand.</param>
/// <param name="Element">The type of its elements.</param>
/// <param name="Axes">Its axes. If a declaration may give other axes, these are the default.</param>
/// <param name="Shape">Its shape, as readable text.</param>
/// <param name="Text">Its description, as readable sentences.</param>
internal sealed record OperandRow(Role Role, string Name, OperandKind Kind, ElementType Element, Axes Axes, string Shape, string Text)
{
    /// <summary>Whether every declaration that has the role needs it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The declarations that have the role.</summary>
    public OperandUse Use { get; init; } = OperandUse.Kernel | OperandUse.Layer;

    /// <summary>Whether it needs a mask or a score that depends on positions.</summary>
    public bool NeedsPositions { get; init; }

    /// <summary>Other types that its elements may have.</summary>
    public IReadOnlyList<ElementType> Others { get; init; } = [];

    /// <summary>What its number of elements depends on.</summary>
    public OperandExtent Extent { get; init; }

    /// <summary>The values that a call refuses in it.</summary>
    public OperandValues Values { get; init; }

    /// <summary>Whether the declaration may give it other axes.</summary>
    public bool HasDeclaredAxes { get; init; }

    /// <summary>The elements of a result for a row that sees no key.</summary>
    public OperandEmpty Empty { get; init; }

    /// <summary>The types of the parameter in C#, with {0} for that of its elements, if it is an object and not a number or a span; empty otherwise. The usual one comes first.</summary>
    public IReadOnlyList<string> ObjectTypes { get; init; } = [];

    /// <summary>Whether the kernel writes it.</summary>
    public bool IsWritten => Kind == OperandKind.Result || Role is Role.Output or Role.State or Role.Normalizer;

    /// <summary>Whether cores find it in a slot.</summary>
    public bool HasSlot => Kind is OperandKind.Input or OperandKind.Result or OperandKind.Table;
}

/// <summary>The table of operands: one row for each role, in the order of the roles.</summary>
internal static class OperandTable
{
    /// <summary>The type of a cache of several sequences, with {0} for that of its elements.</summary>
    public const string PagedCache = "global::AttentionGen.PagedKeyValueCache<{0}>";

    private const Axes OfRows = Axes.Batch | Axes.Head | Axes.Query;

    /// <summary>The types of rows that are stored with 16 bits.</summary>
    private static ElementType[] Narrow => [ElementType.Half, ElementType.BFloat16];

    private static readonly OperandRow[] s_rows =
    [
        new(Role.Query, "query", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, queries, heads, headDim]",
            "The queries.") { IsRequired = true, Use = OperandUse.Kernel | OperandUse.Linear, Others = Narrow },
        new(Role.Key, "key", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, keys, keyValueHeads, headDim]",
            "The keys.") { IsRequired = true, Use = OperandUse.Kernel | OperandUse.Linear, Others = Narrow },
        new(Role.Value, "value", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, keys, keyValueHeads, valueDim]",
            "The values.") { IsRequired = true, Use = OperandUse.Kernel | OperandUse.Linear, Others = Narrow },
        new(Role.Output, "output", OperandKind.Tensor, ElementType.Float, Axes.None, "[batch, queries, heads, valueDim]",
            "The kernel writes the result here. It must not share an element with another argument.") { IsRequired = true, Use = OperandUse.All, Others = Narrow },
        new(Role.Batch, "batch", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The number of batch items, 0 or more. `Batched = true` requires it, unless all four tensors are tensor spans.") { Use = OperandUse.All },
        new(Role.QueryStart, "queryStart", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The position of the first query, 0 or more, for all batch items. It needs a causal mask or a window. Without a start, the last query stands at the last visible key.") { NeedsPositions = true },
        new(Role.QueryStarts, "queryStarts", OperandKind.Numbers, ElementType.Int, Axes.Batch, "[batch]",
            "The position of the first query of each batch item.") { NeedsPositions = true },
        new(Role.KeyLengths, "keyLengths", OperandKind.Numbers, ElementType.Int, Axes.Batch, "[batch]",
            "The number of visible keys of each batch item (padding)."),
        new(Role.MaxThreads, "maxThreads", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The most threads that the call may use, 1 or more. Without it, `AttentionOptions.MaxDegreeOfParallelism` is the limit.") { Use = OperandUse.All },
        new(Role.Scratch, "scratch", OperandKind.Memory, ElementType.Byte, Axes.None, "",
            "Working memory of the caller, which the call uses instead of the library's. An empty span means the library's.") { Use = OperandUse.Kernel },
        new(Role.Bias, "bias", OperandKind.Input, ElementType.Float, Axes.Query | Axes.Key, "`BiasAxes`",
            "The kernel adds it to the scores, after scale and soft cap. -infinity hides the key.") { HasDeclaredAxes = true },
        new(Role.Keep, "keep", OperandKind.Input, ElementType.Bool, Axes.Query | Axes.Key, "`KeepAxes`",
            "False hides the key. It applies beside the other masks.") { HasDeclaredAxes = true },
        new(Role.Slopes, "slopes", OperandKind.Input, ElementType.Float, Axes.Head, "[heads]",
            "The amount that a score loses for each position between query and key (ALiBi). Slopes are finite.") { Values = OperandValues.Finite },
        new(Role.Sinks, "sinks", OperandKind.Input, ElementType.Float, Axes.Head, "[heads]",
            "One more score for each row, which receives weight but has no value. It is not scaled; -infinity means no sink.") { Values = OperandValues.BelowInfinity },
        new(Role.LogSumExp, "logSumExp", OperandKind.Result, ElementType.Float, OfRows, "[batch, heads, queries]",
            "The kernel writes the natural log-sum-exp of each row's scores. `AttentionState.Merge` uses it to join results over parts of the keys.") { Empty = OperandEmpty.Sink },
        new(Role.PrefixLength, "prefixLength", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The number of first keys that every query sees under a causal mask, for all batch items. It replaces `PrefixLength`."),
        new(Role.PrefixLengths, "prefixLengths", OperandKind.Numbers, ElementType.Int, Axes.Batch, "[batch]",
            "The number of first keys that every query sees, for each batch item."),
        new(Role.DocumentStarts, "documentStarts", OperandKind.Numbers, ElementType.Int, Axes.None, "[documents + 1]",
            "Cumulative lengths of documents packed one after the other, from 0. A query sees keys of its own document, and each document has the bits of a separate call.") { Use = OperandUse.All },
        new(Role.KeyDocumentStarts, "keyDocumentStarts", OperandKind.Numbers, ElementType.Int, Axes.None, "[documents + 1]",
            "Cumulative lengths of the documents among the keys, where the number of keys differs from the number of queries."),
        new(Role.KeyBlockStarts, "keyBlockStarts", OperandKind.Numbers, ElementType.Int, Axes.None, "`BlockAxes`, and one more",
            "The index in `keyBlocks` at which the list of each block of queries begins, and the end of the last list (compressed rows)."),
        new(Role.KeyBlocks, "keyBlocks", OperandKind.Numbers, ElementType.Int, Axes.None, "[listed blocks]",
            "The lists: the numbers of the key blocks that a block of queries sees, in rising order."),
        new(Role.RelativeBias, "relativeBias", OperandKind.Input, ElementType.Float, Axes.Head, "[buckets, heads]",
            "The kernel adds the element of the bucket of the distance j - p to the score, as T5 stores it. T5 does not scale: use `Scale = 1`.") { Extent = OperandExtent.Buckets, Values = OperandValues.Finite },
        new(Role.Scales, "scales", OperandKind.Input, ElementType.Float, Axes.Head, "[heads]",
            "The factor of the scores of each head. It replaces `Scale`.") { Values = OperandValues.Finite },
        new(Role.Scores, "scores", OperandKind.Result, ElementType.Float, OfRows | Axes.Key, "[batch, heads, queries, keys]",
            "The kernel writes the score matrix at the stage `ScoresStage`. A key that a row does not see has the weight 0 and the score -infinity.") { Empty = OperandEmpty.Hidden },
        new(Role.MaxScore, "maxScore", OperandKind.Result, ElementType.Float, OfRows, "[batch, heads, queries]",
            "The kernel writes the largest score of each row, after cap, bias and mask. A row that sees no key has -infinity."),
        new(Role.Entropy, "entropy", OperandKind.Result, ElementType.Float, OfRows, "[batch, heads, queries]",
            "The kernel writes the entropy of the weights of each row, natural, with a sink as one more key. A row that sees no key has 0.") { Empty = OperandEmpty.Zero },
        new(Role.ArgMax, "argmax", OperandKind.Result, ElementType.Int, OfRows, "[batch, heads, queries]",
            "The kernel writes the index of the key with the largest weight of each row, the first among equals. A row that sees no key has -1.") { Empty = OperandEmpty.MinusOne },
        new(Role.QueryNormWeight, "queryNormWeight", OperandKind.Input, ElementType.Float, Axes.None, "[headDim]",
            "The factors of the elements of normalised queries. Gemma stores its weights less 1: add it.") { Extent = OperandExtent.HeadDim },
        new(Role.KeyNormWeight, "keyNormWeight", OperandKind.Input, ElementType.Float, Axes.None, "[headDim]",
            "The factors of the elements of normalised keys.") { Extent = OperandExtent.HeadDim },
        new(Role.Rotary, "rotary", OperandKind.Table, ElementType.Float, Axes.None, "[positions, `RotaryDim`]",
            "The cosines and sines of the positions of queries and keys, see [rotary positions](#rotary-positions).") { ObjectTypes = ["global::AttentionGen.RotaryTable"] },
        new(Role.Cache, "cache", OperandKind.Cache, ElementType.Float, Axes.None, "[layers, tokens, keyValueHeads, headDim] and [..., valueDim]",
            "The keys and values of earlier tokens, see [caches](#caches).") { Others = [.. Narrow, ElementType.SByte], ObjectTypes = ["global::AttentionGen.KeyValueCache<{0}>", "global::AttentionGen.RingKeyValueCache<{0}>", PagedCache] },
        new(Role.Layer, "layer", OperandKind.Number, ElementType.Int, Axes.None, "",
            "The layer of the cache, from 0 on. Without it, the first one."),
        new(Role.Sequences, "sequences", OperandKind.Cache, ElementType.Float, Axes.None, "[documents]",
            "The sequence of each document in a `PagedKeyValueCache`, each once. Without `documentStarts`, one sequence.") { ObjectTypes = ["global::System.ReadOnlySpan<global::AttentionGen.SequenceId>"] },
        new(Role.Input, "input", OperandKind.Layer, ElementType.Float, Axes.None, "[batch, queries, modelDim]",
            "The rows of a layer, from which queries, keys and values come, see [layers](#layers).") { IsRequired = true, Use = OperandUse.Layer },
        new(Role.Context, "context", OperandKind.Layer, ElementType.Float, Axes.None, "[batch, keys, contextDim]",
            "The rows from which the keys and values of a layer come, where they are not those of the input.") { Use = OperandUse.Layer },
        new(Role.Weights, "weights", OperandKind.Layer, ElementType.Float, Axes.None, "",
            "The projections of a layer.") { IsRequired = true, Use = OperandUse.Layer, Others = [ElementType.BFloat16, ElementType.SByte], ObjectTypes = ["global::AttentionGen.AttentionWeights<{0}>"] },
        new(Role.Residual, "residual", OperandKind.Layer, ElementType.Float, Axes.None, "[batch, queries, outputDim]",
            "A layer adds it to its output. It may be the output itself.") { Use = OperandUse.Layer },
        new(Role.ScoreVector, "scoreVector", OperandKind.Input, ElementType.Float, Axes.Head, "[heads, headDim]",
            "The factors of the hyperbolic tangents of additive scores, at most 1e20 in magnitude.") { Use = OperandUse.Kernel, Extent = OperandExtent.HeadsByDim, Values = OperandValues.Factors },
        new(Role.QueryKeyWeight, "queryKeyWeight", OperandKind.Input, ElementType.Float, Axes.Head, "[heads, headDim, `KeyDim`]",
            "The matrices between queries and keys of general scores.") { Use = OperandUse.Kernel, Extent = OperandExtent.HeadsByDims },
        new(Role.Decay, "decay", OperandKind.Recurrence, ElementType.Float, Axes.Head | Axes.Key, "`DecayAxes`",
            "The natural logarithm of the factor of the state of [linear attention](linear-attention.md). -infinity forgets all earlier tokens.") { Use = OperandUse.Linear, HasDeclaredAxes = true },
        new(Role.Beta, "beta", OperandKind.Recurrence, ElementType.Float, Axes.Head | Axes.Key, "`BetaAxes`",
            "The rate of the correction of the state of linear attention.") { Use = OperandUse.Linear, HasDeclaredAxes = true },
        new(Role.State, "state", OperandKind.Recurrence, ElementType.Float, Axes.None, "[batch, keyValueHeads, headDim, valueDim]",
            "The state of linear attention. The kernel reads it and writes the state after the last token. With documents, each has one.") { Use = OperandUse.Linear },
        new(Role.Normalizer, "normalizer", OperandKind.Recurrence, ElementType.Float, Axes.None, "[batch, keyValueHeads, headDim]",
            "The sum of the keys of linear attention with `Normalize`. The kernel reads it and writes the sum after the last token.") { Use = OperandUse.Linear },
    ];

    /// <summary>The last role that has a slot.</summary>
    public const Role LastSlot = Role.QueryKeyWeight;

    /// <summary>The largest magnitude of a factor: a product with those of a few exponentials, each below 2^26, is finite.</summary>
    public const float MostFactor = 1e20f;

    public static IReadOnlyList<OperandRow> Rows => s_rows;

    public static OperandRow Row(Role role) => s_rows[(int)role];

    /// <summary>The row of a role, or null if there is no such role.</summary>
    public static OperandRow? Find(Role role) => (uint)role < (uint)s_rows.Length ? s_rows[(int)role] : null;
}
