using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the end: outputs divided by the sums of the weights.</summary>
internal static class FinishEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        var rows = plan.Spec.Rows;
        if (!plan.Spec.WeighsValues)
        {
            ChoiceEmitter.Finish(w, plan);
            return;
        }

        w.Line();
        w.Line("/// <summary>Writes output rows: 0 for rows that see no key.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("public static void Finish(ref float state, in TokenRows outputs, int rows, in ForwardPlace place)"))
        {
            w.Line($"ref {plan.OutputType} output = ref outputs.First<{plan.OutputType}>();");
            using (w.Block("for (int row = 0; row < rows; row++)"))
            {
                dialect.Prefetch(w, "output", "outputs.Stride", plan.Spec.ValueDim);
                w.Line("float sum = Sum(Load(ref state, Sums));");
                if (rows.NeedsLogSum) w.Line("double logSum = LogSums.Of(sum, At(ref state, Maximum), At(ref state, RowLevel), Scale);");
                if (!rows.HasSink)
                    w.Line(plan.Spec.Scores.Hides ? "float inverse = sum == 0f ? 0f : 1f / sum;" : "float inverse = At(ref state, Maximum) == float.NegativeInfinity ? 0f : 1f / sum;");
                foreach (var state in rows.States) state.Finish(w, SoftmaxEmitter.Context(plan));
                RowEmitter.Emit(w, plan.Spec.ValueDim, plan.Lanes,
                    i => $"{ElementTypes.Function("Store", plan.Spec.Elements.Output)}(Load(ref state, {i}) * All(inverse), ref output, {i});",
                    i => ElementTypes.Write(plan.Spec.Elements.Output, $"ref output, {i}", $"At(ref state, {i}) * inverse"));
                w.Line("""
                    state = ref At(ref state, StateRow);
                    output = ref At(ref output, outputs.Stride);
                    """);
            }
        }

        foreach (var state in rows.States) state.Methods(w);
    }
}
