using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes what takes the place of the softmax in hard attention: each row keeps its largest score and the key. Values are not read: the caller of the core copies those of the keys that
/// are chosen in the end.
/// </summary>
internal static class ChoiceEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        var states = plan.Spec.Rows;
        var context = SoftmaxEmitter.Context(plan);
        w.Line();
        w.Line("/// <summary>Keeps the largest score of each row of a tile in the columns 0 to `end`, and its key, and NaN where a score is NaN. `key` is the key of column 0.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void Choose(ref float weights, int end, ref float state, int rows, {visible.Parameters}, int key)"))
        using (w.Block("for (int row = 0; row < rows; row++, state = ref At(ref state, StateRow))"))
        {
            string bound = visible.UpperMoves ? $"Math.Max(Math.Min({visible.Upper("row")}, Math.Min(end, keys)), 0)" : "Math.Min(end, keys)";
            w.Line($"""
                ref float w = ref At(ref weights, row * WeightRow);

                // The row sees the columns before `bound`: whole vectors before `tail`, then part of a vector.
                int bound = {bound};
                int tail = bound / Lanes * Lanes;
                Vec visible = FirstOf(bound - tail);
                """);
            if (visible.LowerMoves) SoftmaxEmitter.Hide(w, visible, "w", "0");
            string first = visible.LowerMoves ? "head" : "0";
            w.Line($"""

                Vec highest = All(float.NegativeInfinity), nan = Load(ref state, Sums);
                int column = {first};
                """);
            using (w.Block("for (; column < tail; column += Lanes)"))
                w.Line($"""
                    Vec s = Load(ref w, column);
                    highest = Max(highest, s);
                    nan |= ~{context.Vector}.Equals(s, s);
                    """);
            using (w.Block("if (tail < bound)"))
                w.Line($"""
                    Vec s = Load(ref w, tail);
                    highest = Max(highest, Select(visible, s, highest));
                    nan |= ~{context.Vector}.Equals(s, s) & visible;
                    """);
            w.Line("""
                Store(nan, ref state, Sums);
                float rowHighest = Largest(highest);
                """);
            foreach (var state in states.States) state.Observe(w, context, first);
        }
    }

    /// <summary>Writes the end: the results of rows beside their output, and the key whose value is the output.</summary>
    public static void Finish(SourceWriter w, CorePlan plan)
    {
        w.Line();
        w.Line("/// <summary>Leaves in the state of each row the key that it has chosen, as the caller takes it; writes its results beside the output.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("public static void Finish(ref float state, in TokenRows outputs, int rows, in ForwardPlace place)"))
        using (w.Block("for (int row = 0; row < rows; row++, state = ref At(ref state, StateRow))"))
        {
            w.Line("""
                // The weight of the key: 0 where the row sees none, NaN where a score is.
                float sum = Sum(Load(ref state, Sums)) + (At(ref state, Highest) == float.NegativeInfinity ? 0f : 1f);
                """);
            foreach (var state in plan.Spec.Rows.States) state.Finish(w, SoftmaxEmitter.Context(plan));
            w.Line("At(ref state, HighestKey) = RowStatistics.ChosenKey(sum, At(ref state, HighestKey));");
        }
    }
}
