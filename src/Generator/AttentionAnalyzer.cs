using System.Collections.Immutable;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace AttentionGen.Generator;

/// <summary>Reports the rules that a declaration of a kernel breaks, each at its place.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class AttentionAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.All.Except(Rules.OfCalls).ToImmutableArray();

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            var attributes = KernelParser.AttributeTypes(start.Compilation);
            if (attributes.Length > 0)
            {
                var slow = new SlowKernels();
                start.RegisterSymbolAction(
                    symbol =>
                    {
                        var method = (IMethodSymbol)symbol.Symbol;
                        if (KernelParser.IsOfExtension(KernelParser.Declaration(method))) return;
                        Analyze(method, attributes, symbol.Compilation, slow, symbol.ReportDiagnostic, symbol.CancellationToken);
                    },
                    SymbolKind.Method);
                start.RegisterSyntaxNodeAction(
                    node =>
                    {
                        if (Function(node) is { } function) Analyze(function, attributes, node.Compilation, slow, node.ReportDiagnostic, node.CancellationToken);
                    },
                    SyntaxKind.LocalFunctionStatement, SyntaxKind.ParenthesizedLambdaExpression);
                start.RegisterSyntaxNodeAction(
                    node =>
                    {
                        foreach (var member in OfExtensions((ClassDeclarationSyntax)node.Node))
                        {
                            if (node.SemanticModel.GetDeclaredSymbol(member, node.CancellationToken) is { } method)
                                Analyze(method, attributes, node.Compilation, slow, node.ReportDiagnostic, node.CancellationToken);
                        }
                    },
                    SyntaxKind.ClassDeclaration);
                if (start.Compilation.Options.OptimizationLevel == OptimizationLevel.Debug)
                    start.RegisterCompilationEndAction(end => slow.Report(end.ReportDiagnostic));
            }
        });
    }

    /// <summary>
    /// The methods with attributes in extension blocks. The node action analyses them and the symbol action skips them, so that each is reported once.
    /// </summary>
    private static IEnumerable<MethodDeclarationSyntax> OfExtensions(ClassDeclarationSyntax type) =>
        type.Members.OfType<TypeDeclarationSyntax>().SelectMany(inner => inner.Members).OfType<MethodDeclarationSyntax>()
            .Where(method => method.AttributeLists.Count > 0 && KernelParser.IsOfExtension(method));

    /// <summary>The symbol of a local function or lambda with attributes; null for others. Symbol actions do not see these functions.</summary>
    private static IMethodSymbol? Function(SyntaxNodeAnalysisContext context) => context.Node switch
    {
        LocalFunctionStatementSyntax { AttributeLists.Count: > 0 } local =>
            context.SemanticModel.GetDeclaredSymbol(local, context.CancellationToken) as IMethodSymbol,
        ParenthesizedLambdaExpressionSyntax { AttributeLists.Count: > 0 } lambda =>
            context.SemanticModel.GetSymbolInfo(lambda, context.CancellationToken).Symbol as IMethodSymbol,
        _ => null,
    };

    private static void Analyze(
        IMethodSymbol method, INamedTypeSymbol[] attributeTypes, Compilation compilation, SlowKernels slow, Action<Diagnostic> report,
        CancellationToken cancellation)
    {
        if (method.PartialDefinitionPart is not null || KernelParser.IsFragment(method)) return; // the definition has the attributes of both parts
        var given = method.GetAttributes();
        var attribute = attributeTypes.Select(type => given.FirstOrDefault(a => SymbolEqualityComparer.Default.Equals(a.AttributeClass, type))).FirstOrDefault(a => a is not null);
        if (method.PartialImplementationPart is { } written && KernelParser.IsOurs(method)) method = written; // the user wrote the body only
        if (attribute is null || KernelParser.Parse(method, attribute, compilation) is not { } spec) return;

        bool error = false;
        foreach (var violation in KernelRules.Violations(spec))
        {
            error |= violation.Rule.DefaultSeverity == DiagnosticSeverity.Error;
            report(Diagnostic.Create(violation.Rule, Locate(violation.Place, method, attribute, cancellation), violation.Arguments));
        }

        if (!error) slow.Add(method.Name, Locate(Place.Attribute, method, attribute, cancellation));
    }

    private static Location Locate(Place place, IMethodSymbol method, AttributeData attribute, CancellationToken cancellation)
    {
        var syntax = attribute.ApplicationSyntaxReference?.GetSyntax(cancellation) as AttributeSyntax;
        return place.Kind switch
        {
            PlaceKind.Attribute => syntax?.GetLocation(),
            PlaceKind.Argument => (Argument(syntax, place.Argument, KernelParser.UseOf(attribute) == OperandUse.Layer) ?? (Microsoft.CodeAnalysis.SyntaxNode?)syntax)?.GetLocation(),
            PlaceKind.Parameter => method.Parameters[place.Index].Locations.FirstOrDefault(),
            PlaceKind.ReturnType => KernelParser.Declaration(method)?.ReturnType.GetLocation(),
            PlaceKind.Lifted => Lifted(method, place),
            PlaceKind.ContainingType => ContainingType(method, place.Index).Locations.FirstOrDefault(),
            _ => null,
        } ?? method.Locations.FirstOrDefault() ?? Location.None;
    }

    /// <summary>The syntax of an argument by its name; heads and headDim may be positional.</summary>
    private static AttributeArgumentSyntax? Argument(AttributeSyntax? attribute, string name, bool isLayer)
    {
        var arguments = attribute?.ArgumentList?.Arguments ?? default;
        int position = name switch { "modelDim" => 0, "heads" => isLayer ? 1 : 0, "headDim" => isLayer ? 2 : 1, _ => int.MaxValue };
        return arguments.FirstOrDefault(argument => (argument.NameEquals?.Name ?? argument.NameColon?.Name)?.Identifier.ValueText == name)
            ?? (position < arguments.Count && arguments[position] is { NameEquals: null, NameColon: null } positional ? positional : null);
    }

    /// <summary>A place in an own method that the attribute names.</summary>
    private static Location? Lifted(IMethodSymbol kernel, Place place)
    {
        var declaration = kernel.ContainingType.GetMembers(place.Argument).FirstOrDefault()?.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax();
        return declaration is null ? null : Location.Create(declaration.SyntaxTree, new TextSpan(declaration.SpanStart + place.Index, place.Length));
    }

    private static INamedTypeSymbol ContainingType(IMethodSymbol method, int index)
    {
        var types = new Stack<INamedTypeSymbol>();
        for (var type = method.ContainingType; type is not null; type = type.ContainingType) types.Push(type);
        return types.ElementAt(index);
    }
}
