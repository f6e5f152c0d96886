using System.Collections.Concurrent;
using System.Collections.Immutable;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace AttentionGen.Generator;

/// <summary>Reports the calls of kernels that would throw for certain, because the cache has another shape or lacks the layer.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class CallAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.OfCalls.ToImmutableArray();

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            var attributes = KernelParser.AttributeTypes(start.Compilation);
            if (attributes.Length == 0) return;
            var kernels = new ConcurrentDictionary<IMethodSymbol, KernelSpec?>(SymbolEqualityComparer.Default);
            start.RegisterOperationAction(
                call =>
                {
                    var invocation = (IInvocationOperation)call.Operation;
                    if (!invocation.TargetMethod.Parameters.Any(parameter => CacheParser.IsCache(parameter.Type))) return;
                    var method = invocation.TargetMethod.PartialDefinitionPart ?? invocation.TargetMethod;
                    if (kernels.GetOrAdd(method, _ => Kernel(method, attributes, call.Compilation)) is { } spec) Analyze(invocation, spec, call);
                },
                OperationKind.Invocation);
        });
    }

    private static void Analyze(IInvocationOperation invocation, KernelSpec spec, OperationAnalysisContext context)
    {
        var parameters = spec.Method.Parameters.ToList();
        IArgumentOperation? Argument(int parameter) => parameter < 0 ? null : invocation.Arguments.FirstOrDefault(argument => argument.Parameter?.Ordinal == parameter);
        if (Argument(parameters.FindIndex(parameter => parameter.Role == Role.Cache)) is not { } cache) return;
        var construction = Origin.Of(cache.Value, context.Compilation, context.CancellationToken);
        int? layer = Argument(parameters.FindIndex(parameter => parameter.Role == Role.Layer)) is { } argument ? CacheParser.Constant(argument) : null;
        foreach (var violation in KernelRules.Call(spec, construction is null ? null : CacheParser.Parse(construction), layer))
        {
            var place = Argument(violation.Place.Index)?.Syntax ?? invocation.Syntax;
            context.ReportDiagnostic(Diagnostic.Create(
                violation.Rule, place.GetLocation(), construction is null ? [] : new[] { construction.Syntax.GetLocation() }, violation.Arguments));
        }
    }

    /// <summary>The specification of a kernel with a cache; null for another method, and for a declaration in error, which has an error of its own.</summary>
    private static KernelSpec? Kernel(IMethodSymbol method, INamedTypeSymbol[] attributeTypes, Compilation compilation)
    {
        if (method.GetAttributes().FirstOrDefault(given => attributeTypes.Contains(given.AttributeClass, SymbolEqualityComparer.Default)) is not { } attribute) return null;
        if (method.DeclaringSyntaxReferences.FirstOrDefault() is not { } declared || !compilation.ContainsSyntaxTree(declared.SyntaxTree))
            return KernelParser.ParseCompiled(method, attribute);
        return KernelParser.Parse(method, attribute, compilation) is { } spec && !KernelRules.Errors(spec).Any() ? spec : null;
    }
}
