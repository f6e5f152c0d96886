using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.Scores;

/// <summary>Products become scores in natural units: the scale, of the kernel or of each head, and then the soft cap, cap * tanh(s / cap).</summary>
/// <param name="OfHead">Whether each head has a scale of its own.</param>
/// <param name="Cap">The magnitude that scores stay below; null for none.</param>
/// <param name="IsTapped">Whether the scaled score is asked for: then the cap cannot go into the scale.</param>
internal sealed record ScalingStep(bool OfHead, float? Cap, bool IsTapped) : ScoreStep
{
    public override string Name => (OfHead ? "_scales" : "") + (Cap is { } cap ? "_cap" + Invariant.Name(cap) : "");

    public override string Text => string.Join(", ", new[] { OfHead ? "a scale for each head" : "", Cap is { } cap ? $"soft cap {Invariant.Text(cap)}" : "" }.Where(part => part.Length > 0));

    private bool CapIsInScale => Cap is not null && !IsTapped;

    public string Scaled(ScoreContext context) => $"s * {Factor(Math.Abs((double)context.Scale))}";

    public override ScoreText Emit(ScoreContext context)
    {
        double scale = Math.Abs((double)context.Scale);
        string? row = OfHead ? $"Vec scale = All(place.Float(Role.Scales, head){(CapIsInScale ? $" / {ScalarText.Float(Cap!.Value)}" : "")});" : null;
        if (Cap is not { } cap) return new(row, $"s *= {Factor(scale)};");
        string argument = OfHead && !CapIsInScale ? $"{Scaled(context)} * {Constant(1 / cap)}" : $"s * {Factor(scale / cap)}";
        return new(row, $"s = Tanh({argument}) * {Constant(cap)};");
    }

    public static string Constant(double factor) => $"All({ScalarText.Float((float)factor)})";

    private string Factor(double factor) => OfHead ? "scale" : Constant(factor);
}
