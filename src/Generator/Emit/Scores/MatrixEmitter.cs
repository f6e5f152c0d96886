using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Scores;

/// <summary>Writes what makes weights of a row of the score matrix. Until its sum is known, the matrix holds the scores that the softmax took.</summary>
internal static class MatrixEmitter
{
    public static void Call(SourceWriter w, CorePlan plan)
    {
        if (plan.Spec.Scoring.Matrix == Stage.Weights)
            w.Line("Normalize(ref place.ScoreRow(0, row), place.Keys, At(ref state, Maximum), At(ref state, RowLevel), inverse);");
    }

    public static void Emit(SourceWriter w, CorePlan plan)
    {
        if (plan.Spec.Scoring.Matrix != Stage.Weights) return;
        w.Line();
        w.Line("/// <summary>Weights from all scores of a row, as its output has them; 0 for a key that it does not see, also beside a NaN.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static void Normalize(ref float scores, int keys, float maximum, float level, float inverse)"))
        {
            w.Line("""
                // Very large scores have no level: their distances from the maximum.
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
