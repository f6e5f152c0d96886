using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of scores that are no dot products: their weights, and what they exclude.</summary>
internal static partial class KernelRules
{
    private static IEnumerable<Violation> Pairs(KernelSpec spec)
    {
        var attention = spec.Attention;
        var score = attention.Scoring;
        if (!Enum.IsDefined(typeof(Scoring), score))
        {
            yield return new(Rules.UnknownScore, Place.OfArgument("Score"), (int)score);
            yield break;
        }

        var parts = new (Role Role, Scoring Score, string What)[] { (Role.QueryKeyWeight, Scoring.General, "the matrices between queries and keys"), (Role.ScoreVector, Scoring.Additive, "the factors of the hyperbolic tangents") };
        foreach (var (role, of, what) in parts)
        {
            int index = spec.Method.Parameters.ToList().FindIndex(parameter => parameter.Role == role);
            var row = RoleTable.Row(role);
            if (index >= 0 && score != of && spec.Layer is null) yield return new(Rules.PartOfOtherScore, Place.OfParameter(index), $"'{spec.Method.Parameters[index].Name}'", of);
            if (index < 0 && score == of && spec.Layer is null) yield return new(Rules.ScoreWithoutWeights, Place.OfArgument("Score"), score, what, $"{RoleTable.Short(row.Type)} {row.Name}");
        }

        if (score != Scoring.General && attention.GivenKeyDim is { } keyDim) yield return new(Rules.PartOfOtherScore, Place.OfArgument("KeyDim"), $"KeyDim = {keyDim}", Scoring.General);
        if (score == Scoring.Dot) yield break;
        Violation Not(string argument, string what, string wayOut) => new(Rules.NotWithScore, Place.OfArgument(argument), what, score, wayOut);
        if (spec.Layer is not null)
        {
            yield return Not("Score", "[MultiHeadAttention]", "a layer projects queries and keys for dot products, so remove Score, or use [Attention]");
            yield break;
        }

        if (attention.QueryKeyNorm is var norm and not Norm.None)
            yield return Not("QueryKeyNorm", $"QueryKeyNorm = {norm}", "the norms are factors of a dot product, so remove it, and normalise queries and keys with RmsNorm before the call");
        if (attention.Rotary is var rotary and not Rotary.None)
            yield return Not("Rotary", $"Rotary = {rotary}", "only a dot product of rotated rows depends on the distance of their positions alone, so remove it");
    }
}
