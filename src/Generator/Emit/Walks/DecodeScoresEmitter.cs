using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the scores of decode: dot products of query rows with keys in place.</summary>
internal static class DecodeScoresEmitter
{
    /// <summary>Whether the scores of integers need the scales of the keys as they are computed: those of products are multiplied by them afterwards.</summary>
    public static bool TakesScales(CorePlan plan) => plan.HasScales && plan.Spec.IsAdditive;

    public static void Emit(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        if (plan.Spec.Loads.CopiesKeys) dialect = dialect with { Prefetches = false }; // copies are in the cache
        var product = DecodeProduct.Scores(plan);
        w.Line();
        bool keyByKey = plan.Decode!.KeyByKey;
        w.Line($"/// <summary>Scores of all query rows with keys; keys after the last repeat it.{(keyByKey ? " Those of a tile lie key by key." : "")}</summary>");
        w.Line(GeneratedCode.CoreMethod);
        string keys = !plan.Spec.InPages ? $"ref {plan.ScoredKeyType} key, int keys{(keyByKey ? ", bool streams" : "")}"
            : keyByKey ? $"{PagesEmitter.Parameters}, bool streams" : $"ref {plan.ScoredKeyType} key{(dialect.Prefetches ? ", nint ahead" : "")}, int keys";
        using (w.Block($"private static void DecodeScores{plan.Halves}(in DecodeBlock block, ref float query, {keys}, ref float weights{(visible.UpperMoves ? ", int seen" : "")}{(TakesScales(plan) ? ", ref float keyScales" : "")}){plan.WhereHalves}"))
        {
            if (!keyByKey)
            {
                DecodeNeighboursEmitter.Scores(w, plan, dialect, visible);
                return;
            }

            bool oneRow = OneRowEmitter.HasScores(plan);
            w.Line("int rows = block.HeadRows;");
            if (oneRow && plan.Spec.InPages)
            {
                w.Line($"""

                    // One row: most of the keys, with the query in registers.
                    int done = rows == 1 ? OneRowScores{plan.Halves}(ref query, in run, page, keys, {product.Stride}, ref weights) : 0;
                    """);
            }
            else if (oneRow)
            {
                w.Line($"""

                    // One row and one head: most of the keys, with the query in registers.
                    int done = block.KeyHeads == 1 && rows == 1 ? OneRowScores{plan.Halves}(ref query, ref key, {product.Stride}, keys / 4, ref weights) : 0;
                    streams &= done == 0;
                    """);
            }

            DecodeTileEmitter.Calls(w, plan, dialect, visible, product, oneRow ? "(keys - done + together - 1) / together" : "(keys + together - 1) / together", oneRow ? "done" : "0");
        }

        DecodeTileEmitter.Methods(w, plan, dialect, visible, product, tile => DecodeTileEmitter.Scores(w, plan, dialect, tile));
    }
}
