namespace AttentionGen.Views;

/// <summary>What a head does most of the time, by its measured weights. <see cref="HeadRules"/> has the thresholds.</summary>
public enum HeadPattern
{
    /// <summary>It attends to the token before its own.</summary>
    Previous,

    /// <summary>It attends to the first token.</summary>
    First,

    /// <summary>It attends to separators.</summary>
    Separator,

    /// <summary>It attends to tokens near its own.</summary>
    Local,

    /// <summary>Its weights are nearly even: the entropy is near its largest value.</summary>
    Diffuse,

    /// <summary>Nearly all weight is on one key in nearly every row.</summary>
    Concentrated,
}
