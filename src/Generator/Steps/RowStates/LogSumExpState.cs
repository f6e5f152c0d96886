using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.RowStates;

/// <summary>The log-sum-exp of each row, a sink included.</summary>
internal sealed record LogSumExpState : RowState
{
    public override string Name => "_lse";

    public override string Text => "log-sum-exp";

    public override bool NeedsLogSum => true;

    public override void Finish(SourceWriter w, RowContext context) =>
        w.Line($"place.Floats(Role.LogSumExp, 0, row, 0) = (float){(context.Program.HasSink ? "LogSums.With(logSum, sink)" : "logSum")};");
}
