using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AttentionGen.Generator.Syntax;

/// <summary>
/// What the generated part of a partial method may repeat of the part that the user wrote. The compiler checks both by themselves and against each other: what it
/// rejects in the first must not come again from a file that the user did not write.
/// </summary>
internal static class SecondPart
{
    private static readonly SyntaxKind[] s_accessibility = [SyntaxKind.PublicKeyword, SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword, SyntaxKind.InternalKeyword];

    private static readonly SyntaxKind[] s_others = [SyntaxKind.StaticKeyword, SyntaxKind.NewKeyword, SyntaxKind.VirtualKeyword, SyntaxKind.OverrideKeyword, SyntaxKind.SealedKeyword, SyntaxKind.UnsafeKeyword];

    /// <summary>The modifiers that have to be the same in both parts, each once, and partial where it has to stand. The compiler ignores others after an error.</summary>
    public static string Modifiers(MethodDeclarationSyntax syntax, IMethodSymbol method)
    {
        bool isOfStruct = method.ContainingType.IsValueType;
        bool Repeats(SyntaxKind kind) =>
            s_accessibility.Contains(kind) || s_others.Contains(kind) || (kind == SyntaxKind.ReadOnlyKeyword && isOfStruct);
        var repeated = syntax.Modifiers.Where(modifier => Repeats(modifier.Kind())).Select(modifier => modifier.Text).Distinct();
        return string.Join(" ", syntax.Modifiers.Any(SyntaxKind.PartialKeyword) ? repeated.Append("partial") : repeated);
    }

    /// <summary>Whether what both parts have in common is an error of the compiler's.</summary>
    public static bool IsRejected(MethodDeclarationSyntax syntax, IMethodSymbol method)
    {
        bool Has(SyntaxKind kind) => syntax.Modifiers.Any(kind);
        var type = method.ContainingType;
        int accessibility = syntax.Modifiers.Where(modifier => s_accessibility.Contains(modifier.Kind())).Select(modifier => modifier.Kind()).Distinct().Count();
        bool isPair = accessibility == 2 && Has(SyntaxKind.ProtectedKeyword) && (Has(SyntaxKind.InternalKeyword) || Has(SyntaxKind.PrivateKeyword));
        bool isStatic = Has(SyntaxKind.StaticKeyword), isVirtual = Has(SyntaxKind.VirtualKeyword), isOverride = Has(SyntaxKind.OverrideKeyword), isSealed = Has(SyntaxKind.SealedKeyword);
        bool isExtended = isVirtual || isOverride || isSealed || Has(SyntaxKind.NewKeyword);
        bool isExtension = syntax.ParameterList.Parameters.FirstOrDefault()?.Modifiers.Any(SyntaxKind.ThisKeyword) == true;
        return (type.IsStatic && !isStatic)
            || (accessibility > 1 && !isPair)
            || (isStatic && (isVirtual || isOverride || isSealed || Has(SyntaxKind.ReadOnlyKeyword)))
            || (isSealed && !isOverride)
            || (isOverride && (isVirtual || Has(SyntaxKind.NewKeyword)))
            || (isVirtual && (method.DeclaredAccessibility == Accessibility.Private || type.IsSealed))
            || (accessibility == 0 && (isExtended || !method.ReturnsVoid || method.Parameters.Any(parameter => parameter.RefKind == RefKind.Out)))
            || (Has(SyntaxKind.ProtectedKeyword) && (type.IsStatic || type.IsValueType))
            || (isExtension && !(isStatic && type is { IsStatic: true, IsGenericType: false, ContainingType: null }))
            || method.IsVararg
            || method.Parameters.Any(parameter => parameter.IsParams && parameter.Type is not (IArrayTypeSymbol or INamedTypeSymbol { Arity: 1 }))
            || ((Has(SyntaxKind.UnsafeKeyword) || HasPointers(method)) && !AllowsUnsafe(method));
    }

    /// <summary>Whether the signature has a type that others than the user's part may not name: one that fewer see than the method, or that an attribute keeps from being used.</summary>
    public static bool CannotRepeatTypes(MethodDeclarationSyntax syntax, IMethodSymbol method)
    {
        var types = method.Parameters.Select(parameter => parameter.Type).Append(method.ReturnType).SelectMany(Named).ToList();
        int seen = Seen(method);
        return types.Any(type => Seen(type) < seen || IsObsolete(type));
    }

    private static bool AllowsUnsafe(IMethodSymbol method) =>
        method.ContainingAssembly is ISourceAssemblySymbol { Compilation.Options: CSharpCompilationOptions { AllowUnsafe: true } };

    private static bool HasPointers(IMethodSymbol method) =>
        method.Parameters.Select(parameter => parameter.Type).Append(method.ReturnType).Any(type => type.TypeKind is TypeKind.Pointer or TypeKind.FunctionPointer);

    private static IEnumerable<INamedTypeSymbol> Named(ITypeSymbol type) => type switch
    {
        IArrayTypeSymbol array => Named(array.ElementType),
        IPointerTypeSymbol pointer => Named(pointer.PointedAtType),
        INamedTypeSymbol named => named.TypeArguments.SelectMany(Named).Append(named),
        _ => [],
    };

    /// <summary>From how far a symbol is seen: the least of its own accessibility and those of the types around it.</summary>
    private static int Seen(ISymbol symbol)
    {
        int seen = 5;
        for (; symbol is not null and not INamespaceSymbol; symbol = symbol.ContainingSymbol)
        {
            seen = Math.Min(seen, symbol.DeclaredAccessibility switch
            {
                Accessibility.Private => 0,
                Accessibility.ProtectedAndInternal => 1,
                Accessibility.Protected => 2,
                Accessibility.Internal => 3,
                Accessibility.ProtectedOrInternal => 4,
                _ => 5,
            });
        }

        return seen;
    }

    private static bool IsObsolete(INamedTypeSymbol type)
    {
        for (ISymbol symbol = type; symbol is INamedTypeSymbol; symbol = symbol.ContainingSymbol)
            if (symbol.GetAttributes().Any(attribute => attribute.AttributeClass?.Name is "ObsoleteAttribute" or "ExperimentalAttribute")) return true;
        return false;
    }
}
