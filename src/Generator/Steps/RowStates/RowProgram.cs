using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.RowStates;

/// <summary>What a row keeps and writes beside its output.</summary>
internal sealed record RowProgram(EquatableArray<RowState> States)
{
    public static RowProgram Plain { get; } = new(default(EquatableArray<RowState>));

    public static RowProgram Of(KernelSpec spec)
    {
        var states = new List<RowState>();
        if (spec.Has(Role.Sinks)) states.Add(new SinkState());
        if (spec.Has(Role.LogSumExp)) states.Add(new LogSumExpState());
        bool isChosen = spec.Attention.Selection == Selection.Hard;
        if (isChosen || spec.Has(Role.MaxScore) || spec.Has(Role.ArgMax)) states.Add(new HighestState(IsWritten: spec.Has(Role.MaxScore), HasKey: isChosen || spec.Has(Role.ArgMax), IsKeyWritten: spec.Has(Role.ArgMax)));
        if (spec.Has(Role.Entropy)) states.Add(new EntropyState());
        if (spec.Has(Role.Scores) && spec.Attention.GivenScoresStage is null or Stage.Weights) states.Add(new WeightsState());
        return new(states.ToEquatableArray());
    }

    /// <summary>Whether scores become weights in memory only, as more is to be known of them.</summary>
    public bool ReadsScores => States.Any(state => state.ReadsScores);

    public bool NeedsExponents => States.Any(state => state.NeedsExponents);

    public bool NeedsKeys => States.Any(state => state.NeedsKeys);

    public bool NeedsLogSum => States.Any(state => state.NeedsLogSum);

    public bool NeedsLevel => States.Any(state => state.NeedsLevel);

    public bool HasSink => States.Any(state => state is SinkState);

    /// <summary>The part of a core's name.</summary>
    public string Name => string.Concat(States.Select(state => state.Name));

    /// <summary>For people.</summary>
    public IEnumerable<string> Texts => States.Select(state => state.Text).Where(text => text.Length > 0);
}
