using AttentionGen.Generator.Emit.Dispatch;
using AttentionGen.Generator.Emit.Linear;
using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Syntax;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator;

/// <summary>Turns annotated methods into kernels. It is the table of contents of the generator: each stage is in a folder of its own.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class AttentionGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        context.RegisterPostInitializationOutput(output => output.AddEmbeddedAttributeDefinition());

        var declarations = KernelParser.AttributeNames.Select(attribute => Declarations(context, attribute).Collect())
            .Aggregate(static (all, more) => all.Combine(more).Select(static (pair, _) => pair.Right.AddRange(pair.Left)))
            .SelectMany(static (all, _) => all)
            .WithTrackingName(Steps.Declarations);

        var plans = declarations
            .Where(static declaration => declaration.IsValid)
            .Select(static (declaration, _) => KernelPlanner.Plan(declaration.Spec!))
            .WithTrackingName(Steps.Plans);

        var layout = plans.Collect()
            .Select(static (all, _) => SourceLayout.Of(all))
            .WithTrackingName(Steps.Layout);

        var kernels = plans.Combine(layout)
            .Select(static (pair, _) => pair.Right.Place(pair.Left))
            .WithTrackingName(Steps.Kernels);
        context.RegisterSourceOutput(kernels, static (output, kernel) => output.AddSource(kernel.HintName, KernelEmitter.Emit(kernel.Plan)));

        var cores = plans.Combine(layout)
            .SelectMany(static (pair, _) => pair.Right.CoresOf(pair.Left))
            .WithTrackingName(Steps.Cores);
        context.RegisterSourceOutput(cores, static (output, core) => output.AddSource(core.HintName, CoreEmitter.Emit(core.Plan)));

        var linear = context.SyntaxProvider
            .ForAttributeWithMetadataName(LinearCores.AttributeName, static (_, _) => true, static (found, _) => LinearCores.TypeOf(found.TargetSymbol))
            .Where(static type => type is not null)
            .Select(static (type, _) => type!)
            .WithTrackingName(Steps.LinearCores);
        context.RegisterSourceOutput(linear, static (output, type) =>
        {
            output.AddSource(FileNames.Of(type, type), LinearEmitter.EmitChoice(type));
            foreach (var plan in LinearPlanner.BestFirst) output.AddSource(FileNames.Of(plan.Name, plan.Name), LinearEmitter.Emit(plan));
        });

        var standIns = declarations
            .Where(static declaration => declaration.CanStandIn)
            .Select(static (declaration, _) => declaration.StandIn)
            .WithTrackingName(Steps.StandIns);
        context.RegisterSourceOutput(
            standIns,
            static (output, standIn) => output.AddSource(
                FileNames.OfStandIn(standIn.Method.FullName.Replace("@", ""), standIn.Method.Identity), KernelEmitter.EmitStandIn(standIn)));

        var unreported = declarations
            .Combine(context.AnalyzerConfigOptionsProvider.Select(static (options, _) => AnalyzerSwitch.IsOn(options.GlobalOptions)))
            .SelectMany(static (pair, _) =>
                pair.Right && !pair.Left.IsSuppressed ? [] : pair.Left.Errors.Select(error => $"{pair.Left.Method.FullName}: {error}"))
            .Collect()
            .Select(static (errors, _) => errors.ToEquatableArray())
            .WithTrackingName(Steps.UnreportedErrors);
        context.RegisterSourceOutput(unreported, static (output, errors) =>
        {
            if (errors.Count > 0) output.AddSource(FileNames.Errors, ErrorsEmitter.Emit(errors));
        });
    }

    /// <summary>The methods with an attribute.</summary>
    private static IncrementalValuesProvider<KernelDeclaration> Declarations(IncrementalGeneratorInitializationContext context, string attribute) => context.SyntaxProvider
        .ForAttributeWithMetadataName(
            attribute,
            static (_, _) => true,
            static (found, _) => KernelDeclaration.Parse(found.TargetSymbol, found.Attributes[0], found.SemanticModel.Compilation))
        .Where(static declaration => declaration is not null)
        .Select(static (declaration, _) => declaration!);

    /// <summary>The names of the steps of the pipeline. Tests use them to see which steps run again.</summary>
    internal static class Steps
    {
        public const string Declarations = nameof(Declarations);
        public const string Plans = nameof(Plans);
        public const string Layout = nameof(Layout);
        public const string Kernels = nameof(Kernels);
        public const string Cores = nameof(Cores);
        public const string LinearCores = nameof(LinearCores);
        public const string StandIns = nameof(StandIns);
        public const string UnreportedErrors = nameof(UnreportedErrors);

        public static IReadOnlyList<string> All { get; } = [Declarations, Plans, Layout, Kernels, Cores, LinearCores, StandIns, UnreportedErrors];
    }
}
