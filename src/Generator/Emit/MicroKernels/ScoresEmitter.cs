using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.MicroKernels;

/// <summary>
/// Writes the scores of a tile: query rows times panels of keys, in as many accumulators as the machine has registers for. Where scores become weights in
/// registers, the epilogue does that.
/// </summary>
internal static class ScoresEmitter
{
    /// <summary>The method gives what it leaves in memory: scores, or weights where these come from scores in registers.</summary>
    public static string Name(CorePlan plan) => plan.InRegisters ? "Weights" : "Scores";

    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        if (plan.Spec.IsAdditive)
        {
            Additive(w, plan);
            return;
        }

        var product = new ProductEmitter(dialect, plan.Packed!.TileRows, plan.Packed!.TileVectors, "s", new("q", "QueryRow"), new("k", "PanelKeys")) { Sets = plan.Packed!.ChainSets };
        w.Line();
        w.Line(plan.InRegisters
            ? "/// <summary>Weights of a tile of query rows over some panels of keys.</summary>"
            : "/// <summary>Scores of a tile of query rows over some panels of keys.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        string parameters = "ref float query, ref float panel, int panels, ref float weights";
        if (plan.PartialFloats > 0) parameters += ", ref float partials";
        if (plan.InRegisters)
            parameters += $", ref float state, {visible.Parameters}";
        using (w.Block($"private static void {Name(plan)}({parameters})"))
        {
            if (plan.InRegisters) Panels(w, plan, visible);
            if (plan.PartialFloats > 0)
                w.Line($"""
                    // Partial sums are added up in memory of their own, from zeros that lie before it.
                    for (nint i = 0; i < {plan.PartialFloats}; i += Lanes) Store(Vec.Zero, ref partials, i);
                    """);
            using (w.Block("for (int p = 0; p < panels; p++, panel = ref At(ref panel, HeadDim * PanelKeys))"))
            {
                w.Line("ref float tile = ref At(ref weights, p * PanelKeys);");
                product.Emit(w, (_, _) => "Vec.Zero", () => Products(w, plan, product), () => { if (plan.InRegisters) WeightsInRegisters(w, plan, product, visible); else Store(w, product); });
            }

            if (plan.SingleKeys > 0) SingleKeys(w, plan, dialect);
        }
    }

    /// <summary>Sums of at most so many pairs of hyperbolic tangents are added to those of the panel: longer ones lose precision.</summary>
    private const int TanhChain = 32;

