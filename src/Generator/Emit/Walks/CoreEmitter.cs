using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Emit.MicroKernels;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>Writes the code of a kernel for one instruction set: a file with one type. The methods follow the path of the data.</summary>
internal static class CoreEmitter
{
    public const string Namespace = "AttentionGen.Generated";

    public static string Emit(CorePlan plan)
    {
        var dialect = Dialect.Of(plan.Isa);
        var visible = plan.Spec.Visible;
        bool lifted = plan.Spec.Scores.UsesInts;
        var w = new SourceWriter();
        Header(w, plan, dialect);
        w.Line($"""
            #nullable enable
            {(lifted ? "#pragma warning disable // warnings of the user's expressions are reported where these are written\n" : "")}
            namespace {Namespace};

            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::System.Runtime.Intrinsics;
            using global::AttentionGen.CompilerServices;
            using static global::AttentionGen.CompilerServices.KernelMemory;
            using static global::AttentionGen.CompilerServices.Levels;
            using static global::AttentionGen.CompilerServices.{dialect.Vectors};
            using static global::System.Runtime.CompilerServices.MethodImplOptions;
            using Role = global::AttentionGen.AttentionRole;
            using Vec = global::System.Runtime.Intrinsics.{dialect.Vector}<float>;{(!lifted ? "" : $"\nusing Ints = global::System.Runtime.Intrinsics.{dialect.Vector}<int>;")}

            {GeneratedCode.Attribute}
            [global::Microsoft.CodeAnalysis.Embedded]
            """);
        using (w.Block($"internal readonly struct {plan.Name} : {Interfaces(plan)}"))
        {
            Constants(w, plan);
            if (plan.FixedLength is not null) FixedLength(w, plan, dialect, visible);
            if (plan.Prefill is not null) Prefill(w, plan, dialect, visible);
            if (plan.Decode is not null) Decode(w, plan, dialect, visible);
        }

        return w.ToString();
    }

    private static string Interfaces(CorePlan plan) => plan.Decode is null ? "IPrefillCore" : plan.Packed is null ? "IDecodeCore" : "IPrefillCore, IDecodeCore";

    private static void FixedLength(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        FixedLengthEmitter.Attend(w, plan, dialect, visible);
        PackingEmitter.Emit(w, plan, dialect, visible);
        PackingEmitter.Queries(w, plan);
        QueryMethods(w, plan);
        ScoresEmitter.Emit(w, plan, dialect, visible);
        if (plan.InRegisters)
        {
            PrefillEmitter.Reset(w, plan);
            SoftmaxEmitter.Emit(w, plan, dialect, visible);
            FixedLengthEmitter.Invert(w, plan, visible);
        }
        else
        {
            FixedLengthEmitter.Softmax(w, plan, dialect, visible);
        }

        ValuesEmitter.Emit(w, plan, dialect);
    }

    private static void Prefill(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        PrefillEmitter.Emit(w, plan, dialect, visible);
        PackingEmitter.Emit(w, plan, dialect, visible);
        ScoresEmitter.Emit(w, plan, dialect, visible);
    }

    /// <summary>Decode, and what prefill shares with it.</summary>
    private static void Decode(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible)
    {
        DecodeEmitter.Emit(w, plan, dialect, visible);
        if (plan.Spec.WeighsValues) ValuesEmitter.Emit(w, plan, dialect);
        PrefillEmitter.Reset(w, plan);
        PackingEmitter.Queries(w, plan);
        QueryMethods(w, plan);
        ScoreEmitter.Emit(w, plan, dialect, visible);
        if (plan.Spec.WeighsValues) SoftmaxEmitter.Emit(w, plan, dialect, visible);
        else ChoiceEmitter.Emit(w, plan, visible);
        FinishEmitter.Emit(w, plan, dialect);
    }

    private static void QueryMethods(SourceWriter w, CorePlan plan)
    {
        foreach (var step in plan.Spec.Loads.Steps) step.QueryMethod(w, new(plan.Spec.HeadDim, plan.Lanes));
        PackingEmitter.CopyKeys(w, plan, Dialect.Of(plan.Isa));
    }

