namespace AttentionGen.Generator.Steps.Scores;

/// <summary>Keys that are not kept are hidden.</summary>
internal sealed record KeepStep : ScoreStep
{
    public override string Name => "_keep";

    public override string Text => "a mask of keys";

    public override bool IsNatural => false;

    public override bool Hides => true;

    public override bool ReadsKeys => true;

    public override ScoreText Emit(ScoreContext context)
    {
        static string Hide(string keep) => $"s = Select({keep}, s, All(float.NegativeInfinity));";
        const string Row = "ref byte keep = ref place.Bytes(Role.Keep, head, row, key);";
        return context.Program.HasStride
            ? new(Row, Hide("KeepEvery(ref keep, column, place.Step, Lanes)"), Hide("KeepEvery(ref keep, column, place.Step, rest)"))
            : new(Row, Hide("Keep(ref keep, column)"), Hide("KeepFirst(ref keep, column, rest)"));
    }
}
