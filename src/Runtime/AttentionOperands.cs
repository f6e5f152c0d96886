namespace AttentionGen;

/// <summary>The optional operands of <see cref="AttentionReference.Attend"/>. Each of them may be empty.</summary>
public readonly ref struct AttentionOperands
{
    /// <inheritdoc cref="AttentionRole.Bias"/>
    public ReadOnlySpan<float> Bias { get; init; }

    /// <inheritdoc cref="AttentionRole.Keep"/>
    public ReadOnlySpan<bool> Keep { get; init; }

    /// <inheritdoc cref="AttentionRole.Slopes"/>
    public ReadOnlySpan<float> Slopes { get; init; }

    /// <inheritdoc cref="AttentionRole.Sinks"/>
    public ReadOnlySpan<float> Sinks { get; init; }

    /// <inheritdoc cref="AttentionRole.ScoreVector"/>
    public ReadOnlySpan<float> ScoreVector { get; init; }

    /// <inheritdoc cref="AttentionRole.QueryKeyWeight"/>
    public ReadOnlySpan<float> QueryKeyWeight { get; init; }

    /// <inheritdoc cref="AttentionRole.QueryNormWeight"/>
    public ReadOnlySpan<float> QueryNormWeight { get; init; }

    /// <inheritdoc cref="AttentionRole.KeyNormWeight"/>
    public ReadOnlySpan<float> KeyNormWeight { get; init; }

    /// <inheritdoc cref="AttentionRole.Rotary"/>
    public RotaryTable? Rotary { get; init; }

    /// <inheritdoc cref="AttentionRole.LogSumExp"/>
    public Span<double> LogSumExp { get; init; }

    /// <summary>The operand <see cref="AttentionRole.PrefixLengths"/>, [batch], or one element for all batch items.</summary>
    public ReadOnlySpan<int> PrefixLengths { get; init; }

    /// <inheritdoc cref="AttentionRole.DocumentStarts"/>
    public ReadOnlySpan<int> DocumentStarts { get; init; }

    /// <inheritdoc cref="AttentionRole.KeyDocumentStarts"/>
    public ReadOnlySpan<int> KeyDocumentStarts { get; init; }

    /// <inheritdoc cref="AttentionRole.KeyBlockStarts"/>
    public ReadOnlySpan<int> KeyBlockStarts { get; init; }

    /// <inheritdoc cref="AttentionRole.KeyBlocks"/>
    public ReadOnlySpan<int> KeyBlocks { get; init; }

    /// <inheritdoc cref="AttentionRole.MaxScore"/>
    public Span<double> MaxScore { get; init; }

    /// <inheritdoc cref="AttentionRole.Entropy"/>
    public Span<double> Entropy { get; init; }

    /// <inheritdoc cref="AttentionRole.ArgMax"/>
    public Span<int> ArgMax { get; init; }

    /// <inheritdoc cref="AttentionRole.Scores"/>
    public Span<double> Scores { get; init; }

    /// <summary>The number of batch items, or of documents.</summary>
    internal int Items(int batch) => DocumentStarts.IsEmpty ? batch : DocumentStarts.Length - 1;

    /// <summary>The index of the batch item in the tensors, its first query and first key, and its numbers of queries and keys.</summary>
    internal (int Batch, int Query, int Queries, int Key, int Keys) Item(int item, int queries, int keys)
    {
        if (DocumentStarts.IsEmpty) return (item, 0, queries, 0, keys);
        var ofKeys = KeyDocumentStarts.IsEmpty ? DocumentStarts : KeyDocumentStarts;
        return (0, DocumentStarts[item], DocumentStarts[item + 1] - DocumentStarts[item], ofKeys[item], ofKeys[item + 1] - ofKeys[item]);
    }

    /// <inheritdoc cref="AttentionRole.RelativeBias"/>
    public ReadOnlySpan<float> RelativeBias { get; init; }

    /// <inheritdoc cref="AttentionRole.Scales"/>
    public ReadOnlySpan<float> Scales { get; init; }

    /// <summary>A query head, a query and a key, as indices into the tensors.</summary>
    internal readonly record struct Pair(int Batch, int Head, int Query, int Key);

    /// <summary>The score of a pair before the soft cap.</summary>
    internal double Scaled(double product, double scale, Pair pair) => product * (Scales.IsEmpty ? scale : Scales[pair.Head]);

    /// <summary>A score with its bias. A bias of -infinity hides the key, even if the score is NaN or infinite.</summary>
    internal double Biased(double score, AttentionReference.Extent extent, AttentionAxes axes, Pair pair)
    {
        float bias = Bias[extent.Index(axes, pair.Batch, pair.Head, pair.Query, pair.Key)];
        return float.IsNegativeInfinity(bias) ? bias : score + bias;
    }

    /// <summary>Whether the operand <see cref="Keep"/> lets the query of the pair see the key.</summary>
    internal bool Keeps(AttentionReference.Extent extent, AttentionAxes axes, Pair pair) => Keep.IsEmpty || Keep[extent.Index(axes, pair.Batch, pair.Head, pair.Query, pair.Key)];

    /// <summary>Writes the statistics of a row: largest score, entropy and argmax.</summary>
    internal void WriteStatistics(
        int index, ReadOnlySpan<double> scores, ReadOnlySpan<bool> hidden, ReadOnlySpan<double> weights, int first, double logSumExp, double? sink)
    {
        double highest = double.NegativeInfinity, entropy = sink is { } logit && !double.IsNegativeInfinity(logit) ? Math.Exp(logit - logSumExp) * (logSumExp - logit) : 0;
        int argmax = -1;
        for (int j = 0; j < scores.Length; j++)
        {
            if (hidden[j]) continue;
            if (scores[j] > highest || argmax < 0) (highest, argmax) = (scores[j], first + j);
            if (weights[j] != 0) entropy += weights[j] * (logSumExp - scores[j]);
        }

        if (double.IsNaN(logSumExp)) (highest, entropy, argmax) = (double.NaN, double.NaN, -1);
        if (!MaxScore.IsEmpty) MaxScore[index] = highest;
        if (!Entropy.IsEmpty) Entropy[index] = entropy;
        if (!ArgMax.IsEmpty) ArgMax[index] = argmax;
    }

    internal void Expect(AttentionReference.Extent extent, AttentionAxes biasAxes, AttentionAxes keepAxes, int buckets)
    {
        if (!RelativeBias.IsEmpty) AttentionReference.Expect(RelativeBias.Length, buckets * extent.Heads, "elements", nameof(RelativeBias));
        if (!Scales.IsEmpty) AttentionReference.Expect(Scales.Length, extent.Heads, "elements", nameof(Scales));
        if (!Bias.IsEmpty) AttentionReference.Expect(Bias.Length, extent.Length(biasAxes), "elements", nameof(Bias));
        if (!Keep.IsEmpty) AttentionReference.Expect(Keep.Length, extent.Length(keepAxes), "elements", nameof(Keep));
        if (!Slopes.IsEmpty) AttentionReference.Expect(Slopes.Length, extent.Heads, "elements", nameof(Slopes));
        if (!Sinks.IsEmpty) AttentionReference.Expect(Sinks.Length, extent.Heads, "elements", nameof(Sinks));
        if (!LogSumExp.IsEmpty) AttentionReference.Expect(LogSumExp.Length, extent.Batch * extent.Heads * extent.Queries, "elements", nameof(LogSumExp));
        if (!MaxScore.IsEmpty) AttentionReference.Expect(MaxScore.Length, extent.Batch * extent.Heads * extent.Queries, "elements", nameof(MaxScore));
        if (!Entropy.IsEmpty) AttentionReference.Expect(Entropy.Length, extent.Batch * extent.Heads * extent.Queries, "elements", nameof(Entropy));
        if (!ArgMax.IsEmpty) AttentionReference.Expect(ArgMax.Length, extent.Batch * extent.Heads * extent.Queries, "elements", nameof(ArgMax));
        if (!Scores.IsEmpty) AttentionReference.Expect(Scores.Length, extent.Batch * extent.Heads * extent.Queries * extent.Keys, "elements", nameof(Scores));
    }
}