    private static void Header(SourceWriter w, CorePlan plan, Dialect dialect)
    {
        var spec = plan.Spec;
        string queries = spec.Fixed is { } lengths ? $"{lengths.QueryLength}" : "queries", keys = spec.Fixed is { } l ? $"{l.KeyLength}" : "keys";
        string scores = spec.ScoresText(ExpressionNames.Slots), products = $"{(spec.Scores.Scaling is { OfHead: true } ? "scale of the head" : ScalarText.Float(spec.Scale))} * {(spec.IsAdditive ? "v^T tanh(query + key)" : "query * key^T")}";
        string formula = spec.WeighsValues ? $"softmax({products}) * value" : $"value of the key with the largest of {products}";
        w.Line($"""
            // <auto-generated/>
            //
            // {plan.Name}
            //
            //   output = {formula}, single precision
            //   query   [{queries}, {spec.HeadDim}]     key    [{keys}, {spec.HeadDim}]
            //   output  [{queries}, {spec.ValueDim}]     value  [{keys}, {spec.ValueDim}]
            //
            //   instructions  {dialect.Title}
            //   mask          {spec.Visible.Text}
            """);
        if (spec.Elements != ElementTypes.Single) w.Line($"//   elements      query {plan.QueryType}, key {plan.KeyType}, value {plan.ValueType}, output {plan.OutputType}{(plan.HasScales ? "; each key and value times its scale" : "")}");
        string of = spec.Loads.Stored ? "of queries; a cache stores keys after it" : "of queries and keys";
        foreach (var (title, text) in spec.LoadTexts) w.Line($"//   {title.PadRight(13)} {of}: {text}");
        if (scores.Length > 0) w.Line($"//   scores        {scores}");
        if (plan.Packed is { } packed)
        {
            string place = plan.InRegisters ? "scores become weights in registers" : "scores wait in the first-level cache";
            w.Line($"""
                //   {(plan.FixedLength is null ? "prefill     " : "fixed length")}  tiles of {packed.TileRows} query rows x {plan.PanelKeys} keys: {packed.TileRows} x {packed.TileVectors} vectors of {plan.Lanes} floats, {place}
                //                 blocks of {packed.QueryBlock} query rows and {plan.KeyBlock} keys
                """);
        }

        if (plan.Decode is { } decode)
            w.Line($"//   decode        tiles of {string.Join(" and ", decode.Tiles.Select(tile => $"{tile.Rows} query rows x {tile.Keys} keys"))}, for up to {decode.MaxRows} rows (queries x heads of a group)");
        w.Line($"//   cost          {(spec.IsAdditive ? $"{PlanEmitter.ValueFlops(spec)} flops, {spec.HeadDim} hyperbolic tangents" : $"{PlanEmitter.FlopsPerPair(plan)} flops")}{(spec.WeighsValues ? " and one exponential" : "")} for each visible pair of query and key");
        if (plan.Packed is not null)
            w.Line($"//   memory        {plan.PackedHeadDim + plan.PackedValueDim} floats for a packed key and value, {plan.Packed.QueryBlock * plan.StateRow + plan.ScratchFloats} for a block of queries");
        w.Line("//");
        if (plan.Packed is not null) w.Line($"// Keys are packed into panels (transposed){(spec.WeighsValues ? ", values into padded rows" : "")}.");
        if (plan.FixedLength is not null)
        {
            w.Line($"// A tile of queries meets all keys at once: scores, weights relative to {(plan.InRegisters ? "a running maximum" : "the maximum of the row")}, product with the values.");
        }
        else
        {
            if (plan.Prefill is not null)
                w.Line($"// Prefill: for each block of queries and each block of keys, tile by tile: scores, {(spec.WeighsValues ? "weights relative to a running maximum, product with the values" : "the largest of each row and its key")}.");
            w.Line($"// Decode: keys{(spec.WeighsValues ? " and values" : "")} are read in place{(spec.InPages ? ", in the pages of a cache" : "")}, each once for all rows.");
        }

        if (!spec.WeighsValues) w.Line("// The caller copies the value of the key that a row has chosen.");
        else if (plan.FixedLength is null || plan.InRegisters) w.Line("// The running maximum rises only when a score exceeds it by more than 8 powers of two.");
    }

