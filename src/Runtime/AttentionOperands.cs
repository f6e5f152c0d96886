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

    /// <inheritdoc cref="AttentionRole.LogSumExp"/>
    public Span<double> LogSumExp { get; init; }

    /// <inheritdoc cref="AttentionRole.RelativeBias"/>
    public ReadOnlySpan<float> RelativeBias { get; init; }

    /// <inheritdoc cref="AttentionRole.Scales"/>
    public ReadOnlySpan<float> Scales { get; init; }

    internal void Expect(AttentionReference.Extent extent, AttentionAxes biasAxes, AttentionAxes keepAxes, int buckets)
    {
        if (!RelativeBias.IsEmpty) AttentionReference.Expect(RelativeBias.Length, buckets * extent.Heads, "elements", nameof(RelativeBias));
        if (!Scales.IsEmpty) AttentionReference.Expect(Scales.Length, extent.Heads, "elements", nameof(Scales));
        if (!Bias.IsEmpty) AttentionReference.Expect(Bias.Length, extent.Length(biasAxes), "elements", nameof(Bias));
        if (!Keep.IsEmpty) AttentionReference.Expect(Keep.Length, extent.Length(keepAxes), "elements", nameof(Keep));
        if (!Slopes.IsEmpty) AttentionReference.Expect(Slopes.Length, extent.Heads, "elements", nameof(Slopes));
        if (!Sinks.IsEmpty) AttentionReference.Expect(Sinks.Length, extent.Heads, "elements", nameof(Sinks));
        if (!LogSumExp.IsEmpty) AttentionReference.Expect(LogSumExp.Length, extent.Batch * extent.Heads * extent.Queries, "elements", nameof(LogSumExp));
    }
}
