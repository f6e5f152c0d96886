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
            ? new(spec.Method, spec, KernelRules.IsValid(spec) && !spec.Method.IsRepeated && !spec.Method.HasUnknownTypes)
            : new(KernelParser.ParseMethod(method), null, IsValid: false);

    /// <summary>Whether an implementation can be added to a declaration in error, so that the compiler does not ask for one, too.</summary>
    public bool CanStandIn =>
        Method is { IsPartial: true, HasBody: false, OtherKind: null, IsRepeated: false, HasUnknownTypes: false }
        && Method.Types.All(type => type is { IsPartial: true, IsFileLocal: false });
}
