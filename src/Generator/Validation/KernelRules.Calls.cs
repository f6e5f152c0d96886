using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of calls, as far as their arguments are known. A call that breaks one would throw.</summary>
internal static partial class KernelRules
{
    /// <param name="spec">The kernel.</param>
    /// <param name="cache">The cache that the call passes; null if it is not known.</param>
    /// <param name="layer">The layer that the call passes; null if it is not known.</param>
    public static IEnumerable<Violation> Call(KernelSpec spec, CacheSpec? cache, int? layer)
    {
        var parameters = spec.Method.Parameters.ToList();
        int place = parameters.FindIndex(parameter => parameter.Role == Role.Cache), layerPlace = parameters.FindIndex(parameter => parameter.Role == Role.Layer);
        if (cache is not null && Facts(spec.Attention, cache).ToList() is var facts && facts.Exists(fact => fact.Created != fact.Declared))
        {
            yield return new(
                Rules.UnfitCall, Place.OfParameter(place), $"'{parameters[place].Name}' has {string.Join(", ", facts.Select(fact => fact.Text(fact.Created)))}",
                $"'{spec.Method.Name}' is declared for {string.Join(", ", facts.Select(fact => fact.Text(fact.Declared)))}",
                $"create the cache with {string.Join(", ", Changes(spec.Attention, cache))}, or change the attribute");
        }

        if (layerPlace < 0 || layer is not { } number) yield break;
        int? layers = cache?.Layers > 0 ? cache.Layers : null;
        string range = layers is { } count ? count == 1 ? "0" : $"0 to {count - 1}" : "0 or more";
        if (number < 0) yield return new(Rules.UnfitCall, Place.OfParameter(layerPlace), $"'{parameters[layerPlace].Name}' is {number}", "the first layer is 0", $"use {range}");
        else if (number >= layers)
        {
            yield return new(
                Rules.UnfitCall, Place.OfParameter(layerPlace), $"'{parameters[layerPlace].Name}' is {number}", $"'{parameters[place].Name}' has {Count(layers.Value, "layer")}",
                $"use {range}, or create the cache with more layers");
        }
    }

    /// <summary>What both the cache and the kernel say, as text and as two numbers.</summary>
    private static IEnumerable<(Func<int, string> Text, int Created, int Declared)> Facts(AttentionSpec attention, CacheSpec cache)
    {
        if (cache.KeyValueHeads is { } heads) yield return (number => Count(number, "head"), heads, attention.KeyValueHeads);
        if (cache.HeadDim is { } headDim) yield return (number => $"keys of {Count(number, "element")}", headDim, attention.KeyDim);
        if (cache.ValueDim is { } valueDim) yield return (number => $"values of {Count(number, "element")}", valueDim, attention.ValueDim);
        if (cache.ValueFromKey is { } shared && (shared || attention.ValueFromKey)) yield return (number => number == 0 ? "values of their own" : "values that are parts of keys", shared ? 1 : 0, attention.ValueFromKey ? 1 : 0);
        if (attention.GivenWindowLeft is not { } left || left < 0) yield break; // a ring without a window is another error
        if (cache.Window is { } window) yield return (number => $"a window of {number}", window, left);
        if (cache.FirstKeys is { } firstKeys) yield return (number => Count(number, "first key"), firstKeys, attention.FirstKeys);
    }

    /// <summary>The arguments of the construction that would have to be others.</summary>
    private static IEnumerable<string> Changes(AttentionSpec attention, CacheSpec cache)
    {
        if (cache.KeyValueHeads is { } heads && heads != attention.KeyValueHeads) yield return $"keyValueHeads: {attention.KeyValueHeads}";
        if (cache.HeadDim is { } headDim && headDim != attention.KeyDim) yield return $"headDim: {attention.KeyDim}";
        if (cache.GivenValueDim is { } valueDim && (valueDim == 0 ? attention.KeyDim : valueDim) != attention.ValueDim) yield return $"valueDim: {attention.ValueDim}";
        if (cache.ValueFromKey is { } shared && shared != attention.ValueFromKey) yield return $"valueFromKey: {(attention.ValueFromKey ? "true" : "false")}";
        if (attention.GivenWindowLeft is not { } left || left < 0) yield break;
        if (cache.Window is { } window && window != left) yield return $"window: {left}";
        if (cache.FirstKeys is { } firstKeys && firstKeys != attention.FirstKeys) yield return $"firstKeys: {attention.FirstKeys}";
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
