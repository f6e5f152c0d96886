using AttentionGen.Generator.Masks;
using AttentionGen.Generator.Planning;

namespace AttentionGen.Generator.Emit;

/// <summary>Writes the product of a tile's weights with the values, in strips of the value dimension.</summary>
internal static class ValuesEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        foreach (int vectors in plan.ValueVectors.Distinct().OrderByDescending(v => v)) Strip(w, plan, dialect, vectors);
        if (visible.DiffersByRow) ByRow(w, dialect, visible);
    }

    /// <summary>The calls for all strips, wide ones first.</summary>
    public static void Calls(SourceWriter w, CorePlan plan, string keys)
    {
        int offset = 0;
        foreach (var strips in plan.ValueVectors.GroupBy(vectors => vectors).OrderByDescending(group => group.Key))
        {
            int width = strips.Key * plan.Lanes, count = strips.Count();
            string Call(string at) => $"Values{strips.Key}(ref weights, ref {Address.At("values", at)}, ref {Address.At("state", at)}, {keys});";
            if (count <= 4)
                for (int i = 0; i < count; i++) w.Line(Call($"{offset + i * width}"));
            else
                w.Line($"for (int strip = {offset}; strip < {offset + count * width}; strip += {width}) {Call("strip")}");
            offset += count * width;
        }
    }

    private static void Strip(SourceWriter w, CorePlan plan, Dialect dialect, int vectors)
    {
        var product = new ProductEmitter(dialect, plan.TileRows, vectors, "o", "weights", "KeyBlock", "values", "ValueDim");
        string Output(int row, int vector) => Address.Arguments("outputs", Address.Offset((row, "StateRow"), (vector, "Lanes")));
        w.Line();
        w.Line($"/// <summary>outputs {(plan.Path == CorePath.Whole ? "" : "+")}= weights * values for {vectors * plan.Lanes} of the value dimension.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void Values{vectors}(ref float weights, ref float values, ref float outputs, int keys)"))
        {
            product.Declare(w, (row, vector) => plan.Path == CorePath.Whole ? "Vec.Zero" : $"LoadUnsafe({Output(row, vector)})");
            foreach (int step in new[] { product.Unroll, 1 }.Distinct())
            {
                using (w.Block(step == 1 ? "for (; keys > 0; keys--)" : $"for (; keys >= {step}; keys -= {step})"))
                {
                    if (step == 1) product.Step(w, 0);
                    else product.Steps(w, step);
                    product.Advance(w, step);
                }
            }

            w.Line();
            product.EachRow(w, (row, vector) => $"{product.Sum(row, vector)}.StoreUnsafe({Output(row, vector)});");
        }
    }

    private static void ByRow(SourceWriter w, Dialect dialect, VisibleKeys visible)
    {
        w.Line();
        w.Line("""
            /// <summary>
            /// outputs += weights * values, each row over the keys that it sees: for values among which there is a NaN or an infinity, as 0 times
            /// one that the row does not see would not be 0.
            /// </summary>
            """);
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static void ValuesByRow(ref float weights, ref float values, ref float outputs, int seen, int end)"))
        using (w.Block("for (int row = 0; row < TileRows; row++)"))
        {
            w.Line("ref float output = ref Unsafe.Add(ref outputs, row * StateRow);");
            using (w.Block($"for (int key = 0; key < Math.Min({visible.Bound("row")}, end); key++)"))
            {
                w.Line($"""
                    Vec x = Create(Unsafe.Add(ref weights, row * KeyBlock + key));
                    ref float value = ref Unsafe.Add(ref values, key * ValueDim);
                    for (nuint i = 0; i < ValueDim; i += Lanes)
                        {dialect.MultiplyAdd}(x, LoadUnsafe(ref value, i), LoadUnsafe(ref output, i)).StoreUnsafe(ref output, i);
                    """);
            }
        }
    }
}
