using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.RowStates;

/// <summary>The scores in the score matrix become weights. Until the sum of a row is known, the matrix holds the scores that the softmax took.</summary>
internal sealed record WeightsState : RowState
{
    public override string Name => ""; // the step that copies the scores has it

    public override string Text => "";

    public override bool NeedsLevel => true;

    public override void Finish(SourceWriter w, RowContext context) =>
        w.Line("NormalizeWeights(ref place.FloatRow(Role.Scores, 0, row), place.Keys, At(ref state, Maximum), At(ref state, RowLevel), inverse);");

    public override void Methods(SourceWriter w)
    {
        w.Line();
        w.Line("/// <summary>Makes weights of all scores of a row, as in its output: 0 for a key that it does not see, even beside a NaN.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("private static void NormalizeWeights(ref float scores, int keys, float maximum, float level, float inverse)"))
        {
            w.Line("""
                // Very large scores have no level: use their distances from the maximum.
                Vec zero = All(0f), levels = All(level), scale = All(Scale), factor = All(inverse);
                if (float.IsNaN(level)) (zero, levels) = (All(maximum), All(0f));
                int column = 0;
                """);
            using (w.Block("for (; column + Lanes <= keys; column += Lanes)"))
            {
                w.Line("""
                    Vec s = Load(ref scores, column);
                    Store(Select(IsHidden(s), Vec.Zero, Exp2(MulAdd(s - zero, scale, levels)) * factor), ref scores, column);
                    """);
            }

            using (w.Block("if (column < keys)"))
            {
                w.Line("""
                    Vec s = LoadFirst(ref scores, column, keys - column);
                    StoreFirst(Select(IsHidden(s), Vec.Zero, Exp2(MulAdd(s - zero, scale, levels)) * factor), ref scores, column, keys - column);
                    """);
            }
        }
    }
}
