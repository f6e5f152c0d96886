namespace AttentionGen;

/// <summary>What <see cref="AttentionReference.Attend"/> reads and writes beside the tensors; each may be empty.</summary>
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

    /// <inheritdoc cref="AttentionRole.QueryNormWeight"/>
    public ReadOnlySpan<float> QueryNormWeight { get; init; }

    /// <inheritdoc cref="AttentionRole.KeyNormWeight"/>
    public ReadOnlySpan<float> KeyNormWeight { get; init; }

    /// <inheritdoc cref="AttentionRole.LogSumExp"/>
    public Span<double> LogSumExp { get; init; }

    /// <inheritdoc cref="AttentionRole.MaxScore"/>
    public Span<double> MaxScore { get; init; }

    /// <inheritdoc cref="AttentionRole.Entropy"/>
    public Span<double> Entropy { get; init; }

    /// <inheritdoc cref="AttentionRole.ArgMax"/>
    public Span<int> ArgMax { get; init; }

    /// <inheritdoc cref="AttentionRole.Scores"/>
    public Span<double> Scores { get; init; }

    internal void Expect(AttentionReference.Extent extent, AttentionAxes biasAxes, AttentionAxes keepAxes)
    {
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
