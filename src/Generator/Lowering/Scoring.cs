using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Lowering;

/// <summary>
/// What comes between the products of queries and keys and the softmax, and what is asked for beside the output. The order is that of the fields: scale, cap,
/// bias, distance, mask. Numbers that belong to heads come with the call, so that kernels which differ in them share a core.
/// </summary>
/// <param name="Cap">The magnitude that scores stay below; null for none.</param>
/// <param name="Bias">Whether something is added.</param>
/// <param name="Slopes">Whether scores fall with the distance of query and key.</param>
/// <param name="Keep">Whether keys are kept or hidden one by one.</param>
/// <param name="Sinks">Whether there is one more score without a key.</param>
/// <param name="LogSumExp">Whether the log-sum-exp is asked for.</param>
internal sealed record Scoring(float? Cap, bool Bias, bool Slopes, bool Keep, bool Sinks, bool LogSumExp)
{
    /// <summary>The user's own score, of a score that is scaled and capped; null for none.</summary>
    public Expression? Own { get; init; }

    /// <summary>Whether each head has a scale of its own.</summary>
    public bool Scales { get; init; }

    /// <summary>Whether something is added for the distance of query and key.</summary>
    public bool Relative { get; init; }

    /// <summary>What the bounds of the rows leave of the user's own mask; null for nothing.</summary>
    public Expression? Visible { get; init; }

    /// <summary>Whether bounds alone decide on some keys, so that the user's own mask is computed for the others only.</summary>
    public bool SomeDecided { get; init; }

    /// <summary>Whether nothing is done to the scores of decided keys.</summary>
    public bool LeavesDecided => SomeDecided && !IsNatural && !Keep && Matrix is null;

    /// <summary>Whether the scores of decided keys are changed, too, but not by the user's own mask.</summary>
    public bool AsksDecided => SomeDecided && !LeavesDecided;

    /// <summary>Whether rows and keys are every n-th token, and what is read or computed for keys has to keep step.</summary>
    public bool KeepsStep { get; init; }

    /// <summary>The stage at which the score matrix is asked for; null where it is not.</summary>
    public Stage? Matrix { get; init; }

    /// <summary>Whether the largest score of each row is asked for.</summary>
    public bool MaxScore { get; init; }

    /// <summary>Whether the entropy of each row's weights is.</summary>
    public bool Entropy { get; init; }

    /// <summary>Whether the key of its largest weight is.</summary>
    public bool ArgMax { get; init; }

    public static Scoring None { get; } = new(null, false, false, false, false, false);

    public static Scoring Of(KernelSpec spec) => new(
        spec.Attention.GivenSoftCap, spec.Has(Role.Bias), spec.Attention.Alibi || spec.Has(Role.Slopes), spec.Has(Role.Keep), spec.Has(Role.Sinks), spec.Has(Role.LogSumExp))
    {
        Own = spec.Score?.Result is InputExpression ? null : spec.Score?.Result,
        Visible = spec.MaskBounds?.Rest,
        SomeDecided = spec.MaskBounds is { Rest: not null } bounds && bounds.Terms.Any(term => term.Rest is null),
        KeepsStep = spec.Attention.Dilation > 1 && (spec.Has(Role.Scores) || spec.Has(Role.Bias) || spec.Has(Role.RelativeBias) || spec.Has(Role.Keep) || spec.Score?.Result?.Uses(Input.Key) == true || spec.MaskBounds?.Rest?.Uses(Input.Key) == true),
        Scales = spec.Has(Role.Scales),
        Relative = spec.Has(Role.RelativeBias),
        MaxScore = spec.Has(Role.MaxScore),
        Entropy = spec.Has(Role.Entropy),
        ArgMax = spec.Has(Role.ArgMax),
        Matrix = spec.Has(Role.Scores) ? spec.Attention.GivenScoresStage ?? Stage.Weights : null,
    };

    /// <summary>Whether scores are more than products and a factor: they then wait in memory for what is done to them.</summary>
    public bool Changes => IsNatural || Hides || Matrix is not null;

    /// <summary>Whether scores cannot become weights in registers: more is done to them, or more is to be known of them.</summary>
    public bool InMemory => Changes || HasHighest || Entropy;

    /// <summary>Whether rows keep their largest score, beside the maximum that their weights are relative to, which lags behind it.</summary>
    public bool HasHighest => MaxScore || ArgMax;

    /// <summary>Whether scores have to be in natural units before the softmax: then the scale is applied to them there.</summary>
    public bool IsNatural => Scales || Cap is not null || Bias || Slopes || Relative || Own is not null;

    /// <summary>Whether a score can say that its key is hidden, beside the bounds of the rows.</summary>
    public bool Hides => Bias || Keep || Own is not null || Visible is not null;

    /// <summary>Whether the end of a row needs the log-sum-exp of its keys.</summary>
    public bool NeedsLogSum => Sinks || LogSumExp;

    /// <summary>Whether the level of a row is needed after its last key, also where partial states were merged.</summary>
    public bool NeedsLevel => NeedsLogSum || Matrix == Stage.Weights;

    /// <summary>The part of a core's name.</summary>
    public string Name =>
        (Scales ? "_scales" : "") + (Cap is { } cap ? "_cap" + Invariant.Name(cap) : "")
        + (Own is null ? "" : "_score" + Own.Name) + (Visible is null ? "" : "_mask" + Visible.Name)
        + (Bias ? "_bias" : "") + (Slopes ? "_slopes" : "") + (Relative ? "_relative" : "") + (Keep ? "_keep" : "") + (Sinks ? "_sinks" : "") + (LogSumExp ? "_lse" : "")
        + (Matrix is { } stage ? "_" + StageName(stage) : "") + (MaxScore ? "_max" : "") + (Entropy ? "_entropy" : "") + (ArgMax ? "_argmax" : "") + (SomeDecided ? "_some" : "") + (KeepsStep ? "_steps" : "");

    private static string StageName(Stage stage) => stage.ToString().ToLowerInvariant();

    /// <summary>For people; nothing where there is nothing.</summary>
    public string Text => string.Join(", ", new[]
    {
        Scales ? "a scale for each head" : "", Cap is { } cap ? $"soft cap {Invariant.Text(cap)}" : "", Own is null ? "" : $"score = {Own.Text}", Visible is null ? "" : $"visible if {Visible.Text}", Bias ? "a bias" : "", Slopes ? "a slope for each head" : "", Relative ? "a bias of relative positions" : "", Keep ? "a mask of keys" : "",
        Sinks ? "a sink" : "", LogSumExp ? "log-sum-exp" : "",
        Matrix is { } stage ? $"a matrix of {(stage == Stage.Weights ? "weights" : StageName(stage) + " scores")}" : "", MaxScore ? "largest score" : "", Entropy ? "entropy" : "", ArgMax ? "argmax" : "",
    }.Where(part => part.Length > 0));
}
