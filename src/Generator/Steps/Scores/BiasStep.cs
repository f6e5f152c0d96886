namespace AttentionGen.Generator.Steps.Scores;

/// <summary>A bias is added; -infinity hides the key, whatever its score is.</summary>
internal sealed record BiasStep : ScoreStep
{
    public override string Name => "_bias";

    public override string Text => "a bias";

    public override bool Hides => true;

    public override bool ReadsKeys => true;

    public override ScoreText Emit(ScoreContext context)
    {
        static string Add(string bias) => $"Vec b = {bias};\ns = Select(IsHidden(b), b, s + b);";
        const string Row = "ref float bias = ref place.Floats(Role.Bias, head, row, key);";
        return context.Program.HasStride
            ? new(Row, Add("LoadEvery(ref bias, column, place.Step, Lanes)"), Add("LoadEvery(ref bias, column, place.Step, rest)"))
            : new(Row, Add("Load(ref bias, column)"), Add("LoadFirst(ref bias, column, rest)"));
    }
}
