using AttentionGen.Generator.Emit;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Parsing;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AttentionGen.Generator;

/// <summary>From annotated methods to kernels. The table of contents: the work is done in the rooms that it names.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class AttentionGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        context.RegisterPostInitializationOutput(output => output.AddEmbeddedAttributeDefinition());

        var declarations = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                KernelParser.AttributeName,
                static (node, _) => node is MethodDeclarationSyntax,
                static (found, _) => KernelDeclaration.Parse((IMethodSymbol)found.TargetSymbol, found.Attributes[0]))
            .WithTrackingName(Steps.Declarations);

        var plans = declarations
            .Where(static declaration => declaration.IsValid)
            .Select(static (declaration, _) => KernelPlanner.Plan(declaration.Spec!))
            .WithTrackingName(Steps.Plans);

        var layout = plans.Collect()
            .Select(static (all, _) => SourceLayout.Of(all))
            .WithTrackingName(Steps.Layout);

        var kernels = plans.Combine(layout)
            .Select(static (pair, _) => new PlacedKernel(pair.Left, pair.Right.HintName(pair.Left)))
            .WithTrackingName(Steps.Kernels);
        context.RegisterSourceOutput(kernels, static (output, kernel) => output.AddSource(kernel.HintName, KernelEmitter.Emit(kernel.Plan)));

        var cores = plans.Combine(layout)
            .SelectMany(static (pair, _) => pair.Left.Cores.Where(core => pair.Right.Owns(pair.Left, core)))
            .WithTrackingName(Steps.Cores);
        context.RegisterSourceOutput(cores, static (output, core) => output.AddSource($"{core.Name}.g.cs", CoreEmitter.Emit(core)));

        var standIns = declarations
            .Where(static declaration => !declaration.IsValid && declaration.CanStandIn)
            .Combine(context.AnalyzerConfigOptionsProvider.Select(static (options, _) => AnalyzerSwitch.IsOn(options.GlobalOptions)))
            .Where(static pair => pair.Right)
            .Select(static (pair, _) => pair.Left.Method)
            .WithTrackingName(Steps.StandIns);
        context.RegisterSourceOutput(standIns, static (output, method) => output.AddSource(SourceLayout.StandInHintName(method), KernelEmitter.EmitStandIn(method)));
    }

    /// <summary>The names of the pipeline's steps, for tests of what is computed again.</summary>
    internal static class Steps
    {
        public const string Declarations = nameof(Declarations);
        public const string Plans = nameof(Plans);
        public const string Layout = nameof(Layout);
        public const string Kernels = nameof(Kernels);
        public const string Cores = nameof(Cores);
        public const string StandIns = nameof(StandIns);

        public static IReadOnlyList<string> All { get; } = [Declarations, Plans, Layout, Kernels, Cores, StandIns];
    }
}
