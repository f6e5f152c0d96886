using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Scores;

/// <summary>What the bounds of the rows leave of the user's own mask hides keys.</summary>
/// <param name="IsComputed">Whether the mask was computed before, because scores are asked for before they are masked.</param>
internal sealed record OwnMaskStep(Expression Mask, bool IsComputed) : ScoreStep
{
    public override string Name => "_mask" + Mask.Name;

    public override string Text => TextWith(ExpressionNames.Slots);

    public override string TextWith(ExpressionNames names) => $"visible if {Mask.Spell(names)}";

    public override bool IsNatural => false;

    public override bool Hides => true;

    public override bool ConcernsDecided => false;

    public override bool ReadsKeys => Mask.Uses(Input.Key);

    public override IEnumerable<Expression> Expressions => [Mask];

    public override ScoreText Emit(ScoreContext context)
    {
        if (IsComputed) return new(null, "s = Select(visible, s, All(float.NegativeInfinity));");
        string mask = context.OwnMask.Vector(Mask);
        return new(string.Join("\n", context.OwnMask.Declarations), $"{(context.Program.AsksDecided ? "if (!decided) " : "")}s = Select({mask}, s, All(float.NegativeInfinity));");
    }
}

/// <summary>Computes the user's own mask before any other step: scores that are asked for before they are masked have -infinity for hidden keys all the same.</summary>
internal sealed record OwnMaskFirstStep(Expression Mask) : ScoreStep
{
    public override string Name => "";

    public override string Text => "";

    public override bool IsNatural => false;

    public override ScoreText Emit(ScoreContext context)
    {
        string mask = context.OwnMask.Vector(Mask);
        return new(string.Join("\n", context.OwnMask.Declarations), $"Vec visible = {(context.Program.AsksDecided ? "decided ? Vec.AllBitsSet : " : "")}{mask};");
    }
}
