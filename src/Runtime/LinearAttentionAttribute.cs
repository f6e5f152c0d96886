namespace AttentionGen;

/// <summary>
/// Generates linear attention as the body of a static partial method: o_t = S_t^T q_t, with a state S [headDim, valueDim] for each key-value head instead of scores for each pair of query and key. Its cost is
/// linear in the number of tokens, and a token of decoding costs the same whatever came before it.
/// </summary>
/// <remarks>
/// <para>
/// Parameters have roles (<see cref="AttentionRole"/>): <c>query</c>, <c>key</c>, <c>value</c>, <c>output</c> as for <see cref="AttentionAttribute"/>, with one query for each key where a rule or a causal mask
/// orders the tokens; <c>ReadOnlySpan&lt;float&gt; decay</c> for the rules Gated and GatedDelta; <c>ReadOnlySpan&lt;float&gt; beta</c> for Delta and GatedDelta; <c>Span&lt;float&gt; state</c> [batch, keyValueHeads,
/// headDim, valueDim], which the call reads and writes; <c>Span&lt;float&gt; normalizer</c> [batch, keyValueHeads, headDim], where <see cref="Normalize"/> is given with a state; <c>batch</c>,
/// <c>documentStarts</c> and <c>maxThreads</c>. With documents, a state belongs to each document in place of each batch item.
/// </para>
/// <para>
/// Katharopoulos et al. 2020, <see href="https://arxiv.org/abs/2006.16236"/>; the rules of <see cref="LinearAttentionRule"/> name theirs. The semantics are those of the ONNX operator LinearAttention.
/// </para>
/// </remarks>
/// <param name="heads">The number of query heads, from 1 to 4096.</param>
/// <param name="headDim">The number of elements of a query or key head, from 1 to 512.</param>
/// <example><code>
/// [LinearAttention(heads: 16, headDim: 64, Rule = LinearAttentionRule.GatedDelta)]
/// public static partial void Attend(
///     ReadOnlySpan&lt;float&gt; query, ReadOnlySpan&lt;float&gt; key, ReadOnlySpan&lt;float&gt; value,
///     ReadOnlySpan&lt;float&gt; decay, ReadOnlySpan&lt;float&gt; beta, Span&lt;float&gt; state, Span&lt;float&gt; output);
/// </code></example>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class LinearAttentionAttribute(int heads, int headDim) : Attribute
{
    /// <summary>The number of query heads.</summary>
    public int Heads { get; } = heads;

    /// <summary>The number of elements of a query or key head.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>The number of key-value heads, a divisor of <see cref="Heads"/>: each group of query heads shares one state. The default is <see cref="Heads"/>.</summary>
    public int KeyValueHeads { get; set; }

    /// <summary>The number of elements of a value or output head, from 1 to 512. The default is <see cref="HeadDim"/>.</summary>
    public int ValueDim { get; set; }

    /// <summary>How a token changes the state. A rule orders the tokens: a query attends to the tokens up to its own.</summary>
    public LinearAttentionRule Rule { get; set; }

    /// <summary>Without a rule: <see cref="AttentionMask.None"/>, every query attends to all keys, or <see cref="AttentionMask.Causal"/>, which is the rule Linear. Others are not possible.</summary>
    public AttentionMask Mask { get; set; }

    /// <summary>What happens to queries and keys before all else.</summary>
    public LinearAttentionFeatureMap FeatureMap { get; set; }

    /// <summary>
    /// Whether an output is divided by its sum of weights, q_t^T z_t with z_t = exp(decay_t) z_{t-1} + k_t, after the feature map. An output with a sum of 0 is 0. Not for Delta and GatedDelta.
    /// </summary>
    public bool Normalize { get; set; }

    /// <summary>The factor of the outputs. The default is 1 / sqrt(headDim). With <see cref="Normalize"/> there is none, because it would cancel.</summary>
    public float Scale { get; set; }

    /// <summary>
    /// The axes of <c>decay</c>, the natural logarithm of the factor of the state: any of Batch, Key, Head (key-value heads) and HeadDim (a factor for each element of a key head). The axes lie in the order of
    /// the layout: [batch, keys, keyValueHeads, headDim], or heads before keys. -infinity forgets all earlier tokens. The default is Key | Head, and Batch if there is one.
    /// </summary>
    public AttentionAxes DecayAxes { get; set; }

    /// <summary>The axes of <c>beta</c>, the rate of the correction: any of Batch, Key and Head. The default is Key | Head, and Batch if there is one.</summary>
    public AttentionAxes BetaAxes { get; set; }

    /// <summary>Whether tensors have a batch axis. A parameter <c>int batch</c> gives its length, unless all four tensors are tensor spans.</summary>
    public bool Batched { get; set; }

    /// <summary>The order of the axes of all tensors, and of <c>decay</c> and <c>beta</c>.</summary>
    public AttentionLayout Layout { get; set; }

    /// <summary>Elements from one query token to the next, or from one row to the next in the head-major layout. The default is without gaps.</summary>
    public int QueryStride { get; set; }

    /// <summary>The same for keys.</summary>
    public int KeyStride { get; set; }

    /// <summary>The same for values.</summary>
    public int ValueStride { get; set; }

    /// <summary>The same for the output.</summary>
    public int OutputStride { get; set; }
}
