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
            string Call(string at) => $"Values{strips.Key}(ref weights, ref Unsafe.Add(ref values, {at}), ref Unsafe.Add(ref tileOutputs, {at}), {keys});";
            if (count <= 4)
                for (int i = 0; i < count; i++) w.Line(Call($"{offset + i * width}"));
            else
                w.Line($"for (int strip = {offset}; strip < {offset + count * width}; strip += {width}) {Call("strip")}");
            offset += count * width;
        }
    }

    private static void Strip(SourceWriter w, CorePlan plan, Dialect dialect, int vectors)
    {
        string Output(int row, int vector) => $"o{row}_{vector}";
        string Address(int row, int vector) => $"ref outputs, {row} * PackedValueDim + {vector} * Lanes";
        var columns = Enumerable.Range(0, vectors).ToList();
        w.Line();
        w.Line($"/// <summary>outputs += weights * values for {vectors * plan.Lanes} of the value dimension.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void Values{vectors}(ref float weights, ref float values, ref float outputs, int keys)"))
        {
            for (int row = 0; row < plan.TileRows; row++)
                w.Line("Vec " + string.Join(", ", columns.Select(v => $"{Output(row, v)} = LoadUnsafe({Address(row, v)})")) + ";");
            using (w.Block("for (; keys > 0; keys--)"))
            {
                w.Line("Vec " + string.Join(", ", columns.Select(v => $"v{v} = LoadUnsafe(ref values, {v} * Lanes)")) + ";");
                for (int row = 0; row < plan.TileRows; row++)
                {
                    w.Line($"Vec x{row} = Create(Unsafe.Add(ref weights, {row} * KeyBlock));"
                        + string.Concat(columns.Select(v => $" {Output(row, v)} = {dialect.MultiplyAdd}(x{row}, v{v}, {Output(row, v)});")));
                }

                w.Line("""
                    values = ref Unsafe.Add(ref values, PackedValueDim);
                    weights = ref Unsafe.Add(ref weights, 1);
                    """);
            }

            w.Line();
            for (int row = 0; row < plan.TileRows; row++)
                w.Line(string.Join(" ", columns.Select(v => $"{Output(row, v)}.StoreUnsafe({Address(row, v)});")));
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
            w.Line("ref float output = ref Unsafe.Add(ref outputs, row * PackedValueDim);");
            using (w.Block($"for (int key = 0; key < Math.Min({visible.Bound("row")}, end); key++)"))
            {
                w.Line($"""
                    Vec x = Create(Unsafe.Add(ref weights, row * KeyBlock + key));
                    ref float value = ref Unsafe.Add(ref values, key * PackedValueDim);
                    for (nuint i = 0; i < PackedValueDim; i += Lanes)
                        {dialect.MultiplyAdd}(x, LoadUnsafe(ref value, i), LoadUnsafe(ref output, i)).StoreUnsafe(ref output, i);
                    """);
            }
        }
    }
}
