using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace AttentionGen.Generator.Syntax;

/// <summary>Reads the construction of a cache.</summary>
internal static class CacheParser
{
    /// <summary>Whether a type is one of the caches.</summary>
    public static bool IsCache(ITypeSymbol? type) =>
        type is INamedTypeSymbol { Arity: 1, Name: "KeyValueCache" or "RingKeyValueCache" or "PagedKeyValueCache" } named
        && named.ContainingNamespace is { Name: "AttentionGen", ContainingNamespace.IsGlobalNamespace: true };

    /// <returns>Null if the object is no cache.</returns>
    public static CacheSpec? Parse(IObjectCreationOperation creation)
    {
        if (!IsCache(creation.Type)) return null;
        IArgumentOperation? Given(string parameter) => creation.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == parameter);
        int? Number(string parameter) => Given(parameter) is { } argument ? Constant(argument) : null;
        bool? Flag(string parameter) => Given(parameter)?.Value.ConstantValue is { HasValue: true, Value: bool flag } ? flag : null;
        return new CacheSpec(Number("keyValueHeads"), Number("headDim"), Number("valueDim"), Number("layers"), Number("window"), Number("firstKeys"), Flag("valueFromKey"));
    }

    /// <summary>The value of an argument, if it is a constant number.</summary>
    public static int? Constant(IArgumentOperation argument) => argument.Value.ConstantValue is { HasValue: true, Value: int number } ? number : null;
}
