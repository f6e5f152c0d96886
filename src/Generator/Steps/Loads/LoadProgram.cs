using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Loads;

/// <summary>What happens to queries and keys as they are read, before their product: steps in their order.</summary>
/// <param name="Stored">Whether keys come from a cache, which stores what these steps make of them: only queries are changed.</param>
internal sealed record LoadProgram(EquatableArray<LoadStep> Steps, bool Stored = false)
{
    public static LoadProgram Plain { get; } = new(default(EquatableArray<LoadStep>));

    public static LoadProgram Of(KernelSpec spec)
    {
        bool stored = spec.Has(Role.Cache);
        var rotary = RotaryStep.Of(spec);
        var norm = NormStep.Of(spec, keysApart: stored || rotary is not null);
        LoadStep[] steps = [.. new LoadStep?[] { stored ? norm?.OfQueries : norm, rotary, VectorStep.Of(spec) }.OfType<LoadStep>()];
        return steps.Length == 0 ? Plain : new(steps.ToEquatableArray(), stored && steps.Any(step => step.ChangesKeys));
    }

    /// <summary>Whether the copy of queries reads operands of the call.</summary>
    public bool ReadsOperands => Steps.Any(step => step.ReadsOperands);

    /// <summary>Whether keys are copied row by row before they are packed, or before scores read them: a step does not just multiply them by a factor.</summary>
    public bool CopiesKeys => !Stored && Steps.Any(step => step.ChangesKeys && step is not FactorStep);

    /// <summary>Whether the vector of a head lies beside each copied query: scores are sums of hyperbolic tangents.</summary>
    public bool IsAdditive => Steps.Any(step => step is VectorStep);

    /// <summary>The steps that become factors of keys in panels and of scores of keys in place; none where keys are copied or stored.</summary>
    public EquatableArray<FactorStep> Factors => (CopiesKeys || Stored ? [] : Steps.OfType<FactorStep>()).ToEquatableArray();

    /// <summary>The part of a core's name.</summary>
    public string Name => string.Concat(Steps.Select(step => step.Name)) + (Stored ? "_stored" : "");
}
