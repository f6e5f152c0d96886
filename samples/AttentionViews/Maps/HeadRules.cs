namespace AttentionGen.Views;

/// <summary>The thresholds by which heads get names and marks. The page states them.</summary>
public sealed record HeadRules
{
    /// <summary>The least share of a head's weight for "attends to previous", "to first" and "to separator".</summary>
    public double Share { get; init => field = Fraction(value, nameof(Share)); } = 0.5;

    /// <summary>The least share of a head's weight for "local".</summary>
    public double LocalShare { get; init => field = Fraction(value, nameof(LocalShare)); } = 0.8;

    /// <summary>The largest distance of a key that is near, in tokens; its own token has the distance 0.</summary>
    public int LocalDistance { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(LocalDistance), value, "A distance is 0 or more."); } = 3;

    /// <summary>
    /// A share counts if it is at least this many times the share of even weights. In a short text, most keys are near, and even weights would have the name "local".
    /// </summary>
    public double Lift { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(Lift), value, "A lift is 1 or more."); } = 2;

    /// <summary>The least entropy of a diffuse head, as a fraction of the entropy of even weights.</summary>
    public double DiffuseEntropy { get; init => field = Fraction(value, nameof(DiffuseEntropy)); } = 0.9;

    /// <summary>The least mean of the largest weights of a concentrated head.</summary>
    public double ConcentratedWeight { get; init => field = Fraction(value, nameof(ConcentratedWeight)); } = 0.9;

    private static double Fraction(double value, string name) =>
        value is > 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(name, value, "A share is more than 0 and at most 1.");
}
