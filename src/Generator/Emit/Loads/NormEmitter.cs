using System.Globalization;
using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;
using AttentionGen.Generator.Validation;

namespace AttentionGen.Generator.Emit.Loads;

/// <summary>
/// Writes how queries and keys are normalised: queries when they are copied, keys when they are packed. Where keys are read as they lie, their factor multiplies the
/// score. The weights of both go into the copy of the query, as nothing comes between the norm and the product: dot(q * w, k * v) is dot(q * w * v, k).
/// </summary>
internal static class NormEmitter
{
    private const int Sums = 4;

    /// <summary>What the copy of queries takes beside them, with a comma before.</summary>
    public static string Parameter(CorePlan plan) => plan.Spec.Norm is { HasWeights: true } ? ", in ForwardPlace place" : "";

    public static string Argument(CorePlan plan) => plan.Spec.Norm is { HasWeights: true } ? ", in block.Place" : "";

    /// <summary>One over the norm, from sums of squares.</summary>
    public static string Inverse(CorePlan plan, string squares) => plan.Spec.Norm!.Kind == Norm.Rms
        ? $"InverseRms({squares}, {ScalarText.Float(plan.Spec.HeadDim)}, {ScalarText.Float(plan.Spec.Norm.Epsilon)})"
        : $"InverseNorm({squares}, {ScalarText.Float(plan.Spec.Norm.Epsilon)})";

    /// <summary>A copied query.</summary>
    /// <param name="place">As an argument, with a comma before.</param>
    public static void Call(SourceWriter w, CorePlan plan, string place)
    {
        if (plan.Spec.Norm is not null) w.Line($"NormalizeQuery(ref packed{(plan.Spec.Norm.HasWeights ? place : "")});");
    }

    public static void Query(SourceWriter w, CorePlan plan)
    {
        if (plan.Spec.Norm is not { } norm) return;
        int lanes = plan.Lanes, whole = plan.Spec.HeadDim / lanes * lanes, rest = plan.Spec.HeadDim - whole;
        string[] weights = [.. new[] { norm.QueryWeight ? "QueryNormWeight" : "", norm.KeyWeight ? "KeyNormWeight" : "" }.Where(weight => weight.Length > 0)];
        w.Line();
        w.Line($"/// <summary>A query over its norm{(norm.HasWeights ? ", times the weights" : "")}{(norm.KeyWeight ? "; those of the keys, too, which are not multiplied by them" : "")}. {norm.Text}</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block($"private static void NormalizeQuery(ref float query{Parameter(plan)})"))
        {
            w.Line("""
                Vec squares = Vec.Zero;
                for (nint i = 0; i < QueryRow; i += Lanes) squares = MulAdd(Load(ref query, i), Load(ref query, i), squares);
                """);
            string epsilon = ScalarText.Float(norm.Epsilon);
            string factor = norm.Kind == Norm.Rms ? $"1 / Math.Sqrt((double)Sum(squares) / {plan.Spec.HeadDim} + {epsilon})" : $"1 / Math.Max(Math.Sqrt(Sum(squares)), {epsilon})";
            w.Line($"Vec factor = All((float)({factor})); // all scores of the row share its error");
            string Scaled(string load, string at) => $"Store(Load(ref query, {at}) * factor{string.Concat(weights.Select(weight => $" * {string.Format(CultureInfo.InvariantCulture, load, weight)}"))}, ref query, {at});";
            if (weights.Length == 0)
            {
                w.Line($"for (nint i = 0; i < QueryRow; i += Lanes) {Scaled("", "i")}");
                return;
            }

            if (whole > 0) w.Line($"for (nint i = 0; i < {whole}; i += Lanes) {Scaled("Load(ref place.{0}, i)", "i")}");
            if (rest > 0) w.Line(Scaled($"LoadFirst(ref place.{{0}}, {whole}, {rest})", $"{whole}"));
        }
    }

    /// <summary>Packed keys, a vector of them at a time.</summary>
    public static void Keys(SourceWriter w, CorePlan plan)
    {
        if (plan.Spec.Norm is null) return;
        w.Line();
        w.Line("/// <summary>Keys in panels over their norms.</summary>");
        CoreEmitter.MethodAttribute(w);
        using (w.Block("private static void NormalizeKeys(ref float panels, int count)"))
        using (w.Block("for (int panel = 0; panel < count; panel += PanelKeys, panels = ref At(ref panels, HeadDim * PanelKeys))"))
        using (w.Block("for (int column = 0; column < PanelKeys; column += Lanes)"))
        {
            w.Line("ref float keys = ref At(ref panels, column);");
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Sums).Select(i => $"s{i} = Vec.Zero")) + ";");
            using (w.Block($"for (nint d = 0; d < HeadDim; d += {Sums})"))
            {
                for (int i = 0; i < Sums; i++)
                {
                    string at = i == 0 ? "d * PanelKeys" : $"(d + {i}) * PanelKeys";
                    w.Line($"Vec x{i} = Load(ref keys, {at}); s{i} = MulAdd(x{i}, x{i}, s{i});");
                }
            }

            w.Line($"Vec factor = {Inverse(plan, "(s0 + s1) + (s2 + s3)")};");
            w.Line("for (nint d = 0; d < HeadDim; d++) Store(Load(ref keys, d * PanelKeys) * factor, ref keys, d * PanelKeys);");
        }
    }
}
