using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Steps.Scores;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the method that applies the steps of a score program to the products of some rows with keys, between the products and the softmax.</summary>
internal static class ScoreEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        var program = plan.Spec.Scores;
        if (program.IsPlain) return;
        var context = new ScoreContext(program, dialect.Vector, plan.Spec.Scale, visible);
        var texts = program.Steps.Select(step => step.Emit(context)).ToList();
        bool needsKeys = context.OwnScore.UsesKeys || context.OwnMask.UsesKeys;
        w.Line();
        w.Line($"/// <summary>Changes the products of some rows with keys to scores{(program.Hides ? ", and says whether a score hides its key" : "")}. `key` is the key of column 0, `row` the first row.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static {(program.Hides ? "bool" : "void")} ChangeScores(ref float weights, int end, int rows, {visible.Parameters}, in ForwardPlace place, int head, int row, int key{(program.AsksDecided ? ", bool decided" : "")})"))
        {
            if (program.Hides) w.Line("Vec hides = Vec.Zero;");
            using (w.Block("for (int i = 0; i < rows; i++, row++, weights = ref At(ref weights, WeightRow))"))
            {
                string bound = visible.UpperMoves ? $"Math.Min({visible.Upper("i")}, Math.Min(end, keys))" : "Math.Min(end, keys)";
                string lower = $"Math.Max({visible.Lower("i")}, 0)", column = program.Tap is null ? $"column = {lower}" : $"lower = {lower}, column = lower";
                w.Line($"int bound = {bound}, {(visible.LowerMoves ? $"{column} / Lanes * Lanes" : "column = 0")};");
                foreach (var text in texts)
                    if (text.Row is { Length: > 0 } declaration) w.Line(declaration);
                using (w.Block("for (; column + Lanes <= bound; column += Lanes)")) Vector(texts.Select(text => text.Vector));
                using (w.Block("if (column < bound)"))
                {
                    if (texts.Any(text => text.Rest != text.Vector)) w.Line("int rest = bound - column;");
                    Vector(texts.Select(text => text.Rest));
                }
            }

            if (program.Hides) w.Line("return Any(hides);");
        }

        void Vector(IEnumerable<string> changes)
        {
            w.Line("Vec s = Load(ref weights, column);");
            if (needsKeys)
                w.Line(program.HasStride ? $"Ints j = Ints.Indices * place.Step + {dialect.Vector}.Create(place.Key(key + column));" : $"Ints j = Ints.Indices + {dialect.Vector}.Create(place.Key(key) + column);");
            foreach (string change in changes) w.Line(change);
            if (program.Hides) w.Line("hides |= IsHidden(s);");
            if (program.Changes) w.Line("Store(s, ref weights, column);");
        }
    }

    /// <summary>The call for some rows, from products in `weights`.</summary>
    /// <param name="result">How the call keeps whether a key is hidden, where one can be.</param>
    public static void Call(SourceWriter w, CorePlan plan, string result, string weights, string columns, string rows, string bounds, string head, string row, string key)
    {
        var program = plan.Spec.Scores;
        if (program.IsPlain) return;
        w.Line($"{(program.Hides ? result : "")}{(program.LeavesDecided ? "!run.Decided && " : "")}ChangeScores(ref {weights}, {columns}, {rows}, {bounds}, in block.Place, {head}, {row}, {key}{(program.AsksDecided ? ", run.Decided" : "")});");
    }
}
