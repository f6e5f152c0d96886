using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes the loops of a single row and the keys of one head: four streams, each a quarter of the keys in the order of memory, with the query or the output
/// in registers.
/// </summary>
internal static class OneRowEmitter
{
    private const int Keys = DecodeStreams.Keys;

    public static bool HasScores(CorePlan plan) => !plan.Spec.IsAdditive && plan.Decode!.HasOneRow(plan.Spec.HeadDim, plan.Lanes);

    public static bool HasValues(CorePlan plan) => plan.Decode!.HasOneRow(plan.Spec.ValueDim, plan.Lanes);

    /// <summary>Fetches few of the lines ahead of each stream, as for several heads: the processor fetches the lines between.</summary>
    private static void PrefetchStreams(SourceWriter w, string name, int dim, ElementType type)
    {
        int step = KernelPlanner.StreamBytesApart / ElementTable.Of(type).Bytes;
        string fetch = string.Join(" ", Enumerable.Range(0, Math.Max(dim / step, 1)).Select(i => $"PrefetchFour(ref {name}0, quarter * stride, {(i == 0 ? "ahead" : $"ahead + {i * step}")});"));
        w.Line(dim < step ? $"if (left % {step / dim} == 0)" : fetch);
        if (dim < step) w.Line("    " + fetch);
    }

    /// <summary>A loop over four streams of rows of one head, each a quarter of them.</summary>
    private static void Streams(SourceWriter w, CorePlan plan, string type, string name, string source, Action body)
    {
        string[] streams = [.. Enumerable.Range(0, Keys).Select(i => $"{name}{i}")];
        if (plan.Spec.InPages)
        {
            w.Line("int quarter = run.PageKeys, done = 0;");
            using (w.Block($"for (; done + {Keys} * quarter <= keys; done += {Keys} * quarter, page += {Keys}, weights = ref At(ref weights, {Keys - 1} * quarter))"))
            {
                w.Line($"ref {type} {string.Join(", ", streams.Select((stream, i) => $"{stream} = ref run.{(name == "k" ? "KeysOf" : "ValuesOf")}<{type}>(page{(i == 0 ? "" : $" + {i}")})"))};");
                Steps();
            }

            return;
        }

        w.Line($"ref {type} {string.Join(", ", streams.Select((stream, i) => $"{stream} = ref {(i == 0 ? source : $"At(ref {source}, {Address.Offset((i, "quarter * stride"))})")}"))};");
        Steps();

        void Steps()
        {
            using (w.Block("for (int left = quarter; left > 0; left--, weights = ref At(ref weights, 1))"))
            {
                body();
                w.Line(string.Join(" ", streams.Select(stream => $"{stream} = ref At(ref {stream}, stride);")));
            }
        }
    }

    public static void Scores(SourceWriter w, CorePlan plan)
    {
        int dim = plan.Spec.HeadDim, vectors = dim / plan.Lanes;
        w.Line();
        w.Line("/// <summary>Scores of a row with keys of one head: one key from each quarter at a time, so that each quarter is read in the order of memory.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static int OneRowScores{plan.Halves}(ref float query, {(plan.Spec.InPages ? PagesEmitter.Parameters + ", nint stride" : $"ref {plan.ScoredKeyType} key, nint stride, int quarter")}, ref float weights){plan.WhereHalves}"))
        {
            bool fetches = !plan.Spec.Loads.CopiesKeys && !plan.Spec.InPages; // copies are in the cache, pages are too short
            if (fetches) w.Line(StreamAhead(dim, plan.ScoredKeys));
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, vectors).Select(i => $"q{i} = Load(ref query, {Address.Offset((i, "Lanes"))})")) + ";");
            Streams(w, plan, plan.ScoredKeyType, "k", "key", () =>
            {
                if (fetches) PrefetchStreams(w, "k", dim, plan.ScoredKeys);
                Products(w, plan, vectors);
            });

            w.Line(plan.Spec.InPages ? "return done;" : $"return {Keys} * quarter;");
        }
    }

    private static void Products(SourceWriter w, CorePlan plan, int vectors)
    {
        if (plan.Spec.Loads.Factors.Count == 0)
        {
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Keys).Select(stream => $"s{stream} = q0 * {Key(plan)}(ref k{stream}, 0)")) + ";");
            for (int i = 1; i < vectors; i++)
                w.Line(string.Join(" ", Enumerable.Range(0, Keys).Select(stream => $"s{stream} = MulAdd(q{i}, {Key(plan)}(ref k{stream}, {Address.Offset((i, "Lanes"))}), s{stream});")));
            w.Line("Vectors128.Scatter(Sums4(s0, s1, s2, s3), ref weights, quarter);");
            return;
        }

        // With what is summed of the keys beside the products.
        var load = new InPlace(plan);
        for (int stream = 0; stream < Keys; stream++)
        {
            w.Line($"Vec x{stream} = {Key(plan)}(ref k{stream}, 0), s{stream} = q0 * x{stream}{load.First(stream)};");
            for (int i = 1; i < vectors; i++)
                w.Line($"x{stream} = {Key(plan)}(ref k{stream}, {Address.Offset((i, "Lanes"))}); s{stream} = MulAdd(q{i}, x{stream}, s{stream});{load.Add(stream)}");
        }

        w.Line($"Vectors128.Scatter(Sums4(s0, s1, s2, s3){load.Factors}, ref weights, quarter);");
    }

    private static string Key(CorePlan plan) => plan.Loading("Load", plan.ScoredKeys);

    private static string StreamAhead(int dim, ElementType type) => $"nint ahead = {Math.Max(KernelPlanner.StreamBytesAhead / (dim * ElementTable.Of(type).Bytes), 1)} * stride;";

    public static void Values(SourceWriter w, CorePlan plan)
    {
        int dim = plan.Spec.ValueDim, vectors = dim / plan.Lanes;
        w.Line();
        w.Line("/// <summary>Adds weights * values of one head to the state of a row: one value from each quarter at a time.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static int OneRowValues{plan.Halves}(ref float weights, {(plan.Spec.InPages ? PagesEmitter.Parameters + ", nint stride" : $"ref {plan.ValueType} value, nint stride, int quarter")}, ref float state){plan.WhereHalves}"))
        {
            if (!plan.Spec.InPages) w.Line(StreamAhead(dim, plan.Spec.Elements.Value));
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, vectors).Select(i => $"o{i} = Load(ref state, {Address.Offset((i, "Lanes"))})")) + ";");
            Streams(w, plan, plan.ValueType, "v", "value", () =>
            {
                if (!plan.Spec.InPages) PrefetchStreams(w, "v", dim, plan.Spec.Elements.Value);
                for (int stream = 0; stream < Keys; stream++)
                {
                    w.Line($"Vec w{stream} = Splat(ref weights, {Address.Offset((stream, "quarter"))}); " + string.Join(" ", Enumerable.Range(0, vectors).Select(i =>
                        $"o{i} = MulAdd(w{stream}, {plan.Loading("Load", plan.Spec.Elements.Value)}(ref v{stream}, {Address.Offset((i, "Lanes"))}), o{i});")));
                }
            });

            w.Line(string.Join(" ", Enumerable.Range(0, vectors).Select(i => $"Store(o{i}, ref state, {Address.Offset((i, "Lanes"))});")));
            w.Line(plan.Spec.InPages ? "return done;" : "return quarter;");
        }
    }
}
