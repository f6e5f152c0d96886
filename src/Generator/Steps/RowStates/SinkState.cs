using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.RowStates;

/// <summary>One more score of each row, without a key and without a value: it counts once, at the end.</summary>
internal sealed record SinkState : RowState
{
    public override string Name => "_sinks";

    public override string Text => "a sink";

    public override bool NeedsLogSum => true;

    public override void Finish(SourceWriter w, RowContext context) => w.Line("float sink = place.Float(Role.Sinks, 0), inverse = LogSums.Inverse(sum, logSum, sink);");
}
