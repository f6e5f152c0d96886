using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>
/// Writes the way of few query rows: keys and values are read as they lie in memory, once for all rows of a group. Scores are dot products of
/// rows, outputs sums of them, four keys at a time and for all heads before the next four, so that memory is read in the order of its
/// addresses. What comes between is as for packed keys.
/// </summary>
internal static class RowsEmitter
{
    /// <summary>Keys that are taken together: their partial sums are added in one reduction.</summary>
    public const int Keys = 4;

    /// <summary>Floats of a line of the cache.</summary>
    private const int LineFloats = 16;

    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        Attend(w, plan, visible);
        Queries(w, plan);
        Scores(w, plan, dialect, visible);
        if (OneRowEmitter.HasScores(plan)) OneRowEmitter.Scores(w, plan);
        Values(w, plan, dialect, visible);
        if (OneRowEmitter.HasValues(plan)) OneRowEmitter.Values(w, plan);
        Value(w, plan);
        if (plan.Spec.RowsDiffer) Finite(w, plan);
        Merge(w, plan);
    }

    private static void Attend(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        w.Line();
        w.Line("/// <summary>Adds what query rows take from keys as they lie in memory to their state.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("public static void AttendRows(in ForwardRows block)"))
        {
            w.Line("""
                int rows = block.Heads * block.Queries;
                ref float query = ref block.Scratch; // [RowsAtOnce, QueryRow]
                ref float weights = ref At(ref query, RowsAtOnce * QueryRow); // [RowsAtOnce, weightRow]
                var (keyBlock, weightRow) = RowBlock(in block);
                if (block.First) Reset(ref block.State, rows);
                RowQueries(in block, ref query);

                """);
            using (w.Block("for (int r = 0; r < block.RunCount; r++)"))
            {
                w.Line("ref ForwardRun run = ref Unsafe.Add(ref block.Runs, r);");
                using (w.Block("for (int first = 0; first < run.Keys; first += keyBlock)")) Block(w, plan, visible);
            }
        }

        w.Line();
        w.Line("""
            /// <summary>Keys of a block and floats of a row of weights.</summary>
            private static (int Keys, int WeightRow) RowBlock(in ForwardRows block) =>
                block.Heads == block.KeyHeads && block.Queries == 1 ? (OneRowBlock, OneRowWeights) : (KeyBlock, KeyBlock);
            """);
    }

    /// <summary>A block of keys of a run.</summary>
    private static void Block(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        w.Line("int keys = Math.Min(run.Keys - first, keyBlock), key = run.Key + first;");
        string bounds = visible.Arguments(), from = plan.InRegisters ? "0, " : "";
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
        w.Line($"RowScores(in block, ref query, ref At(ref block.Key, key * block.KeyStride), keys, ref weights{(visible.UpperMoves ? ", seen" : "")});");
        bool hides = plan.Spec.Scoring.Hides;
        if (hides) w.Line("bool hides = false;");
        string softmax = $"Softmax(ref At(ref weights, row * weightRow), {from}keys, ref At(ref block.State, row * StateRow), block.Queries, {bounds}{StatisticsEmitter.Argument(plan, "key")});";
        if (plan.Spec.Scoring.Changes)
        {
            using (w.Block("for (int row = 0, head = 0; row < rows; row += block.Queries, head++)"))
            {
                ScoringEmitter.Call(w, plan, "hides |= ", "At(ref weights, row * weightRow)", "keys", "block.Queries", bounds, "head", "0", "key");
                w.Line(softmax);
            }
        }
        else
        {
            w.Line("for (int row = 0; row < rows; row += block.Queries)");
            w.Line("    " + softmax);
        }

        w.Line($"RowValues(in block, ref weights, ref At(ref block.Value, key * block.ValueStride), {bounds}{(hides ? ", hides" : "")});");
    }

    private static void Queries(SourceWriter w, CorePlan plan)
    {
        bool negated = plan.Spec.Scale < 0;
        w.Line();
        w.Line($"/// <summary>Copies query rows{(negated ? ", negated as the scale is" : "")}{(plan.QueryRow == plan.Spec.HeadDim ? "" : ", with zeros behind them")}.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static void RowQueries(in ForwardRows block, ref float packed)"))
        using (w.Block("for (int head = 0; head < block.Heads; head++)"))
        {
            w.Line("ref float query = ref At(ref block.Query, head * block.HeadStride);");
            using (w.Block("for (int row = 0; row < block.Queries; row++, query = ref At(ref query, block.QueryStride), packed = ref At(ref packed, QueryRow))"))
            {
                if (plan.QueryRow != plan.Spec.HeadDim) w.Line("Store(Vec.Zero, ref packed, QueryRow - Lanes);");
                RowEmitter.Emit(w, plan.Spec.HeadDim, plan.Lanes,
                    i => $"Store({(negated ? "-" : "")}Load(ref query, {i}), ref packed, {i});",
                    i => $"At(ref packed, {i}) = {(negated ? "-" : "")}At(ref query, {i});");
                NormEmitter.Call(w, plan, ", in block.Place");
            }
        }
    }

    private static void Scores(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line($"/// <summary>Scores of all query rows with keys, {Keys} keys at a time; keys past the last repeat it.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void RowScores(in ForwardRows block, ref float query, ref float key, int keys, ref float weights{(visible.UpperMoves ? ", int seen" : "")})"))
        {
            w.Line($"""
                int heads = block.KeyHeads, rows = block.Heads / heads * block.Queries, weightRow = RowBlock(in block).WeightRow;
                nint stride = block.KeyStride, headStride = block.KeyHeadStride;
                """);
            if (dialect.Prefetches) w.Line(Ahead(plan.Rows.PrefetchKeys, plan.Spec.HeadDim));
            bool oneRow = OneRowEmitter.HasScores(plan);
            if (oneRow)
            {
                w.Line("""

                    // One row, and keys of one head: most of them by themselves.
                    int done = heads == 1 && rows == 1 ? OneRowScores(ref query, ref key, stride, keys / 4, ref weights) : 0;
                    """);
            }

            Together(w, plan, $"(keys{(oneRow ? " - done" : "")} + {Keys - 1}) / {Keys}", oneRow ? " && done == 0" : "");
            w.Line("Vec zero = Vec.Zero;");
            using (w.Block($"for (int left = count, j = {(oneRow ? "done" : "0")}; left > 0; left--, j += next)"))
            {
                w.Line($"""
                    nint last = (keys - 1 - j) * stride;
                    ref float k0 = ref At(ref key, j * stride), q = ref query, w = ref At(ref weights, j);
                    """);
                PrefetchTokens(w, dialect, "k", plan.Spec.HeadDim);
                using (w.Block("for (int head = 0; head < heads; head++, k0 = ref At(ref k0, headStride))"))
                {
                    w.Line("ref float " + string.Join(", ", Enumerable.Range(1, Keys - 1).Select(key => $"k{key} = ref At(ref k0, Math.Min({Address.Offset((key, "apart"))} * stride, last))")) + ";");
                    Tiles(w, plan, visible, "q", "QueryRow", "w", "KeyBlock", rows => ScoresOfTile(w, plan, dialect, rows));
                }
            }
        }
    }

    private static void ScoresOfTile(SourceWriter w, CorePlan plan, Dialect dialect, int rows)
    {
        int headDim = plan.Spec.HeadDim, lanes = plan.Lanes, whole = headDim / lanes * lanes, chain = plan.Rows.ChainVectors * lanes;
        bool chained = whole > chain, normed = plan.Spec.Norm is not null;
        string Sum(int row, int key) => $"s{row}_{key}";
        void Declare()
        {
            for (int row = 0; row < rows; row++) w.Line($"Vec {string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"{Sum(row, key)} = zero"))};");
            if (normed) w.Line($"Vec {string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"n{key} = zero"))}; // squares of the keys");
        }

        void Step(Func<string, string, string> load, string offset)
        {
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, rows).Select(row => $"q{row} = Load({Address.Arguments("q", Join(Address.Offset((row, "QueryRow")), offset))})")) + ";");
            for (int key = 0; key < Keys; key++)
                w.Line($"Vec x{key} = {load($"k{key}", offset)}; " + string.Join(" ", Enumerable.Range(0, rows).Select(row => $"{Sum(row, key)} = MulAdd(q{row}, x{key}, {Sum(row, key)});")) + (normed ? $" n{key} = MulAdd(x{key}, x{key}, n{key});" : ""));
        }

        void Loop(string from, string to)
        {
            using (w.Block($"for (nint d = {from}; d < {to}; d += Lanes)"))
            {
                if (rows > 1) Prefetch(w, plan, dialect, "k", "d");
                Step((key, offset) => $"Load(ref {key}, {offset})", "d");
            }
        }

        string Sums(int row) => $"Sums4({string.Join(", ", Enumerable.Range(0, Keys).Select(key => Sum(row, key)))})";
        const string Squares = "Sums4(n0, n1, n2, n3)";
        void Factors(string squares)
        {
            if (normed) w.Line($"Vector128<float> f = Vectors128.{NormEmitter.Inverse(plan, squares)};");
        }

        void Tail() => Step((key, offset) => $"LoadFirst({Address.Arguments(key, offset)}, {headDim - whole})", $"{whole}");

        if (rows == 1) PrefetchRows(w, dialect, "k", headDim);
        if (!chained)
        {
            Declare();
            if (whole > 0) Loop("0", $"{whole}");
            if (whole < headDim)
                using (w.Block(""))
                    Tail();
            Factors(Squares);
            for (int row = 0; row < rows; row++) Store(row, Sums(row));
            return;
        }

        w.Line("Vector128<float> " + string.Join(", ", Enumerable.Range(0, rows).Select(row => $"t{row}").Concat(normed ? ["n"] : []).Select(name => $"{name} = Vector128<float>.Zero")) + ";");
        using (w.Block($"for (nint from = 0; from < {whole}; from += {chain})"))
        {
            w.Line($"// At most {plan.Rows.ChainVectors} products for each partial sum: a longer chain would lose precision.");
            Declare();
            Loop("from", $"Math.Min(from + {chain}, {whole})");
            for (int row = 0; row < rows; row++) w.Line($"t{row} += {Sums(row)};");
            if (normed) w.Line($"n += {Squares};");
        }

        if (whole < headDim)
            using (w.Block(""))
            {
                Declare();
                Tail();
                for (int row = 0; row < rows; row++) w.Line($"t{row} += {Sums(row)};");
                if (normed) w.Line($"n += {Squares};");
            }

        Factors("n");
        for (int row = 0; row < rows; row++) Store(row, $"t{row}");

        void Store(int row, string sums) => w.Line(rows > 1
            ? $"Vectors128.Store({sums}{(normed ? " * f" : "")}, {Address.Arguments("w", Address.Offset((row, "KeyBlock")))});"
            : $"Vectors128.Scatter({sums}{(normed ? " * f" : "")}, ref w, apart);");
    }

    /// <summary>The rows of a key-value head: tiles, then those that are left. Tiles whose queries see none of the keys are left out: half of what there is between as many queries as keys.</summary>
    private static void Tiles(SourceWriter w, CorePlan plan, VisibleKeys visible, string first, string firstRow, string second, string secondRow, Action<int> tile)
    {
        w.Line(visible.UpperMoves ? "int row = rows, m = 0; // first query of a tile" : "int row = rows;");
        foreach (int rows in new[] { plan.Rows.TileRows, 1 })
        {
            bool skips = visible.UpperMoves && rows > 1;
            string Next(string name, string distance) => $"{name} = ref At(ref {name}, {Address.Offset((rows, rows == 1 && distance == "KeyBlock" ? "weightRow" : distance))})";
            string step = rows == 1 ? "row > 0; row--" : $"row >= {rows}; row -= {rows}";
            if (skips) step += $", m = (m += {rows}) < block.Queries ? m : m - block.Queries";
            using (w.Block($"for (; {step}, {Next(first, firstRow)}, {Next(second, secondRow)})"))
            {
                if (skips) w.Line($"if (j >= seen + Math.Min(m + {rows - 1}, block.Queries - 1)) continue;");
                tile(rows);
            }
        }
    }

    /// <summary>Declares which keys are taken together: neighbours, or such as are far apart. (With several queries, which of them all rows see would change the order of sums.)</summary>
    private static void Together(SourceWriter w, CorePlan plan, string count, string unless = "") => w.Line($"""

        // Four neighbours; for one query of few heads, the next of each quarter.
        int count = {count}, apart = 1, next = {Keys};
        if (block.Queries == 1 && rows < {plan.Rows.TileRows}{unless}) (apart, next) = (Math.Max(count, 1), 1);
        """);

    private static string Join(string row, string offset) => row == "0" ? offset : offset == "0" ? row : $"{row} + {offset}";

    private static string Ahead((int Contiguous, int Apart) rows, int dim)
    {
        string ahead = rows.Contiguous == rows.Apart ? $"{rows.Apart}" : $"(heads == 1 ? {rows.Contiguous} : {rows.Apart})";
        return $"nint ahead = {ahead} * stride, tokens = Math.Max({KernelPlanner.TokenFloatsAhead} / (heads * {dim}), 1) * stride;";
    }

    /// <summary>Fetches what lies ahead of a vector of each key or value: in the order in which they are read, but to the second level only.</summary>
    private static void Prefetch(SourceWriter w, CorePlan plan, Dialect dialect, string name, string offset)
    {
        if (!dialect.Prefetches) return;
        string fetch = $"PrefetchFour(ref {name}0, stride, {offset} + ahead);";
        if (plan.Lanes == LineFloats) w.Line(fetch);
        else
            using (w.Block($"if ({offset} % {LineFloats} == 0)"))
                w.Line(fetch);
    }

    /// <summary>
    /// Of streams of tokens, fetches a line of each page: the processor foresees a stream up to the end of a page, and waits for the address of the next.
    /// </summary>
    private static void PrefetchTokens(SourceWriter w, Dialect dialect, string name, int dim)
    {
        if (!dialect.Prefetches) return;
        using (w.Block($"for (nint i = 0; apart > 1 && i < (heads - 1) * headStride + {dim}; i += {KernelPlanner.PageFloats})"))
            w.Line($"PrefetchFour(ref {name}0, apart * stride, tokens + i);");
    }

    /// <summary>The same for whole keys or values. Of streams it would be too much: see <see cref="PrefetchTokens"/>.</summary>
    private static void PrefetchRows(SourceWriter w, Dialect dialect, string name, int dim)
    {
        if (!dialect.Prefetches) return;
        w.Line($"if (apart == 1) PrefetchFourRows(ref {name}0, stride, ahead, {dim});");
    }

    private static void Values(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line($"/// <summary>State += weights * values for all rows, {Keys} values at a time.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void RowValues(in ForwardRows block, ref float weights, ref float value, {visible.Parameters}{(plan.Spec.Scoring.Hides ? ", bool hides" : "")})"))
        {
            w.Line("""
                int heads = block.KeyHeads, rows = block.Heads / heads * block.Queries, weightRow = RowBlock(in block).WeightRow;
                nint stride = block.ValueStride, headStride = block.ValueHeadStride;
                """);
            if (dialect.Prefetches) w.Line(Ahead(plan.Rows.PrefetchValues, plan.Spec.ValueDim));
            string low = "0", all = "keys";
            string lower = visible.Lower("row % block.Queries"), upper = visible.Upper("row % block.Queries");
            const string Row = "ref float v = ref At(ref value, row / rows * headStride), w = ref At(ref weights, row * weightRow), s = ref At(ref block.State, row * StateRow);";
            if (plan.Spec.Scoring.Hides)
            {
                using (w.Block("if (hides && !Finite(in block, ref value, keys)) // 0 times an infinite value, or a NaN, would not be 0"))
                {
                    using (w.Block("for (int row = 0; row < block.Heads * block.Queries; row++)"))
                    {
                        w.Line(Row);
                        string start = visible.LowerMoves ? $"Math.Max({lower}, 0)" : "0", end = visible.UpperMoves ? $"Math.Min({upper}, keys)" : "keys";
                        w.Line($"""
                            int begin = {start}, end = {end}, quarter = block.Queries == 1 && rows < {plan.Rows.TileRows} ? Math.Max(end - begin, 0) / {Keys} : 0;
                            for (int i = begin; i < end; i++)
                            """);
                        using (w.Block(""))
                        {
                            w.Line($"""
                                int n = i - begin, j = n < {Keys} * quarter ? begin + n % {Keys} * quarter + n / {Keys} : i; // in the order that follows
                                if (!Hidden(At(ref w, j))) RowValue(ref w, ref v, stride, ref s, j, j + 1);
                                """);
                        }
                    }

                    w.Line("return;");
                }
            }

            if (visible.DiffersByRow)
            {
                w.Line("// All rows take part in the keys before `all`; 0 times a hidden finite value is 0.".Replace("before `all`", visible switch
                {
                    { LowerMoves: false } => "before `all`",
                    { UpperMoves: false } => "from `low` on",
                    _ => "from `low` to `all`",
                }));
                if (visible.LowerMoves) w.Line($"int low = Math.Max(Math.Min({visible.Lower("block.Queries - 1")}, keys), 0);");
                if (visible.UpperMoves) w.Line("int all = Math.Max(Math.Min(seen, keys), 0);");
                if (visible is { LowerMoves: true, UpperMoves: true }) w.Line("if (low >= all) low = all = 0;");
                if (visible.LowerMoves) w.Line("if (low > 0 && Finite(in block, ref value, low)) low = 0;");
                if (visible.UpperMoves) w.Line("if (all < keys && Finite(in block, ref At(ref value, all * stride), keys - all)) all = keys;");
                if (visible.LowerMoves) low = "low";
                if (visible.UpperMoves) all = "all";
            }

            Together(w, plan, low == "0" ? $"{all} / {Keys}" : $"({all} - low) / {Keys}");

            if (visible.LowerMoves)
            {
                w.Line("// What a row sees of the keys before comes first, as it does where all take part.");
                using (w.Block("for (int row = 0; low > 0 && row < block.Heads * block.Queries; row++)"))
                {
                    w.Line(Row);
                    w.Line($"RowValue(ref w, ref v, stride, ref s, Math.Max({lower}, 0), {(visible.UpperMoves ? $"Math.Min({upper}, low)" : "low")});");
                }
            }

            string begin = low, done = "";
            if (OneRowEmitter.HasValues(plan))
            {
                (begin, done) = (low == "0" ? "done" : $"{low} + done", " - done");
                string from = low == "0" ? "ref weights, ref value" : $"ref At(ref weights, {low}), ref At(ref value, {low} * stride)";
                w.Line($"""

                    // One row, and values of one head: most of them in registers.
                    int done = 0;
                    if (heads == 1 && rows == 1) done = OneRowValues({from}, stride, count, ref block.State);
                    """);
            }

            using (w.Block($"for (int left = count{done}, j = {begin}; left > 0; left--, j += next)"))
            {
                w.Line("ref float v0 = ref At(ref value, j * stride), w = ref At(ref weights, j), s = ref block.State;");
                PrefetchTokens(w, dialect, "v", plan.Spec.ValueDim);
                using (w.Block("for (int head = 0; head < heads; head++, v0 = ref At(ref v0, headStride))"))
                {
                    w.Line("ref float " + string.Join(", ", Enumerable.Range(1, Keys - 1).Select(key => $"v{key} = ref At(ref v{key - 1}, apart * stride)")) + ";");
                    Tiles(w, plan, visible, "w", "KeyBlock", "s", "StateRow", rows => ValuesOfTile(w, plan, dialect, rows));
                }
            }

            w.Line();
            string some = visible.DiffersByRow ? "Each row with the others that it sees." : "Fewer than four are left.";
            w.Line($"// {some}");
            using (w.Block("for (int row = 0; row < block.Heads * block.Queries; row++)"))
            {
                w.Line(Row);
                w.Line($"RowValue(ref w, ref v, stride, ref s, {(low == "0" ? "" : "low + ")}{Keys} * count, {all});");
                if (visible.UpperMoves) w.Line($"if (all < keys) RowValue(ref w, ref v, stride, ref s, {(visible.LowerMoves ? $"Math.Max({lower}, all)" : "all")}, Math.Min({upper}, keys));");
            }
        }
    }

    private static void ValuesOfTile(SourceWriter w, CorePlan plan, Dialect dialect, int rows)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        if (rows == 1) PrefetchRows(w, dialect, "v", dim);
        for (int row = 0; row < rows; row++)
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"w{row}_{key} = Splat({Address.Arguments("w", rows == 1 ? Address.Offset((key, "apart")) : Address.Offset((row, "KeyBlock"), (key, "")))})")) + ";");
        if (whole > 0)
        {
            using (w.Block($"for (nint i = 0; i < {whole}; i += Lanes)"))
            {
                if (rows > 1) Prefetch(w, plan, dialect, "v", "i");
                Step(key => $"Load(ref v{key}, i)", "i");
            }
        }

        if (whole < dim)
            using (w.Block(""))
                Step(key => $"LoadFirst(ref v{key}, {whole}, {dim - whole})", $"{whole}");

        void Step(Func<int, string> load, string offset)
        {
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"x{key} = {load(key)}")) + ";");
            for (int row = 0; row < rows; row++)
            {
                string output = Address.Arguments("s", Join(Address.Offset((row, "StateRow")), offset)), sum = $"Load({output})";
                for (int key = 0; key < Keys; key++) sum = $"MulAdd(w{row}_{key}, x{key}, {sum})";
                w.Line($"Store({sum}, {output});");
            }
        }
    }

    private static void Value(SourceWriter w, CorePlan plan)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        w.Line();
        w.Line("/// <summary>State += weights * values for a row.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static void RowValue(ref float weights, ref float value, nint stride, ref float state, int from, int end)"))
        using (w.Block("for (; from < end; from++)"))
        {
            w.Line("""
                Vec w = Splat(ref weights, from);
                ref float v = ref At(ref value, from * stride);
                """);
            if (whole > 0) w.Line($"for (nint i = 0; i < {whole}; i += Lanes) Store(MulAdd(w, Load(ref v, i), Load(ref state, i)), ref state, i);");
            if (whole < dim) w.Line($"Store(MulAdd(w, LoadFirst(ref v, {whole}, {dim - whole}), Load(ref state, {whole})), ref state, {whole});");
        }
    }

    private static void Finite(SourceWriter w, CorePlan plan)
    {
        w.Line();
        w.Line("/// <summary>Whether all values are finite.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static bool Finite(in ForwardRows block, ref float value, int count)"))
        {
            w.Line("Vec zeros = Vec.Zero;");
            using (w.Block("for (; count > 0; count--, value = ref At(ref value, block.ValueStride))"))
            {
                w.Line("ref float v = ref value;");
                using (w.Block("for (int head = 0; head < block.KeyHeads; head++, v = ref At(ref v, block.ValueHeadStride))"))
                {
                    RowEmitter.Emit(w, plan.Spec.ValueDim, plan.Lanes,
                        i => $"zeros = MulAdd(Load(ref v, {i}), Vec.Zero, zeros);",
                        i => $"zeros += All(At(ref v, {i}) * 0f);");
                }
            }

            w.Line("return AllZero(zeros);");
        }
    }

    private static void Merge(SourceWriter w, CorePlan plan)
    {
        w.Line();
        w.Line("/// <summary>Adds to the state of rows what they took from other keys: both are brought to the higher maximum.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("public static void Merge(ref float state, ref float other, int rows)"))
        using (w.Block("for (; rows > 0; rows--, state = ref At(ref state, StateRow), other = ref At(ref other, StateRow))"))
        {
            w.Line("""
                ref float maximum = ref At(ref state, Maximum);
                float mine = maximum, others = At(ref other, Maximum);
                maximum = Math.Max(mine, others);

                // A row without a score is at -infinity, which minus itself would be NaN.
                float level = maximum == float.NegativeInfinity ? 0f : maximum;
                """);
            StatisticsEmitter.MergeExponents(w, plan);
            w.Line("""
                for (nint i = 0; i < Maximum; i += Lanes) Store(Load(ref state, i) * f + Load(ref other, i) * g, ref state, i);
                """);
            StatisticsEmitter.MergeHighest(w, plan);
            if (plan.Spec.Scoring.NeedsLevel) w.Line("At(ref state, RowLevel) = Level(maximum, Scale);");
        }
    }
}
