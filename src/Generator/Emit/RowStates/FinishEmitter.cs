using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Emit.Scores;
using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.RowStates;

/// <summary>Writes the end: outputs divided by the sums of the weights.</summary>
internal static class FinishEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        w.Line();
        w.Line("/// <summary>Writes output rows; 0 for rows that saw no key.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("public static void Finish(ref float state, ref float output, nint outputStride, int rows, in ForwardPlace place)"))
        {
            using (w.Block("for (int row = 0; row < rows; row++)"))
            {
                dialect.Prefetch(w, "output", "outputStride", plan.Spec.ValueDim);
                var scoring = plan.Spec.Scoring;
                w.Line("float sum = Sum(Load(ref state, Sums));");
                if (scoring.NeedsLogSum) w.Line("double logSum = LogSums.Of(sum, At(ref state, Maximum), At(ref state, RowLevel), Scale);");
                if (scoring.Sinks) w.Line("float sink = place.Sink(0), inverse = LogSums.Inverse(sum, logSum, sink);");
                else if (scoring.Hides) w.Line("float inverse = sum == 0f ? 0f : 1f / sum;");
                else w.Line("float inverse = At(ref state, Maximum) == float.NegativeInfinity ? 0f : 1f / sum;");
                if (scoring.LogSumExp) w.Line($"place.LogSumExp(0, row) = (float){(scoring.Sinks ? "LogSums.With(logSum, sink)" : "logSum")};");
                StatisticsEmitter.Finish(w, plan);
                MatrixEmitter.Call(w, plan);
                RowEmitter.Emit(w, plan.Spec.ValueDim, plan.Lanes,
                    i => $"Store(Load(ref state, {i}) * All(inverse), ref output, {i});",
                    i => $"At(ref output, {i}) = At(ref state, {i}) * inverse;");
                w.Line("""
                    state = ref At(ref state, StateRow);
                    output = ref At(ref output, outputStride);
                    """);
            }
        }

        MatrixEmitter.Emit(w, plan);
    }
}
