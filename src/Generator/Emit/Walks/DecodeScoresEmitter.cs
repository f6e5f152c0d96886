using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;
using static AttentionGen.Generator.Emit.Walks.DecodeStreams;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the scores of decode: dot products of query rows with keys in place.</summary>
internal static class DecodeScoresEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line($"/// <summary>Scores of all query rows with keys, {Keys} keys at a time; keys after the last repeat it.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void DecodeScores(in DecodeBlock block, ref float query, ref {plan.KeyType} key, int keys, ref float weights{(visible.UpperMoves ? ", int seen" : "")})"))
        {
            w.Line($"""
                int heads = block.KeyHeads, rows = block.Heads / heads * block.Queries, weightRow = BlockOf(in block).WeightRow;
                nint stride = block.KeyStride, headStride = block.KeyHeadStride;
                """);
            if (dialect.Prefetches) w.Line(Ahead(plan.Decode!.PrefetchKeys, plan.Spec.HeadDim));
            bool oneRow = OneRowEmitter.HasScores(plan);
            if (oneRow)
            {
                w.Line("""

                    // One row and one head: most of the keys, with the query in registers.
                    int done = heads == 1 && rows == 1 ? OneRowScores(ref query, ref key, stride, keys / 4, ref weights) : 0;
                    """);
            }

            Together(w, plan, $"(keys{(oneRow ? " - done" : "")} + {Keys - 1}) / {Keys}", oneRow ? " && done == 0" : "");
            w.Line("Vec zero = Vec.Zero;");
            using (w.Block($"for (int left = count, j = {(oneRow ? "done" : "0")}; left > 0; left--, j += next)"))
            {
                w.Line($"""
                    nint last = (keys - 1 - j) * stride;
                    ref {plan.KeyType} k0 = ref At(ref key, j * stride);
                    ref float q = ref query, w = ref At(ref weights, j);
                    """);
                PrefetchTokens(w, dialect, "k", plan.Spec.HeadDim);
                using (w.Block("for (int head = 0; head < heads; head++, k0 = ref At(ref k0, headStride))"))
                {
                    w.Line($"ref {plan.KeyType} " + string.Join(", ", Enumerable.Range(1, Keys - 1).Select(key => $"k{key} = ref At(ref k0, Math.Min({Address.Offset((key, "apart"))} * stride, last))")) + ";");
                    Tiles(w, plan, visible, "q", "QueryRow", "w", "KeyBlock", rows => ScoresOfTile(w, plan, dialect, rows));
                }
            }
        }
    }

    private static void ScoresOfTile(SourceWriter w, CorePlan plan, Dialect dialect, int rows)
    {
        int headDim = plan.Spec.HeadDim, lanes = plan.Lanes, whole = headDim / lanes * lanes, chain = plan.Decode!.ChainVectors * lanes;
        bool chained = whole > chain;
        var inPlace = new InPlace(plan);
        string Sum(int row, int key) => $"s{row}_{key}";
        void Declare()
        {
            for (int row = 0; row < rows; row++) w.Line($"Vec {string.Join(", ", Enumerable.Range(0, Keys).Select(key => $"{Sum(row, key)} = zero"))};");
            inPlace.Declare(w);
        }

        void Step(Func<string, string, string> load, string offset)
        {
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, rows).Select(row => $"q{row} = Load({Address.Arguments("q", Join(Address.Offset((row, "QueryRow")), offset))})")) + ";");
            for (int key = 0; key < Keys; key++)
                w.Line($"Vec x{key} = {load($"k{key}", offset)}; " + string.Join(" ", Enumerable.Range(0, rows).Select(row => $"{Sum(row, key)} = MulAdd(q{row}, x{key}, {Sum(row, key)});")) + inPlace.Add(key));
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
        void Tail() => Step((key, offset) => $"LoadFirst({Address.Arguments(key, offset)}, {headDim - whole})", $"{whole}");

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
            ? $"Vectors128.Store({sums}{(inPlace.IsEmpty ? "" : " * f")}, {Address.Arguments("w", Address.Offset((row, "KeyBlock")))});"
            : $"Vectors128.Scatter({sums}{(inPlace.IsEmpty ? "" : " * f")}, ref w, apart);");
    }
}
