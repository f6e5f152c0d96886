using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Scores;

/// <summary>The user's own score, of a score that is scaled and capped.</summary>
internal sealed record OwnScoreStep(Expression Score) : ScoreStep
{
    public override string Name => "_score" + Score.Name;

    public override string Text => TextWith(ExpressionNames.Slots);

    public override string TextWith(ExpressionNames names) => $"score = {Score.Spell(names)}";

    public override bool Hides => true;

    public override bool ReadsKeys => Score.Uses(Input.Key);

    public override IEnumerable<Expression> Expressions => [Score];

    public override ScoreText Emit(ScoreContext context)
    {
        string score = context.OwnScore.Vector(Score);
        return new(string.Join("\n", context.OwnScore.Declarations), $"s = {score};");
    }
}
