namespace AttentionGen.Generator.Model;

/// <summary>A method of the user's, lifted or not.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Result">What it returns; null where it cannot be lifted.</param>
/// <param name="Failure">Why not, and the way out.</param>
internal sealed record LiftedSpec(string Name, Expression? Result, string? Failure)
{
    /// <summary>The most numbers and spans of a kernel that its methods use.</summary>
    public const int MaxScalars = 8, MaxSpans = 4;

    /// <summary>Where it cannot be lifted, from the beginning of its declaration; nowhere in it where the length is 0.</summary>
    public int Start { get; init; }

    public int Length { get; init; }

    /// <summary>For each span of the kernel's methods: the axes (as a number) that C# indexes it by as they are, whatever the numbers are.</summary>
    public EquatableArray<int> Indexed { get; init; }

    public static LiftedSpec Failed(string name, string reason) => new(name, null, reason);
}
