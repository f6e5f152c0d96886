using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.Loads;

/// <summary>
/// Pairs of elements of queries and keys are rotated by the angles of their positions, after the norm. Elements that are not in a pair stay as they are. Keys are copied for it, so that the
/// loops over them are those of kernels without rotary positions.
/// </summary>
/// <param name="Start">The first rotated element.</param>
/// <param name="Dim">The number of rotated elements.</param>
/// <param name="HeadDim">The number of elements of a head.</param>
internal sealed record RotaryStep(Rotary Kind, int Start, int Dim, int HeadDim) : LoadStep
{
    /// <summary>Null where there is none.</summary>
    public static RotaryStep? Of(KernelSpec spec) =>
        spec.Attention.Rotary == Rotary.None ? null : new(spec.Attention.Rotary, spec.Attention.RotaryStart, spec.Attention.RotaryDim, spec.Attention.HeadDim);

    public override bool ReadsOperands => true;

    public override string Name => (Kind == Rotary.Halves ? "_rope" : "_ropei") + (Dim == HeadDim ? "" : $"{Dim}") + (Start == 0 ? "" : $"at{Start}");

    public override string Title => "rotary";

    public override string Text
    {
        get
        {
            string pairs = Kind == Rotary.Halves ? $"(x[i], x[i + {Dim / 2}])" : "(x[2 i], x[2 i + 1])";
            return $"pairs {pairs}{(Dim == HeadDim ? "" : $" of the elements {Start} to {Start + Dim - 1}")}";
        }
    }

    public override void Query(SourceWriter w) => Rotate(w, "place.Position(row)");

    public override void Key(SourceWriter w) => Rotate(w, "place.Key(key)");

    private void Rotate(SourceWriter w, string position) =>
        w.Line($"{(Kind == Rotary.Halves ? "RotateHalves" : "RotatePairs")}(ref {Address.At("copy", $"{Start}")}, ref place.Angles({position}), {(Kind == Rotary.Halves ? Dim / 2 : Dim)});");

    public override void QueryMethod(SourceWriter w, LoadContext context)
    {
    }

    public override void KeyMethod(SourceWriter w, LoadContext context)
    {
    }
}
