#if ATTENTIONGEN_GENERATOR // the generator cannot reference this library: it compiles this file, too
namespace AttentionGen.Generator.Model;
#else
namespace AttentionGen;
#endif

/// <summary>
/// What a parameter of a kernel is. A parameter has the role that its name says (in any case), or the one that a <see cref="RoleAttribute"/>
/// gives it. A tensor is a span, its shape following from the declaration, or a <see cref="System.Numerics.Tensors.ReadOnlyTensorSpan{T}"/>
/// (<see cref="System.Numerics.Tensors.TensorSpan{T}"/> for the output), whose shape is checked and whose strides are used as they are.
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

    /// <summary><c>Span&lt;float&gt; output</c> or <c>TensorSpan&lt;float&gt; output</c>: [batch, queries, heads, valueDim]. It must not overlap another argument.</summary>
    Output,

    /// <summary>
    /// <c>int batch</c>: the number of batch items; only with <see cref="AttentionAttribute.Batched"/>, and required by it unless all
    /// tensors are tensor spans.
    /// </summary>
    Batch,

    /// <summary>
    /// <c>int queryStart</c>: the position of the first query, 0 or more, the same in every batch item; for a causal mask or a window.
    /// </summary>
    QueryStart,

    /// <summary><c>ReadOnlySpan&lt;int&gt; queryStarts</c>: [batch], a position of the first query for each batch item.</summary>
    QueryStarts,

    /// <summary><c>ReadOnlySpan&lt;int&gt; keyLengths</c>: [batch], the number of visible keys of each batch item (padding).</summary>
    KeyLengths,

    /// <summary><c>int maxThreads</c>: the most threads that the call may use, 1 or more.</summary>
    MaxThreads,

    /// <summary>
    /// <c>Span&lt;byte&gt; scratch</c>: working memory of the caller's, used instead of the library's own. What a thread needs at most is
    /// <see cref="AttentionKernelInfo.ScratchBytes"/>; with less for all threads the call uses fewer. An empty one means the library's own.
    /// </summary>
    Scratch,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; bias</c>: what is added to the scores, scaled and capped, one for each element of <see cref="AttentionAttribute.BiasAxes"/>.
    /// -infinity hides the key.
    /// </summary>
    Bias,

    /// <summary><c>ReadOnlySpan&lt;bool&gt; keep</c>: which keys are visible, one for each element of <see cref="AttentionAttribute.KeepAxes"/>; beside the other masks.</summary>
    Keep,

    /// <summary><c>ReadOnlySpan&lt;float&gt; slopes</c>: [heads], what a score loses for each position between query and key (ALiBi).</summary>
    Slopes,

    /// <summary><c>ReadOnlySpan&lt;float&gt; sinks</c>: [heads], one more score of each row, without a key: it has weight and adds no value. It is not scaled.</summary>
    Sinks,

    /// <summary>
    /// <c>Span&lt;float&gt; logSumExp</c>: [batch, heads, queries], the natural logarithm of the sum of the exponentials of each row's scores; -infinity
    /// for a row that sees no key. With outputs of the same rows over other keys it is merged by <see cref="AttentionState"/>.
    /// </summary>
    LogSumExp,

    /// <summary>
    /// <c>int prefixLength</c>: under a causal mask, how many of the first keys every query sees, 0 or more, the same in every batch item. In place of
    /// <see cref="AttentionAttribute.PrefixLength"/>.
    /// </summary>
    PrefixLength,

    /// <summary><c>ReadOnlySpan&lt;int&gt; prefixLengths</c>: [batch], how many of the first keys every query of each batch item sees.</summary>
    PrefixLengths,

    /// <summary>
    /// <c>ReadOnlySpan&lt;int&gt; documentStarts</c>: [documents + 1], where each of the documents begins that are packed one after the other, from 0 on, and where the
    /// last one ends. A query sees keys of its own document, whose positions begin at 0; what else belongs to batch items (queryStarts, keyLengths,
    /// prefixLengths) then belongs to documents. The output has the bits of separate calls.
    /// </summary>
    DocumentStarts,

    /// <summary><c>ReadOnlySpan&lt;int&gt; keyDocumentStarts</c>: [documents + 1], the same for keys and values, where they are not as many as queries.</summary>
    KeyDocumentStarts,

    /// <summary>
    /// <c>ReadOnlySpan&lt;int&gt; keyBlockStarts</c>: [batch, keyValueHeads, query blocks] of <see cref="AttentionAttribute.BlockAxes"/> and one more: where the list of visible key
    /// blocks of each block of <see cref="AttentionAttribute.QueryBlockSize"/> queries begins in <c>keyBlocks</c>, and where the last list ends (compressed rows).
    /// </summary>
    KeyBlockStarts,

    /// <summary>
    /// <c>ReadOnlySpan&lt;int&gt; keyBlocks</c>: the lists, each of them rising: block i has the keys from i * <see cref="AttentionAttribute.KeyBlockSize"/> on. Within the
    /// blocks the other masks apply.
    /// </summary>
    KeyBlocks,

    /// <summary>
    /// <c>ReadOnlySpan&lt;float&gt; relativeBias</c>: [buckets, heads], finite, what is added to the scores of a head for the bucket that the distance of query and key
    /// falls into (T5, as its embedding stores it); with <see cref="AttentionAttribute.RelativeBuckets"/>. T5 does not scale: it goes with <c>Scale = 1</c>.
    /// </summary>
    RelativeBias,

    /// <summary><c>ReadOnlySpan&lt;float&gt; scales</c>: [heads], the factor of the scores of each head instead of <see cref="AttentionAttribute.Scale"/>; finite, also negative or 0.</summary>
    Scales,

    /// <summary>
    /// <c>Span&lt;float&gt; scores</c>: [batch, heads, queries, keys], the score matrix at the stage that <see cref="AttentionAttribute.ScoresStage"/> names,
    /// the weights unless given. All of it is written.
    /// </summary>
    Scores,

    /// <summary><c>Span&lt;float&gt; maxScore</c>: [batch, heads, queries], the largest score of each row after cap, bias and mask; -infinity for a row that sees no key.</summary>
    MaxScore,

    /// <summary>
    /// <c>Span&lt;float&gt; entropy</c>: [batch, heads, queries], the entropy of the weights of each row, natural: from 0, where one key has all the weight, to ln(keys), where all have the
    /// same. A sink counts as one more key. 0 for a row that sees no key.
    /// </summary>
    Entropy,

    /// <summary><c>Span&lt;int&gt; argmax</c>: [batch, heads, queries], the key with the largest weight of each row, the first among equals, counted in the tensors as the columns of <see cref="Scores"/> are; -1 for a row that sees no key or has a NaN.</summary>
    ArgMax,

    /// <summary><c>ReadOnlySpan&lt;float&gt; queryNormWeight</c>: [headDim], what the elements of normalised queries are multiplied by, see <see cref="AttentionAttribute.QueryKeyNorm"/>.</summary>
    QueryNormWeight,

    /// <summary><c>ReadOnlySpan&lt;float&gt; keyNormWeight</c>: [headDim], what the elements of normalised keys are multiplied by.</summary>
    KeyNormWeight,
}
