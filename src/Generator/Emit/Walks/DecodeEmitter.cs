using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes decode: few query rows read keys and values in place, once for all rows of a group. Scores are dot products of rows, outputs weighted sums of
/// rows: some keys at a time, for all heads before the next keys, so that memory is read in the order of its addresses. The steps between are those of
/// prefill.
/// </summary>
internal static class DecodeEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        Attend(w, plan, visible);
        DecodeScoresEmitter.Emit(w, plan, dialect, visible);
        if (OneRowEmitter.HasScores(plan)) OneRowEmitter.Scores(w, plan);
        if (plan.Spec.WeighsValues)
        {
            DecodeValuesEmitter.Emit(w, plan, dialect, visible);
            if (OneRowEmitter.HasValues(plan)) OneRowEmitter.Values(w, plan);
            DecodeValuesEmitter.EmitOne(w, plan, dialect);
        }

        Weights(w, plan, visible);
        if (plan.Decode!.KeyByKey) DecodeTileEmitter.Together(w, plan);
        Merge(w, plan);
    }

    private static void Attend(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        w.Line();
        w.Line("/// <summary>Adds to the state of query rows what keys in place contribute.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("public static void Decode(in DecodeBlock block)"))
        {
            w.Line("""
                int rows = block.Heads * block.Queries;
                ref float query = ref block.Scratch; // [RowsAtOnce, QueryRow]
                """);
            if (!plan.DecodesHalves) Memory(w, plan);
            w.Line("if (block.First) Reset(ref block.State, rows);");
            w.Line("for (int head = 0; head < block.Heads; head++)");
            w.Line($"    CopyQueries(ref At(ref block.QueryRows.First<{plan.QueryType}>(), head * block.QueryRows.HeadStride), block.QueryRows.Stride, block.Queries, ref At(ref query, head * block.Queries * QueryRow){PackingEmitter.PlaceArgument(plan, "head")});");
            w.Line();
            if (!plan.DecodesHalves)
                Runs(w, plan, visible);
            else
                w.Line("""
                    // The same bits in less time, where all halves are finite, and no query is too large for that.
                    if (block.Finite && TryRaise(ref query, rows * QueryRow)) DecodeRuns<FiniteHalves>(in block, ref query);
                    else DecodeRuns<AnyHalves>(in block, ref query);
                    """);
        }

        if (plan.DecodesHalves)
        {
            w.Line();
            w.Line("/// <summary>Adds to the state of copied query rows what keys in place contribute.</summary>");
            w.Line(GeneratedCode.CoreMethod);
            using (w.Block($"private static void DecodeRuns{plan.Halves}(in DecodeBlock block, ref float query){plan.WhereHalves}"))
            {
                Memory(w, plan);
                Runs(w, plan, visible);
            }
        }

        w.Line();
        w.Line($"""
            /// <summary>Keys of a block and floats of a row of weights.</summary>
            private static (int Keys, int WeightRow) BlockOf(in DecodeBlock block) =>
                {(plan.Spec.Loads.CopiesKeys ? "(DecodeKeys, WeightRow)" : "block.Heads == block.KeyHeads && block.Queries == 1 ? (OneRowBlock, OneRowWeights) : (DecodeKeys, WeightRow)")};
            """);
    }

    /// <summary>The working memory behind the queries.</summary>
    private static void Memory(SourceWriter w, CorePlan plan)
    {
        w.Line("""
            ref float weights = ref At(ref query, RowsAtOnce * QueryRow); // [RowsAtOnce, weightRow]
            var (keyBlock, weightRow) = BlockOf(in block);
            """);
        if (plan.Spec.Loads.CopiesKeys) w.Line("ref float copies = ref At(ref weights, (RowsAtOnce + 4) * WeightRow); // [DecodeKeys, QueryRow], after the rows of a tile");
        if (plan.HasScales) w.Line("ref float keyScales = ref At(ref weights, RowsAtOnce * OneRowWeights), valueScales = ref At(ref keyScales, OneRowWeights); // of a block");
    }

    /// <summary>The loop over the runs and their blocks.</summary>
    private static void Runs(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        using (w.Block("for (int r = 0; r < block.RunCount; r++)"))
        {
            w.Line("ref KeyRun run = ref Unsafe.Add(ref block.Runs, r);");
            using (w.Block(PagesEmitter.VariesBlocks(plan) ? "for (int first = 0, keys; first < run.Count; first += keys)" : "for (int first = 0; first < run.Count; first += keyBlock)"))
                Block(w, plan, visible);
        }
    }

    /// <summary>A block of keys of a run.</summary>
    private static void Block(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        w.Line(PagesEmitter.VariesBlocks(plan)
            ? $"keys = Math.Min(run.Count - first, {(plan.Spec.Scores.Hides ? "run.PageKeys" : "keyBlock")});\nint key = run.Key + first;"
            : "int keys = Math.Min(run.Count - first, keyBlock), key = run.Key + first;");
        string bounds = visible.Arguments();
        if (visible.UpperMoves)
        {
            w.Line("""
                // Query i sees the keys before `seen` + i.
                int seen = (int)Math.Max(Math.Min(run.Visible - first, keyBlock), -RowsAtOnce);
                """);
        }

        if (visible.LowerMoves)
        {
            w.Line("""
                // Query i sees the keys from `hidden` + i on.
                int hidden = (int)Math.Max(Math.Min(run.Hidden - first, keyBlock), -RowsAtOnce);
                """);
        }

        if (visible.HasLeast) w.Line("int least = Math.Max(Math.Min(run.Least - first, keyBlock), 0);");
        if (visible.DiffersByRow) w.Line();
        bool keyByKey = plan.Decode!.KeyByKey;
        if (keyByKey && visible.DiffersByRow)
        {
            string[] sees = [visible.LowerMoves ? $"{visible.Lower("block.Queries - 1")} <= 0" : "", visible.UpperMoves ? "seen >= keys" : ""];
            string all = string.Join(" && ", sees.Where(condition => condition.Length > 0));
            w.Line($"bool streams = {all}; // all queries see all keys");
            if (PagesEmitter.VariesBlocks(plan) && !plan.Spec.Scores.Hides)
            {
                using (w.Block("if (!streams) // page by page"))
                    w.Line($"keys = Math.Min(keys, run.PageKeys);\nstreams = {all};");
            }
        }

        string streams = !keyByKey ? "" : visible.DiffersByRow ? "streams, " : "true, ";
        string source = $"At(ref run.Keys<{plan.KeyType}>(), first * block.KeyStride)";
        if (plan.Spec.Loads.CopiesKeys)
        {
            w.Line($"CopyKeys(ref {source}, block.KeyStride, keys, ref copies, in block.Place, key);");
            source = "copies";
        }

        string weights = $"{(plan.Spec.Scores.Hides ? "bool hides = " : "")}DecodeWeights{plan.Halves}(in block, ref weights, {bounds}{(NeedsKey(plan) ? ", in run, key" : "")}{(plan.HasScales ? ", ref keyScales, ref valueScales" : "")});";
        if (plan.Spec.InPages)
        {
            PagesEmitter.Block(w, plan, visible, weights);
            return;
        }

        if (plan.HasScales)
        {
            foreach (string scales in new[] { "KeyScales", "ValueScales" })
                w.Line($"CopyScales(ref At(ref run.{scales}, first * block.ScaleStride), block.ScaleStride, keys, ref {char.ToLowerInvariant(scales[0])}{scales.Substring(1)});");
        }

        w.Line($"DecodeScores{plan.Halves}(in block, ref query, ref {source}, keys, {streams}ref weights{(visible.UpperMoves ? ", seen" : "")}{(DecodeScoresEmitter.TakesScales(plan) ? ", ref keyScales" : "")});");
        w.Line(weights);
        if (!plan.Spec.WeighsValues) return;
        w.Line($"DecodeValues{plan.Halves}(in block, ref weights, ref At(ref run.Values<{plan.ValueType}>(), first * block.ValueStride), {(visible.DiffersByRow ? streams : "")}{bounds}{(plan.Spec.Scores.Hides ? ", hides" : "")});");
    }

    private static bool NeedsKey(CorePlan plan) => !plan.Spec.Scores.IsPlain || plan.Spec.Rows.NeedsKeys;

    /// <summary>Scores become weights row by row, also those of tiles, which lie key by key.</summary>
    private static void Weights(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        bool hides = plan.Spec.Scores.Hides;
        string from = plan.InRegisters ? "0, " : "", bounds = string.Join(", ", visible.Bounds.Select(bound => bound is "hidden" or "seen" ? bound + " + query" : bound));
        w.Line();
        string does = plan.Spec.WeighsValues ? "Makes weights of the scores of all rows" : "Keeps the key of each row's largest score", back = plan.Spec.WeighsValues ? ", and back" : "";
        w.Line($"/// <summary>{does}{(hides ? ", and says whether a score hides its key" : "")}.{(plan.Decode!.KeyByKey ? $" Those of a tile are put in rows{back}." : "")}</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static {(hides ? "bool" : "void")} DecodeWeights{plan.Halves}(in DecodeBlock block, ref float weights, {visible.Parameters}{(NeedsKey(plan) ? ", in KeyRun run, int key" : "")}{(plan.HasScales ? ", ref float keyScales, ref float valueScales" : "")}){plan.WhereHalves}"))
        {
            if (hides) w.Line("bool hides = false;");
            if (plan.Decode!.KeyByKey)
            {
                w.Line("""
                    int rows = block.HeadRows, weightRow = BlockOf(in block).WeightRow;
                    ref float tileRows = ref At(ref weights, RowsAtOnce * WeightRow);
                    """);
                using (w.Block("for (int row = 0, tile; row < block.Heads * block.Queries; row += tile)"))
                {
                    w.Line("""
                        tile = TileOf(row, rows, TileKinds, out _);
                        ref float w = ref At(ref weights, row * weightRow), first = ref w;
                        if (tile > 1) RowsOfTile(ref w, tile, keys, ref first = ref tileRows, WeightRow);
                        """);
                    using (w.Block("for (int i = 0, count; i < tile; i += count)"))
                    {
                        w.Line("""
                            var (head, query) = Math.DivRem(row + i, block.Queries);
                            count = Math.Min(block.Queries - query, tile - i);
                            """);
                        Rows(bounds, "At(ref first, i * WeightRow)", "At(ref first, (i + j) * WeightRow)", "row + i", "count", "query");
                    }

                    if (plan.Spec.WeighsValues) w.Line("if (tile > 1) TileOfRows(ref first, WeightRow, tile, keys, ref w);");
                }
            }
            else
            {
                w.Line("int weightRow = BlockOf(in block).WeightRow;");
                using (w.Block("for (int row = 0, head = 0; row < block.Heads * block.Queries; row += block.Queries, head++)"))
                    Rows(visible.Arguments(), "At(ref weights, row * weightRow)", "At(ref weights, (row + j) * weightRow)", "row", "block.Queries", "0");
            }

            if (hides) w.Line("return hides;");
        }

        // Some rows of a head.
        void Rows(string bounds, string scores, string scoresOfOne, string row, string count, string query)
        {
            if (plan.HasScales && !DecodeScoresEmitter.TakesScales(plan))
                using (w.Block($"for (int j = 0; j < {count}; j++)"))
                    w.Line($"Multiply(ref {scoresOfOne}, 0, keys, ref keyScales);");
            if (!plan.Spec.Scores.IsPlain) ScoreEmitter.Call(w, plan, "hides |= ", scores, "keys", count, bounds, "head", query, "key");
            SoftmaxEmitter.Call(w, plan, scores, $"{from}keys", $"At(ref block.State, {(row == "row" ? row : $"({row})")} * StateRow)", count, bounds, "key");
            if (plan.HasScales && plan.Spec.WeighsValues)
                using (w.Block($"for (int j = 0; j < {count}; j++)"))
                {
                    // Hidden keys keep the weight 0: their scale may be NaN.
                    string lower = visible.LowerMoves ? $"Math.Max({visible.Lower(DecodeStreams.Join(query, "j"))}, 0)" : "0", upper = visible.UpperMoves ? $"Math.Min({visible.Upper(DecodeStreams.Join(query, "j"))}, keys)" : "keys";
                    w.Line($"{(plan.Spec.Scores.Hides ? "MultiplyVisible" : "Multiply")}(ref {scoresOfOne}, {lower}, {upper}, ref valueScales);");
                }

            if (plan.DecodesHalves && plan.Spec.WeighsValues)
                using (w.Block($"for (int j = 0; j < {count}; j++)"))
                    w.Line($"Raise{plan.Halves}(ref {scoresOfOne}, keys);");
        }
    }

    private static void Merge(SourceWriter w, CorePlan plan)
    {
        var rows = plan.Spec.Rows;
        w.Line();
        w.Line($"/// <summary>Adds to the state of rows their state after other keys. {(plan.Spec.WeighsValues ? "Both are scaled to the higher maximum." : "The larger score stays.")}</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("public static void Merge(ref float state, ref float other, int rows)"))
        using (w.Block("for (; rows > 0; rows--, state = ref At(ref state, StateRow), other = ref At(ref other, StateRow))"))
        {
            if (!plan.Spec.WeighsValues)
            {
                w.Line("Store(Load(ref state, Sums) | Load(ref other, Sums), ref state, Sums);");
                foreach (var state in rows.States) state.Merge(w, SoftmaxEmitter.Context(plan));
                return;
            }

            w.Line("""
                ref float maximum = ref At(ref state, Maximum);
                float mine = maximum, others = At(ref other, Maximum);
                maximum = Math.Max(mine, others);

                // Without a score the maximum is -infinity; minus itself it would be NaN.
                float level = maximum == float.NegativeInfinity ? 0f : maximum;
                """);
            if (!rows.NeedsExponents)
            {
                w.Line("Vec f = Exp2(All(Fall(mine, level, Scale))), g = Exp2(All(Fall(others, level, Scale)));");
            }
            else
            {
                w.Line("Vec fall = All(Math.Max(Fall(mine, level, Scale), -1000f)), othersFall = All(Math.Max(Fall(others, level, Scale), -1000f)), f = Exp2(fall), g = Exp2(othersFall);");
                foreach (var state in rows.States) state.FallTogether(w);
            }

            w.Line("""
                for (nint i = 0; i < Maximum; i += Lanes) Store(Load(ref state, i) * f + Load(ref other, i) * g, ref state, i);
                """);
            foreach (var state in rows.States) state.Merge(w, SoftmaxEmitter.Context(plan));
            if (rows.NeedsLevel) w.Line("At(ref state, RowLevel) = Level(maximum, Scale);");
        }
    }
}
