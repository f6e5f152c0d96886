namespace AttentionGen;

/// <summary>
/// Generates a fused attention kernel as the body of a static partial method. The kernel computes <c>softmax(scale * query * key^T) * value</c> for exactly
/// this shape. Properties of the attribute are fixed at compile time. Parameters of the method vary from call to call.
/// </summary>
/// <remarks>
/// <para>
/// Shapes are token-major unless <see cref="Layout"/> says otherwise: query [queries, heads, headDim], key [keys, keyValueHeads, headDim], value
/// [keys, keyValueHeads, valueDim], output [queries, heads, valueDim]. With <see cref="Batched"/>, each tensor has a leading batch axis. The lengths of the
/// spans give the numbers of queries and keys: (length - width) / stride + 1. The name and the type of a parameter give its role, see
/// <see cref="AttentionRole"/>.
/// </para>
/// <para>Vaswani et al., Attention Is All You Need, <see href="https://arxiv.org/abs/1706.03762"/>.</para>
/// </remarks>
/// <param name="heads">The number of query heads, from 1 to 4096.</param>
/// <param name="headDim">The number of elements of a query or key head, from 1 to 512; with <see cref="ValueFromKey"/>, from 1 to 1024.</param>
/// <example><code>
/// [Attention(heads: 32, headDim: 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
/// public static partial void Attend(
///     ReadOnlySpan&lt;float&gt; query, ReadOnlySpan&lt;float&gt; key, ReadOnlySpan&lt;float&gt; value, Span&lt;float&gt; output);
/// </code></example>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public class AttentionAttribute(int heads, int headDim) : Attribute
{
    /// <summary>The number of query heads.</summary>
    public int Heads { get; } = heads;

    /// <summary>The number of elements of a query or key head.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>
    /// The number of key-value heads. It divides <see cref="Heads"/>. Query head h reads key-value head h / (Heads / KeyValueHeads). The default is
    /// <see cref="Heads"/> (multi-head attention); 1 is multi-query attention.
    /// </summary>
    public int KeyValueHeads { get; set; }

    /// <summary>The number of elements of a value or output head, from 1 to 512; with <see cref="ValueFromKey"/>, from 1 to HeadDim. The default is <see cref="HeadDim"/>.</summary>
    public int ValueDim { get; set; }

    /// <summary>
    /// Whether the value is the first <see cref="ValueDim"/> elements of the key. There is no parameter <c>value</c> then, a cache stores keys only (its <c>valueFromKey</c> is true), and each key is read once for
    /// its score and for its value. By default, values are a tensor of their own.
    /// </summary>
    /// <remarks>
    /// Multi-head latent attention in its absorbed form: DeepSeek-V2, <see href="https://arxiv.org/abs/2405.04434"/>, section 2.1. The key of a token is its latent vector, which is the value as well, and behind it the
    /// part with rotary positions: with 128 heads, <c>headDim: 576, KeyValueHeads = 1, ValueDim = 512, RotaryStart = 512, RotaryDim = 64</c>. Rotated elements are never part of a value.
    /// </remarks>
    public bool ValueFromKey { get; set; }

    /// <summary>How a query and a key give a score. By default, it is their dot product.</summary>
    public AttentionScore Score { get; set; }

    /// <summary>
    /// The number of elements of a key head where it differs from that of a query head, from 1 to 512. It needs <c>Score = AttentionScore.General</c>. The default is <see cref="HeadDim"/>, which then is the
    /// number of elements of a query head.
    /// </summary>
    public int KeyDim { get; set; }

    /// <summary>The mask: it says which keys a query sees. By default, a query sees all keys.</summary>
    public AttentionMask Mask { get; set; }

    /// <summary>
    /// The number of keys before its own position that a query sees: it sees key j where position - j &lt;= WindowLeft, inclusive. From 0 to 1048575. The
    /// default is -1: the left side is open. The window combines with <see cref="Mask"/> and only hides keys.
    /// </summary>
    /// <remarks>
    /// flash-attention and ONNX define it in the same way. Hugging Face and ONNX Runtime count W keys that include the query's own: for these, set
    /// <c>Mask = AttentionMask.Causal, WindowLeft = W - 1</c>.
    /// </remarks>
    public int WindowLeft { get; set; } = -1;

    /// <summary>
    /// The number of keys after its own position that a query sees: it sees key j where j - position &lt;= WindowRight, inclusive. From 0 to 1048575. The
    /// default is -1: the right side is open. A causal mask without a prefix already hides these keys.
    /// </summary>
    public int WindowRight { get; set; } = -1;

    /// <summary>
    /// The number of first keys that stay visible outside of the left window (attention sinks): a query sees key j where j &lt; FirstKeys or position - j &lt;=
    /// <see cref="WindowLeft"/>. The right side of the window and all other masks, such as the causal one, apply to these keys, too. From 0 to 1048576. It needs
    /// WindowLeft.
    /// </summary>
    /// <remarks>
    /// Xiao et al., Efficient Streaming Language Models with Attention Sinks, <see href="https://arxiv.org/abs/2309.17453"/>. There, keys have the positions that
    /// they have inside the cache; here, positions are absolute, so that the distance of a query to the first keys grows with the text.
    /// </remarks>
    public int FirstKeys { get; set; }

    /// <summary>
    /// The number of first keys that every query sees in addition to those that the causal mask shows (a prefix language model). From 0 to 1048576. The
    /// parameters <c>prefixLength</c> and <c>prefixLengths</c> give it for each call. Windows and other masks apply to these keys, too.
    /// </summary>
    public int PrefixLength { get; set; }

    /// <summary>
    /// The length of the chunks that divide queries and keys by position: a query sees key j where position / ChunkLength == j / ChunkLength. From 1 to
    /// 1048576. By default, there are no chunks.
    /// </summary>
    /// <remarks>The local attention of Llama 4, together with a causal mask.</remarks>
    public int ChunkLength { get; set; }

    /// <summary>
    /// The step between visible keys: a query sees key j where position - j is a multiple of Dilation. From 1 to 1048576; the default is 1. Windows count
    /// positions, not visible keys: with Dilation = 4, WindowLeft = 64 shows 17 keys, which include the query's own.
    /// </summary>
    /// <remarks>Beltagy et al., Longformer, <see href="https://arxiv.org/abs/2004.05150"/>.</remarks>
    public int Dilation { get; set; } = 1;

    /// <summary>
    /// The number of queries in a block of a block-sparse mask. The parameters <c>keyBlockStarts</c> and <c>keyBlocks</c> list the key blocks that each
    /// block sees. By default, there is no block-sparse mask.
    /// </summary>
    public int QueryBlockSize { get; set; }

    /// <summary>The number of keys in a block of a block-sparse mask, a multiple of 32.</summary>
    public int KeyBlockSize { get; set; }

    /// <summary>
    /// The axes of the lists of a block-sparse mask. By default, there is one list for each block of queries. With Batch, each batch item has its own
    /// lists. With Head, each key-value head has its own lists.
    /// </summary>
    public AttentionAxes BlockAxes { get; set; } = AttentionAxes.Query;

    /// <summary>
    /// The factor of the scores, finite and not 0. The default is 1 / sqrt(HeadDim) for dot products, and 1 for other scores. The parameter <c>scales</c> gives a factor for each head.
    /// </summary>
    public float Scale { get; set; }

    /// <summary>
    /// The norm of the queries and keys before their product, for each head separately. By default, there is none. The parameters <c>queryNormWeight</c>
    /// and <c>keyNormWeight</c> supply learned weights.
    /// </summary>
    public AttentionNorm QueryKeyNorm { get; set; }

    /// <summary>The term that keeps the norm of a zero vector above 0, see <see cref="AttentionNorm"/>. Positive and finite; the default is 1e-6.</summary>
    public float NormEpsilon { get; set; } = 1e-6f;

    /// <summary>
    /// Which elements of queries and keys the kernel rotates by their positions, after the norm. By default, it rotates none. The parameter <c>rotary</c>
    /// supplies the <see cref="RotaryTable"/>. Key j is at the position j; the mask and <c>queryStart</c> say where queries are.
    /// </summary>
    public AttentionRotary Rotary { get; set; }

    /// <summary>The number of rotated elements of a head, even. The default is all from <see cref="RotaryStart"/> on.</summary>
    public int RotaryDim { get; set; }

    /// <summary>The first rotated element of a head. The default is 0. The elements before it, and those after the rotated ones, stay as they are.</summary>
    public int RotaryStart { get; set; }

    /// <summary>
    /// The name of a static method in the type of the kernel that says which keys a query sees: <c>bool Visible(int query, int key)</c>. The argument query
    /// is a position. The method may also have the parameters <c>int head</c> and <c>int batch</c>. Each further parameter is a parameter of the kernel
    /// with the same name and type: int, float, or a read-only span of these, which the method indexes (<c>segment[query] == segment[key]</c>). The method
    /// combines with the other masks.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The method is one expression, which the generator lifts. It may contain patterns (<c>is &gt;= 0 and &lt; 8</c>) and <c>switch</c> expressions. Some
    /// comparisons become bounds of the loops, and the kernel does not compute the keys outside of them. These are comparisons of query, key and their
    /// distance with constants and int parameters, joined by &amp;&amp;, || and !. They may use Math.Min, Max and Abs, and may divide both query and key by
    /// a constant. The kernel computes bounds without overflow, where an int of C# would wrap. All other parts of the expression become vector code for the
    /// keys that the bounds leave undecided.
    /// </para>
    /// <para>
    /// A kernel does not throw for an index outside of a span. It reads 0 for this index, and no memory outside of the span. The reason is that the kernel
    /// computes both sides of <c>key &lt; 8 ? first[key] : rest[key - 8]</c>, where C# evaluates only one. A position before the first key is negative, and
    /// reads 0 as well.
    /// </para>
    /// <para>
    /// The length of some spans is checked: a span that the method indexes by key, query, head or batch directly and without a condition must have an
    /// element for each. A call with a shorter span throws.
    /// </para>
    /// </remarks>
    public string? MaskMethod { get; set; }

    /// <summary>
    /// The name of a static method in the type of the kernel that changes scores: <c>float Score(float score, int query, int key)</c>. It may also have the
    /// parameters <c>int head</c> and <c>int batch</c>, and parameters of the kernel as for <see cref="MaskMethod"/>. The score is in natural units, after
    /// scale and soft cap. The returned score continues to bias, mask and softmax; -infinity hides the key.
    /// </summary>
    public string? ScoreMethod { get; set; }

    /// <summary>
    /// The bound of the magnitude of the scores: a score s becomes SoftCap * tanh(s / SoftCap), after the scale and before bias and mask. Positive and
    /// finite. By default, there is no soft cap.
    /// </summary>
    /// <remarks>Gemma 2, <see href="https://arxiv.org/abs/2408.00118"/>.</remarks>
    public float SoftCap { get; set; }

    /// <summary>
    /// Whether scores decrease with the distance between query and key, by the standard slopes for the number of heads. The parameter <c>slopes</c> gives
    /// other slopes.
    /// </summary>
    /// <remarks>
    /// Press et al., Train Short, Test Long, <see href="https://arxiv.org/abs/2108.12409"/>. The score becomes score - slope[h] * |position - j|. With n
    /// the largest power of two up to Heads, the slope is 2^(-8 (h + 1) / n) for h &lt; n, and 2^(-4 (2 (h - n) + 1) / n) for the other heads.
    /// </remarks>
    public bool Alibi { get; set; }

    /// <summary>The number of buckets of distances in the parameter <c>relativeBias</c>, for both directions together, from 2 to 1024. T5 has 32.</summary>
    /// <remarks>
    /// Raffel et al., <see href="https://arxiv.org/abs/1910.10683"/>. In each direction, the first half of the buckets hold one distance each. A larger
    /// distance n belongs to bucket e + floor((b - e) * ln(n / e) / ln(RelativeMaxDistance / e)), at most the last, where the direction has b buckets and e
    /// of them are exact. The kernel computes the borders between buckets exactly. A logarithm in single precision may round a distance that is exactly on
    /// a border to the other side.
    /// </remarks>
    public int RelativeBuckets { get; set; }

    /// <summary>
    /// The distance from which on, at the latest, all distances belong to the last bucket. The default is 128. At most 65536, and at most 1048560 / Heads.
    /// </summary>
    public int RelativeMaxDistance { get; set; } = 128;

    /// <summary>
    /// Whether keys after the query have the second half of the buckets, as in encoders. The default is true. If false, their distance counts as 0, as in
    /// decoders.
    /// </summary>
    public bool RelativeBidirectional { get; set; } = true;

    /// <summary>The axes of the parameter <c>bias</c>. The default is [queries, keys]. The key axis is required.</summary>
    public AttentionAxes BiasAxes { get; set; } = AttentionAxes.Query | AttentionAxes.Key;

    /// <summary>The axes of the parameter <c>keep</c>. The default is [queries, keys]. The key axis is required.</summary>
    public AttentionAxes KeepAxes { get; set; } = AttentionAxes.Query | AttentionAxes.Key;

    /// <summary>
    /// How a row combines values: by the softmax of its scores, the default, or by the choice of one key. Sinks, <c>logSumExp</c>, <c>entropy</c> and a matrix of weights need the softmax.
    /// </summary>
    /// <remarks>Xu et al., Show, Attend and Tell, <see href="https://arxiv.org/abs/1502.03044"/>, distinguish soft and hard attention.</remarks>
    public AttentionSelection Selection { get; set; }

    /// <summary>The stage of the score matrix that the kernel writes to the parameter <c>scores</c>. The default is the weights.</summary>
    public AttentionStage ScoresStage { get; set; } = AttentionStage.Weights;

    /// <summary>
    /// Whether the tensors have a leading batch axis. The method then has an <c>int batch</c> parameter, unless all tensors are tensor spans.
    /// </summary>
    public bool Batched { get; set; }

    /// <summary>The order of the axes of query, key, value and output. The default is token-major.</summary>
    public AttentionLayout Layout { get; set; }

    /// <summary>
    /// The number of elements from one query token to the next, for tokens with a gap between them, such as query, key and value as thirds of one buffer.
    /// The minimum and default is Heads * HeadDim (head-major: HeadDim). It applies to spans; tensor spans have their own strides.
    /// </summary>
    public int QueryStride { get; set; }

    /// <summary>The number of elements from one key token to the next. The default is KeyValueHeads * HeadDim (head-major: HeadDim).</summary>
    public int KeyStride { get; set; }

    /// <summary>The number of elements from one value token to the next. The default is KeyValueHeads * ValueDim (head-major: ValueDim).</summary>
    public int ValueStride { get; set; }

    /// <summary>
    /// The number of elements from one output token to the next. The default is Heads * ValueDim (head-major: ValueDim). The kernel does not write the
    /// elements between tokens.
    /// </summary>
    public int OutputStride { get; set; }

    /// <summary>The number of queries, from 1 to 1048576, if it is the same in every call. The generator then produces code for this number.</summary>
    public int QueryLength { get; set; }

    /// <summary>The number of keys, from 1 to 1048576, if it is the same in every call. The generator then produces code for this number.</summary>
    public int KeyLength { get; set; }

    /// <summary>The instruction sets for which the generator produces code. The portable code is always present. The default is all instruction sets.</summary>
    public AttentionIsas Isas { get; set; } = AttentionIsas.All;
}
