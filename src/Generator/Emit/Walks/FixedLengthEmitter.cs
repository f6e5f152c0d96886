using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes the walk of small, fixed lengths: a tile of query rows meets all keys at once, so that rows of its scores fit into the first-level cache. There
/// are no blocks of keys and no state between calls.
/// </summary>
internal static class FixedLengthEmitter
{
    /// <summary>Up to so many vectors, the maximum of a row is written without a loop, and those of all rows come before their weights.</summary>
    private const int UnrolledVectors = 8;

    public static void Attend(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        bool fixedKeys = plan.HasFixedKeys;
        string keys = fixedKeys ? "KeyLength" : "keys", end = visible.UpperMoves ? "end" : keys;
        w.Line();
        w.Line("/// <summary>Writes the output rows of a block of queries: all keys at once.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("public static void Prefill(in PrefillBlock block)"))
        {
            w.Line("""
                ref float query = ref block.Scratch; // [QueryBlock, QueryRow]
                ref float weights = ref At(ref query, QueryBlock * QueryRow); // [TileRows, WeightRow]
                ref float state = ref block.State; // [TileRows, StateRow]
                """);
            w.Line("ref KeyRun run = ref block.Runs; // the only one");
            w.Line("ref float values = ref run.Values<float>();");
            if (!fixedKeys) w.Line("int keys = run.Count;");
            w.Line($"CopyQueries(ref block.QueryRows.First<{plan.QueryType}>(), block.QueryRows.Stride, block.Rows, ref query{PackingEmitter.PlaceArgument(plan)});");
            w.Line();
            using (w.Block("for (int tile = 0; tile < block.Rows; tile += TileRows)"))
            {
                if (dialect.Prefetches) w.Line("block.Ahead.Fetch();");
                w.Line("int row = Math.Min(tile, block.Rows - TileRows); // the last tile overlaps the one before it, so that it has all its rows");
                if (visible.DiffersByRow) w.Line();
                PrefillEmitter.TileBounds(w, plan, visible, first: "");
                if (visible.DiffersByRow) w.Line();

                string columns = visible.LowerMoves ? $"{end} - skip" : end, from = visible.LowerMoves ? "At(ref run.Keys<float>(), skip * HeadDim)" : "run.Keys<float>()";
                string panels = fixedKeys ? $"{(plan.Spec.Fixed!.KeyLength - plan.SingleKeys + plan.PanelKeys - 1) / plan.PanelKeys}" : $"({columns} + PanelKeys - 1) / PanelKeys";
                string bounds = visible.Arguments(visible.LowerMoves ? "skip" : "");
                if (plan.InRegisters)
                {
                    w.Line("Reset(ref state, TileRows);");
                    w.Line($"Weights(ref At(ref query, row * QueryRow), ref {from}, {panels}, ref weights, ref state, {(fixedKeys ? "KeyLength" : bounds)});");
                    w.Line("InvertSums(ref state);");
                }
                else
                {
                    w.Line($"Scores(ref At(ref query, row * QueryRow), ref {from}, {panels}, ref weights{ScoresEmitter.PartialsArgument(plan)});");
                    w.Line($"RowWeights(ref weights, ref state, {(TakesFours(plan) ? $"{SoftmaxColumns(plan)}" : columns)}{(visible.DiffersByRow ? ", " + bounds : "")});");
                }

                w.Line($"ref {plan.OutputType} output = ref At(ref block.OutputRows.First<{plan.OutputType}>(), row * block.OutputRows.Stride);");
                PrefillEmitter.Values(w, plan, visible, end);
            }
        }
    }

    public static void Softmax(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line("/// <summary>Makes weights of the scores of a tile, 0 for hidden keys, and the inverse of their sums: 0 for a row that sees no key.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void RowWeights(ref float weights, ref float state, int end{(visible.DiffersByRow ? ", " + visible.Parameters : "")})"))
        {
            if (plan.HasFixedKeys && Vectors(plan) <= UnrolledVectors)
                Unrolled(w, plan, dialect);
            else
                using (w.Block(Rows))
                    Row(w, plan, dialect, visible);
        }
    }

    private static int Vectors(CorePlan plan) => (plan.Spec.Fixed!.KeyLength + plan.Lanes - 1) / plan.Lanes;

    /// <summary>
    /// Whether short rows become weights four vectors at a time, the last ones with scores of -infinity. Single vectors beside them would take registers for constants, and so would a loop
    /// whose end the JIT knows: it would load the constants before all rows, and the four vectors would lie on the stack.
    /// </summary>
    private static bool TakesFours(CorePlan plan) => plan.HasFixedKeys && Vectors(plan) is >= 4 and <= UnrolledVectors;

    /// <summary>The columns of whole steps of four vectors.</summary>
    private static int SoftmaxColumns(CorePlan plan) => (Vectors(plan) + 3) / 4 * 4 * plan.Lanes;

