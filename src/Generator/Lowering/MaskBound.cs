using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>A bound of positions, keys or distances: a constant plus the int parameters of the kernel, each with an integer factor.</summary>
internal sealed record MaskBound(long Constant, EquatableArray<long> Scalars)
{
    public bool IsConstant => Scalars.All(factor => factor == 0);

    public MaskBound Plus(long constant) => this with { Constant = Constant + constant };

    /// <summary>The bound in C#, with these names of the parameters.</summary>
    public string Text(IReadOnlyList<string> names)
    {
        string sum = "";
        for (int i = 0; i < Scalars.Count; i++)
        {
            if (Scalars[i] == 0) continue;
            string sign = Scalars[i] < 0 ? "-" : "+", factor = Math.Abs(Scalars[i]) == 1 ? "" : $"{Math.Abs(Scalars[i])}L * ";
            sum += sum.Length == 0 ? $"{(sign == "-" ? "-" : "")}{factor}(long){names[i]}" : $" {sign} {factor}(long){names[i]}";
        }

        return sum.Length == 0 ? $"{Constant}" : Constant == 0 ? sum : $"{sum} {(Constant < 0 ? "-" : "+")} {Math.Abs(Constant)}";
    }
}
