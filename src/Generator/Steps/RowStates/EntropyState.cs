using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.RowStates;

/// <summary>
/// The entropy of each row's weights. With a weight 2^x it is ln(sum 2^x) - ln(2) sum(x 2^x) / sum(2^x): the exponents x are relative to the row's level as the weights are, and
/// fall with them, so that nothing large cancels.
/// </summary>
internal sealed record EntropyState : RowState
{
    /// <summary>No exponent is below it: 0 times -infinity would not be 0.</summary>
    private const string Least = "All(-127f)";

    public override string Name => "_entropy";

    public override string Text => "entropy";

    public override IEnumerable<(string Name, string Text)> Sums => [("Exponents", "sums of weights times exponents")];

    public override bool NeedsExponents => true;

    public override void Begin(SourceWriter w) => w.Line("Vec exponents = Load(ref state, Exponents);");

    public override void Add(SourceWriter w) => w.Line($"exponents = MulAdd(e, Max({Least}, x), exponents);");

    public override void End(SourceWriter w) => w.Line("Store(exponents, ref state, Exponents);");

    public override void Fall(SourceWriter w) => w.Line("Store(MulAdd(Load(ref sum, 0), fall, Load(ref state, Exponents)), ref state, Exponents);");

    public override void FallTogether(SourceWriter w) => w.Line("""
        Store(MulAdd(Load(ref state, Sums), fall, Load(ref state, Exponents)), ref state, Exponents);
        Store(MulAdd(Load(ref other, Sums), othersFall, Load(ref other, Exponents)), ref other, Exponents);
        """);

    public override void Finish(SourceWriter w, RowContext context)
    {
        w.Line("double entropy = RowStatistics.Entropy(sum, Sum(Load(ref state, Exponents)));");
        w.Line($"place.Floats(Role.Entropy, 0, row, 0) = (float){(context.Program.HasSink ? "RowStatistics.WithSink(entropy, sum, sink - logSum)" : "entropy")};");
    }
}
