using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>
/// Writes what turns scores in memory into weights, row by row, each with its own bound of visible keys. Where scores stay in registers it is
/// the way for the panels that some rows do not see wholly and for the rare ones in which a maximum rises; elsewhere it is the only way.
/// </summary>
internal static class SoftmaxEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        bool panel = plan.Path == CorePath.Registers;
        string from = panel ? "from" : "0";
        w.Line();
        w.Line($"""
            /// <summary>
            /// Weights from the scores of a tile in the columns {(panel ? "from" : "0")} to `end`, 0 for invisible keys. A row's maximum rises when a score exceeds it by
            /// more than `Lazy`: what was summed under the old one is scaled down.
            /// </summary>
            """);
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void Softmax(ref float weights, {(panel ? "int from, " : "")}int end, ref float state, int rows, int {(visible.DiffersByRow ? "seen, int keys" : "keys")})"))
        using (w.Block("for (int row = 0; row < rows; row++, state = ref Unsafe.Add(ref state, StateRow))"))
        {
            string bound = visible.DiffersByRow ? $"Math.Max(Math.Min({visible.Bound("row")}, Math.Min(end, keys)), {from})" : "Math.Min(end, keys)";
            w.Line($"""
                ref float w = ref Unsafe.Add(ref weights, row * KeyBlock);
                ref float sum = ref Unsafe.Add(ref state, Sums);
                ref float maximum = ref Unsafe.Add(ref state, Maximum);

                // The row sees the columns before `bound`: whole vectors before `tail`, then a part of one.
                int bound = {bound};
                int tail = {(panel ? "from + (bound - from) / Lanes * Lanes" : "bound / Lanes * Lanes")};
                Vec visible = KernelMath.{dialect.FirstOf}(bound - tail);

                // A score of -infinity has the weight 0, also before any other: the maximum of what a row sees is finite or more.
                Vec highest = Create(bound > {from} ? float.MinValue : float.NegativeInfinity);
                int column = {from};
                for (; column < tail; column += Lanes) highest = MaxNative(highest, LoadUnsafe(ref w, (nuint)column));
                if (tail < bound) highest = MaxNative(highest, ConditionalSelect(visible, LoadUnsafe(ref w, (nuint)tail), highest));
                float rowHighest = KernelMath.Max(highest);
                """);
            using (w.Block("if (rowHighest > maximum + Lazy)"))
            {
                w.Line("""
                    Vec factor = KernelMath.Exp2(Create((maximum - rowHighest) * Scale));
                    maximum = rowHighest;
                    for (nuint i = 0; i < Maximum; i += Lanes) (LoadUnsafe(ref state, i) * factor).StoreUnsafe(ref state, i);
                    """);
                if (panel) w.Line("for (nuint i = 0; i < (nuint)from; i += Lanes) (LoadUnsafe(ref w, i) * factor).StoreUnsafe(ref w, i);");
            }

            w.Line();
            w.Line("Vec m = Create(maximum), scale = Create(Scale), total = LoadUnsafe(ref sum);");
            w.Line($"column = {from};");
            Exponentials(w, "w", unrolled: !panel);

            w.Line("""

                total.StoreUnsafe(ref sum);
                for (; column < end; column += Lanes) Vec.Zero.StoreUnsafe(ref w, (nuint)column);
                """);
        }
    }

    /// <summary>Scores of a row in the columns from `column` to `bound` become weights, their sum is added to `total`.</summary>
    public static void Exponentials(SourceWriter w, string row, bool unrolled)
    {
        if (unrolled) Unrolled(w, row);
        using (w.Block("for (; column < tail; column += Lanes)"))
        {
            w.Line($"""
                Vec e = KernelMath.Exp2((LoadUnsafe(ref {row}, (nuint)column) - m) * scale);
                e.StoreUnsafe(ref {row}, (nuint)column);
                total += e;
                """);
        }

        using (w.Block("if (tail < bound)"))
        {
            w.Line($"""
                Vec e = KernelMath.Exp2((LoadUnsafe(ref {row}, (nuint)tail) - m) * scale) & visible;
                e.StoreUnsafe(ref {row}, (nuint)tail);
                total += e;
                column += Lanes;
                """);
        }
    }

    /// <summary>Four exponentials side by side hide each other's latency.</summary>
    private static void Unrolled(SourceWriter w, string row)
    {
        string[] names = ["e0", "e1", "e2", "e3"];
        using (w.Block("for (; column + 4 * Lanes <= tail; column += 4 * Lanes)"))
        {
            for (int i = 0; i < names.Length; i++) w.Line($"Vec {names[i]} = KernelMath.Exp2((LoadUnsafe(ref {row}, (nuint)column{Times(i)}) - m) * scale);");
            for (int i = 0; i < names.Length; i++) w.Line($"{names[i]}.StoreUnsafe(ref {row}, (nuint)column{Times(i)});");
            w.Line("total += (e0 + e1) + (e2 + e3);");
        }
    }

    private static string Times(int i) => i == 0 ? "" : i == 1 ? " + Lanes" : $" + {i} * Lanes";
}
