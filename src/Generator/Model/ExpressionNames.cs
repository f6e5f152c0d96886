namespace AttentionGen.Generator.Model;

/// <summary>Names for the numbers and spans that an expression reads: those of a kernel's parameters, or slots, which kernels share.</summary>
/// <param name="scalars">The names of the numbers; null for slots.</param>
/// <param name="spans">The names of the spans; null for slots.</param>
internal sealed class ExpressionNames(IReadOnlyList<string>? scalars, IReadOnlyList<string>? spans)
{
    public static ExpressionNames Slots { get; } = new(null, null);

    public static ExpressionNames Of(KernelSpec spec) => new([.. spec.Scalars.Select(scalar => scalar.Name)], [.. spec.Spans.Select(span => span.Name)]);

    public string Number(Kind kind, int index) => scalars?[index] ?? $"{(kind == Kind.Int ? "int" : "float")}{index}";

    public string Span(Kind kind, int slot) => spans?[slot] ?? $"{(kind == Kind.Int ? "ints" : "floats")}{slot}";

    public string Length(int slot) => spans is null ? $"length{slot}" : $"{spans[slot]}.Length";
}
