using System.Globalization;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator;

/// <summary>An annotated method with the errors that the rules found.</summary>
/// <param name="Method">The declaration of the method.</param>
/// <param name="Spec">The specification; null if the arguments of the attribute are not valid C#. The compiler reports it.</param>
/// <param name="Errors">The messages of the errors, for builds in which the analyzer does not report them.</param>
/// <param name="IsSuppressed">Whether a SuppressMessage attribute hides errors of the analyzer. It works even on errors that cannot be configured.</param>
internal sealed record KernelDeclaration(MethodSpec Method, KernelSpec? Spec, EquatableArray<string> Errors, bool IsSuppressed)
{
    public static KernelDeclaration? Parse(ISymbol target, AttributeData attribute, Compilation compilation)
    {
        if (target is not IMethodSymbol method || KernelParser.IsFragment(method)) return null; // the attribute is not allowed there
        bool IsSame(AttributeData other) => SymbolEqualityComparer.Default.Equals(other.AttributeClass, attribute.AttributeClass);
        if (method.PartialDefinitionPart is not null && method.GetAttributes().Count(IsSame) > 1) return null; // the definition has the attribute, too
        if (KernelParser.UseOf(method) != KernelParser.UseOf(attribute)) return null; // the first of several attributes has the error
        if (KernelParser.Parse(method, attribute, compilation) is not { } spec)
            return new(KernelParser.ParseMethod(method), null, default, IsSuppressed: false);
        var errors = KernelRules.Errors(spec).Select(Text).ToEquatableArray();
        return new(spec.Method, spec, errors, IsSuppressed: errors.Count > 0 && Suppressions.Hide(method));
    }

    public bool IsValid =>
        Spec is not null && Errors.Count == 0 && Method is { IsRepeated: false, HasUnknownTypes: false, IsRejected: false, HasBadNames: false };

    /// <summary>
    /// Whether the missing part can be added to a declaration with errors, so that the compiler does not report it as missing: an implementation, or the
    /// definition of a method with a body.
    /// </summary>
    public bool CanStandIn =>
        !IsValid
        && Method is { IsPartial: true, OtherKind: null, OtherGenerator: null }
        && Method is { IsRepeated: false, HasUnknownTypes: false, IsRejected: false, CannotRepeatTypes: false }
        && Method.HasBody != Method.IsDefined
        && Method.Types.All(type => type is { IsPartial: true, IsFileLocal: false });

    /// <summary>The part that is added to a declaration with errors.</summary>
    public StandIn StandIn => new(Method, Errors, IsOldLanguage: Spec?.OldLanguage is not null);

    private static string Text(Violation violation)
    {
        string format = violation.Rule.MessageFormat.ToString(CultureInfo.InvariantCulture);
        return $"{violation.Rule.Id}: {string.Format(CultureInfo.InvariantCulture, format, violation.Arguments)}";
    }
}
