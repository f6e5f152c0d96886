using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Scores;

/// <summary>
/// What comes between the products of queries and keys and the softmax: steps in their order. Numbers that belong to heads come with the call, so that kernels which differ in
/// them share a core.
/// </summary>
internal sealed record ScoreProgram(EquatableArray<ScoreStep> Steps)
{
    /// <summary>Whether bounds alone decide on some keys, so that the user's own mask is computed for the others only.</summary>
    public bool DecidesSome { get; init; }

    /// <summary>Whether rows and keys are every n-th token, so that elements for keys that follow each other lie apart.</summary>
    public bool HasStride { get; init; }

    /// <summary>Scores are products and a factor.</summary>
    public static ScoreProgram Plain { get; } = new(default(EquatableArray<ScoreStep>));

    public static ScoreProgram Of(KernelSpec spec, MaskProgram mask)
    {
        var attention = spec.Attention;
        Stage? tap = spec.Has(Role.Scores) ? attention.GivenScoresStage ?? Stage.Weights : null;
        bool tapsBeforeMask = tap is Stage.Scaled or Stage.Capped, masksTap = tapsBeforeMask && mask.Rest is not null;

        var natural = new List<ScoreStep>();
        if (spec.Score?.Result is { } own and not InputExpression) natural.Add(new OwnScoreStep(own));
        if (spec.Has(Role.Bias)) natural.Add(new BiasStep());
        if (attention.Alibi || spec.Has(Role.Slopes)) natural.Add(new SlopesStep());
        if (spec.Has(Role.RelativeBias)) natural.Add(new RelativeBiasStep());

        var steps = new List<ScoreStep>();
        if (masksTap) steps.Add(new OwnMaskFirstStep(mask.Rest!));
        if (tap == Stage.Scaled) steps.Add(new TapStep(Stage.Scaled, masksTap));
        if (natural.Count > 0 || spec.Has(Role.Scales) || attention.GivenSoftCap is not null) steps.Add(new ScalingStep(spec.Has(Role.Scales), attention.GivenSoftCap, IsTapped: tap == Stage.Scaled));
        if (tap == Stage.Capped) steps.Add(new TapStep(Stage.Capped, masksTap));
        steps.AddRange(natural);
        if (spec.Has(Role.Keep)) steps.Add(new KeepStep());
        if (mask.Rest is { } rest) steps.Add(new OwnMaskStep(rest, IsComputed: masksTap));
        if (tap is Stage.Masked or Stage.Weights) steps.Add(new TapStep(tap.Value, IsMasked: false));
        return new(steps.ToEquatableArray())
        {
            DecidesSome = mask.DecidesSome,
            HasStride = mask.Dilation > 1 && steps.Any(step => step.ReadsKeys),
        };
    }

    /// <summary>Whether scores are more than products and a factor: they then wait in memory for what is done to them.</summary>
    public bool IsPlain => Steps.Count == 0;

    /// <summary>Whether scores are in natural units before the softmax, so that the scale is applied to them there.</summary>
    public bool IsNatural => Steps.Any(step => step.IsNatural);

    /// <summary>Whether a score can say that its key is hidden, beside the bounds of the rows.</summary>
    public bool Hides => Steps.Any(step => step.Hides);

    /// <summary>Whether nothing is done to the scores of decided keys.</summary>
    public bool LeavesDecided => DecidesSome && !Steps.Any(step => step.ConcernsDecided);

    /// <summary>Whether the scores of decided keys are changed, too, but not by the user's own mask.</summary>
    public bool AsksDecided => DecidesSome && !LeavesDecided;

    /// <summary>Whether the text of a step uses vectors of ints.</summary>
    public bool UsesInts => Steps.Any(step => step.UsesInts(this));

    /// <summary>Whether a step changes scores, so that they are stored again.</summary>
    public bool Changes => Steps.Any(step => step.Changes);

    public ScalingStep? Scaling => Steps.OfType<ScalingStep>().FirstOrDefault();

    /// <summary>The stage of the score matrix; null where it is not asked for.</summary>
    public Stage? Tap => Steps.OfType<TapStep>().FirstOrDefault()?.Stage;

    /// <summary>The part of a core's name.</summary>
    public string Name => string.Concat(Steps.Select(step => step.Name)) + (DecidesSome ? "_some" : "") + (HasStride ? "_steps" : "");

    /// <summary>For people.</summary>
    public IEnumerable<string> Texts(ExpressionNames names) => Steps.Select(step => step.TextWith(names)).Where(text => text.Length > 0);
}
