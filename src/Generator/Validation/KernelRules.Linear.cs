using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of linear attention, which has a state instead of scores.</summary>
internal static partial class KernelRules
{
    private static IEnumerable<Violation> LinearAttention(KernelSpec spec)
    {
        if (spec.Linear is not { } linear) yield break;
        var attention = spec.Attention;
        if (linear.OtherAttribute is { } other) yield return new(Rules.TwoAttributes, Place.Attribute, spec.Method.Name, other, "LinearAttention");
        if (!Enum.IsDefined(typeof(Rule), linear.Rule)) yield return new(Rules.UnknownRule, Place.OfArgument("Rule"), "Rule", (int)linear.Rule, Values(typeof(Rule), "LinearAttentionRule"));
        if (!Enum.IsDefined(typeof(FeatureMap), linear.FeatureMap))
            yield return new(Rules.UnknownRule, Place.OfArgument("FeatureMap"), "FeatureMap", (int)linear.FeatureMap, Values(typeof(FeatureMap), "LinearAttentionFeatureMap"));
        if (attention.Mask is not (Mask.None or Mask.Causal) && Enum.IsDefined(typeof(Mask), attention.Mask)) yield return new(Rules.UnknownMask, Place.OfArgument("Mask"), (int)attention.Mask, "None or Causal"); // a state has no scores for another mask
        if (linear.Normalize)
        {
            if (attention.GivenScale is { } scale) yield return new(Rules.NormalizeExcludes, Place.OfArgument("Scale"), $"Scale = {Text(scale)}", "the factor would cancel");
            if (linear.Corrects) yield return new(Rules.NormalizeExcludes, Place.OfArgument("Normalize"), $"Rule = LinearAttentionRule.{linear.Rule}", "a corrected state is no sum of weighted values");
        }

        foreach (var violation in LinearAxes(spec, linear, Role.Decay, linear.GivenDecayAxes)) yield return violation;
        foreach (var violation in LinearAxes(spec, linear, Role.Beta, linear.GivenBetaAxes)) yield return violation;
        string rule = linear.Rule == Rule.None ? "there is no rule" : $"the rule {linear.Rule} does not read it";
        foreach (var (role, has, why, fix) in new[]
        {
            (Role.Decay, linear.Decays, rule, "use Rule = LinearAttentionRule.Gated or GatedDelta"),
            (Role.Beta, linear.Corrects, rule, "use Rule = LinearAttentionRule.Delta or GatedDelta"),
            (Role.State, linear.IsOrdered(attention), "every query attends to all keys of its own call", "use a rule or Mask = AttentionMask.Causal"),
            (Role.Normalizer, linear.Normalize && linear.IsOrdered(attention), linear.Normalize ? "every query attends to all keys of its own call" : "outputs are not normalised",
                linear.Normalize ? "use a rule or Mask = AttentionMask.Causal" : "use Normalize = true"),
        })
        {
            if (!has && Find(spec, role) is var (parameter, place)) yield return new(Rules.OperandOfNoRule, place, parameter.Name, why, fix);
        }

        if (!linear.Normalize || !linear.IsOrdered(attention)) yield break;
        foreach (var (role, partner) in new[] { (Role.State, Role.Normalizer), (Role.Normalizer, Role.State) })
            if (Find(spec, role) is var (parameter, place) && !spec.Has(partner)) yield return new(Rules.StateWithoutNormalizer, place, parameter.Name, RoleTable.Row(partner).Name);
    }

    private static IEnumerable<Violation> LinearAxes(KernelSpec spec, LinearSpec linear, Role role, Axes? given)
    {
        if (given is not { } axes) yield break;
        var possible = Axes.Key | Axes.Head | (role == Role.Decay ? Axes.HeadDim : Axes.None) | (spec.Attention.Batched ? Axes.Batch : Axes.None);
        string argument = $"{role}Axes";
        var row = RoleTable.Row(role);
        if ((axes & ~possible) is var wrong and not 0)
        {
            bool isUnknown = !Enum.GetValues(typeof(Axes)).Cast<Axes>().Any(axis => axis == wrong);
            string reason = wrong == Axes.Batch ? "but the kernel has no batch" : isUnknown ? "which is not possible here" : $"but must not contain {wrong}";
            yield return new(Rules.BadAxes, Place.OfArgument(argument), argument, $"{axes}", reason, string.Join(", ", new[] { Axes.Batch, Axes.Key, Axes.Head, Axes.HeadDim }.Where(axis => (possible & axis) != 0).Select(axis => $"{axis}")));
        }
        else if (!spec.Has(role) && !(role == Role.Decay ? linear.Decays : linear.Corrects))
        {
            yield return new(Rules.AxesWithoutParameter, Place.OfArgument(argument), argument, row.Name, $"{RoleTable.Short(row.Type)} {row.Name}");
        }
    }

    private static (ParameterSpec Parameter, Place Place)? Find(KernelSpec spec, Role role)
    {
        for (int i = 0; i < spec.Method.Parameters.Count; i++)
            if (spec.Method.Parameters[i].Role == role) return (spec.Method.Parameters[i], Place.OfParameter(i));
        return null;
    }

    private static string Values(Type type, string name) => string.Join(" or ", Enum.GetNames(type).Select(value => $"{name}.{value}"));
}
