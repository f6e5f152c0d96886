using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes decode over the pages of a cache. A block has the keys of several pages, whose scores become weights together, since a page has few keys. Streams take a key from each of some pages
/// side by side; neighbours are keys of one page.
/// </summary>
internal static class PagesEmitter
{
    /// <summary>Whether some blocks have fewer keys than others: with weights key by key, each page is a block of its own where rows see different keys.</summary>
    public static bool VariesBlocks(CorePlan plan) => plan.Spec.InPages && plan.Decode!.KeyByKey && (plan.Spec.Visible.DiffersByRow || plan.Spec.Scores.Hides);

    /// <summary>The parameters of methods that read several pages: a run, the first page and the number of keys from there on.</summary>
    public const string Parameters = "in KeyRun run, int page, int keys";

    /// <summary>The code of a block.</summary>
    /// <param name="weights">The call that makes weights of scores.</param>
    public static void Block(SourceWriter w, CorePlan plan, VisibleKeys visible, string weights)
    {
        bool keyByKey = plan.Decode!.KeyByKey;
        w.Line("int page = first / run.PageKeys;");
        if (plan.HasScales)
        {
            using (w.Block("for (int from = 0, of = page; from < keys; from += run.PageKeys, of++)"))
                w.Line("""
                    CopyScales(ref run.KeyScalesOf(of), block.ScaleStride, Math.Min(keys - from, run.PageKeys), ref At(ref keyScales, from));
                    CopyScales(ref run.ValueScalesOf(of), block.ScaleStride, Math.Min(keys - from, run.PageKeys), ref At(ref valueScales, from));
                    """);
        }

        if (keyByKey)
        {
            string streams = visible.DiffersByRow ? "streams" : "true", seen = visible.UpperMoves ? ", seen" : "", hides = plan.Spec.Scores.Hides ? ", hides" : "";
            w.Line($"DecodeScores{plan.Halves}(in block, ref query, in run, page, keys, {streams}, ref weights{seen});");
            w.Line(weights);
            if (plan.Spec.WeighsValues) w.Line($"DecodeValues{plan.Halves}(in block, ref weights, in run, page, {(visible.DiffersByRow ? "streams, " : "")}{visible.Arguments()}{hides});");
            return;
        }

        OneRow(w, OneRowEmitter.HasScores(plan), "int ", $"OneRowScores{plan.Halves}(ref query, in run, page, keys, block.KeyStride, ref weights)", "");
        Pages(w, OneRowEmitter.HasScores(plan), $"DecodeScores{plan.Halves}(in block, ref query, ref run.KeysOf<{plan.KeyType}>(of), {Ahead(plan, plan.Decode.PrefetchKeys.Contiguous)}count, ref At(ref weights, from){(visible.UpperMoves ? ", seen - from" : "")}{(DecodeScoresEmitter.TakesScales(plan) ? ", ref At(ref keyScales, from)" : "")});");
        w.Line(weights);
        if (!plan.Spec.WeighsValues) return;
        bool oneRow = OneRowEmitter.HasValues(plan) && !plan.Spec.Scores.Hides;
        string[] all = [visible.LowerMoves ? $" && {visible.Lower("0")} <= 0" : "", visible.UpperMoves ? " && seen >= keys" : ""];
        OneRow(w, oneRow, OneRowEmitter.HasScores(plan) ? "" : "int ", $"OneRowValues{plan.Halves}(ref weights, in run, page, keys, block.ValueStride, ref block.State)", string.Concat(all));
        string bounds = string.Join(", ", visible.Bounds.Select(bound => bound == "keys" ? "count" : $"{bound} - from"));
        Pages(w, oneRow, $"DecodeValues{plan.Halves}(in block, ref At(ref weights, from), ref run.ValuesOf<{plan.ValueType}>(of), {Ahead(plan, plan.Decode.PrefetchValues.Contiguous)}{bounds}{(plan.Spec.Scores.Hides ? ", hides" : "")});");
    }

    private static string Ahead(CorePlan plan, int keys) => Dialects.Dialect.Of(plan.Isa).Prefetches ? $"run.Ahead(of, Math.Max({keys} / run.PageKeys, 1)), " : "";

    /// <summary>A single row takes a key from each of four pages at a time. Declares the keys that are `done`.</summary>
    private static void OneRow(SourceWriter w, bool has, string declares, string call, string condition)
    {
        if (has) w.Line($"{declares}done = block.Heads * block.Queries == 1{condition} ? {call} : 0;");
    }

    private static void Pages(SourceWriter w, bool hasDone, string call)
    {
        string begin = hasDone ? "from = done, of = page + done / run.PageKeys" : "from = 0, of = page";
        using (w.Block($"for (int {begin}, count; from < keys; from += count, of++)"))
            w.Line($"count = Math.Min(keys - from, run.PageKeys);\n{call}");
    }

    /// <summary>
    /// The loop of a tile over the keys of a block: a key from each of several pages at a time, then the keys of each page that is left. Declares, for a page, what is read side by side:
    /// `count` steps over keys that are `next` apart, with the streams `far1`, `far2` ... elements from the first one, and their weights `apart` keys from each other.
    /// </summary>
    /// <param name="source">The method of a run that gives a page.</param>
    /// <param name="type">The type of the elements.</param>
    /// <param name="streams">The keys of a step.</param>
    /// <param name="prefetches">Whether to declare how far ahead of each stream the page lies that it reads next: `ahead0`, `ahead1` ...</param>
    /// <param name="isScores">Whether keys after the last repeat it; otherwise those that make no step are left out.</param>
    public static IDisposable Loop(SourceWriter w, string source, string type, int streams, bool isScores, bool prefetches)
    {
        w.Line("int pageKeys = run.PageKeys;\npage += from / pageKeys;");
        var block = w.Block($"for (int some; from < keys; from += some * pageKeys, page += some)");
        w.Line($"""
            some = from + {streams} * pageKeys <= keys ? {streams} : 1; // pages side by side, or neighbours of one page
            int of = Math.Min(keys - from, pageKeys), next = some == 1 ? {streams} : 1, count = some > 1 ? of : {(isScores ? $"(of + {streams - 1})" : "of")} / {streams};
            ref nint pages = ref At(ref run.Pages, page);
            nint apart = some == 1 ? 1 : pageKeys, {string.Join(", ", Enumerable.Range(1, streams - 1).Select(i => $"far{i} = some == 1 ? {Address.Offset((i, "stride"))} : At(ref pages, {i}) - pages"))};
            """);
        if (prefetches) w.Line($"nint {string.Join(", ", Enumerable.Range(0, streams).Select(i => $"ahead{i} = {(i == 0 ? "At(ref pages, some) - pages" : $"some == 1 ? ahead0 : At(ref pages, {streams + i}) - At(ref pages, {i})")}"))};");
        w.Line($"ref {type} origin = ref run.{source}<{type}>(page);");
        return block;
    }

    /// <summary>The values that make no step of a tile, for a row: those at the end of each page that has no others beside it.</summary>
    /// <param name="row">Declares the weights and the state of the row, and the keys of a step.</param>
    public static void Others(SourceWriter w, CorePlan plan, string row)
    {
        w.Line($"{row}\nint wide = together * run.PageKeys;");
        using (w.Block("for (int from = keys / wide * wide, end; from < keys; from = end)"))
            w.Line($"""
                end = Math.Min(from + run.PageKeys, keys);
                AddValues{plan.Halves}(ref w, step, ref At(ref run.ValuesOf<{plan.ValueType}>(page + from / run.PageKeys), -from * stride), stride, ref s, from + (end - from) / together * together, end);
                """);
    }
}
