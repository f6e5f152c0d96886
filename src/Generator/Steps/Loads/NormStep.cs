using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.Loads;

/// <summary>
/// Queries and keys are divided by their norms: queries when they are copied, keys when they are packed; where keys are read in place, their factor multiplies the score. The
/// weights of both go into the copy of the query, if nothing comes between the norm and the product: dot(q * w, k * v) is dot(q * w * v, k). Where keys are copied, their copies get
/// their own weights.
/// </summary>
/// <param name="QueryWeight">Whether queries have learned weights.</param>
/// <param name="KeyWeight">Whether keys have.</param>
/// <param name="KeysApart">Whether keys are changed apart from the queries: in copies, or before a cache stores them.</param>
internal sealed record NormStep(Norm Kind, float Epsilon, bool QueryWeight, bool KeyWeight, bool KeysApart) : FactorStep
{
    /// <summary>Sums of squares side by side.</summary>
    private const int Chains = 4;

    /// <summary>Null where there is none.</summary>
    public static NormStep? Of(KernelSpec spec, bool keysApart) => spec.Attention.QueryKeyNorm == Norm.None
        ? null
        : new(spec.Attention.QueryKeyNorm, spec.Attention.GivenNormEpsilon ?? AttentionSpec.DefaultNormEpsilon, spec.Has(Role.QueryNormWeight), spec.Has(Role.KeyNormWeight), keysApart);

    /// <summary>The same for queries alone: the weights of keys are in the stored keys.</summary>
    public NormStep OfQueries => this with { KeyWeight = false };

    /// <summary>Whether the copy of the query gets the weights of the keys.</summary>
    private bool FoldsKeyWeight => KeyWeight && !KeysApart;

    public override bool ReadsOperands => QueryWeight || FoldsKeyWeight;

    public override string Title => "norm";

    public override string Name =>
        (Kind == Norm.Rms ? "_rms" : "_l2") + (Epsilon == AttentionSpec.DefaultNormEpsilon ? "" : Invariant.Name(Epsilon)) + (QueryWeight ? "_qw" : "") + (KeyWeight ? "_kw" : "");

    public override string Text
    {
        get
        {
            string digits = Invariant.Text(Epsilon), norm = Kind == Norm.Rms ? $"x / sqrt(mean(x^2) + {digits})" : $"x / max(sqrt(sum(x^2)), {digits})";
            return (QueryWeight, KeyWeight) switch
            {
                (true, true) => norm + ", with weights",
                (true, false) => norm + ", queries with weights",
                (false, true) => norm + ", keys with weights",
                _ => norm,
            };
        }
    }

    private string EpsilonText => ScalarText.Float(Epsilon);

    /// <summary>One over the norm of rows, from their sums of squares in a vector.</summary>
    public override string Factor(string sums, LoadContext context) =>
        Kind == Norm.Rms ? $"InverseRms({sums}, {ScalarText.Float(context.HeadDim)}, {EpsilonText})" : $"InverseNorm({sums}, {EpsilonText})";

    public override string Declare(IEnumerable<string> sums) => $"Vec {string.Join(", ", sums.Select(sum => $"{sum} = Vec.Zero"))}; // squares of the keys";

    public override string First(string vector) => $"{vector} * {vector}";

    public override string Add(string sum, string vector) => $"{sum} = MulAdd({vector}, {vector}, {sum});";

    public override void Query(SourceWriter w) => w.Line($"NormalizeQuery(ref copy{(ReadsOperands ? ", in place" : "")});");

    public override void Key(SourceWriter w) => w.Line($"NormalizeKey(ref copy{(KeyWeight ? ", in place" : "")});");

    public override void PackedKeys(SourceWriter w) => w.Line("NormalizeKeys(ref keys.PackedKeys, keys.Count);");

    public override void QueryMethod(SourceWriter w, LoadContext context)
    {
        string[] weights = [.. new[] { QueryWeight ? "QueryNormWeight" : "", FoldsKeyWeight ? "KeyNormWeight" : "" }.Where(weight => weight.Length > 0)];
        RowMethod(w, context, "Query", weights, FoldsKeyWeight ? "; the weights of the keys too, since keys are not multiplied by them" : "");
    }

    public override void KeyMethod(SourceWriter w, LoadContext context) => RowMethod(w, context, "Key", KeyWeight ? ["KeyNormWeight"] : [], "");

    /// <summary>The method that normalises a copied row.</summary>
    private void RowMethod(SourceWriter w, LoadContext context, string kind, string[] weights, string why)
    {
        int whole = context.HeadDim / context.Lanes * context.Lanes, rest = context.HeadDim - whole;
        string row = kind.ToLowerInvariant();
        w.Line();
        w.Line($"/// <summary>Divides a {row} by its norm{(weights.Length > 0 ? " and multiplies it by the weights" : "")}{why}. {Text}</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block($"private static void Normalize{kind}(ref float {row}{(weights.Length > 0 ? ", in ForwardPlace place" : "")})"))
        {
            w.Line($"""
                Vec squares = Vec.Zero;
                for (nint i = 0; i < QueryRow; i += Lanes) squares = MulAdd(Load(ref {row}, i), Load(ref {row}, i), squares);
                """);
            string factor = Kind == Norm.Rms ? $"1 / Math.Sqrt((double)Sum(squares) / {context.HeadDim} + {EpsilonText})" : $"1 / Math.Max(Math.Sqrt(Sum(squares)), {EpsilonText})";
            w.Line($"Vec factor = All((float)({factor})); // all scores of the row share its error");
            string Scaled(string at, Func<string, string> load) => $"Store(Load(ref {row}, {at}) * factor{string.Concat(weights.Select(weight => $" * {load($"ref place.Floats(Role.{weight})")}"))}, ref {row}, {at});";
            if (weights.Length == 0)
            {
                w.Line($"for (nint i = 0; i < QueryRow; i += Lanes) {Scaled("i", weight => weight)}");
                return;
            }

            if (whole > 0) w.Line($"for (nint i = 0; i < {whole}; i += Lanes) {Scaled("i", weight => $"Load({weight}, i)")}");
            if (rest > 0) w.Line(Scaled($"{whole}", weight => $"LoadFirst({weight}, {whole}, {rest})"));
        }
    }

    /// <summary>Keys in panels, a vector of them at a time.</summary>
    public override void PackedKeysMethod(SourceWriter w, LoadContext context)
    {
        w.Line();
        w.Line("/// <summary>Divides keys in panels by their norms.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("private static void NormalizeKeys(ref float panels, int count)"))
        using (w.Block("for (int panel = 0; panel < count; panel += PanelKeys, panels = ref At(ref panels, HeadDim * PanelKeys))"))
        using (w.Block("for (int column = 0; column < PanelKeys; column += Lanes)"))
        {
            w.Line("ref float keys = ref At(ref panels, column);");
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Chains).Select(i => $"s{i} = Vec.Zero")) + ";");
            using (w.Block($"for (nint d = 0; d < HeadDim; d += {Chains})"))
            {
                for (int i = 0; i < Chains; i++)
                {
                    string at = i == 0 ? "d * PanelKeys" : $"(d + {i}) * PanelKeys";
                    w.Line($"Vec x{i} = Load(ref keys, {at}); {Add($"s{i}", $"x{i}")}");
                }
            }

            w.Line($"Vec factor = {Factor("(s0 + s1) + (s2 + s3)", context)};");
            w.Line("for (nint d = 0; d < HeadDim; d++) Store(Load(ref keys, d * PanelKeys) * factor, ref keys, d * PanelKeys);");
        }
    }
}
