using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Loads;

/// <summary>What happens to queries and keys as they are read, before their product: steps in their order.</summary>
internal sealed record LoadProgram(EquatableArray<LoadStep> Steps)
{
    public static LoadProgram Plain { get; } = new(default(EquatableArray<LoadStep>));

    public static LoadProgram Of(KernelSpec spec) => NormStep.Of(spec) is { } norm ? new(new LoadStep[] { norm }.ToEquatableArray()) : Plain;

    /// <summary>Whether the copy of queries reads operands of the call.</summary>
    public bool ReadsOperands => Steps.Any(step => step.ReadsOperands);

    /// <summary>The part of a core's name.</summary>
    public string Name => string.Concat(Steps.Select(step => step.Name));

    /// <summary>For people.</summary>
    public string Text => string.Join(", ", Steps.Select(step => step.Text));
}
