using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Steps.RowStates;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes the online softmax of scores in memory: row by row, each with its own bound of visible keys. Where scores become weights in registers, it is only
/// for the rare panels in which a maximum rises or of which some rows see no key.
/// </summary>
internal static class SoftmaxEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        bool panel = plan.InRegisters;
        var states = plan.Spec.Rows;
        string from = panel ? "from" : "0";
        w.Line();
        w.Line($"""
            /// <summary>
            /// Makes weights of the scores of a tile in the columns {(panel ? "from" : "0")} to `end`, 0 for hidden keys. The maximum of a row rises when a score exceeds it by
            /// more than `Lazy`; the sums under the old maximum are then scaled down.
            /// </summary>
            """);
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void OnlineSoftmax(ref float weights, {(panel ? "int from, " : "")}int end, ref float state, int rows, {visible.Parameters}{(states.NeedsKeys ? ", int key" : "")})"))
        using (w.Block("for (int row = 0; row < rows; row++, state = ref At(ref state, StateRow))"))
        {
            string bound = visible.UpperMoves ? $"Math.Max(Math.Min({visible.Upper("row")}, Math.Min(end, keys)), {from})" : "Math.Min(end, keys)";
            w.Line($"""
                ref float w = ref At(ref weights, row * WeightRow);
                ref float sum = ref At(ref state, Sums);
                ref float maximum = ref At(ref state, Maximum);

                // The row sees the columns before `bound`: whole vectors before `tail`, then part of a vector.
                int bound = {bound};
                int tail = {(panel ? "from + (bound - from) / Lanes * Lanes" : "bound / Lanes * Lanes")};
                Vec visible = FirstOf(bound - tail);
                """);
            string first = from;
            if (visible.LowerMoves)
            {
                first = "head";
                Hide(w, visible, "w", from);
            }

            w.Line($"""

                // A score of -infinity has the weight 0: where a row sees a key, its maximum is at least the lowest finite number.
                Vec highest = All(bound > {(visible.LowerMoves ? "lower" : from)} ? float.MinValue : float.NegativeInfinity);
                int column = {first};
                """);
            Highest(w, "w", unrolled: !panel);
            w.Line("float rowHighest = Largest(highest);");
            foreach (var state in states.States) state.Observe(w, Context(plan), first);
            using (w.Block("if (rowHighest > maximum + Lazy)"))
            {
                using (w.Block("if (maximum != float.NegativeInfinity)"))
                {
                    if (!states.NeedsExponents) w.Line("Vec factor = Exp2(All(Fall(maximum, rowHighest, Scale)));");
                    else w.Line("Vec fall = All(Math.Max(Fall(maximum, rowHighest, Scale), -1000f)), factor = Exp2(fall);");
                    foreach (var state in states.States) state.Fall(w);
                    w.Line("""
                        for (nint i = 0; i < Maximum; i += Lanes) Store(Load(ref state, i) * factor, ref state, i);
                        """);
                    if (panel) w.Line("for (nint i = 0; i < from; i += Lanes) Store(Load(ref w, i) * factor, ref w, i);");
                }

                w.Line("""

                    maximum = rowHighest;
                    At(ref state, RowLevel) = Level(rowHighest, Scale);
                    """);
            }

            w.Line();
            DeclareLevel(w, "At(ref state, RowLevel)", "w", first, "bound");
            w.Line($"Vec levels = {(states.NeedsExponents ? "All(level)" : Levels(dialect))}, scale = All(Scale), total = Load(ref sum, 0);");
            w.Line($"column = {first};");
            bool hides = plan.Spec.Scores.Hides;
            if (states.NeedsExponents) WithExponents(w, states, hides);
            else Exponentials(w, dialect, "w", hides, unrolled: !panel);

            w.Line("""

                Store(total, ref sum, 0);
                for (; column < end; column += Lanes) Store(Vec.Zero, ref w, column);
                """);
        }
    }

    /// <summary>The call for some rows of scores.</summary>
    /// <param name="columns">The end of the columns, after the first where the method takes it.</param>
    /// <param name="key">The key of column 0, among those of the sequence.</param>
    public static void Call(SourceWriter w, CorePlan plan, string weights, string columns, string state, string rows, string bounds, string key) => w.Line(plan.Spec.WeighsValues
        ? $"OnlineSoftmax(ref {weights}, {columns}, ref {state}, {rows}, {bounds}{(plan.Spec.Rows.NeedsKeys ? $", {key}" : "")});"
        : $"Choose(ref {weights}, {columns}, ref {state}, {rows}, {bounds}, {key});");

    /// <summary>What states of rows are written with.</summary>
    public static RowContext Context(CorePlan plan) => new(
        plan.Spec.Rows, Dialect.Of(plan.Isa).Vector, plan.Spec.Visible, plan.Spec.Scores.IsNatural ? 1 : (float)Math.Abs((double)plan.Spec.Scale));

    /// <summary>Scores become weights as in <see cref="Exponentials"/>, and states get the exponents.</summary>
    private static void WithExponents(SourceWriter w, RowProgram states, bool hides)
    {
        string weight = hides ? "MarkHidden(e, s)" : "e";
        foreach (var state in states.States) state.Begin(w);
        using (w.Block("for (; column < tail; column += Lanes)"))
        {
            w.Line($"""
                Vec s = Load(ref w, column), x = MulAdd(s, scale, levels), e = Exp2(x);
                Store({weight}, ref w, column);
                total += e;
                """);
            foreach (var state in states.States) state.Add(w);
        }

        using (w.Block("if (tail < bound)"))
        {
            w.Line($"""
                Vec s = Select(visible, Load(ref w, tail), All(float.NegativeInfinity)), x = MulAdd(s, scale, levels), e = Exp2(x);
                Store({weight} & visible, ref w, tail);
                total += e;
                """);
            foreach (var state in states.States) state.Add(w);
            w.Line("column += Lanes;");
        }

        foreach (var state in states.States) state.End(w);
    }

    /// <summary>The columns before the first that a row sees: weights 0, and scores of -infinity in the vector that holds it.</summary>
    public static void Hide(SourceWriter w, VisibleKeys visible, string row, string from)
    {
        w.Line($"""

            // It does not see the columns before `lower`: whole vectors before `head`, then part of a vector. Or it sees no column.
            int lower = Math.Max({visible.Lower("row")}, {from});
            if (lower >= bound) lower = bound = tail = {from};
            int head = {(from == "0" ? "lower / Lanes * Lanes" : $"{from} + (lower - {from}) / Lanes * Lanes")};
            for (int i = {from}; i < head; i += Lanes) Store(Vec.Zero, ref {row}, i);
            if (head < lower) Store(Select(FirstOf(lower - head), All(float.NegativeInfinity), Load(ref {row}, head)), ref {row}, head);
            """);
    }

    /// <summary>Puts into `highest` the largest scores of a row in the columns from `column` to `bound`.</summary>
    public static void Highest(SourceWriter w, string row, bool unrolled)
    {
        if (unrolled)
            w.Line($"Vec other = highest;\nfor (; column + 2 * Lanes <= tail; column += 2 * Lanes) (highest, other) = (Max(highest, Load(ref {row}, column)), Max(other, Load(ref {row}, column + Lanes)));");
        w.Line($"""
            for (; column < tail; column += Lanes) highest = Max(highest, Load(ref {row}, column));
            if (tail < bound) highest = Max(highest, Select(visible, Load(ref {row}, tail), highest));
            """);
        if (unrolled) w.Line("highest = Max(highest, other);");
    }

    /// <summary>Declares the `level` of a row whose `maximum` is known.</summary>
    /// <param name="level">The level, NaN where the maximum has none.</param>
    /// <param name="row">The reference to the scores of the row.</param>
    /// <param name="first">The first column.</param>
    /// <param name="bound">The end of the columns that it sees.</param>
    public static void DeclareLevel(SourceWriter w, string level, string row, string first, string bound) => w.Line($$"""
        float level = {{level}};
        if (float.IsNaN(level))
        {
            // Very large scores have no level: use their distances from the maximum.
            for (int i = {{first}}; i < {{bound}}; i += Lanes) Store(Load(ref {{row}}, i) - All(maximum), ref {{row}}, i);
            level = 0f;
        }

        """);

    /// <summary>A vector of the `level` of a row, as <see cref="Weight"/> takes it.</summary>
    public static string Levels(Dialect dialect) => dialect.WeighsAtOnce ? "All(level + Whole)" : "All(level)";

    /// <summary>The weight of a score: two to the power of its product with `scale` plus `levels`.</summary>
    public static string Weight(Dialect dialect, string score) => dialect.WeighsAtOnce ? $"Weight({score}, scale, levels)" : $"Exp2(MulAdd({score}, scale, levels))";

    /// <summary>Scores of a row in the columns from `column` to `bound` become weights, their sum is added to `total`.</summary>
    /// <param name="hides">Whether scores may hide their keys.</param>
    public static void Exponentials(SourceWriter w, Dialect dialect, string row, bool hides, bool unrolled)
    {
        string weight(string score) => hides ? $"MarkHidden({Weight(dialect, score)}, {score})" : Weight(dialect, score);
        if (dialect.WeighsAtOnce && !hides) w.Line($"for (; column + 4 * Lanes <= tail; column += 4 * Lanes) total += Weights4(ref {row}, column, scale, levels);");
        else if (unrolled) Unrolled(w, weight, row);
        using (w.Block("for (; column < tail; column += Lanes)"))
        {
            w.Line($"""
                Vec e = {weight($"Load(ref {row}, column)")};
                Store(e, ref {row}, column);
                total += e;
                """);
        }

        using (w.Block("if (tail < bound)"))
        {
            w.Line($"""
                Vec e = {weight($"Load(ref {row}, tail)")} & visible;
                Store(e, ref {row}, tail);
                total += e;
                column += Lanes;
                """);
        }
    }

    /// <summary>Four exponentials side by side hide each other's latency.</summary>
    private static void Unrolled(SourceWriter w, Func<string, string> weight, string row)
    {
        string[] names = ["e0", "e1", "e2", "e3"];
        using (w.Block("for (; column + 4 * Lanes <= tail; column += 4 * Lanes)"))
        {
            for (int i = 0; i < names.Length; i++) w.Line($"Vec {names[i]} = {weight($"Load(ref {row}, column{Times(i)})")};");
            for (int i = 0; i < names.Length; i++) w.Line($"Store({names[i]}, ref {row}, column{Times(i)});");
            w.Line("total += (e0 + e1) + (e2 + e3);");
        }
    }

    private static string Times(int i) => i == 0 ? "" : i == 1 ? " + Lanes" : $" + {i} * Lanes";
}
