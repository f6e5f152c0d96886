namespace AttentionGen;

/// <summary>
/// Asks for a fused attention kernel as the body of a static partial method: <c>softmax(scale * query * key^T) * value</c> for exactly this
/// shape. What is fixed at compile time stands here, what varies stands in the parameter list.
/// </summary>
/// <remarks>
/// Shapes are token-major unless <see cref="Layout"/> says otherwise: query [queries, heads, headDim], key [keys, keyValueHeads, headDim],
/// value [keys, keyValueHeads, valueDim], output [queries, heads, valueDim]; with <see cref="Batched"/> each has a leading batch axis. The
/// numbers of queries and keys follow from the lengths of the spans: (length - width) / stride + 1. Parameters are known by their name and
/// type, see <see cref="AttentionRole"/>.
/// </remarks>
/// <param name="heads">The number of query heads, from 1 to 4096.</param>
/// <param name="headDim">The number of elements of a query or key head, from 1 to 512.</param>
/// <example><code>
/// [Attention(heads: 32, headDim: 128, KeyValueHeads = 8, Mask = AttentionMask.Causal)]
/// public static partial void Attend(
///     ReadOnlySpan&lt;float&gt; query, ReadOnlySpan&lt;float&gt; key, ReadOnlySpan&lt;float&gt; value, Span&lt;float&gt; output);
/// </code></example>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class AttentionAttribute(int heads, int headDim) : Attribute
{
    /// <summary>The number of query heads.</summary>
    public int Heads { get; } = heads;

    /// <summary>The number of elements of a query or key head.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>
    /// The number of key and value heads; it divides <see cref="Heads"/>, and query head h reads head h / (Heads / KeyValueHeads).
    /// As many as query heads (multi-head attention) unless given; 1 is multi-query attention.
    /// </summary>
    public int KeyValueHeads { get; set; }

    /// <summary>The number of elements of a value or output head, from 1 to 512; <see cref="HeadDim"/> unless given.</summary>
    public int ValueDim { get; set; }

    /// <summary>Which keys a query sees; all of them unless given.</summary>
    public AttentionMask Mask { get; set; }

    /// <summary>
    /// How many keys before its own position a query sees, inclusive: it sees key j where position - j &lt;= WindowLeft. From 0 to 1048575; -1, which it
    /// is unless given, leaves the side open. It narrows whatever <see cref="Mask"/> lets through.
    /// </summary>
    /// <remarks>
    /// As in flash-attention and ONNX. The "W keys with itself" of Hugging Face and ONNX Runtime is <c>Mask = AttentionMask.Causal, WindowLeft = W - 1</c>.
    /// </remarks>
    public int WindowLeft { get; set; } = -1;

    /// <summary>
    /// How many keys after its own position a query sees, inclusive: it sees key j where j - position &lt;= WindowRight. From 0 to 1048575; -1, which it
    /// is unless given, leaves the side open. A causal mask leaves it nothing to hide.
    /// </summary>
    public int WindowRight { get; set; } = -1;

    /// <summary>
    /// How many of the first keys every query sees beside what the causal mask lets through (a prefix language model), from 0 to 1048576; the parameters <c>prefixLength</c> and
    /// <c>prefixLengths</c> give it call by call. Windows and other masks still hide what they hide.
    /// </summary>
    public int PrefixLength { get; set; }

    /// <summary>
    /// The length of chunks that queries and keys are cut into by their positions: a query sees key j where position / ChunkLength == j / ChunkLength. From 1 to
    /// 1048576; there are none unless given.
    /// </summary>
    /// <remarks>Llama 4's local attention; with a causal mask beside it.</remarks>
    public int ChunkLength { get; set; }

    /// <summary>
    /// A query sees key j where position - j is a multiple of it, from 1 to 1048576; 1 unless given. Windows are measured in positions: with a dilation of 4, WindowLeft = 64 is
    /// 17 keys with the query's own.
    /// </summary>
    /// <remarks>Beltagy et al., Longformer, <see href="https://arxiv.org/abs/2004.05150"/>.</remarks>
    public int Dilation { get; set; } = 1;

    /// <summary>Queries of a block of a block-sparse mask, whose visible key blocks the parameters <c>keyBlockStarts</c> and <c>keyBlocks</c> list; there is none unless given.</summary>
    public int QueryBlockSize { get; set; }

    /// <summary>Keys of a block of a block-sparse mask, a multiple of 32.</summary>
    public int KeyBlockSize { get; set; }

    /// <summary>The axes of the lists of a block-sparse mask: one for each block of queries unless given, with Batch and Head for each batch item and key-value head, too.</summary>
    public AttentionAxes BlockAxes { get; set; } = AttentionAxes.Query;

    /// <summary>The factor of the scores, finite and not 0; 1 / sqrt(HeadDim) unless given. The parameter <c>scales</c> gives each head its own.</summary>
    public float Scale { get; set; }

    /// <summary>
    /// How queries and keys are normalised before their product, each head by itself; not at all unless given. The parameters <c>queryNormWeight</c> and <c>keyNormWeight</c> bring learned
    /// weights.
    /// </summary>
    public AttentionNorm QueryKeyNorm { get; set; }

    /// <summary>What keeps the norm of a zero vector from being 0, see <see cref="AttentionNorm"/>: positive and finite, 1e-6 unless given.</summary>
    public float NormEpsilon { get; set; } = 1e-6f;

    /// <summary>
    /// The name of a static method beside the kernel that says which keys a query sees, beside the other masks: <c>bool Visible(int query, int key)</c>, where
    /// query is a position, also with <c>int head</c> and <c>int batch</c>. Further parameters are those of the kernel with the same name and type: int, float, and read-only
    /// spans of them, which are indexed (<c>segment[query] == segment[key]</c>).
    /// </summary>
    /// <remarks>
    /// <para>
    /// It is one expression, which the generator lifts; patterns (<c>is &gt;= 0 and &lt; 8</c>) and <c>switch</c> expressions are, too. Comparisons of query, key and their distance with constants and
    /// int parameters, joined by &amp;&amp;, || and !, with Math.Min, Max and Abs, and with both divided by a constant, become bounds of the loops: keys outside are not computed. Bounds are counted without overflow, where an int of C# would wrap. What is no bound becomes vector code, for the keys
    /// that the bounds leave open.
    /// </para>
    /// <para>
    /// A kernel does not throw for an index outside of a span, it reads 0 there: in C# the method may not get to that place, as both sides of <c>key &lt; 8 ? first[key] : rest[key - 8]</c>
    /// are computed here. No memory outside of a span is read. But a span that is indexed by key, query, head or batch as they are, and under no condition, has to have an element for each: a
    /// call with a shorter one throws. The position of a query before the first key is negative, and reads 0.
    /// </para>
    /// </remarks>
    public string? MaskMethod { get; set; }

    /// <summary>
    /// The name of a static method beside the kernel that changes scores: <c>float Score(float score, int query, int key)</c>, also with <c>int head</c> and
    /// <c>int batch</c>, and parameters of the kernel as for <see cref="MaskMethod"/>. The score comes scaled and soft-capped, in natural units; what is returned
    /// goes on to bias, mask and softmax, and -infinity hides the key.
    /// </summary>
    public string? ScoreMethod { get; set; }

    /// <summary>
    /// The magnitude that scores stay below: a score s becomes SoftCap * tanh(s / SoftCap), after the scale and before bias and mask. Positive and finite;
    /// there is none unless given.
    /// </summary>
    /// <remarks>Gemma 2, <see href="https://arxiv.org/abs/2408.00118"/>.</remarks>
    public float SoftCap { get; set; }

    /// <summary>
    /// Whether scores fall with the distance of query and key, by the standard slopes of the number of heads; the parameter <c>slopes</c> gives others.
    /// </summary>
    /// <remarks>
    /// Press et al., Train Short, Test Long, <see href="https://arxiv.org/abs/2108.12409"/>: score - slope[h] * |position - j|, with n the largest power of
    /// two up to Heads: 2^(-8 (h + 1) / n) for h &lt; n, 2^(-4 (2 (h - n) + 1) / n) for the others.
    /// </remarks>
    public bool Alibi { get; set; }

    /// <summary>
    /// The number of buckets of distances that the parameter <c>relativeBias</c> has a bias for, of both directions, from 2 to 1024: 32 in T5.
    /// </summary>
    /// <remarks>
    /// Raffel et al., <see href="https://arxiv.org/abs/1910.10683"/>. Of the buckets of a direction, the first half hold one distance each; distance n beyond these falls into bucket
    /// e + floor((b - e) * ln(n / e) / ln(RelativeMaxDistance / e)), at most the last, with b buckets of which e are exact. The borders are computed exactly, where a
    /// logarithm in single precision may round a distance that stands right on one to the other side.
    /// </remarks>
    public int RelativeBuckets { get; set; }

    /// <summary>The distance from which on all fall into the last bucket at the latest; 128 unless given, at most 65536, and at most 1048560 / Heads.</summary>
    public int RelativeMaxDistance { get; set; } = 128;

    /// <summary>
    /// Whether keys after the query have the second half of the buckets for themselves, as in encoders, which is so unless given; otherwise their distance counts as 0, as in decoders.
    /// </summary>
    public bool RelativeBidirectional { get; set; } = true;

    /// <summary>The axes of the parameter <c>bias</c>: [queries, keys] unless given. Keys are among them.</summary>
    public AttentionAxes BiasAxes { get; set; } = AttentionAxes.Query | AttentionAxes.Key;

    /// <summary>The axes of the parameter <c>keep</c>: [queries, keys] unless given. Keys are among them.</summary>
    public AttentionAxes KeepAxes { get; set; } = AttentionAxes.Query | AttentionAxes.Key;

    /// <summary>At which stage the parameter <c>scores</c> gets the score matrix: the weights unless given.</summary>
    public AttentionStage ScoresStage { get; set; } = AttentionStage.Weights;

    /// <summary>Whether the tensors have a leading batch axis. The method then has an <c>int batch</c> parameter, unless all tensors are tensor spans.</summary>
    public bool Batched { get; set; }

    /// <summary>The order of the axes of all four tensors; token-major unless given.</summary>
    public AttentionLayout Layout { get; set; }

    /// <summary>
    /// Elements from query token to query token, where there are more than the token has: query, key and value as thirds of one buffer. At
    /// least Heads * HeadDim (HeadDim where heads come first), which it is unless given. For spans; tensor spans bring their strides.
    /// </summary>
    public int QueryStride { get; set; }

    /// <summary>Elements from key token to key token; KeyValueHeads * HeadDim (HeadDim where heads come first) unless given.</summary>
    public int KeyStride { get; set; }

    /// <summary>Elements from value token to value token; KeyValueHeads * ValueDim (ValueDim where heads come first) unless given.</summary>
    public int ValueStride { get; set; }

    /// <summary>
    /// Elements from output token to output token; Heads * ValueDim (ValueDim where heads come first) unless given. What lies between the
    /// tokens is not written.
    /// </summary>
    public int OutputStride { get; set; }

    /// <summary>The number of queries, from 1 to 1048576, where every call has the same; code is then generated for it.</summary>
    public int QueryLength { get; set; }

    /// <summary>The number of keys, from 1 to 1048576, where every call has the same; code is then generated for it.</summary>
    public int KeyLength { get; set; }

    /// <summary>The instruction sets to generate code for; the portable code is always there. All of them unless given.</summary>
    public AttentionIsas Isas { get; set; } = AttentionIsas.All;
}
