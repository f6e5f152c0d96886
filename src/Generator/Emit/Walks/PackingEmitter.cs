using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes what is done once for a stretch of keys and once for a block of queries: bring them into the order that the tiles read.</summary>
internal static class PackingEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        Pack(w, plan);
        PackKeys(w, plan, dialect);
        if (plan.HasScales) ScaleKeys(w);
        foreach (var step in plan.Spec.Loads.Factors) step.PackedKeysMethod(w, new(plan.Spec.HeadDim, plan.Lanes));
        if (plan.Spec.WeighsValues) PackValues(w, plan, dialect, visible);
    }

    private static void Pack(SourceWriter w, CorePlan plan)
    {
        w.Line();
        w.Line($"/// <summary>Copies keys into panels{(plan.Spec.WeighsValues ? " and values into padded rows" : "")}.</summary>");
        bool check = plan.Spec.RowsDiffer;
        if (!plan.Spec.WeighsValues) w.Line("/// <returns>True: values are not multiplied.</returns>");
        else if (check) w.Line("/// <returns>Whether all values are finite: then 0 times a hidden value is 0.</returns>");
        else w.Line("/// <returns>True: every row sees every key, so no value is multiplied by the weight of a hidden key.</returns>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("public static bool Pack(in KeysToPack keys)"))
        {
            if (plan.Spec.Loads.CopiesKeys) PackCopies(w, plan);
            else w.Line($"PackKeys(ref keys.KeyRows.First<{plan.KeyType}>(), keys.KeyRows.Stride, keys.Count, ref keys.PackedKeys);");
            if (plan.HasScales) w.Line("ScaleKeys(in keys);");
            foreach (var step in plan.Spec.Loads.Factors) step.PackedKeys(w);
            if (!plan.Spec.WeighsValues)
            {
                w.Line("return true;");
                return;
            }

            string scales = plan.HasScales ? ", ref keys.ValueRows.Scales, keys.ValueRows.ScaleStride" : "";
            string values = $"PackValues(ref keys.ValueRows.First<{plan.ValueType}>(), keys.ValueRows.Stride, keys.Count, ref keys.PackedValues{scales});";
            w.Line(check ? $"return {values}" : $"{values}\nreturn true;");
        }
    }

    /// <summary>Panel after panel is copied to working memory, where rows change, and packed from there.</summary>
    private static void PackCopies(SourceWriter w, CorePlan plan)
    {
        using (w.Block("for (int first = 0; first < keys.Count; first += PanelKeys)"))
            w.Line($"""
                int count = Math.Min(keys.Count - first, PanelKeys);
                CopyKeys(ref At(ref keys.KeyRows.First<{plan.KeyType}>(), first * keys.KeyRows.Stride), keys.KeyRows.Stride, count, ref keys.Scratch, in keys.Place, keys.Key + first);
                PackKeys(ref keys.Scratch, QueryRow, count, ref At(ref keys.PackedKeys, (nint)first * HeadDim));
                """);
    }

    private static void PackKeys(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        int headDim = plan.Spec.HeadDim;
        w.Line();
        w.Line($"/// <summary>Keys [count, {headDim}] as panels [HeadDim, PanelKeys]; {(plan.SingleKeys == 0 ? "the last panel is padded with copies of the last key" : "keys behind the last whole panel as rows [QueryRow]")}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void PackKeys(ref {plan.ScoredKeyType} key, nint stride, int count, ref float panels)"))
        {
            Panels(w, plan, dialect);
            if (plan.SingleKeys > 0) SingleKeys(w, plan);
        }
    }

    /// <summary>Multiplies the keys in panels by their scales. The columns behind the last key may get any factor.</summary>
    private static void ScaleKeys(SourceWriter w)
    {
        w.Line();
        w.Line("/// <summary>Multiplies the keys in panels by their scales, each a column.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("private static void ScaleKeys(in KeysToPack keys)"))
        using (w.Block("for (int panel = 0; panel < keys.Count; panel += PanelKeys)"))
        {
            w.Line("""
                CopyScales(ref At(ref keys.KeyRows.Scales, panel * keys.KeyRows.ScaleStride), keys.KeyRows.ScaleStride, Math.Min(PanelKeys, keys.Count - panel), ref keys.Scratch);
                ref float columns = ref At(ref keys.PackedKeys, (nint)panel * HeadDim);
                """);
            using (w.Block("for (int d = 0; d < HeadDim; d++, columns = ref At(ref columns, PanelKeys))"))
                w.Line("Multiply(ref columns, 0, PanelKeys, ref keys.Scratch);");
        }
    }

    /// <summary>Copies the keys behind the last whole panel, each with zeros up to a whole vector.</summary>
    private static void SingleKeys(SourceWriter w, CorePlan plan)
    {
        int whole = plan.Spec.Fixed!.KeyLength - plan.SingleKeys;
        w.Line($"\nkey = ref At(ref key, {whole} * stride);\npanels = ref At(ref panels, {whole} * HeadDim);");
        using (w.Block($"for (int single = 0; single < {plan.SingleKeys}; single++, key = ref At(ref key, stride), panels = ref At(ref panels, QueryRow))"))
            CopyRow(w, plan, plan.ScoredKeys, "key", "panels");
    }

    private static void Panels(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        int step = dialect.TransposedKeys, headDim = plan.Spec.HeadDim;
        using (w.Block(plan.SingleKeys == 0 ? "for (int panel = 0; panel < count; panel += PanelKeys)" : "for (int panel = 0; panel + PanelKeys <= count; panel += PanelKeys)"))
        using (w.Block($"for (int column = 0; column < PanelKeys; column += {step})"))
        {
            w.Line($"""
                int first = Math.Min(panel + column, count - 1), last = Math.Min(count - 1 - first, {step - 1});
                ref {plan.ScoredKeyType} source = ref At(ref key, first * stride);
                ref float target = ref At(ref panels, (nint)panel * HeadDim + column);
                """);
            if (dialect.Prefetches && !plan.Spec.Loads.CopiesKeys) w.Line($"for (int row = {step}; row < {2 * step}; row++) PrefetchRow(ref source, row * stride, {headDim});");
            if (dialect.Transpose is null)
            {
                using (w.Block($"for (int d = 0; d < {headDim}; d++)"))
                    w.Line($"Store({Function("Gather4")}(ref At(ref source, d), stride, last), ref target, d * PanelKeys);");
                PadKeys(w, plan, step);
                return;
            }

            string Transpose(string d) => $"{Function(dialect.Transpose)}(ref {Address.At("source", d)}, stride, last, ref {Address.At("target", d == "0" ? d : $"{d} * PanelKeys")}, PanelKeys);";
            int whole = headDim / step * step;
            if (whole == step) w.Line(Transpose("0"));
            else if (whole > step)
                using (w.Block($"for (int d = 0; d < {whole}; d += {step})"))
                    w.Line(Transpose("d"));

            if (headDim > step && headDim > whole)
            {
                w.Line($"// The last {headDim - whole} elements, with some of those before them again.");
                w.Line(Transpose($"{headDim - step}"));
            }
            else if (headDim > whole)
            {
                using (w.Block($"for (int d = 0; d < {headDim}; d++)"))
                using (w.Block($"for (int j = 0; j < {step}; j++)"))
                    w.Line($"At(ref target, d * PanelKeys + j) = {ElementTypes.Read(plan.ScoredKeys, "ref source, Math.Min(j, last) * stride + d")};");
            }

            PadKeys(w, plan, step);
        }

        string Function(string name) => ElementTypes.Function(name, plan.ScoredKeys);
    }

    /// <summary>Zeros for the elements that the packed head has more.</summary>
    private static void PadKeys(SourceWriter w, CorePlan plan, int columns)
    {
        if (plan.PackedHeadDim == plan.Spec.HeadDim) return;
        using (w.Block($"for (int d = {plan.Spec.HeadDim}; d < HeadDim; d++)"))
        using (w.Block($"for (int j = 0; j < {columns}; j++)"))
            w.Line("At(ref target, d * PanelKeys + j) = 0f;");
    }

    private static void PackValues(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        bool check = plan.Spec.RowsDiffer, padded = plan.PackedValueDim != plan.Spec.ValueDim;
        w.Line();
        w.Line($"/// <summary>Values [count, {plan.Spec.ValueDim}] as rows [count, ValueDim].</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static {(check ? "bool" : "void")} PackValues(ref {plan.ValueType} value, nint stride, int count, ref float rows{(plan.HasScales ? ", ref float scales, nint scaleStride" : "")})"))
        {
            if (check) w.Line("Vec zeros = Vec.Zero; // products with 0: NaN where a value is not finite. An 'or' waits a cycle for the one before, a sum three or four.");
            using (w.Block("for (int key = 0; key < count; key++)"))
            {
                dialect.Prefetch(w, "value", "stride", plan.Spec.ValueDim);
                if (padded) w.Line("Store(Vec.Zero, ref rows, ValueDim - Lanes);");
                string load = ElementTypes.Function("Load", plan.Spec.Elements.Value), scaled = "", scaledElement = "";
                if (plan.HasScales)
                {
                    w.Line("Vec scale = Splat(ref scales, key * scaleStride);");
                    (scaled, scaledElement) = (" * scale", " * At(ref scales, key * scaleStride)");
                }

                RowEmitter.Emit(w, plan.Spec.ValueDim, plan.Lanes,
                    i => check
                        ? $"Vec v{i} = {load}(ref value, {i}){scaled};\nStore(v{i}, ref rows, {i});\nzeros |= v{i} * Vec.Zero;"
                        : $"Store({load}(ref value, {i}){scaled}, ref rows, {i});",
                    i => $"At(ref rows, {i}) = {ElementTypes.Read(plan.Spec.Elements.Value, $"ref value, {i}")}{scaledElement};"
                        + (check ? $"\nzeros |= All({(plan.Spec.Elements.Value == ElementType.Float ? $"At(ref value, {i})" : $"At(ref rows, {i})")} * 0f);" : ""));
                w.Line("""
                    value = ref At(ref value, stride);
                    rows = ref At(ref rows, ValueDim);
                    """);
            }

            if (check) w.Line("""

                return AllZero(zeros);
                """);
        }
    }

    /// <summary>
    /// The copy of queries that every walk makes: rows side by side, changed by the load steps. It fetches nothing ahead: prefill fetches the next queries between tiles
    /// (ForwardAhead), and in decode rows far ahead are no rows of the call.
    /// </summary>
    public static void Queries(SourceWriter w, CorePlan plan)
    {
        // A negative scale reverses the order of the scores: the queries get its sign, so that the largest score has the largest weight.
        string sign = plan.Spec.Scale < 0 && !plan.Spec.IsAdditive ? "-" : "";
        w.Line();
        w.Line($"/// <summary>Copies query rows side by side{(sign.Length > 0 ? ", with the sign of the scale" : "")}{(plan.HeadRow == plan.Spec.HeadDim ? "" : ", each with zeros up to a whole vector")}{(plan.Spec.IsAdditive ? "; beside each the vector of its head" : "")}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void CopyQueries(ref {plan.QueryType} query, nint stride, int rows, ref float copy{PlaceParameter(plan)})"))
        using (w.Block("for (int row = 0; row < rows; row++, query = ref At(ref query, stride), copy = ref At(ref copy, QueryRow))"))
        {
            CopyRow(w, plan, plan.Spec.Elements.Query, "query", "copy", sign);
            foreach (var step in plan.Spec.Loads.Steps) step.Query(w);
        }
    }

    /// <summary>The copy of keys where a load step needs one: rows side by side, changed by all steps.</summary>
    public static void CopyKeys(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        if (!plan.Spec.Loads.CopiesKeys) return;
        foreach (var step in plan.Spec.Loads.Steps) step.KeyMethod(w, new(plan.Spec.HeadDim, plan.Lanes));
        w.Line();
        w.Line($"/// <summary>Copies keys side by side, the first of which has the index `key` in its sequence{(plan.QueryRow == plan.Spec.HeadDim ? "" : ", each with zeros up to a whole vector")}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void CopyKeys(ref {plan.KeyType} source, nint stride, int count, ref float copy, in ForwardPlace place, int key)"))
        using (w.Block("for (int end = key + count; key < end; key++, source = ref At(ref source, stride), copy = ref At(ref copy, QueryRow))"))
        {
            dialect.Prefetch(w, "source", "stride", plan.Spec.HeadDim);
            CopyRow(w, plan, plan.Spec.Elements.Key, "source", "copy");
            foreach (var step in plan.Spec.Loads.Steps) step.Key(w);
        }
    }

    /// <summary>Copies a query or a key, with zeros up to a whole vector.</summary>
    /// <param name="type">The type of its elements.</param>
    /// <param name="sign">What stands before each element: nothing, or a minus.</param>
    private static void CopyRow(SourceWriter w, CorePlan plan, ElementType type, string from, string to, string sign = "")
    {
        if (plan.HeadRow != plan.Spec.HeadDim) w.Line($"Store(Vec.Zero, ref {to}, {(plan.Spec.IsAdditive ? "HeadRow" : "QueryRow")} - Lanes);");
        RowEmitter.Emit(w, plan.Spec.HeadDim, plan.Lanes, i => $"Store({sign}{ElementTypes.Function("Load", type)}(ref {from}, {i}), ref {to}, {i});", i => $"At(ref {to}, {i}) = {sign}{ElementTypes.Read(type, $"ref {from}, {i}")};");
    }

    /// <summary>What the copy of queries is given beside them, after a comma: where they stand, if a load step reads operands of the call.</summary>
    /// <param name="head">Their head, from the first one of the place on.</param>
    public static string PlaceArgument(CorePlan plan, string head = "0") =>
        !plan.Spec.Loads.ReadsOperands ? "" : ", in block.Place" + (plan.Spec.IsAdditive ? $", {head}" : "");

    private static string PlaceParameter(CorePlan plan) => !plan.Spec.Loads.ReadsOperands ? "" : ", in ForwardPlace place" + (plan.Spec.IsAdditive ? ", int head" : "");
}
