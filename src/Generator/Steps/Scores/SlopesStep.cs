namespace AttentionGen.Generator.Steps.Scores;

/// <summary>Scores fall with the distance of query and key: s - slope * |p - j| (Press et al., Train Short, Test Long).</summary>
internal sealed record SlopesStep : ScoreStep
{
    public override string Name => "_slopes";

    public override string Text => "a slope for each head";

    public override ScoreText Emit(ScoreContext context) => new("Vec slope = All(place.Float(Role.Slopes, head) * place.Step), away = From(place.Away(row, key));", "s -= slope * Abs(away + All(column));");
}
