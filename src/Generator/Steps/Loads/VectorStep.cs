using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.Loads;

/// <summary>
/// Additive scores: the vector of its head is copied beside each query, so that loops over keys find both at one place. With a negative scale the vector gets the sign, as queries of products do.
/// </summary>
internal sealed record VectorStep(int HeadDim, bool IsNegative) : LoadStep
{
    /// <summary>Null where scores are products.</summary>
    public static VectorStep? Of(KernelSpec spec) => spec.Attention.Scoring == Scoring.Additive ? new(spec.Attention.HeadDim, spec.Attention.Scale < 0) : null;

    public override string Name => "_tanh";

    public override string Title => "score";

    public override string Text => "sum of v * tanh(query + key), with the vector v of the head";

    public override bool ReadsOperands => true;

    public override bool ChangesKeys => false;

    public override void Query(SourceWriter w) => w.Line("CopyVector(ref At(ref place.Floats(Role.ScoreVector), (nint)place.Head(head) * VectorDim), ref At(ref copy, HeadRow));");

    public override void Key(SourceWriter w)
    {
    }

    public override void QueryMethod(SourceWriter w, LoadContext context)
    {
        int whole = HeadDim / context.Lanes * context.Lanes, rest = HeadDim - whole;
        string sign = IsNegative ? "-" : "";
        w.Line();
        w.Line($"/// <summary>Copies the vector of a head{(IsNegative ? ", with the sign of the scale" : "")}{(rest > 0 ? ", with zeros up to a whole vector" : "")}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        using (w.Block("private static void CopyVector(ref float vector, ref float copy)"))
        {
            if (whole > 0) w.Line($"for (nint i = 0; i < {whole}; i += Lanes) Store({sign}Load(ref vector, i), ref copy, i);");
            if (rest > 0) w.Line($"Store({sign}LoadFirst(ref vector, {whole}, {rest}), ref copy, {whole});");
        }
    }

    public override void KeyMethod(SourceWriter w, LoadContext context)
    {
    }
}
