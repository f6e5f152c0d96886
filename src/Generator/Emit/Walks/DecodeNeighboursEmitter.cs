using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;
using static AttentionGen.Generator.Emit.Walks.DecodeStreams;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes the loops of decode over four neighbouring keys and tiles of rows, whose weights lie row by row: the sums of a row with four keys are one store. One query of few heads takes one
/// key from each quarter of the keys. <see cref="DecodeTileEmitter"/> has the loops of machines for which sixteen accumulators are too many.
/// </summary>
internal static class DecodeNeighboursEmitter
{
    /// <summary>Scores of all query rows, in a method with the query, the keys and the weights.</summary>
    public static void Scores(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line($"""
            int heads = block.KeyHeads, rows = block.HeadRows, weightRow = BlockOf(in block).WeightRow;
            nint stride = {DecodeProduct.Scores(plan).Stride}, headStride = block.KeyHeadStride;
            """);
        if (dialect.Prefetches && !plan.Spec.InPages) w.Line(Ahead(plan.Decode!.PrefetchKeys, plan.Spec.HeadDim));
        bool oneRow = OneRowEmitter.HasScores(plan) && !plan.Spec.InPages;
        if (oneRow)
        {
            w.Line($"""

                // One row and one head: most of the keys, with the query in registers.
                int done = heads == 1 && rows == 1 ? OneRowScores{plan.Halves}(ref query, ref key, stride, keys / 4, ref weights) : 0;
                """);
        }

        Together(w, plan, $"(keys{(oneRow ? " - done" : "")} + {Keys - 1}) / {Keys}", oneRow ? " && done == 0" : "");
        w.Line("Vec zero = Vec.Zero;");
        using (w.Block($"for (int left = count, j = {(oneRow ? "done" : "0")}; left > 0; left--, j += next)"))
        {
            w.Line($"""
                nint last = (keys - 1 - j) * stride;
                ref {plan.ScoredKeyType} k0 = ref At(ref key, j * stride);
                ref float q = ref query, w = ref At(ref weights, j);
                """);
            if (!plan.Spec.InPages) PrefetchTokens(w, dialect, "k", plan.Spec.HeadDim);
            using (w.Block("for (int head = 0; head < heads; head++, k0 = ref At(ref k0, headStride))"))
            {
                w.Line($"ref {plan.ScoredKeyType} " + string.Join(", ", Enumerable.Range(1, Keys - 1).Select(key => $"k{key} = ref At(ref k0, Math.Min({Address.Offset((key, "apart"))} * stride, last))")) + ";");
                if (DecodeScoresEmitter.TakesScales(plan))
                    w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"f{key} = Splat(ref keyScales, {(key == 0 ? "j" : $"Math.Min(j + {Address.Offset((key, "apart"))}, keys - 1)")})")) + ";");
                Tiles(w, plan, visible, "q", "QueryRow", "w", "WeightRow", rows => ScoresOfTile(w, plan, dialect, rows));
            }
        }
    }

    /// <summary>The products of weights with values, for the keys from `low` to `all`. Declares `count`, the steps of four.</summary>
    public static void Values(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible, string low, string all)
    {
        if (dialect.Prefetches && !plan.Spec.InPages) w.Line(Ahead(plan.Decode!.PrefetchValues, plan.Spec.ValueDim));
        Together(w, plan, low == "0" ? $"{all} / {Keys}" : $"({all} - low) / {Keys}");
        string begin = low, done = "";
        if (OneRowEmitter.HasValues(plan) && !plan.Spec.InPages)
        {
            (begin, done) = (low == "0" ? "done" : $"{low} + done", " - done");
            string from = low == "0" ? "ref weights, ref value" : $"ref At(ref weights, {low}), ref At(ref value, {low} * stride)";
            w.Line($"""

                // One row and one head: most of the values, with the output in registers.
                int done = 0;
                if (heads == 1 && rows == 1) done = OneRowValues{plan.Halves}({from}, stride, count, ref block.State);
                """);
        }

        using (w.Block($"for (int left = count{done}, j = {begin}; left > 0; left--, j += next)"))
        {
            w.Line($"ref {plan.ValueType} v0 = ref At(ref value, j * stride);\nref float w = ref At(ref weights, j), s = ref block.State;");
            if (!plan.Spec.InPages) PrefetchTokens(w, dialect, "v", plan.Spec.ValueDim);
            using (w.Block("for (int head = 0; head < heads; head++, v0 = ref At(ref v0, headStride))"))
            {
                w.Line($"ref {plan.ValueType} " + string.Join(", ", Enumerable.Range(1, Keys - 1).Select(key => $"v{key} = ref At(ref v{key - 1}, apart * stride)")) + ";");
                Tiles(w, plan, visible, "w", "WeightRow", "s", "StateRow", rows => ValuesOfTile(w, plan, dialect, rows));
            }
        }
    }

    private static void ScoresOfTile(SourceWriter w, CorePlan plan, Dialect dialect, int rows)
    {
        int headDim = plan.Spec.HeadDim, lanes = plan.Lanes, chain = plan.Decode!.ChainVectors * lanes;
        var pair = PairScore.Of(plan);
        int stride = pair.Vectors * lanes, whole = headDim / stride * stride;
        bool chained = whole > chain;
        var inPlace = new InPlace(plan);
        string Sum(int row, int key) => $"s{row}_{key}";
        void Declare()
        {
            for (int row = 0; row < rows; row++) w.Line($"Vec {string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"{Sum(row, key)} = zero"))};");
            inPlace.Declare(w);
        }

        void Step(Func<string, int, string> load, string offset, int vectors)
        {
            string Query(int row, int vector, string beside) => $"Load({Address.Arguments("q", Join(Address.Offset((row, "QueryRow"), (beside.Length > 0 ? 1 : 0, beside)), Join(offset, Address.Offset((vector, "Lanes")))))})";
            pair.Step(w, rows, Keys, vectors, Query, (key, vector) => load($"k{key}", vector), Sum, inPlace.Add);
        }

        void Loop(string from, string to)
        {
            using (w.Block($"for (nint d = {from}; d < {to}; d += {Address.Offset((pair.Vectors, "Lanes"))})"))
            {
                if (rows > 1) Prefetch(w, plan, dialect, "k", "d", plan.ScoredKeys);
                Step((key, vector) => $"{plan.Loading("Load", plan.ScoredKeys)}(ref {key}, {Join("d", Address.Offset((vector, "Lanes")))})", "d", pair.Vectors);
            }
        }

        string Sums(int row) => $"Sums4({string.Join(", ", Enumerable.Range(0, Keys).Select(key => Sum(row, key)))})";

        // The elements that fill no step: whole vectors, and a part of one.
        void Tail() => Step(
            (key, vector) => whole + ((vector + 1) * lanes) <= headDim
                ? $"{plan.Loading("Load", plan.ScoredKeys)}(ref {key}, {whole + (vector * lanes)})"
                : $"{plan.Loading("LoadFirst", plan.ScoredKeys)}({Address.Arguments(key, $"{whole + (vector * lanes)}")}, {headDim - whole - (vector * lanes)})",
            $"{whole}", (headDim - whole + lanes - 1) / lanes);

        if (rows == 1) PrefetchRows(w, dialect, "k", headDim);
        if (!chained)
        {
            Declare();
            if (whole > 0) Loop("0", $"{whole}");
            if (whole < headDim)
                using (w.Block(""))
                    Tail();
            inPlace.DeclareFactors(w, fromTotals: false);
            for (int row = 0; row < rows; row++) Store(row, Sums(row));
            return;
        }

        w.Line("Vector128<float> " + string.Join(", ", Enumerable.Range(0, rows).Select(row => $"t{row}").Concat(inPlace.Totals).Select(name => $"{name} = Vector128<float>.Zero")) + ";");
        using (w.Block($"for (nint from = 0; from < {whole}; from += {chain})"))
        {
            w.Line($"// At most {plan.Decode!.ChainVectors} products for each partial sum: a longer chain would lose precision.");
            Declare();
            Loop("from", $"Math.Min(from + {chain}, {whole})");
            for (int row = 0; row < rows; row++) w.Line($"t{row} += {Sums(row)};");
            inPlace.AddToTotals(w);
        }

        if (whole < headDim)
            using (w.Block(""))
            {
                Declare();
                Tail();
                for (int row = 0; row < rows; row++) w.Line($"t{row} += {Sums(row)};");
                inPlace.AddToTotals(w);
            }

        inPlace.DeclareFactors(w, fromTotals: true);
        for (int row = 0; row < rows; row++) Store(row, $"t{row}");

        void Store(int row, string sums) => w.Line(rows > 1
            ? $"Vectors128.Store({sums}{(inPlace.IsEmpty ? "" : " * f")}, {Address.Arguments("w", Address.Offset((row, "WeightRow")))});"
            : $"Vectors128.Scatter({sums}{(inPlace.IsEmpty ? "" : " * f")}, ref w, apart);");
    }

    private static void ValuesOfTile(SourceWriter w, CorePlan plan, Dialect dialect, int rows)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        if (rows == 1) PrefetchRows(w, dialect, "v", dim);
        for (int row = 0; row < rows; row++)
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"w{row}_{key} = Splat({Address.Arguments("w", rows == 1 ? Address.Offset((key, "apart")) : Address.Offset((row, "WeightRow"), (key, "")))})")) + ";");
        if (whole > 0)
        {
            using (w.Block($"for (nint i = 0; i < {whole}; i += Lanes)"))
            {
                if (rows > 1) Prefetch(w, plan, dialect, "v", "i", plan.Spec.Elements.Value);
                Step(key => $"{plan.Loading("Load", plan.Spec.Elements.Value)}(ref v{key}, i)", "i");
            }
        }

        if (whole < dim)
            using (w.Block(""))
                Step(key => $"{plan.Loading("LoadFirst", plan.Spec.Elements.Value)}(ref v{key}, {whole}, {dim - whole})", $"{whole}");

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

    /// <summary>The rows of a key-value head: tiles, then those that are left. Tiles whose queries see none of the keys are left out: half of what there is between as many queries as keys.</summary>
    private static void Tiles(SourceWriter w, CorePlan plan, VisibleKeys visible, string first, string firstRow, string second, string secondRow, Action<int> tile)
    {
        w.Line(visible.UpperMoves ? "int row = rows, m = 0; // first query of a tile" : "int row = rows;");
        foreach (int rows in new[] { plan.Decode!.Tiles[0].Rows, 1 })
        {
            bool skips = visible.UpperMoves && rows > 1;
            string Next(string name, string distance) => $"{name} = ref At(ref {name}, {Address.Offset((rows, rows == 1 && distance == "WeightRow" ? "weightRow" : distance))})";
            string step = rows == 1 ? "row > 0; row--" : $"row >= {rows}; row -= {rows}";
            using (w.Block($"for (; {step}, {Next(first, firstRow)}, {Next(second, secondRow)})"))
            {
                if (skips) w.Line($"if (SeesNone(ref m, {rows}, block.Queries, j - seen)) continue;");
                tile(rows);
            }
        }
    }

    /// <summary>Declares which keys are computed together: neighbours, or keys far apart. (With several queries, the keys that all rows see would change the order of sums.)</summary>
    private static void Together(SourceWriter w, CorePlan plan, string count, string unless = "") => w.Line(plan.Spec.InPages ? $"\nconst int apart = 1, next = {Keys}; // four keys side by side\nint count = {count};" : $"""

        // Four keys side by side; for one query of few heads, one key from each quarter of the keys.
        int count = {count}, apart = 1, next = {Keys};
        if (block.Queries == 1 && rows < {plan.Decode!.Tiles[0].Rows}{unless}) (apart, next) = (Math.Max(count, 1), 1);
        """);

    private static string Ahead((int Contiguous, int Apart) rows, int dim)
    {
        string ahead = rows.Contiguous == rows.Apart ? $"{rows.Apart}" : $"(heads == 1 ? {rows.Contiguous} : {rows.Apart})";
        return $"nint ahead = {ahead} * stride, tokens = {TokensAhead(dim)} * stride;";
    }

    /// <summary>Fetches what lies ahead of a vector of each key or value: in the order in which they are read, but to the second level only.</summary>
    private static void Prefetch(SourceWriter w, CorePlan plan, Dialect dialect, string name, string offset, ElementType type)
    {
        if (!dialect.Prefetches) return;
        string fetch = $"PrefetchFour(ref {name}0, stride, {offset} + ahead);";
        if (plan.Lanes == KernelPlanner.LineElements(type)) w.Line(fetch);
        else
            using (w.Block($"if ({offset} % {KernelPlanner.LineElements(type)} == 0)"))
                w.Line(fetch);
    }

    /// <summary>
    /// Fetches a line of each page of streams of tokens: the processor prefetches a stream up to the end of a page, and waits for the address of the next page.
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
}
