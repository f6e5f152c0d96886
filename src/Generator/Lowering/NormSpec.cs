using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Lowering;

/// <summary>How queries and keys are normalised before their product.</summary>
/// <param name="QueryWeight">Whether queries have learned weights.</param>
/// <param name="KeyWeight">Whether keys have.</param>
internal sealed record NormSpec(Norm Kind, float Epsilon, bool QueryWeight, bool KeyWeight)
{
    public const float DefaultEpsilon = 1e-6f;

    /// <summary>The least normal number: one over a smaller one is infinite.</summary>
    public const float LeastEpsilon = 1.17549435e-38f;

    public bool HasWeights => QueryWeight || KeyWeight;

    /// <summary>Null where there is none.</summary>
    public static NormSpec? Of(KernelSpec spec) => spec.Attention.QueryKeyNorm == Norm.None
        ? null
        : new(spec.Attention.QueryKeyNorm, spec.Attention.GivenNormEpsilon ?? DefaultEpsilon, spec.Has(Role.QueryNormWeight), spec.Has(Role.KeyNormWeight));

    /// <summary>The part of a core's name.</summary>
    public string Name => (Kind == Norm.Rms ? "_rms" : "_l2") + (Epsilon == DefaultEpsilon ? "" : Invariant.Name(Epsilon)) + (QueryWeight ? "_qw" : "") + (KeyWeight ? "_kw" : "");

    /// <summary>For people.</summary>
    public string Text
    {
        get
        {
            string norm = Kind == Norm.Rms ? $"x / sqrt(mean(x^2) + {Digits})" : $"x / max(sqrt(sum(x^2)), {Digits})";
            return (QueryWeight, KeyWeight) switch
            {
                (true, true) => norm + ", with weights",
                (true, false) => norm + ", queries with weights",
                (false, true) => norm + ", keys with weights",
                _ => norm,
            };
        }
    }

    private string Digits => Invariant.Text(Epsilon);
}
