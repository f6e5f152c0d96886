using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Scores;

/// <summary>
/// Copies the scores of the keys that the row sees to the score matrix. Columns before these may belong to another run, which another thread computes. Scores that become weights
/// do so when the sum of the row is known.
/// </summary>
/// <param name="Stage">The stage at which scores are copied.</param>
/// <param name="IsMasked">Whether the user's own mask, computed before, hides keys of the copy.</param>
internal sealed record TapStep(Stage Stage, bool IsMasked) : ScoreStep
{
    public override string Name => "_" + StageName;

    public override string Text => $"a matrix of {(Stage == Stage.Weights ? "weights" : StageName + " scores")}";

    public override bool IsNatural => false;

    public override bool Changes => false;

    public override bool ReadsKeys => true;

    private string StageName => Stage.ToString().ToLowerInvariant();

    public override ScoreText Emit(ScoreContext context)
    {
        string score = Stage switch { Stage.Scaled => context.Scaled, Stage.Weights => "s", _ => context.Natural };
        if (IsMasked) score = $"Select(visible, {score}, All(float.NegativeInfinity))";
        return new("ref float scores = ref place.Floats(Role.Scores, head, row, key);", Store(context, score, null), Store(context, score, "rest"));
    }

    private static string Store(ScoreContext context, string score, string? rest)
    {
        bool hasLower = context.Visible.LowerMoves;
        if (context.Program.HasStride) return $"StoreEvery({score}, ref scores, column, place.Step, {(hasLower ? "lower - column" : "0")}, {rest ?? "Lanes"});";
        if (hasLower) return $"StoreBetween({score}, ref scores, column, lower - column, {rest ?? "Lanes"});";
        return rest is null ? $"Store({score}, ref scores, column);" : $"StoreFirst({score}, ref scores, column, {rest});";
    }
}
