namespace AttentionGen;

/// <summary>
/// Generates a whole attention layer as the body of a static partial method: MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W_O with head_i = Attention(Q W_i^Q, K W_i^K, V W_i^V). Its properties, and
/// the parameters that are not listed here, are those of a kernel with <see cref="AttentionAttribute"/>.
/// </summary>
/// <remarks>
/// <para>
/// <c>ReadOnlySpan&lt;float&gt; input</c> [queries, modelDim] gives the queries, and the keys and values, too, unless there is <c>ReadOnlySpan&lt;float&gt; context</c> [keys, contextDim] (cross attention).
/// <c>AttentionWeights&lt;T&gt; weights</c> has the projections; its type says how weights are stored. <c>Span&lt;float&gt; output</c> is [queries, outputDim], and may be the input itself. <c>ReadOnlySpan&lt;float&gt;
/// residual</c> [queries, outputDim] is added to the output. A cache gets the keys and values of the input before the queries attend.
/// </para>
/// <para>
/// Queries, keys, values and heads of a call lie in native memory that the library keeps between calls: <see cref="AttentionKernelInfo.LayerBytes"/> says how much, <see cref="AttentionOptions.MaxLayerBytes"/>
/// bounds it, and <see cref="AttentionScratch.Trim"/> frees it.
/// </para>
/// <para>Vaswani et al., Attention Is All You Need, section 3.2.2, <see href="https://arxiv.org/abs/1706.03762"/>.</para>
/// </remarks>
/// <param name="modelDim">The number of elements of an input row, from 1 to 1048576.</param>
/// <param name="heads">The number of query heads, from 1 to 4096.</param>
/// <param name="headDim">The number of elements of a query or key head, from 1 to 512.</param>
/// <example><code>
/// [MultiHeadAttention(modelDim: 384, heads: 12, headDim: 32)]
/// public static partial void Attend(
///     ReadOnlySpan&lt;float&gt; input, AttentionWeights&lt;float&gt; weights, Span&lt;float&gt; output, ReadOnlySpan&lt;int&gt; documentStarts);
/// </code></example>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class MultiHeadAttentionAttribute(int modelDim, int heads, int headDim) : AttentionAttribute(heads, headDim)
{
    /// <summary>The number of elements of an input row.</summary>
    public int ModelDim { get; } = modelDim;

    /// <summary>The number of elements of a row of the context, from 1 to 1048576. The default is <see cref="ModelDim"/>. It needs a parameter <c>context</c>.</summary>
    public int ContextDim { get; set; }

    /// <summary>The number of elements of an output row, from 1 to 1048576. The default is <see cref="ModelDim"/>.</summary>
    public int OutputDim { get; set; }
}
