using AttentionGen.Generator.Emit;
using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AttentionGen.Generator.Parsing;

/// <summary>Reads an annotated method. Symbols end here.</summary>
internal static class KernelParser
{
    public const string AttributeName = "AttentionGen.AttentionAttribute";
    private const string RoleAttributeName = "AttentionGen.RoleAttribute";

    private static readonly SymbolDisplayFormat s_typeFormat = SymbolDisplayFormat.CSharpErrorMessageFormat;

    /// <returns>Null where the attribute's arguments are not C# yet: the compiler says so.</returns>
    public static KernelSpec? Parse(IMethodSymbol method, AttributeData attribute) =>
        ParseAttribute(attribute) is { } attention ? new KernelSpec(ParseMethod(method), attention) : null;

    /// <summary>The part of a partial method that the attribute stands on and that has no body; the method itself where there is none.</summary>
    public static MethodDeclarationSyntax? Declaration(IMethodSymbol method) =>
        method.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()).OfType<MethodDeclarationSyntax>().FirstOrDefault();

    public static MethodSpec ParseMethod(IMethodSymbol method)
    {
        var syntax = Declaration(method);
        var types = new List<TypeSpec>();
        for (var type = method.ContainingType; type is not null; type = type.ContainingType) types.Insert(0, ParseType(type));
        return new MethodSpec(
            method.ContainingNamespace.IsGlobalNamespace ? "" : method.ContainingNamespace.ToDisplayString(),
            types.ToEquatableArray(),
            syntax is null ? "" : string.Join(" ", syntax.Modifiers.Select(modifier => modifier.Text)),
            syntax?.ReturnType is RefTypeSyntax ? $"ref {method.ReturnType.ToDisplayString(s_typeFormat)}" : method.ReturnType.ToDisplayString(s_typeFormat),
            Escape(method.Name),
            method.Parameters.Select(ParseParameter).ToEquatableArray(),
            IsPartial: method.IsPartialDefinition || syntax?.Modifiers.Any(SyntaxKind.PartialKeyword) == true,
            HasBody: syntax?.Body is not null || syntax?.ExpressionBody is not null || (method.PartialImplementationPart is { } part && !IsOurs(part)),
            method.IsGenericMethod);
    }

    /// <summary>The analyzer sees the compilation with what was generated for it.</summary>
    private static bool IsOurs(IMethodSymbol implementation) =>
        implementation.GetAttributes().Any(a => a.AttributeClass?.Name == "GeneratedCodeAttribute" && a.ConstructorArguments.FirstOrDefault().Value is GeneratedCode.Tool);

    private static TypeSpec ParseType(INamedTypeSymbol type)
    {
        string keyword = type switch
        {
            { IsRecord: true, TypeKind: TypeKind.Struct } => "record struct",
            { IsRecord: true } => "record",
            { TypeKind: TypeKind.Struct } => "struct",
            { TypeKind: TypeKind.Interface } => "interface",
            _ => "class",
        };
        bool isPartial = type.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()).OfType<TypeDeclarationSyntax>()
            .All(declaration => declaration.Modifiers.Any(SyntaxKind.PartialKeyword));
        return new TypeSpec($"{keyword} {Escape(type.Name)}", Escape(type.Name), isPartial, type.TypeParameters.Length > 0, type.IsFileLocal, type.TypeKind == TypeKind.Interface);
    }

    private static ParameterSpec ParseParameter(IParameterSymbol parameter)
    {
        string modifiers = parameter.RefKind switch
        {
            RefKind.Ref => "ref ",
            RefKind.Out => "out ",
            RefKind.In => "in ",
            RefKind.RefReadOnlyParameter => "ref readonly ",
            _ => "",
        };
        if (parameter.ScopedKind != ScopedKind.None && parameter.RefKind != RefKind.Out) modifiers = "scoped " + modifiers;
        if (parameter.IsParams) modifiers = "params " + modifiers;

        var attribute = parameter.GetAttributes().FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == RoleAttributeName);
        Role? role = attribute is { ConstructorArguments.Length: 1 } && attribute.ConstructorArguments[0].Value is int given
            ? (Enum.IsDefined(typeof(Role), given) ? (Role)given : null)
            : RoleTable.ByName(parameter.Name);
        return new ParameterSpec(Escape(parameter.Name), parameter.Type.ToDisplayString(s_typeFormat), modifiers, role);
    }

    private static AttentionSpec? ParseAttribute(AttributeData attribute)
    {
        var arguments = attribute.ConstructorArguments;
        if (arguments.Length != 2 || arguments[0].Value is not int heads || arguments[1].Value is not int headDim) return null;
        if (attribute.NamedArguments.Any(argument => argument.Value.Kind == TypedConstantKind.Error)) return null;
        object? Named(string name) => attribute.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value;
        return new AttentionSpec(
            heads, headDim,
            Named("KeyValueHeads") as int?, Named("ValueDim") as int?,
            (Mask)(Named("Mask") as int? ?? 0),
            Named("Scale") as float?,
            Named("Batched") as bool? ?? false,
            (Isas)(Named("Isas") as int? ?? (int)Isas.All) | Isas.Portable);
    }

    private static string Escape(string name) => SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None ? name : "@" + name;
}
