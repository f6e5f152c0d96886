using System.Globalization;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator;

/// <summary>An annotated method with the verdict of the rules.</summary>
/// <param name="Spec">Null where the attribute's arguments are no constants: the compiler has said so.</param>
/// <param name="Errors">The messages of the errors, for builds in which the analyzer does not report them.</param>
/// <param name="IsSuppressed">Whether a SuppressMessage hides what the analyzer reports: it works on errors that nothing else turns off.</param>
internal sealed record KernelDeclaration(MethodSpec Method, KernelSpec? Spec, EquatableArray<string> Errors, bool IsSuppressed)
{
    public static KernelDeclaration? Parse(ISymbol target, AttributeData attribute, Compilation compilation)
    {
        if (target is not IMethodSymbol method || KernelParser.IsFragment(method)) return null; // nothing that the attribute may stand on
        if (method.PartialDefinitionPart is not null && method.GetAttributes().Count(other => SymbolEqualityComparer.Default.Equals(other.AttributeClass, attribute.AttributeClass)) > 1) return null; // the definition has it, too
        if (KernelParser.Parse(method, attribute, compilation) is not { } spec) return new(KernelParser.ParseMethod(method), null, default, IsSuppressed: false);
        var errors = KernelRules.Errors(spec).Select(Text).ToEquatableArray();
        return new(spec.Method, spec, errors, IsSuppressed: errors.Count > 0 && Suppressions.Hide(method));
    }

    public bool IsValid => Spec is not null && Errors.Count == 0 && Method is { IsRepeated: false, HasUnknownTypes: false, IsRejected: false, HasBadNames: false };

    /// <summary>Whether the other part can be added to a declaration in error, so that the compiler does not ask for one, too: an implementation, or the definition of what has a body.</summary>
    public bool CanStandIn =>
        !IsValid
        && Method is { IsPartial: true, OtherKind: null, OtherGenerator: null, IsRepeated: false, HasUnknownTypes: false, IsRejected: false, CannotRepeatTypes: false }
        && Method.HasBody != Method.IsDefined
        && Method.Types.All(type => type is { IsPartial: true, IsFileLocal: false });

    /// <summary>What stands in, and says why.</summary>
    public StandIn StandIn => new(Method, Errors, IsOldLanguage: Spec?.OldLanguage is not null);

    private static string Text(Violation violation) =>
        $"{violation.Rule.Id}: {string.Format(CultureInfo.InvariantCulture, violation.Rule.MessageFormat.ToString(CultureInfo.InvariantCulture), violation.Arguments)}";
}
