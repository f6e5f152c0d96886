using AttentionGen.Generator.Expressions;
using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>
/// Writes what is done to the scores of a tile between the products and the softmax: cap, bias, distance, mask, in this order. Each is a step of its own,
/// with what it needs once for a row and what it does to a vector.
/// </summary>
internal static class ScoringEmitter
{
    /// <param name="Row">What is declared for a row, from `head` and `row`.</param>
    /// <param name="Vector">What is done to the scores `s` of a vector from `column` on.</param>
    /// <param name="Rest">The same for the vector that the keys end in, with `rest` of them left.</param>
    private sealed record Step(string? Row, string Vector, string Rest)
    {
        public Step(string? row, string vector)
            : this(row, vector, vector)
        {
        }
    }

    private static IEnumerable<Step> Steps(CorePlan plan, Dialect dialect)
    {
        var scoring = plan.Spec.Scoring;
        double scale = Math.Abs((double)plan.Spec.Scale);
        string factor = ScalarText.Float((float)scale), scaled = $"s * All({factor})";
        var mask = scoring.Visible is null ? null : new LiftedEmitter(dialect.Vector, "mask");
        string visible = mask?.Vector(scoring.Visible!) ?? "", natural = scoring.IsNatural ? "s" : scaled;

        // What the bounds of the loops do not take from the user's own mask hides keys of the matrix as these do.
        Step BeforeMask(string score) => ToMatrix(mask is null ? score : $"Select({visible}, {score}, All(float.NegativeInfinity))");
        if (scoring.Matrix == Stage.Scaled) yield return BeforeMask(scaled);
        if (scoring.Cap is { } cap) yield return new(null, $"s = Tanh(s * All({ScalarText.Float((float)(scale / cap))})) * All({ScalarText.Float(cap)});");
        else if (scoring.IsNatural) yield return new(null, $"s *= All({factor});");
        if (scoring.Matrix == Stage.Capped) yield return BeforeMask(natural);
        if (scoring.Own is { } own)
        {
            var lifted = new LiftedEmitter(dialect.Vector, "own");
            string score = lifted.Vector(own);
            yield return new(string.Join("\n", lifted.Declarations), $"s = {score};");
        }

        if (scoring.Bias)
        {
            // -infinity hides the key, whatever its score is.
            static string Add(string bias) => $"Vec b = {bias};\ns = Select(IsHidden(b), b, s + b);";
            yield return new("ref float bias = ref place.Bias(head, row, key);", Add("Load(ref bias, column)"), Add("LoadFirst(ref bias, column, rest)"));
        }

        if (scoring.Slopes) yield return new("Vec slope = All(place.Slope(head)), away = From(place.Away(row, key));", "s -= slope * Abs(away + All(column));");
        if (scoring.Keep)
        {
            yield return new(
                "ref byte keep = ref place.Keep(head, row, key);", "s = Select(Keep(ref keep, column), s, All(float.NegativeInfinity));",
                "s = Select(KeepFirst(ref keep, column, rest), s, All(float.NegativeInfinity));");
        }

        if (mask is not null)
            yield return new(string.Join("\n", mask.Declarations), $"s = Select({visible}, s, All(float.NegativeInfinity));");

        if (scoring.Matrix == Stage.Masked) yield return ToMatrix(natural);
        else if (scoring.Matrix == Stage.Weights) yield return ToMatrix("s"); // they become weights when the sum of the row is known
    }

    /// <summary>Copies scores to the matrix that is asked for.</summary>
    private static Step ToMatrix(string score) =>
        new("ref float scores = ref place.Scores(head, row, key);", $"Store({score}, ref scores, column);", $"StoreFirst({score}, ref scores, column, rest);");

    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        var scoring = plan.Spec.Scoring;
        if (!scoring.Changes) return;
        var steps = Steps(plan, dialect).ToList();
        bool needsKeys = scoring.Own?.Uses(Input.Key) == true || scoring.Visible?.Uses(Input.Key) == true;
        w.Line();
        w.Line($"/// <summary>From the products of some rows with keys to scores: {scoring.Text}. {(scoring.Hides ? "Whether a key is hidden by its score. " : "")}`key` is that of column 0, `row` the first row.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static {(scoring.Hides ? "bool" : "void")} Score(ref float weights, int end, int rows, {visible.Parameters}, in ForwardPlace place, int head, int row, int key)"))
        {
            if (scoring.Hides) w.Line("Vec hides = Vec.Zero;");
            using (w.Block("for (int i = 0; i < rows; i++, row++, weights = ref At(ref weights, KeyBlock))"))
            {
                string bound = visible.UpperMoves ? $"Math.Min({visible.Upper("i")}, Math.Min(end, keys))" : "Math.Min(end, keys)";
                w.Line($"int bound = {bound}, column = {(visible.LowerMoves ? $"Math.Max({VisibleKeys.Lower("i")}, 0) / Lanes * Lanes" : "0")};");
                foreach (var step in steps)
                    if (step.Row is { Length: > 0 } declaration) w.Line(declaration);
                using (w.Block("for (; column + Lanes <= bound; column += Lanes)")) Vector(steps.Select(step => step.Vector));
                using (w.Block("if (column < bound)"))
                {
                    if (steps.Any(step => step.Rest != step.Vector)) w.Line("int rest = bound - column;");
                    Vector(steps.Select(step => step.Rest));
                }

                if (scoring.Matrix is not null && visible.LowerMoves)
                {
                    w.Line($"int lower = Math.Max({VisibleKeys.Lower("i")}, 0); // before it the row has no scores");
                    w.Line("for (column = lower / Lanes * Lanes; column < Math.Min(lower, bound); column++) At(ref scores, column) = float.NegativeInfinity;");
                }
            }

            if (scoring.Hides) w.Line("return Any(hides);");
        }

        void Vector(IEnumerable<string> changes)
        {
            w.Line("Vec s = Load(ref weights, column);");
            if (needsKeys) w.Line($"Ints j = Ints.Indices + {dialect.Vector}.Create(place.Key(key) + column);");
            foreach (string change in changes) w.Line(change);
            if (scoring.Hides) w.Line("hides |= IsHidden(s);");
            if (scoring.IsNatural || scoring.Hides) w.Line("Store(s, ref weights, column);");
        }
    }

    /// <summary>The call for some rows, from products in `weights`.</summary>
    /// <param name="result">How it is kept whether a key is hidden, where one can be.</param>
    public static void Call(SourceWriter w, CorePlan plan, string result, string weights, string columns, string rows, string bounds, string head, string row, string key)
    {
        if (!plan.Spec.Scoring.Changes) return;
        w.Line($"{(plan.Spec.Scoring.Hides ? result : "")}Score(ref {weights}, {columns}, {rows}, {bounds}, in block.Place, {head}, {row}, {key});");
    }
}
