using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;
using AttentionGen.Generator.Validation;

namespace AttentionGen.Generator.Emit.Scores;

/// <summary>
/// Writes what is done to the scores of a tile between the products and the softmax: scale, cap, own score, bias, distance, mask, in this order. Each is a step of its own,
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

    private static IEnumerable<Step> Steps(CorePlan plan, Dialect dialect, LiftedEmitter ofScore, LiftedEmitter ofMask)
    {
        var scoring = plan.Spec.Scoring;
        double scale = Math.Abs((double)plan.Spec.Scale);
        var matrix = new MatrixStores(scoring, plan.Spec.Visible);
        bool capsScaled = scoring.Cap is not null && scoring.Matrix != Stage.Scaled; // the cap goes into the scale of a head unless the scaled score is asked for
        string? scaleOfHead = scoring.Scales ? $"Vec scale = All(place.Scale(head){(capsScaled ? $" / {ScalarText.Float(scoring.Cap!.Value)}" : "")});" : null;
        string Factor(double factor) => scoring.Scales ? "scale" : $"All({ScalarText.Float((float)factor)})";
        string scaled = $"s * {Factor(scale)}", natural = scoring.IsNatural ? "s" : scaled;

        // Before scores are masked, the user's own mask hides keys of the matrix as the bounds of the loops do.
        string mask = scoring.Visible is null ? "" : ofMask.Vector(scoring.Visible), hidden = "";
        if (scoring.Visible is not null && scoring.Matrix is Stage.Scaled or Stage.Capped)
        {
            yield return new(string.Join("\n", ofMask.Declarations), $"Vec visible = {(scoring.AsksDecided ? "decided ? Vec.AllBitsSet : " : "")}{mask};");
            (mask, hidden) = ("visible", ", All(float.NegativeInfinity))");
        }

        Step BeforeMask(string score) => matrix.Store(hidden.Length == 0 ? score : $"Select(visible, {score}{hidden}");
        if (scoring.Matrix == Stage.Scaled) yield return BeforeMask(scaled);
        if (scoring.Cap is { } cap) yield return new(scaleOfHead, $"s = Tanh({(scoring.Scales && !capsScaled ? $"{scaled} * All({ScalarText.Float(1 / cap)})" : $"s * {Factor(scale / cap)}")}) * All({ScalarText.Float(cap)});");
        else if (scoring.IsNatural) yield return new(scaleOfHead, $"s *= {Factor(scale)};");
        if (scoring.Matrix == Stage.Capped) yield return BeforeMask(natural);
        if (scoring.Own is { } own)
        {
            string score = ofScore.Vector(own);
            yield return new(string.Join("\n", ofScore.Declarations), $"s = {score};");
        }

        if (scoring.Bias)
        {
            // -infinity hides the key, whatever its score is.
            static string Add(string bias) => $"Vec b = {bias};\ns = Select(IsHidden(b), b, s + b);";
            yield return scoring.KeepsStep
                ? new("ref float bias = ref place.Bias(head, row, key);", Add("LoadEvery(ref bias, column, place.Step, Lanes)"), Add("LoadEvery(ref bias, column, place.Step, rest)"))
                : new("ref float bias = ref place.Bias(head, row, key);", Add("Load(ref bias, column)"), Add("LoadFirst(ref bias, column, rest)"));
        }

        if (scoring.Slopes) yield return new("Vec slope = All(place.Slope(head)), away = From(place.Away(row, key));", "s -= slope * Abs(away + All(column));");
        if (scoring.Relative)
        {
            // The biases of distances lie side by side, with as much behind the last that differs that a vector which begins anywhere is a load.
            yield return new(
                "ref float relative = ref place.Relative(head);\nnint distance = place.Distance(row, key), reach = place.Reach;",
                scoring.KeepsStep
                    ? $"s += Elements(ref At(ref relative, -reach), (int)(2 * reach), {dialect.Vector}.Min({dialect.Vector}.Max({dialect.Vector}.Create((int)(distance + column * place.Step + reach)) + Ints.Indices * place.Step, Ints.Zero), {dialect.Vector}.Create((int)(2 * reach - 1))));"
                    : "s += Load(ref relative, Math.Min(Math.Max(distance + column, -reach), reach - Lanes));");
        }

        if (scoring.Keep)
        {
            static string Hide(string keep) => $"s = Select({keep}, s, All(float.NegativeInfinity));";
            yield return scoring.KeepsStep
                ? new("ref byte keep = ref place.Keep(head, row, key);", Hide("KeepEvery(ref keep, column, place.Step, Lanes)"), Hide("KeepEvery(ref keep, column, place.Step, rest)"))
                : new("ref byte keep = ref place.Keep(head, row, key);", Hide("Keep(ref keep, column)"), Hide("KeepFirst(ref keep, column, rest)"));
        }

        if (scoring.Visible is not null)
        {
            string? declarations = hidden.Length == 0 ? string.Join("\n", ofMask.Declarations) : null;
            yield return new(declarations, $"{(scoring.AsksDecided && declarations is not null ? "if (!decided) " : "")}s = Select({mask}, s, All(float.NegativeInfinity));");
        }

        if (scoring.Matrix == Stage.Masked) yield return matrix.Store(natural);
        else if (scoring.Matrix == Stage.Weights) yield return matrix.Store("s"); // they become weights when the sum of the row is known
    }

    /// <summary>
    /// Copies scores to the matrix that is asked for: those that the row sees. Keys before these may belong to another run, which another thread has.
    /// </summary>
    private sealed class MatrixStores(Scoring scoring, VisibleKeys visible)
    {
        public Step Store(string score) => new("ref float scores = ref place.Scores(head, row, key);", One(score, null), One(score, "rest"));

        private string One(string score, string? rest) =>
            scoring.KeepsStep ? $"StoreEvery({score}, ref scores, column, place.Step, {(visible.LowerMoves ? "lower - column" : "0")}, {rest ?? "Lanes"});"
            : visible.LowerMoves ? $"StoreBetween({score}, ref scores, column, lower - column, {rest ?? "Lanes"});"
            : rest is null ? $"Store({score}, ref scores, column);" : $"StoreFirst({score}, ref scores, column, {rest});";
    }

    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        var scoring = plan.Spec.Scoring;
        if (!scoring.Changes) return;
        LiftedEmitter ofScore = new(dialect.Vector, "own", scoring.KeepsStep), ofMask = new(dialect.Vector, "mask", scoring.KeepsStep);
        var steps = Steps(plan, dialect, ofScore, ofMask).ToList();
        bool needsKeys = ofScore.UsesKeys || ofMask.UsesKeys;
        w.Line();
        w.Line($"/// <summary>From the products of some rows with keys to scores: {scoring.Text}. {(scoring.Hides ? "Whether a key is hidden by its score. " : "")}`key` is that of column 0, `row` the first row.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static {(scoring.Hides ? "bool" : "void")} Score(ref float weights, int end, int rows, {visible.Parameters}, in ForwardPlace place, int head, int row, int key{(scoring.AsksDecided ? ", bool decided" : "")})"))
        {
            if (scoring.Hides) w.Line("Vec hides = Vec.Zero;");
            using (w.Block("for (int i = 0; i < rows; i++, row++, weights = ref At(ref weights, KeyBlock))"))
            {
                string bound = visible.UpperMoves ? $"Math.Min({visible.Upper("i")}, Math.Min(end, keys))" : "Math.Min(end, keys)";
                string lower = $"Math.Max({visible.Lower("i")}, 0)", column = scoring.Matrix is null ? $"column = {lower}" : $"lower = {lower}, column = lower";
                w.Line($"int bound = {bound}, {(visible.LowerMoves ? $"{column} / Lanes * Lanes" : "column = 0")};");
                foreach (var step in steps)
                    if (step.Row is { Length: > 0 } declaration) w.Line(declaration);
                using (w.Block("for (; column + Lanes <= bound; column += Lanes)")) Vector(steps.Select(step => step.Vector));
                using (w.Block("if (column < bound)"))
                {
                    if (steps.Any(step => step.Rest != step.Vector)) w.Line("int rest = bound - column;");
                    Vector(steps.Select(step => step.Rest));
                }
            }

            if (scoring.Hides) w.Line("return Any(hides);");
        }

        void Vector(IEnumerable<string> changes)
        {
            w.Line("Vec s = Load(ref weights, column);");
            if (needsKeys) w.Line(scoring.KeepsStep ? $"Ints j = Ints.Indices * place.Step + {dialect.Vector}.Create(place.Key(key + column));" : $"Ints j = Ints.Indices + {dialect.Vector}.Create(place.Key(key) + column);");
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
        var scoring = plan.Spec.Scoring;
        w.Line($"{(scoring.Hides ? result : "")}{(scoring.LeavesDecided ? "!run.Decided && " : "")}Score(ref {weights}, {columns}, {rows}, {bounds}, in block.Place, {head}, {row}, {key}{(scoring.AsksDecided ? ", run.Decided" : "")});");
    }
}
