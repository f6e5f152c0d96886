namespace AttentionGen.Generator.Steps.Scores;

/// <summary>
/// A bias is added for the bucket of the distance of query and key. The biases of all distances lie side by side, with as many copies after the last that differs that a vector
/// which begins anywhere is one load.
/// </summary>
internal sealed record RelativeBiasStep : ScoreStep
{
    public override string Name => "_relative";

    public override string Text => "a bias of relative positions";

    public override bool ReadsKeys => true;

    /// <summary>Keys with a distance between them are looked up one by one.</summary>
    public override bool UsesInts(ScoreProgram program) => program.HasStride;

    public override ScoreText Emit(ScoreContext context)
    {
        string vector = context.Vector;
        return new(
            "ref float relative = ref place.Floats(Role.RelativeBias, head, 0, 0);\nnint distance = place.Distance(row, key), reach = place.Reach;",
            context.Program.HasStride
                ? $"s += Elements(ref At(ref relative, -reach), (int)(2 * reach), {vector}.Min({vector}.Max({vector}.Create((int)(distance + column * place.Step + reach)) + Ints.Indices * place.Step, Ints.Zero), {vector}.Create((int)(2 * reach - 1))));"
                : "s += Load(ref relative, Math.Min(Math.Max(distance + column, -reach), reach - Lanes));");
    }
}
