using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of values that are parts of keys.</summary>
internal static partial class KernelRules
{
    private static IEnumerable<Violation> Shared(KernelSpec spec)
    {
        var attention = spec.Attention;
        if (!attention.ValueFromKey) yield break;
        static Violation Not(Place place, string what, string wayOut) => new(Rules.NotWithValueFromKey, place, what, wayOut);
        if (spec.Layer is not null)
        {
            yield return Not(Place.OfArgument("ValueFromKey"), "[MultiHeadAttention]", "a layer projects values of its own, so remove ValueFromKey, or use [Attention]");
            yield break;
        }

        if (attention is { GivenValueDim: null, HeadDim: <= MaxSharedDim, KeyDim: >= 1 and var keyDim } && attention.ValueDim > keyDim)
            yield return Not(Place.OfArgument("ValueFromKey"), $"A value of headDim = {attention.ValueDim} elements", $"a key has KeyDim = {keyDim}, so set ValueDim = {keyDim} or less");
        for (int i = 0; i < spec.Method.Parameters.Count; i++)
            if (spec.Method.Parameters[i] is { Role: Role.Value } value) yield return Not(Place.OfParameter(i), $"'{value.Name}'", "the value is a part of the key, so remove the parameter");
        if (attention.GivenValueStride is { } stride) yield return Not(Place.OfArgument("ValueStride"), $"ValueStride = {stride}", "values have the stride of the keys, so remove it");
        if (attention.QueryKeyNorm is var norm and not Norm.None)
            yield return Not(Place.OfArgument("QueryKeyNorm"), $"QueryKeyNorm = {norm}", "the norm of a key would be one of its value, too, so remove it, and normalise keys with RmsNorm before the call");

        // Rotated elements of a value would turn with the position of their key. A wrong range has an error of its own.
        int start = attention.RotaryStart, dim = attention.RotaryDim, valueDim = attention.ValueDim;
        bool isRange = start >= 0 && dim >= 2 && dim % 2 == 0 && start + dim <= attention.HeadDim && valueDim >= 1 && valueDim <= attention.HeadDim;
        if (attention.Rotary == Rotary.None || !Enum.IsDefined(typeof(Rotary), attention.Rotary) || !isRange || start >= valueDim) yield break;
        int rest = attention.HeadDim - valueDim;
        string fix = rest >= 2 ? $"set RotaryStart = {valueDim}{(rest == dim ? "" : $" and RotaryDim = {rest / 2 * 2}")}" : $"use a ValueDim of {attention.HeadDim - 2} or less and a RotaryStart behind it";
        yield return Not(
            Place.OfArgument(attention.GivenRotaryStart is null ? "Rotary" : "RotaryStart"), $"The rotation of the elements {start} to {start + dim - 1}",
            $"the elements 0 to {valueDim - 1} of a key are the value, which must not turn with the position, so {fix}");
    }
}
