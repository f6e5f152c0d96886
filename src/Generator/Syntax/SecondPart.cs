using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AttentionGen.Generator.Syntax;

/// <summary>
/// Decides which parts of a declaration the generated part of a partial method repeats. The compiler checks each part and compares both. An error in the user's
/// part must not appear again in a file that the user did not write.
/// </summary>
internal static class SecondPart
{
    private static readonly SyntaxKind[] s_accessibility =
        [SyntaxKind.PublicKeyword, SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword, SyntaxKind.InternalKeyword];

    private static readonly SyntaxKind[] s_others =
    [
        SyntaxKind.StaticKeyword, SyntaxKind.NewKeyword, SyntaxKind.VirtualKeyword, SyntaxKind.OverrideKeyword, SyntaxKind.SealedKeyword,
        SyntaxKind.UnsafeKeyword,
    ];

    /// <summary>
    /// The modifiers that must be the same in both parts, each once, with partial as the last. The compiler ignores other modifiers after an error.
    /// </summary>
    public static string Modifiers(MethodDeclarationSyntax syntax, IMethodSymbol method)
    {
        bool isOfStruct = method.ContainingType.IsValueType;
        bool Repeats(SyntaxKind kind) =>
            s_accessibility.Contains(kind) || s_others.Contains(kind) || (kind == SyntaxKind.ReadOnlyKeyword && isOfStruct);
        var repeated = syntax.Modifiers.Where(modifier => Repeats(modifier.Kind())).Select(modifier => modifier.Text).Distinct();
        return string.Join(" ", syntax.Modifiers.Any(SyntaxKind.PartialKeyword) ? repeated.Append("partial") : repeated);
    }

    /// <summary>Whether the compiler rejects something that both parts have in common.</summary>
    public static bool IsRejected(MethodDeclarationSyntax syntax, IMethodSymbol method)
    {
        bool Has(SyntaxKind kind) => syntax.Modifiers.Any(kind);
        var type = method.ContainingType;
        int accessibility = syntax.Modifiers.Select(modifier => modifier.Kind()).Where(kind => s_accessibility.Contains(kind)).Distinct().Count();
        bool isPair = accessibility == 2 && Has(SyntaxKind.ProtectedKeyword) && (Has(SyntaxKind.InternalKeyword) || Has(SyntaxKind.PrivateKeyword));
        bool isStatic = Has(SyntaxKind.StaticKeyword), isVirtual = Has(SyntaxKind.VirtualKeyword);
        bool isOverride = Has(SyntaxKind.OverrideKeyword), isSealed = Has(SyntaxKind.SealedKeyword);
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

    /// <summary>
    /// Whether the signature has a type that the generated part must not name: it is less accessible than the method, or an attribute forbids its use.
    /// </summary>
    public static bool CannotRepeatTypes(MethodDeclarationSyntax syntax, IMethodSymbol method)
    {
        var types = method.Parameters.Select(parameter => parameter.Type).Append(method.ReturnType).SelectMany(Named).ToList();
        int seen = Seen(method);
        return types.Any(type => Seen(type) < seen || IsObsolete(type));
    }

    private static bool AllowsUnsafe(IMethodSymbol method) =>
        method.ContainingAssembly is ISourceAssemblySymbol { Compilation.Options: CSharpCompilationOptions { AllowUnsafe: true } };

    private static bool HasPointers(IMethodSymbol method) =>
        method.Parameters.Select(parameter => parameter.Type).Append(method.ReturnType)
            .Any(type => type.TypeKind is TypeKind.Pointer or TypeKind.FunctionPointer);

    private static IEnumerable<INamedTypeSymbol> Named(ITypeSymbol type) => type switch
    {
        IArrayTypeSymbol array => Named(array.ElementType),
        IPointerTypeSymbol pointer => Named(pointer.PointedAtType),
        INamedTypeSymbol named => named.TypeArguments.SelectMany(Named).Append(named),
        _ => [],
    };

    /// <summary>The effective accessibility of a symbol, from 0 (private) to 5 (public): the least of its own and those of the types around it.</summary>
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
