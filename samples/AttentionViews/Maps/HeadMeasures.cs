namespace AttentionGen.Views;

/// <summary>A part of a head's weight, averaged over rows, beside the part that even weights would have.</summary>
/// <param name="Measured">The part that the head has, 0 to 1.</param>
/// <param name="Even">The part that the same keys have if all visible keys of a row have the same weight.</param>
public readonly record struct HeadShare(double Measured, double Even)
{
    /// <summary>Whether the share reaches a threshold, and is not what even weights would nearly have.</summary>
    internal bool Reaches(double threshold, double lift) => Measured >= threshold && Measured >= lift * Even;
}

/// <summary>
/// What was measured of a head: means over the rows that can see at least two keys. A row that sees one key has no choice, and says nothing.
/// </summary>
public sealed record HeadMeasures
{
    /// <summary>The number of rows in the means.</summary>
    public int Rows { get; init; }

    /// <summary>The share of the token before the query's own.</summary>
    public HeadShare Previous { get; init; }

    /// <summary>The share of the first token.</summary>
    public HeadShare First { get; init; }

    /// <summary>The share of all separators.</summary>
    public HeadShare Separator { get; init; }

    /// <summary>The share of the tokens near the query's own.</summary>
    public HeadShare Local { get; init; }

    /// <summary>The mean entropy of the rows, natural.</summary>
    public double Entropy { get; init; }

    /// <summary>The mean of the entropies, each as a fraction of the entropy of even weights, ln(visible keys): 0 to 1.</summary>
    public double RelativeEntropy { get; init; }

    /// <summary>The mean of the largest weights of the rows.</summary>
    public double LargestWeight { get; init; }

    /// <summary>The names that the head gets.</summary>
    /// <param name="rules">The thresholds.</param>
    /// <returns>The patterns in the order of <see cref="HeadPattern"/>. A head that attends to the previous token is not called local as well.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="rules"/> is null.</exception>
    public IReadOnlyList<HeadPattern> Patterns(HeadRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (Rows == 0) return [];
        var patterns = new List<HeadPattern>();
        if (Previous.Reaches(rules.Share, rules.Lift)) patterns.Add(HeadPattern.Previous);
        if (First.Reaches(rules.Share, rules.Lift)) patterns.Add(HeadPattern.First);
        if (Separator.Reaches(rules.Share, rules.Lift)) patterns.Add(HeadPattern.Separator);
        if (patterns is not [HeadPattern.Previous, ..] && Local.Reaches(rules.LocalShare, rules.Lift)) patterns.Add(HeadPattern.Local);
        if (RelativeEntropy >= rules.DiffuseEntropy) patterns.Add(HeadPattern.Diffuse);
        if (LargestWeight >= rules.ConcentratedWeight) patterns.Add(HeadPattern.Concentrated);
        return patterns;
    }
}