    /// <summary>
    /// Additive scores: the vectors of a panel, row by row, since a tile has no loads to save beside some twenty operations of each element. Two elements at a time share a division.
    /// </summary>
    private static void Additive(SourceWriter w, CorePlan plan)
    {
        var vectors = Enumerable.Range(0, plan.Packed!.TileVectors).ToList();
        w.Line();
        w.Line("/// <summary>Scores of a tile of query rows over some panels of keys: sums of v * tanh(query + key).</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("private static void Scores(ref float query, ref float panel, int panels, ref float weights)"))
        using (w.Block("for (int p = 0; p < panels; p++, panel = ref At(ref panel, HeadDim * PanelKeys))"))
        {
            w.Line("ref float q = ref query, tile = ref At(ref weights, p * PanelKeys);");
            using (w.Block("for (int row = 0; row < TileRows; row++, q = ref At(ref q, QueryRow), tile = ref At(ref tile, WeightRow))"))
            {
                w.Line($"Vec {string.Join(", ", vectors.Select(v => $"t{v} = Vec.Zero"))};");
                w.Line("ref float k = ref panel;");
                using (w.Block("for (nint d = 0; d < HeadDim;)"))
                {
                    w.Line($"Vec {string.Join(", ", vectors.Select(v => $"s{v} = Vec.Zero"))};");
                    using (w.Block($"for (nint end = Math.Min(d + {2 * TanhChain}, HeadDim); d < end; d += 2, k = ref At(ref k, 2 * PanelKeys))"))
                    {
                        w.Line("Vec x = Splat(ref q, d), v = Splat(ref q, HeadRow + d), y = Splat(ref q, d + 1), u = Splat(ref q, HeadRow + d + 1);");
                        foreach (int v in vectors)
                            w.Line($"s{v} = AddTanh(s{v}, x + Load({Address.Arguments("k", Address.Offset((v, "Lanes")))}), v, y + Load({Address.Arguments("k", Address.Offset((1, "PanelKeys"), (v, "Lanes")))}), u);");
                    }

                    w.Line(string.Join(" ", vectors.Select(v => $"t{v} += s{v};")));
                }

                w.Line(string.Join(" ", vectors.Select(v => $"Store(t{v}, {Address.Arguments("tile", Address.Offset((v, "Lanes")))});")));
            }
        }
    }

    /// <summary>The scores of keys behind the last panel: dot products with the rows of the tile.</summary>
    private static void SingleKeys(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        var rows = Enumerable.Range(0, plan.Packed!.TileRows).ToList();
        w.Line();
        w.Line("// The keys behind the last panel, by dot products.\nweights = ref At(ref weights, panels * PanelKeys);");
        using (w.Block($"for (int single = 0; single < {plan.SingleKeys}; single++, panel = ref At(ref panel, QueryRow), weights = ref At(ref weights, 1))"))
        {
            w.Line("Vec " + string.Join(", ", rows.Select(row => $"s{row} = Vec.Zero")) + ";");
            using (w.Block("for (nint d = 0; d < QueryRow; d += Lanes)"))
            {
                w.Line("Vec k = Load(ref panel, d);");
                foreach (int row in rows) w.Line($"s{row} = MulAdd(Load({Address.Arguments("query", row == 0 ? "d" : Address.Offset((row, "QueryRow")) + " + d")}), k, s{row});");
            }

            foreach (int row in rows) w.Line($"At(ref weights, {Address.Offset((row, "WeightRow"))}) = Sum(s{row});");
        }
    }

    private static string Tile(int row, int vector) => Address.Arguments("tile", Address.Offset((row, "WeightRow"), (vector, "Lanes")));

    private static string Sums(int row) => Address.Arguments("state", Address.Offset((row, "StateRow"), (1, "Sums")));

    private static void Products(SourceWriter w, CorePlan plan, ProductEmitter product)
    {
        w.Line("ref float q = ref query, k = ref panel;");
        if (plan.Chains <= 1)
        {
            using (w.Block($"for (int quad = 0; quad < {plan.Quads}; quad++)"))
            {
                product.EmitSteps(w, 4);
                product.Advance(w, 4);
            }

            product.Join(w);
            return;
        }

        if (plan.Packed!.StaggersSums)
        {
            Staggered(w, plan, product);
            return;
        }

        w.Line("int quad = 0;");
        using (w.Block("while (true)"))
        {
            w.Line($"int chain = Math.Min(quad + {plan.Packed!.ChainQuads}, {plan.Quads});");
            using (w.Block("do", "} while (quad < chain);"))
            {
                product.EmitSteps(w, 4);
                product.Advance(w, 4);
                w.Line("quad++;");
            }

            w.Line();
            w.Line($"// Sums of {4 * plan.Packed!.ChainQuads / plan.Packed!.ChainSets} products: longer sums would lose precision.");
            product.Join(w);
            using (w.Block($"if (quad > {plan.Packed!.ChainQuads})"))
                Add(w, product);
            w.Line($"if (quad == {plan.Quads}) break;");
            Store(w, product);
            product.Clear(w);
        }
    }

    /// <summary>
    /// A pass takes 8 elements. In even passes one half of the rows puts its partial sums aside, each row at another element, in odd passes the other half: meanwhile the products of the
    /// other rows go on. So partial sums have at most 16 products.
    /// </summary>
    private static void Staggered(SourceWriter w, CorePlan plan, ProductEmitter product)
    {
        const int Pass = PackedPlan.Turn / 2;
        int passes = plan.PackedHeadDim / Pass, rest = plan.PackedHeadDim % Pass, half = (product.Rows + 1) / 2;
        string Offset(int row, int vector) => Address.Offset((row * product.Vectors + vector, "Lanes"));
        var vectors = Enumerable.Range(0, product.Vectors).ToList();
        string Aside(int row) => string.Join(" ", vectors.Select(vector => $"PutAside({product.Sum(row, vector)}, ref before, ref sums, {Offset(row, vector)});"))
            + $" {string.Join(" = ", vectors.Select(vector => product.Sum(row, vector)))} = Vec.Zero;";
        int Element(int place) => half <= Pass / 2 ? (2 * place) + 1 : place;
        w.Line($"ref float before = ref partials, sums = ref At(ref partials, {plan.PartialFloats});");
        using (w.Block($"for (int pass = 0; pass < {passes}; pass++)"))
        {
            w.Line($"// Sums of at most {PackedPlan.Turn} products: longer sums would lose precision. Each row puts its sums aside at another element.");
            w.Line("if (pass == 2) before = ref sums;");
            product.EmitSteps(w, Pass, element =>
            {
                foreach (int place in Enumerable.Range(0, half).Where(place => Element(place) == element))
                {
                    using (w.Block("if (pass % 2 == 0)")) w.Line(Aside(place));
                    if (half + place >= product.Rows) continue;
                    using (w.Block("else")) w.Line(Aside(half + place));
                }
            });
            product.Advance(w, Pass);
        }

        if (passes == 2 && rest > 0) w.Line("before = ref sums;");
        product.EmitSteps(w, rest, element =>
        {
            foreach (int row in Enumerable.Range(0, half).Where(place => Element(place) == element).Select(place => place + (passes % 2 == 0 ? 0 : half)))
                if (row < product.Rows) w.Line(Aside(row));
        });
        product.EachRow(w, (row, vector) => $"{product.Sum(row, vector)} += Load(ref sums, {Offset(row, vector)});");
    }

    /// <summary>What a call passes for the partial sums, after a comma.</summary>
    public static string PartialsArgument(CorePlan plan) => plan.PartialFloats == 0 ? "" : ", ref At(ref weights, TileRows * WeightRow)";

    private static void Add(SourceWriter w, ProductEmitter product) =>
        product.EachRow(w, (row, vector) => $"{product.Sum(row, vector)} += Load({Tile(row, vector)});");

    private static void Store(SourceWriter w, ProductEmitter product) =>
        product.EachRow(w, (row, vector) => $"Store({product.Sum(row, vector)}, {Tile(row, vector)});");

    /// <summary>Which panels need care.</summary>
    private static void Panels(SourceWriter w, CorePlan plan, VisibleKeys visible)
    {
        if (AllWhole(plan))
        {
            w.Line("int fresh = At(ref state, Maximum) == float.NegativeInfinity ? 1 : 0; // rows have seen no key");
            return;
        }

        string start = visible.UpperMoves ? "seen > 0 ? 0 : panels" : "0";
        if (visible.LowerMoves)
        {
            w.Line($"""
                // No row has its first visible key in the panels from `start` on{(visible.UpperMoves ? ", or none sees a key" : "")}; all rows see all keys of the panels before `whole`.
                int start = {(visible.UpperMoves ? $"Math.Max({start}, " : "")}({(visible.HasLeast ? "Math.Max(hidden + TileRows - 1, least)" : "hidden + TileRows - 1")} + PanelKeys) / PanelKeys{(visible.UpperMoves ? ")" : "")};
                """);
        }
        else if (visible.UpperMoves)
        {
            w.Line($"""
                // All rows see keys, unless `start` is after the panels. All rows see all keys of the panels before `whole`.
                int start = {start};
                """);
        }
        else
        {
            w.Line("// The panels before `whole` have all their keys.");
        }

        string first = visible.DiffersByRow ? "start == 0 && " : "";
        w.Line($"""
            int whole = {(visible.UpperMoves ? "Math.Max(Math.Min(seen, keys), 0)" : "keys")} / PanelKeys;
            int fresh = {first}At(ref state, Maximum) == float.NegativeInfinity ? 1 : 0; // rows have seen no key
            """);
    }

    /// <summary>Whether all panels of a call are whole, and all rows see all of their keys.</summary>
    private static bool AllWhole(CorePlan plan) => plan.HasFixedKeys && plan.Spec.Fixed!.KeyLength % plan.PanelKeys == 0;

    private static void WeightsInRegisters(SourceWriter w, CorePlan plan, ProductEmitter product, VisibleKeys visible)
    {
        var rows = Enumerable.Range(0, product.Rows).ToList();
        var vectors = Enumerable.Range(0, product.Vectors).ToList();
        string MaximumOf(int row) => Address.Arguments("state", Address.Offset((row, "StateRow"), (1, "Maximum")));
        string Exponent(int row, int vector) => $"e{row}_{vector}";
        string Each(int row, Func<int, string> statement) => string.Join(" ", vectors.Select(statement));
        string LevelOf(int row) => Address.Arguments("state", Address.Offset((row, "StateRow"), (1, "RowLevel")));
        using (w.Block("if (p < fresh)"))
        {
            w.Line("// The score of the first key serves as the maximum, unless another score exceeds it by far.");
            foreach (int row in rows) w.Line($"Begin({product.Sum(row, 0)}, Scale, {MaximumOf(row)});");
        }

        w.Line();
        if (!plan.Packed!.ScoresStay)
        {
            w.Line("// For the case that a maximum rises: there are too few registers for the scores beside the exponents.");
            Store(w, product);
            w.Line();
        }

        w.Line("// The exponents of the weights, which are powers of two; -infinity for hidden keys.");
        foreach (int row in rows)
        {
            w.Line($"Vec l{row} = Splat({LevelOf(row)}), "
                + string.Join(", ", vectors.Select(vector => $"{Exponent(row, vector)} = MulAdd({product.Sum(row, vector)}, All(Scale), l{row})")) + ";");
        }

        w.Line();
        if (!AllWhole(plan))
        {
            using (w.Block("if (p >= whole)"))
            {
                w.Line("int column = p * PanelKeys;");
                foreach (int row in rows)
                {
                    w.Line($"int n{row} = {(visible.UpperMoves ? $"Math.Min({visible.Upper($"{row}")}, keys)" : "keys")} - column; "
                        + Each(row, vector => $"{Exponent(row, vector)} = Seen({Exponent(row, vector)}, n{row}{(vector == 0 ? "" : $" - {Address.Offset((vector, "Lanes"))}")});"));
                }
            }

            w.Line();
        }

        using (w.Block(visible.DiffersByRow ? "if (p >= start)" : ""))
        {
            w.Line("// Does no weight exceed 2^8? Positive floats are ordered as integers are, and NaN is above all of them.");
            foreach (int row in rows)
                w.Line($"Vec h{row} = {Tree("MaxBits", vectors.Select(vector => Exponent(row, vector)).ToList())};");
            using (w.Block($"if (Within({Tree("MaxBits", rows.Select(row => $"h{row}").ToList())}, 8f))"))
            {
                foreach (int row in rows)
                    w.Line($"Weights{product.Vectors}({string.Join(", ", vectors.Select(vector => Exponent(row, vector)))}, {Tile(row, 0)}, {Sums(row)});");
                w.Line("continue;");
            }
        }

        w.Line();
        w.Line(visible.DiffersByRow ? "// Rare: a maximum rises, or some rows see none of the panel." : "// Rare: a maximum rises.");
        if (plan.Packed!.ScoresStay) Store(w, product);
        w.Line($"OnlineSoftmax(ref weights, p * PanelKeys, (p + 1) * PanelKeys, ref state, TileRows, {visible.Arguments()});");
    }

    public static string Tree(string function, List<string> terms)
    {
        if (terms.Count == 1) return terms[0];
        int half = terms.Count / 2;
        return $"{function}({Tree(function, terms.GetRange(0, half))}, {Tree(function, terms.GetRange(half, terms.Count - half))})";
    }
}