    /// <summary>What the state of a query row holds, and where.</summary>
    private static string State(CorePlan plan)
    {
        var states = plan.Spec.Rows.States;
        string first = plan.FixedLength is not null || !plan.Spec.WeighsValues ? "0" : "ValueDim", last = "Sums", layout = "Sums = " + first, text = !plan.Spec.WeighsValues ? "NaN where a score is" : (plan.FixedLength is not null ? "" : "output, ") + "sums of weights";
        foreach (var (name, what) in states.SelectMany(state => state.Sums))
        {
            layout += $", {name} = {last} + Lanes";
            (last, text) = (name, $"{text}, and {what}");
        }

        layout += $", Maximum = {last} + Lanes, RowLevel = Maximum + 1";
        text += ", maximum and its level";
        int number = 2;
        foreach (var (names, what) in states.Select(state => state.Numbers).Where(numbers => numbers.Names.Length > 0))
        {
            foreach (string name in names) layout += $", {name} = Maximum + {number++}";
            text += $", {what}";
        }

        string vectors = plan.NumberVectors == 1 ? "Lanes" : $"{plan.NumberVectors} * Lanes";
        return $"// The state of a query row: {text}.\nprivate const int {layout}, StateRow = Maximum + {vectors};";
    }

    private static void Constants(SourceWriter w, CorePlan plan)
    {
        w.Line($$"""
            private const int HeadDim = {{plan.PackedHeadDim}};{{(plan.PackedHeadDim == plan.Spec.HeadDim ? "" : $" // {plan.Spec.HeadDim}, padded with zeros to whole steps of four")}}
            {{(plan.Spec.WeighsValues ? $"private const int ValueDim = {plan.PackedValueDim};{(plan.PackedValueDim == plan.Spec.ValueDim ? "" : $" // {plan.Spec.ValueDim}, padded to whole vectors")}\n" : "")}}private const int Lanes = {{plan.Lanes}};
            private const int QueryRow = {{plan.QueryRow}}; // a copied query: whole vectors{{(plan.Spec.IsAdditive ? $", and from HeadRow on the vector of its head\nprivate const int HeadRow = {plan.HeadRow}, VectorDim = {plan.Spec.HeadDim};" : "")}}
            {{State(plan)}}
            private const int KeyBlock = {{plan.KeyBlock}}, WeightRow = {{(plan.WeightRow == plan.KeyBlock ? "KeyBlock" : $"KeyBlock + {plan.WeightRow - plan.KeyBlock}")}};
            """);
        if (plan.Packed is { } packed) w.Line($"private const int TileRows = {packed.TileRows}, PanelKeys = {plan.PanelKeys}, QueryBlock = {packed.QueryBlock};");
        if (plan.Spec.Fixed is { } lengths) w.Line($"private const int KeyLength = {lengths.KeyLength};");
        else w.Line($"private const int MaxRows = {plan.Decode!.MaxRows}, DecodeKeys = {plan.Decode!.KeyBlock}, {(plan.Decode.KeyByKey ? $"TileKinds = {string.Join(" | ", plan.Decode.Tiles.Select(tile => $"{tile.Rows}"))}, " : "")}RowsAtOnce = {plan.Decode!.RowsAtOnce}, OneRowBlock = {plan.Decode!.OneRowBlock}{(plan.Spec.Loads.CopiesKeys ? ";" : ", OneRowWeights = OneRowBlock + 16; // OneRowWeights is an odd number of cache lines.")}");
        if (plan.Spec.WeighsValues) w.Line($"private const float Scale = {ScalarText.Float(plan.WeightScale)}; // {(plan.Spec.Scores.IsNatural ? "" : plan.Spec.Scale < 0 ? "-scale * " : "scale * ")}log2(e): weights are powers of two");
        if (plan.Spec.WeighsValues && (plan.FixedLength is null || plan.InRegisters))
            w.Line($"private const float Lazy = {ScalarText.Float(plan.LazyScore)}; // 8 / Scale, how far a score may exceed the running maximum");
        PlanEmitter.Emit(w, plan);
    }
}