    private const string Rows = "for (int row = 0; row < TileRows; row++, weights = ref At(ref weights, WeightRow), state = ref At(ref state, StateRow))";

    /// <summary>Short rows. What leads from scores to a maximum and from there to the weights is a long chain; with the maxima of all rows first, rows overlap in both parts.</summary>
    private static void Unrolled(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        int vectors = Vectors(plan), tail = plan.Spec.Fixed!.KeyLength % plan.Lanes;
        bool fours = TakesFours(plan);
        string At(int vector) => Address.Arguments("w", Address.Offset((vector, "Lanes")));
        var scores = Enumerable.Range(0, vectors).Select(i => $"Load({At(i)})").ToList();
        if (tail > 0) w.Line($"Vec visible = FirstOf({tail});");
        w.Line("ref float w = ref weights, s = ref state;");
        using (w.Block("for (int row = 0; row < TileRows; row++, w = ref At(ref w, WeightRow), s = ref At(ref s, StateRow))"))
        {
            if (tail > 0)
            {
                w.Line($"Vec last = Select(visible, {scores[vectors - 1]}, All(float.NegativeInfinity));");
                scores[vectors - 1] = "last";
            }

            w.Line($"At(ref s, Maximum) = Largest(Max({ScoresEmitter.Tree("Max", scores)}, All(float.MinValue))); // a score of -infinity has the weight 0");
            if (tail > 0) w.Line($"Store(last, {At(vectors - 1)});");
            for (int i = vectors; fours && i % 4 != 0; i++) w.Line($"Store(All(float.NegativeInfinity), {At(i)});");
        }

        w.Line();
        using (w.Block(Rows))
        {
            w.Line("float maximum = At(ref state, Maximum);");
            SoftmaxEmitter.DeclareLevel(w, "Level(maximum, Scale)", "weights", "0", "KeyLength");
            w.Line($"Vec levels = {SoftmaxEmitter.Levels(dialect)}, scale = All(Scale), total = Vec.Zero;");
            if (fours)
            {
                w.Line("for (int column = 0; column < end; column += 4 * Lanes) total += Weights4(ref weights, column, scale, levels);");
            }
            else
            {
                using (w.Block("for (int column = 0; column < end; column += Lanes)"))
                    w.Line($"""
                        Vec e = {SoftmaxEmitter.Weight(dialect, "Load(ref weights, column)")};
                        Store(e, ref weights, column);
                        total += e;
                        """);
            }

            w.Line("At(ref state, Sums) = 1f / Sum(total);");
        }
    }

    /// <summary>A row of any number of vectors.</summary>
    private static void Row(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        string bound = visible.UpperMoves ? $"Math.Max(Math.Min({visible.Upper("row")}, keys), 0)" : visible.LowerMoves ? "Math.Max(end, 0)" : "end";
        w.Line($"""
            // The row sees the columns before `bound`: whole vectors before `tail`, then part of a vector.
            int bound = {bound};
            int tail = bound / Lanes * Lanes;
            Vec visible = FirstOf(bound - tail);
            """);
        if (visible.LowerMoves) SoftmaxEmitter.Hide(w, visible, "weights", "0");
        string first = visible.LowerMoves ? "head" : "0";
        w.Line($"""

            // A score of -infinity has the weight 0: the maximum is at least the lowest finite number.
            Vec highest = All(float.MinValue);
            int column = {first};
            """);
        SoftmaxEmitter.Highest(w, "weights", unrolled: true);
        w.Line("float maximum = Largest(highest);");
        SoftmaxEmitter.DeclareLevel(w, "Level(maximum, Scale)", "weights", first, "bound");
        w.Line($"Vec levels = {SoftmaxEmitter.Levels(dialect)}, scale = All(Scale), total = Vec.Zero;");
        w.Line($"column = {first};");
        SoftmaxEmitter.Exponentials(w, dialect, "weights", hides: false, unrolled: true);
        w.Line($"At(ref state, Sums) = {(plan.HasFixedKeys ? "" : $"bound == {(visible.LowerMoves ? "lower" : "0")} ? 0f : ")}1f / Sum(total);");
        if (visible.DiffersByRow) w.Line("for (; column < end; column += Lanes) Store(Vec.Zero, ref weights, column);");
    }

    /// <summary>Where scores became weights in registers: one over the sums of the weights.</summary>
    public static void Invert(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        bool allSee = plan.HasFixedKeys;
        w.Line();
        w.Line($"/// <summary>Inverts the sums of the weights of the rows of a tile{(allSee ? "" : "; 0 for a row that sees no key")}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("private static void InvertSums(ref float state)"))
        using (w.Block("for (int row = 0; row < TileRows; row++, state = ref At(ref state, StateRow))"))
        {
            string inverse = "1f / Sum(Load(ref state, Sums))";
            w.Line($"At(ref state, Sums) = {(allSee ? inverse : $"At(ref state, Maximum) == float.NegativeInfinity ? 0f : {inverse}")};");
        }
    }
}
