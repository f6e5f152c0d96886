using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>
/// Writes the way of few query rows: keys and values are read as they lie in memory, once for all rows of a group. Scores are dot products of
/// rows, four keys at a time; what follows is as for packed keys.
/// </summary>
internal static class RowsEmitter
{
    /// <summary>Keys whose scores are computed together: their partial sums are added in one reduction.</summary>
    private const int Keys = 4;

    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        Attend(w, plan, visible);
        Scores(w, plan, dialect);
        ScoresOfTile(w, plan, dialect, plan.Rows.TileRows);
        ScoresOfTile(w, plan, dialect, 1);
        Values(w, plan, visible);
        if (visible.DiffersByRow) Finite(w, plan, dialect);
        Merge(w, plan.InRegisters);
    }

    private static void Attend(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        w.Line();
        w.Line("/// <summary>Sets up the state of some query rows and adds what they take from keys as they lie in memory.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("public static void AttendRows(in ForwardRows block)"))
        {
            w.Line("""
                int rows = block.Heads * block.Queries;
                ref float query = ref block.Scratch; // [MaxRows + TileRows, QueryRow]
                ref float weights = ref At(ref query, (MaxRows + TileRows) * QueryRow); // [MaxRows, KeyBlock]

                Reset(ref block.State, rows);
                for (int row = 0; row < rows; row += block.Queries)
                    PackQueries(ref At(ref block.Query, row / block.Queries * block.HeadStride), block.QueryStride, block.Queries, ref At(ref query, row * QueryRow));

                """);
            using (w.Block("for (int first = 0; first < block.Keys; first += KeyBlock)"))
            {
                w.Line("""
                    int keys = Math.Min(block.Keys - first, KeyBlock);
                    RowScores(ref query, ref At(ref block.Key, first * block.KeyStride), block.KeyStride, keys, ref weights, rows);
                    """);
                string bounds = visible.Arguments(), from = plan.InRegisters ? "0, " : "";
                if (visible.UpperMoves)
                {
                    w.Line("""

                        // The first query sees the keys before `seen`, each further one another key.
                        int seen = (int)Math.Max(Math.Min(block.Visible - first, KeyBlock), -MaxRows);
                        """);
                }

                if (visible.LowerMoves)
                {
                    w.Line("""

                        // The first query does not see the keys before `hidden`, each further one another key.
                        int hidden = (int)Math.Max(Math.Min(block.Hidden - first, KeyBlock), -MaxRows);
                        """);
                }

                w.Line($"""
                    for (int row = 0; row < rows; row += block.Queries)
                        Softmax(ref At(ref weights, row * KeyBlock), {from}keys, ref At(ref block.State, row * StateRow), block.Queries, {bounds});
                    ref float value = ref At(ref block.Value, first * block.ValueStride);
                    RowValues(ref weights, ref value, block.ValueStride, ref block.State, rows, {(visible.DiffersByRow ? "block.Queries, " : "")}{bounds});
                    """);
            }
        }
    }

    private static void Scores(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        int rows = plan.Rows.TileRows;
        w.Line();
        w.Line($"/// <summary>Scores of query rows with keys, {Keys} keys at a time.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static void RowScores(ref float query, ref float key, nint stride, int keys, ref float weights, int rows)"))
        using (w.Block($"for (int j = 0; j < keys; j += {Keys}, key = ref At(ref key, {Keys} * stride))"))
        {
            w.Line("int row = 0, last = keys - 1 - j;");
            w.Line($"for (; row + {rows} <= rows; row += {rows}) {Call(rows)}");
            w.Line($"for (; row < rows; row++) {Call(1)}");
        }

        static string Call(int rows) => $"RowScores{rows}(ref At(ref query, row * QueryRow), ref key, stride, last, ref At(ref weights, row * KeyBlock + j));";
    }

    private static void ScoresOfTile(SourceWriter w, CorePlan plan, Dialect dialect, int rows)
    {
        int headDim = plan.Spec.HeadDim, lanes = plan.Lanes, whole = headDim / lanes * lanes, chain = plan.Rows.ChainVectors * lanes;
        bool chained = whole > chain;
        string Sum(int row, int key) => $"s{row}_{key}";
        w.Line();
        w.Line($"/// <summary>Scores of {(rows == 1 ? "a query row" : $"{rows} query rows")} with {Keys} keys; keys past the last repeat it.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void RowScores{rows}(ref float query, ref float key0, nint stride, int last, ref float scores)"))
        {
            for (int key = 1; key < Keys; key++) w.Line($"ref float key{key} = ref At(ref key0, Math.Min({key}, last) * stride);");
            void Declare(string type)
            {
                for (int row = 0; row < rows; row++)
                    w.Line($"{type}{string.Join(type.Length == 0 ? " " : ", ", Enumerable.Range(0, Keys).Select(key => $"{Sum(row, key)} = Vec.Zero{(type.Length == 0 ? ";" : "")}"))}{(type.Length == 0 ? "" : ";")}");
            }

            void Step(Func<string, string, string> load, string offset)
            {
                for (int row = 0; row < rows; row++) w.Line($"Vec q{row} = Load({Address.Arguments("query", Join(Address.Offset((row, "QueryRow")), offset))});");
                for (int key = 0; key < Keys; key++)
                    using (w.Block(""))
                    {
                        w.Line($"Vec k = {load($"key{key}", offset)};");
                        w.Line(string.Join(" ", Enumerable.Range(0, rows).Select(row => $"{Sum(row, key)} = MulAdd(q{row}, k, {Sum(row, key)});")));
                    }
            }

            void Loop(string from, string to)
            {
                using (w.Block($"for (nint d = {from}; d < {to}; d += Lanes)"))
                {
                    if (dialect.Prefetches)
                        for (int key = 0; key < Keys; key++) w.Line($"Prefetch(ref key{key}, d + {plan.Rows.PrefetchKeys} * stride);");
                    Step((key, offset) => $"Load(ref {key}, {offset})", "d");
                }
            }

            string Sums(int row) => $"Sums4({string.Join(", ", Enumerable.Range(0, Keys).Select(key => Sum(row, key)))})";
            void Tail()
            {
                if (whole < headDim)
                    using (w.Block(""))
                        Step((key, offset) => $"LoadFirst({Address.Arguments(key, offset)}, {headDim - whole})", $"{whole}");
            }

            if (!chained)
            {
                Declare("Vec ");
                if (whole > 0) Loop("0", $"{whole}");
                Tail();
                for (int row = 0; row < rows; row++) w.Line($"Vectors128.Store({Sums(row)}, {Address.Arguments("scores", Address.Offset((row, "KeyBlock")))});");
                return;
            }

            w.Line("Vector128<float> " + string.Join(", ", Enumerable.Range(0, rows).Select(row => $"t{row} = Vector128<float>.Zero")) + ";");
            using (w.Block($"for (nint from = 0; from < {whole}; from += {chain})"))
            {
                w.Line($"// At most {plan.Rows.ChainVectors} products for each partial sum: a longer chain would lose precision.");
                Declare("Vec ");
                Loop("from", $"Math.Min(from + {chain}, {whole})");
                for (int row = 0; row < rows; row++) w.Line($"t{row} += {Sums(row)};");
            }

            if (whole < headDim)
                using (w.Block(""))
                {
                    Declare("Vec ");
                    Step((key, offset) => $"LoadFirst({Address.Arguments(key, offset)}, {headDim - whole})", $"{whole}");
                    for (int row = 0; row < rows; row++) w.Line($"t{row} += {Sums(row)};");
                }

            for (int row = 0; row < rows; row++) w.Line($"Vectors128.Store(t{row}, {Address.Arguments("scores", Address.Offset((row, "KeyBlock")))});");
        }
    }

    private static string Join(string row, string offset) => row == "0" ? offset : offset == "0" ? row : $"{row} + {offset}";

    private static void Values(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        w.Line();
        w.Line("/// <summary>State += weights * values, a stretch of values at a time that stays in the first-level cache for all rows.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void RowValues(ref float weights, ref float value, nint stride, ref float state, int rows, {(visible.DiffersByRow ? "int queries, " : "")}{visible.Parameters})"))
        {
            string low = "0", all = "keys";
            if (visible.DiffersByRow)
            {
                w.Line("// All rows take part in the keys before `all`; 0 times an invisible value is 0 where it is finite.".Replace("before `all`", visible switch
                {
                    { LowerMoves: false } => "before `all`",
                    { UpperMoves: false } => "from `low` on",
                    _ => "from `low` to `all`",
                }));
                if (visible.LowerMoves) w.Line("int low = Math.Max(Math.Min(hidden + queries - 1, keys), 0);");
                if (visible.UpperMoves) w.Line("int all = Math.Max(Math.Min(seen, keys), 0);");
                if (visible is { LowerMoves: true, UpperMoves: true }) w.Line("if (low >= all) low = all = 0;");
                if (visible.LowerMoves) w.Line("if (low > 0 && Finite(ref value, stride, low)) low = 0;");
                if (visible.UpperMoves) w.Line("if (all < keys && Finite(ref At(ref value, all * stride), stride, keys - all)) all = keys;");
                if (visible.LowerMoves) low = "low";
                if (visible.UpperMoves) all = "all";
            }

            w.Line($"int step = rows == 1 ? KeyBlock : {plan.Rows.ValueKeys};");
            using (w.Block($"for (int key = {low}; key < {all}; key += step)"))
            {
                w.Line($"""
                    int count = Math.Min({all} - key, step), row = 0;
                    ref float v = ref At(ref value, key * stride);
                    """);
                foreach (int tile in new[] { plan.Rows.ValueRows, 1 })
                    Rows(tile, tile == 1 ? "for (; row < rows; row++)" : $"for (; row + {tile} <= rows; row += {tile})", "key", "v", "count");
            }

            if (visible.LowerMoves) Some("0", "low", "low > 0");
            if (visible.UpperMoves) Some("all", "keys", "all < keys");
        }

        // Each row with those of some keys that it sees.
        void Some(string from, string to, string condition)
        {
            using (w.Block($"for (int row = 0; {condition} && row < rows; row++)"))
            {
                string lower = visible.LowerMoves ? $"Math.Max({VisibleKeys.Lower("row % queries")}, {from})" : from;
                string upper = visible.UpperMoves ? $"Math.Min({visible.Upper("row % queries")}, {to})" : to;
                w.Line($"""
                    int first = {lower}, end = {upper};
                    ref float p = ref At(ref weights, row * KeyBlock + first), v = ref At(ref value, first * stride), s = ref At(ref state, row * StateRow);
                    """);
                ValuesEmitter.Calls(w, plan, 1, "p", "v", "stride", "s", "end - first");
            }
        }

        void Rows(int rows, string loop, string key, string value, string count)
        {
            using (w.Block(loop))
            {
                w.Line($"ref float p = ref At(ref weights, row * KeyBlock + {key}), s = ref At(ref state, row * StateRow);");
                ValuesEmitter.Calls(w, plan, rows, "p", value, "stride", "s", count);
            }
        }
    }

    private static void Finite(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        w.Line();
        w.Line("/// <summary>Whether values are neither infinite nor NaN.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static bool Finite(ref float value, nint stride, int count)"))
        {
            w.Line("Vec zeros = Vec.Zero;");
            using (w.Block("for (; count > 0; count--, value = ref At(ref value, stride))"))
            {
                RowEmitter.Emit(w, plan.Spec.ValueDim, plan.Lanes,
                    i => $"zeros = MulAdd(Load(ref value, {i}), Vec.Zero, zeros);",
                    i => $"zeros += All(At(ref value, {i}) * 0f);");
            }

            w.Line("return AllZero(zeros);");
        }
    }

    private static void Merge(SourceWriter w, bool levels)
    {
        w.Line();
        w.Line("/// <summary>Adds to the state of rows what they took from other keys: both are brought to the higher maximum.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("public static void Merge(ref float state, ref float other, int rows)"))
        using (w.Block("for (; rows > 0; rows--, state = ref At(ref state, StateRow), other = ref At(ref other, StateRow))"))
        {
            string f = levels ? " + (Rest(level, Scale) - Rest(mine, Scale))" : "", g = levels ? " + (Rest(level, Scale) - Rest(others, Scale))" : "";
            w.Line($"""
                ref float maximum = ref At(ref state, Maximum);
                float mine = maximum, others = At(ref other, Maximum);
                maximum = Math.Max(mine, others);

                // A row that has seen no key, or NaN before any other score, is at -infinity, which minus itself would be NaN.
                float level = maximum == float.NegativeInfinity ? 0f : maximum;
                Vec f = Exp2(All((mine - level) * Scale{f})), g = Exp2(All((others - level) * Scale{g}));
                for (nint i = 0; i < Maximum; i += Lanes) Store(Load(ref state, i) * f + Load(ref other, i) * g, ref state, i);
                """);
        }
    }
}
