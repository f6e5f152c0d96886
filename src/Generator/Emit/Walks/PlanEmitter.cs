using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the sizes by which the caller of a core lays out memory and cuts the work: a plan for each walk that the core has code for.</summary>
internal static class PlanEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan)
    {
        if (plan.Packed is not null) Prefill(w, plan);
        if (plan.Decode is not null) Decode(w, plan);
    }

    private static void Prefill(SourceWriter w, CorePlan plan)
    {
        w.Line();
        using (w.Block("public static PrefillPlan PrefillPlan => new()", "};"))
        {
            Tensors(w, plan);
            w.Line($"""
                QueryBlock = QueryBlock,
                TileRows = TileRows,
                PanelKeys = PanelKeys,
                KeyBlock = KeyBlock,
                PackedKeyFloats = HeadDim,
                PackedValueFloats = {(plan.Spec.WeighsValues ? "ValueDim" : "0")},
                StateRowFloats = StateRow,{Chosen(plan)}
                ScratchFloats = {plan.ScratchFloats}, // queries and weights
                FlopsPerPair = {FlopsPerPair(plan)},
                """);
            if (plan.FixedLength is not null) w.Line($"LeastRows = TileRows,\n{(plan.HasFixedKeys ? "RunKeys = KeyLength" : "MostKeys = KeyLength")},");
        }
    }

    private static void Decode(SourceWriter w, CorePlan plan)
    {
        w.Line();
        using (w.Block("public static DecodePlan DecodePlan => new()", "};"))
        {
            Tensors(w, plan);
            w.Line($"""
                MaxRows = MaxRows,
                RowsAtOnce = RowsAtOnce,
                TileRows = {plan.Decode!.Tiles.Min(tile => tile.Rows)},
                RowsTogether = {plan.Decode!.RowsTogether},
                ChunkKeys = {plan.Decode!.ChunkKeys},
                OneRowBlock = OneRowBlock,
                StateRowFloats = StateRow,{Chosen(plan)}
                {(plan.Spec.InPages ? "InPages = true,\n" + (plan.HasScales ? "" : "OneKeyHead = true,\n") : "")}{(plan.Spec.Loads.CopiesKeys
                    ? "ScratchFloats = (RowsAtOnce + DecodeKeys) * QueryRow + (RowsAtOnce + 4) * WeightRow, // queries, copies of keys and weights\nOneKeyHead = true,"
                    : plan.HasScales ? "ScratchFloats = RowsAtOnce * (QueryRow + OneRowWeights) + 2 * OneRowWeights, // queries, weights and scales\nOneKeyHead = true,"
                    : "ScratchFloats = RowsAtOnce * (QueryRow + OneRowWeights), // queries and weights")}
                FlopsPerPair = {FlopsPerPair(plan)},
                """);
        }
    }

    /// <summary>What the tensors of a call must be: the dimensions without padding, and the size of an element.</summary>
    private static void Tensors(SourceWriter w, CorePlan plan) => w.Line($"""
        HeadDim = {plan.Spec.HeadDim},
        ValueDim = {plan.Spec.ValueDim},
        Elements = new({string.Join(", ", new[] { plan.Spec.Elements.Query, plan.Spec.Elements.Key, plan.Spec.Elements.Value, plan.Spec.Elements.Output }.Select(type => $"{ElementTable.Of(type).Bytes}"))}),
        """);

    /// <summary>Where the state has the key whose value is the output, if it is the value of one key.</summary>
    private static string Chosen(CorePlan plan) => plan.Spec.WeighsValues ? "" : $"\nChosen = ChosenValue.Of<{plan.ValueType}, {plan.OutputType}>(HighestKey),";

    public static int FlopsPerPair(CorePlan plan) => plan.Spec.ScoreFlops + ValueFlops(plan.Spec);

    /// <summary>Those of the products of weights with values.</summary>
    public static int ValueFlops(CoreSpec spec) => spec.WeighsValues ? 2 * spec.ValueDim : 0;
}
