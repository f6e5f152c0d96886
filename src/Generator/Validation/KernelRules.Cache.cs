using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of caches.</summary>
internal static partial class KernelRules
{
    private static IEnumerable<Violation> Caches(KernelSpec spec)
    {
        var parameters = spec.Method.Parameters.ToList();
        int sequences = parameters.FindIndex(parameter => parameter.Role == Role.Sequences);
        if (parameters.Find(parameter => parameter.Role == Role.Cache) is not { } cache)
        {
            int layer = parameters.FindIndex(parameter => parameter.Role == Role.Layer);
            if (layer >= 0) yield return new(Rules.LayerWithoutCache, Place.OfParameter(layer), parameters[layer].Name);
            if (sequences >= 0) yield return new(Rules.SequencesWithoutPagedCache, Place.OfParameter(sequences), parameters[sequences].Name, "the kernel has no cache", "add 'PagedKeyValueCache<float> cache'");
            yield break;
        }

        bool isPaged = cache.IsPagedCache;
        if (isPaged && sequences < 0) yield return new(Rules.PagedCacheWithoutSequences, Place.OfParameter(parameters.IndexOf(cache)), cache.Name);
        if (!isPaged && sequences >= 0 && cache.Element is not null)
        {
            yield return new(
                Rules.SequencesWithoutPagedCache, Place.OfParameter(sequences), parameters[sequences].Name, $"'{cache.Name}' holds a single one",
                $"change the type of '{cache.Name}' to {RoleTable.Short(OperandTable.PagedCache.Replace("{0}", ElementTypes.FullText(cache.Element.Value)))}");
        }

        if (spec.Attention.Batched) yield return new(Rules.NotWithCache, Place.OfArgument("Batched"), "Batched = true", cache.Name, isPaged ? "a batch of sequences of different lengths is one tensor with 'documentStarts', so remove Batched" : "a cache holds one sequence, so call the kernel once for each, or remove Batched");
        if (spec.Attention.KeyLength is { } length)
            yield return new(Rules.NotWithCache, Place.OfArgument("KeyLength"), $"KeyLength = {length}", cache.Name, "the number of its keys grows from call to call, so remove KeyLength");
        if (spec.HasRing && spec.Attention.GivenWindowLeft is null or -1)
            yield return new(Rules.RingWithoutWindow, Place.OfParameter(parameters.IndexOf(cache)), cache.Name, RoleTable.Short(cache.Type).Replace("RingKeyValueCache", "KeyValueCache"));
        bool appends = spec.Has(Role.Key) || spec.Has(Role.Value);
        for (int i = 0; i < parameters.Count; i++)
        {
            string? wayOut = parameters[i].Role switch
            {
                Role.Context => "the cache gets the keys and values of the input; project those of a context once, with AttentionLinear, append them, and attend with [Attention] without key and value",
                Role.KeyLengths => "the cache knows its length, so remove the parameter",
                Role.DocumentStarts when isPaged || sequences >= 0 => null, // sequences need a paged cache, which another error says
                Role.KeyDocumentStarts when isPaged => "the cache knows the lengths of its sequences, so remove the parameter",
                Role.DocumentStarts or Role.KeyDocumentStarts => "a cache holds one sequence, so call the kernel once for each document",
                Role.QueryStart or Role.QueryStarts when appends => "queries stand at the tokens that the call appends, so remove the parameter",
                _ => null,
            };
            if (wayOut is not null) yield return new(Rules.NotWithCache, Place.OfParameter(i), $"'{parameters[i].Name}'", cache.Name, wayOut);
        }
    }
}
