using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Syntax;

/// <summary>Finds attributes that suppress the diagnostics of this library.</summary>
internal static class Suppressions
{
    private const string Prefix = "AG";

    /// <summary>Whether such an attribute is on a method, on a parameter, on a type around it, on the module or on the assembly, with any target.</summary>
    public static bool Hide(IMethodSymbol method)
    {
        for (ISymbol? symbol = method.AssociatedSymbol ?? method; symbol is not null and not INamespaceSymbol; symbol = symbol.ContainingSymbol)
            if (symbol.GetAttributes().Any(IsOfOurs)) return true;
        return method.GetAttributes().Any(IsOfOurs)
            || method.Parameters.Any(parameter => parameter.GetAttributes().Any(IsOfOurs))
            || method.ContainingAssembly.GetAttributes().Any(IsOfOurs)
            || method.ContainingModule.GetAttributes().Any(IsOfOurs);
    }

    private static bool IsOfOurs(AttributeData attribute) =>
        attribute.AttributeClass?.Name is "SuppressMessageAttribute" or "UnconditionalSuppressMessageAttribute"
        && attribute.ConstructorArguments.ElementAtOrDefault(1).Value is string id
        && id.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
}
