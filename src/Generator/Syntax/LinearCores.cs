using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Syntax;

/// <summary>Finds the type of the library that products with packed weights are written for. No other assembly can have it: the attribute is internal.</summary>
internal static class LinearCores
{
    public const string AttributeName = "AttentionGen.CompilerServices.LinearCoresAttribute";

    private const string LibraryName = "AttentionGen";

    public static string? TypeOf(ISymbol type) => type.ContainingAssembly.Name == LibraryName ? type.Name : null;
}
