using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.MicroKernels;

/// <summary>
/// Writes the product of weights with packed values, in strips of the value dimension.
/// </summary>
internal static class ValuesEmitter
{
    /// <param name="Start">The first of the value dimension.</param>
    /// <param name="Tail">Elements of the last vector where memory may end after them; 0 where it is whole.</param>
    private sealed record Strip(int Rows, int Start, int Vectors, int Tail)
    {
        public string Name => $"Values{Rows}x{Vectors}{(Tail == 0 ? "" : "Tail")}";
    }

    /// <summary>
    /// The strips for some rows, wide ones first. Packed values are padded to whole vectors. Where other values end inside a vector, that vector is a strip.
    /// </summary>
    private static List<Strip> Strips(CorePlan plan, int rows)
    {
        bool isTile = rows == plan.Packed!.TileRows, atOnce = plan.FixedLength is not null;
        var strips = new List<Strip>();
        int start = 0, tail = plan.Spec.ValueDim % plan.Lanes;
        foreach (int vectors in (isTile ? plan.Packed.ValueVectors : plan.FixedLength!.RowVectors).OrderByDescending(v => v))
        {
            // What is written at once ends with the output.
            bool last = isTile && atOnce && start + (vectors * plan.Lanes) > plan.Spec.ValueDim;
            strips.Add(new Strip(rows, start, vectors, last ? tail : 0));
            start += vectors * plan.Lanes;
        }

        if (!isTile && tail > 0) strips.Add(new Strip(rows, start, Vectors: 1, tail));
        return strips;
    }

    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        if (plan.Packed is not { TileRows: var tile }) return;

        // With fixed lengths, rows see all keys of the tile at once, or each its own.
        int[] rows = plan.FixedLength is not null && plan.Spec.Visible.DiffersByRow ? [tile, 1] : [tile];
        foreach (var strip in rows.SelectMany(r => Strips(plan, r)).Select(strip => strip with { Start = 0 }).Distinct()) Method(w, plan, dialect, strip);
    }

    /// <summary>The calls for all strips of a tile.</summary>
    /// <param name="output">Where the output rows are written, with fixed lengths.</param>
    public static void Calls(SourceWriter w, CorePlan plan, int rows, string weights, string values, string stride, string state, string keys, string output = "")
    {
        foreach (var strips in Strips(plan, rows).GroupBy(strip => strip.Name))
        {
            int first = strips.First().Start, width = strips.First().Vectors * plan.Lanes, count = strips.Count();
            string Call(string at) => plan.FixedLength is not null
                ? $"{strips.Key}(ref {weights}, ref {Address.At(values, at)}, {stride}, ref {state}, ref {Address.At(output, at)}, block.OutputRows.Stride, {keys});"
                : $"{strips.Key}(ref {weights}, ref {Address.At(values, at)}, {stride}, ref {Address.At(state, at)}, {keys});";
            if (count <= 2)
                foreach (var strip in strips) w.Line(Call($"{strip.Start}"));
            else
                w.Line($"for (int strip = {first}; strip < {first + count * width}; strip += {width}) {Call("strip")}");
        }
    }

    private static void Method(SourceWriter w, CorePlan plan, Dialect dialect, Strip strip)
    {
        bool atOnce = plan.FixedLength is not null, packed = atOnce && strip.Rows == plan.Packed!.TileRows;
        int width = (strip.Vectors * plan.Lanes) - (strip.Tail == 0 ? 0 : plan.Lanes - strip.Tail);
        var product = new ProductEmitter(dialect, strip.Rows, strip.Vectors, "o", new("weights", "WeightRow"), new("values", "stride", packed ? 0 : strip.Tail)) { Steps = plan.Packed!.ValueSteps };
        string Output(int row, int vector) => Address.Arguments("outputs", Address.Offset((row, "StateRow"), (vector, "Lanes")));
        w.Line();
        w.Line($"/// <summary>outputs {(atOnce ? "= inverse sums *" : "+=")} weights * values for {(strip.Rows == 1 ? "a row" : $"{strip.Rows} rows")} and {width} of the value dimension.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        string results = atOnce ? $"ref float state, ref {plan.OutputType} outputs, nint outputStride" : "ref float outputs";
        using (w.Block($"private static void {strip.Name}(ref float weights, ref float values, nint stride, {results}, int keys)"))
        {
            product.Emit(w, (row, vector) => atOnce ? "Vec.Zero" : $"Load({Output(row, vector)})", Loops, () => { if (atOnce) Scale(); else Store(); });
        }

        void Loops()
        {
            foreach (int step in new[] { strip.Rows == plan.Packed!.TileRows ? product.Unroll : 1, 1 }.Distinct())
            {
                using (w.Block(step == 1 ? "for (; keys > 0; keys--)" : $"for (; keys >= {step}; keys -= {step})"))
                {
                    if (step == 1) product.Step(w, 0);
                    else product.EmitSteps(w, step);
                    product.Advance(w, step);
                }
            }
        }

        // The outputs of rows wait in their state for other keys.
        void Store() => product.EachRow(w, (row, vector) => $"Store({product.Sum(row, vector)}, {Output(row, vector)});");

        // All keys are there: outputs are divided by the sums of the weights.
        void Scale()
        {
            for (int row = 0; row < strip.Rows; row++)
            {
                w.Line($"Vec f{row} = Splat({Address.Arguments("state", Address.Offset((row, "StateRow"), (1, "Sums")))});");
                w.Line(string.Join(" ", Enumerable.Range(0, strip.Vectors).Select(vector => strip.Tail > 0 && vector == strip.Vectors - 1
                    ? $"{ElementTypes.Function("StoreFirst", plan.Spec.Elements.Output)}({product.Sum(row, vector)} * f{row}, {Address.Arguments("outputs", Address.Offset((vector, "Lanes")))}, {strip.Tail});"
                    : $"{ElementTypes.Function("Store", plan.Spec.Elements.Output)}({product.Sum(row, vector)} * f{row}, {Address.Arguments("outputs", Address.Offset((vector, "Lanes")))});")));
                if (row < strip.Rows - 1) w.Line("outputs = ref At(ref outputs, outputStride);");
            }
        }
    }
}
