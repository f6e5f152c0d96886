using AttentionGen.Generator.Model;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Parsing;

/// <summary>An annotated method with the verdict of the rules.</summary>
/// <param name="Spec">Null where the attribute's arguments are no constants: the compiler has said so.</param>
internal sealed record KernelDeclaration(MethodSpec Method, KernelSpec? Spec, bool IsValid)
{
    public static KernelDeclaration Parse(IMethodSymbol method, AttributeData attribute) =>
        KernelParser.Parse(method, attribute) is { } spec
            ? new(spec.Method, spec, KernelRules.IsValid(spec))
            : new(KernelParser.ParseMethod(method), null, IsValid: false);

    /// <summary>Whether an implementation can be added to a declaration in error; where it cannot, the compiler asks for none.</summary>
    public bool CanStandIn =>
        Method is { IsPartial: true, HasBody: false, IsGeneric: false }
        && Method.Types.All(type => type is { IsPartial: true, IsGeneric: false, IsFileLocal: false });
}
