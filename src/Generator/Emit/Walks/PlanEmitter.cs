using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the sizes by which the caller of a core lays out memory and cuts the work.</summary>
internal static class PlanEmitter
{
    public static void Emit(SourceWriter w, CorePlan plan)
    {
        w.Line();
        using (w.Block("public static ForwardPlan Plan => new()", "};"))
        {
            if (plan.Packed is not null) w.Line("QueryBlock = QueryBlock,\nTileRows = TileRows,");
            w.Line($"""
                KeyBlock = KeyBlock,
                PackedKeyFloats = HeadDim,
                PackedValueFloats = ValueDim,
                StateRowFloats = StateRow,
                ScratchFloats = {plan.ScratchFloats}, // queries and weights
                """);
            if (plan.FixedLength is null)
            {
                w.Line($"""
                    MaxRows = MaxRows,
                    RowsTile = {plan.Decode!.TileRows},
                    RowsTogether = {plan.Decode!.RowsTogether},
                    RowsAtOnce = RowsAtOnce,
                    OneRowBlock = OneRowBlock,
                    RowsScratchFloats = RowsAtOnce * (QueryRow + OneRowWeights),
                    """);
            }

            w.Line($"FlopsPerPair = {2 * (plan.Spec.HeadDim + plan.Spec.ValueDim)},");
            if (plan.FixedLength is not null) w.Line($"LeastRows = TileRows,\n{(plan.HasFixedKeys ? "RunKeys = KeyLength" : "MostKeys = KeyLength")},");
        }
    }
}
