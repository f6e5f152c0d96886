using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.RowStates;

/// <summary>
/// Writes what is kept of a row for its largest score, the key of it, and the entropy of its weights. With a weight 2^x, the entropy is ln(sum 2^x) - ln(2) sum(x 2^x) / sum(2^x): the exponents
/// x are relative to the row's level as the weights are, and fall with them, so that nothing large cancels.
/// </summary>
internal static class StatisticsEmitter
{
    /// <summary>No exponent is below it: 0 times -infinity would not be 0.</summary>
    private const string Least = "All(-127f)";

    public static string Parameter(CorePlan plan) => plan.Spec.Scoring.ArgMax ? ", int key" : "";

    /// <param name="key">The key of column 0, among those of the sequence.</param>
    public static string Argument(CorePlan plan, string key) => plan.Spec.Scoring.ArgMax ? $", {key}" : "";

    /// <summary>Whether keys may come before those that were met: zones of a mask do not rise. Of equal scores the first key is told.</summary>
    private static bool KeysFall(CorePlan plan) => plan.Spec.Visible.LowerMoves && plan.Spec.Scoring.ArgMax;

    public static void Reset(SourceWriter w, CorePlan plan)
    {
        if (plan.Spec.Scoring.HasHighest) w.Line("At(ref state, Highest) = float.NegativeInfinity;");
    }

    /// <summary>The largest score of some columns, `rowHighest`, against that of the columns before.</summary>
    public static void Highest(SourceWriter w, CorePlan plan, Dialect dialect, string first)
    {
        if (!plan.Spec.Scoring.HasHighest) return;
        using (w.Block($"if (rowHighest {(KeysFall(plan) ? ">=" : ">")} At(ref state, Highest))"))
        {
            if (plan.Spec.Scoring.ArgMax) Find(w, plan, dialect, first);
            else w.Line("At(ref state, Highest) = rowHighest;");
        }

        w.Line();
    }

    private static void Find(SourceWriter w, CorePlan plan, Dialect dialect, string first)
    {
        w.Line($"""
            int at = {first};
            while (at < bound && !Any({dialect.Vector}.Equals(Load(ref w, at), All(rowHighest)))) at += Lanes;
            while (at < bound && At(ref w, at) != rowHighest) at++;
            """);
        string isFirst = KeysFall(plan) ? " && (rowHighest > At(ref state, Highest) || key + at < BitConverter.SingleToInt32Bits(At(ref state, HighestKey)))" : "";
        using (w.Block($"if (at < bound{isFirst}) // else all are hidden"))
        {
            w.Line("""
                At(ref state, Highest) = rowHighest;
                At(ref state, HighestKey) = BitConverter.Int32BitsToSingle(key + at);
                """);
        }
    }

    /// <summary>Declares the `factor` by which weights fall to a higher maximum, and lets their exponents fall.</summary>
    public static void Fall(SourceWriter w, CorePlan plan)
    {
        if (!plan.Spec.Scoring.Entropy)
        {
            w.Line("Vec factor = Exp2(All(Fall(maximum, rowHighest, Scale)));");
            return;
        }

        w.Line("""
            Vec fall = All(Math.Max(Fall(maximum, rowHighest, Scale), -1000f)), factor = Exp2(fall);
            Store(MulAdd(Load(ref sum, 0), fall, Load(ref state, Exponents)), ref state, Exponents);
            """);
    }

    /// <summary>Declares the factors of two states that are brought to one maximum, and brings their exponents there.</summary>
    public static void MergeExponents(SourceWriter w, CorePlan plan)
    {
        if (!plan.Spec.Scoring.Entropy)
        {
            w.Line("Vec f = Exp2(All(Fall(mine, level, Scale))), g = Exp2(All(Fall(others, level, Scale)));");
            return;
        }

        w.Line("""
            Vec fall = All(Math.Max(Fall(mine, level, Scale), -1000f)), othersFall = All(Math.Max(Fall(others, level, Scale), -1000f)), f = Exp2(fall), g = Exp2(othersFall);
            Store(MulAdd(Load(ref state, Sums), fall, Load(ref state, Exponents)), ref state, Exponents);
            Store(MulAdd(Load(ref other, Sums), othersFall, Load(ref other, Exponents)), ref other, Exponents);
            """);
    }

    /// <summary>The largest score of two states; of equal ones that of the first key.</summary>
    public static void MergeHighest(SourceWriter w, CorePlan plan)
    {
        if (!plan.Spec.Scoring.HasHighest) return;
        string isFirst = KeysFall(plan) ? " || (At(ref other, Highest) == At(ref state, Highest) && BitConverter.SingleToInt32Bits(At(ref other, HighestKey)) < BitConverter.SingleToInt32Bits(At(ref state, HighestKey)))" : "";
        using (w.Block($"if (At(ref other, Highest) > At(ref state, Highest){isFirst})"))
        {
            w.Line("At(ref state, Highest) = At(ref other, Highest);");
            if (plan.Spec.Scoring.ArgMax) w.Line("At(ref state, HighestKey) = At(ref other, HighestKey);");
        }
    }

    /// <summary>Scores become weights as without an entropy, and their exponents are summed beside them.</summary>
    public static void Exponentials(SourceWriter w, bool hides)
    {
        string weight = hides ? "MarkHidden(e, s)" : "e";
        w.Line("Vec exponents = Load(ref state, Exponents);");
        using (w.Block("for (; column < tail; column += Lanes)"))
        {
            w.Line($"""
                Vec s = Load(ref w, column), x = MulAdd(s, scale, levels), e = Exp2(x);
                Store({weight}, ref w, column);
                total += e;
                exponents = MulAdd(e, Max({Least}, x), exponents);
                """);
        }

        using (w.Block("if (tail < bound)"))
        {
            w.Line($"""
                Vec s = Select(visible, Load(ref w, tail), All(float.NegativeInfinity)), x = MulAdd(s, scale, levels), e = Exp2(x);
                Store({weight} & visible, ref w, tail);
                total += e;
                exponents = MulAdd(e, Max({Least}, x), exponents);
                column += Lanes;
                """);
        }

        w.Line("Store(exponents, ref state, Exponents);");
    }

    /// <summary>What is asked for of a row, at its end.</summary>
    public static void Finish(SourceWriter w, CorePlan plan)
    {
        var scoring = plan.Spec.Scoring;
        if (scoring.MaxScore)
        {
            string factor = ScalarText.Float(scoring.IsNatural ? 1 : (float)Math.Abs((double)plan.Spec.Scale));
            w.Line($"place.MaxScore(0, row) = RowStatistics.MaxScore(sum, At(ref state, Highest), {factor});");
        }

        if (scoring.Entropy)
        {
            w.Line("double entropy = RowStatistics.Entropy(sum, Sum(Load(ref state, Exponents)));");
            w.Line($"place.Entropy(0, row) = (float){(scoring.Sinks ? "RowStatistics.WithSink(entropy, sum, sink - logSum)" : "entropy")};");
        }

        if (scoring.ArgMax) w.Line("place.ArgMax(0, row) = RowStatistics.ArgMax(sum, At(ref state, HighestKey), in place);");
    }
}
