using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>
/// Writes the scores of a tile: query rows times panels of keys, in as many accumulators as the machine has registers for; and, where the
/// scores stay there, what turns them into weights.
/// </summary>
internal static class ScoresEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line(plan.Path == ScorePath.Registers
            ? "/// <summary>Weights of a tile of query rows over some panels of keys.</summary>"
            : "/// <summary>Scores of a tile of query rows over some panels of keys.</summary>");
        CoreEmitter.MethodAttribute(w);
        string parameters = "ref float query, ref float panel, int panels, ref float weights";
        if (plan.Path == ScorePath.Registers)
            parameters += $", ref float outputs, ref float sums, ref float maxima, int {(visible.DiffersByRow ? "seen, int keys" : "keys")}";
        using (w.Block($"private static void Scores({parameters})"))
        {
            if (plan.Path == ScorePath.Registers)
            {
                w.Line($"""
                    // All rows see all keys of the panels before this one; not the first panel of all, which sets the maxima.
                    int whole = {(visible.DiffersByRow ? "Math.Clamp(seen, 0, keys)" : "keys")} / PanelKeys;
                    int start = maxima == float.NegativeInfinity ? 1 : 0;
                    """);
            }

            using (w.Block("for (int p = 0; p < panels; p++, panel = ref Unsafe.Add(ref panel, HeadDim * PanelKeys))"))
            {
                w.Line("ref float tile = ref Unsafe.Add(ref weights, p * PanelKeys);");
                Products(w, plan, dialect);
                w.Line();
                if (plan.Path == ScorePath.Registers) WeightsInRegisters(w, plan, visible);
                else Store(w, plan);
            }
        }
    }

    private static string Score(int row, int vector) => $"s{row}_{vector}";

    /// <summary>A statement for the vectors of each row, a line a row.</summary>
    private static void EachRow(SourceWriter w, CorePlan plan, Func<int, int, string> statement)
    {
        for (int row = 0; row < plan.TileRows; row++)
            w.Line(string.Join(" ", Enumerable.Range(0, plan.TileVectors).Select(vector => statement(row, vector))));
    }

    private static string Tile(int row, int vector) => $"ref tile, {row} * KeyBlock + {vector} * Lanes";

    private static void Products(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        for (int row = 0; row < plan.TileRows; row++)
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, plan.TileVectors).Select(vector => $"{Score(row, vector)} = Vec.Zero")) + ";");
        w.Line("ref float q = ref query, k = ref panel;");
        if (plan.Chains <= 1)
        {
            if (plan.Quads > 0)
                using (w.Block($"for (int quad = 0; quad < {plan.Quads}; quad++)"))
                    Steps(w, plan, dialect, 4);
            if (plan.Spec.HeadDim % 4 != 0) Steps(w, plan, dialect, plan.Spec.HeadDim % 4, advance: false);
            return;
        }

        w.Line("int quad = 0;");
        using (w.Block("while (true)"))
        {
            w.Line($"int chain = Math.Min(quad + {plan.ChainQuads}, {plan.Quads});");
            using (w.Block("do", "} while (quad < chain);"))
            {
                Steps(w, plan, dialect, 4);
                w.Line("quad++;");
            }

            w.Line($"if (quad == {plan.Quads}) break;");
            w.Line();
            w.Line($"// A sum of {4 * plan.ChainQuads} products at a time: a longer one would lose precision.");
            if (plan.Chains > 2)
            {
                using (w.Block($"if (quad > {plan.ChainQuads})"))
                    EachRow(w, plan, (row, vector) => $"{Score(row, vector)} += LoadUnsafe({Tile(row, vector)});");
            }

            Store(w, plan);
            for (int row = 0; row < plan.TileRows; row++)
                w.Line(string.Join(" = ", Enumerable.Range(0, plan.TileVectors).Select(vector => Score(row, vector))) + " = Vec.Zero;");
        }

        if (plan.Spec.HeadDim % 4 != 0) Steps(w, plan, dialect, plan.Spec.HeadDim % 4, advance: false);
        EachRow(w, plan, (row, vector) => $"{Score(row, vector)} += LoadUnsafe({Tile(row, vector)});");
    }

    /// <summary>Some elements of the head dimension, in straight line.</summary>
    private static void Steps(SourceWriter w, CorePlan plan, Dialect dialect, int count, bool advance = true)
    {
        for (int d = 0; d < count; d++)
        {
            using (w.Block(""))
            {
                w.Line("Vec " + string.Join(", ", Enumerable.Range(0, plan.TileVectors).Select(v => $"k{v} = LoadUnsafe(ref k, {d} * PanelKeys + {v} * Lanes)")) + ";");
                for (int row = 0; row < plan.TileRows; row++)
                {
                    string x = $"Vec x{row} = Create(Unsafe.Add(ref q, {row} * HeadDim + {d}));";
                    w.Line(x + string.Concat(Enumerable.Range(0, plan.TileVectors).Select(v => $" {Score(row, v)} = {dialect.MultiplyAdd}(x{row}, k{v}, {Score(row, v)});")));
                }
            }
        }

        if (advance)
        {
            w.Line($"q = ref Unsafe.Add(ref q, {count});");
            w.Line($"k = ref Unsafe.Add(ref k, {count} * PanelKeys);");
        }
    }

    private static void Store(SourceWriter w, CorePlan plan) => EachRow(w, plan, (row, vector) => $"{Score(row, vector)}.StoreUnsafe({Tile(row, vector)});");

    private static void WeightsInRegisters(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        using (w.Block("if (p >= start && p < whole)"))
        {
            // The maxima are read twice: there are no registers to keep them in beside the scores.
            string Maximum(int row) => $"Create(Unsafe.Add(ref maxima, {row}))";
            string Highest(int row) =>
                $"({Tree(Enumerable.Range(0, plan.TileVectors).Select(vector => Score(row, vector)).ToList())} - {Maximum(row)}).AsInt32()";
            w.Line("// Positive floats are ordered as integers are, and no NaN of one row hides the scores of another.");
            w.Line($"var highest = {Highest(0)};");
            for (int row = 1; row < plan.TileRows; row++) w.Line($"highest = Max(highest, {Highest(row)});");
            using (w.Block("if (LessThanOrEqualAll(highest, Create(8f).AsInt32()))"))
            {
                for (int row = 0; row < plan.TileRows; row++)
                {
                    w.Line($"Vec m{row} = {Maximum(row)};");
                    for (int vector = 0; vector < plan.TileVectors; vector++)
                        w.Line($"{Score(row, vector)} = KernelMath.Exp2({Score(row, vector)} - m{row}); {Score(row, vector)}.StoreUnsafe({Tile(row, vector)});");
                    string sum = string.Join(" + ", Enumerable.Range(0, plan.TileVectors).Select(vector => Score(row, vector)).Prepend($"LoadUnsafe(ref sums, {row} * Lanes)"));
                    w.Line($"({sum}).StoreUnsafe(ref sums, {row} * Lanes);");
                }

                w.Line("continue;");
            }
        }

        w.Line();
        w.Line("// Rare: a maximum rises, or the mask cuts through the panel.");
        Store(w, plan);
        w.Line($"Softmax(ref weights, p * PanelKeys, (p + 1) * PanelKeys, ref outputs, ref sums, ref maxima, {(visible.DiffersByRow ? "seen, keys" : "keys")});");
    }

    private static string Tree(List<string> terms)
    {
        if (terms.Count == 1) return terms[0];
        int half = terms.Count / 2;
        return $"MaxNative({Tree(terms.GetRange(0, half))}, {Tree(terms.GetRange(half, terms.Count - half))})";
    }
}
