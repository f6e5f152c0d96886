using System.Collections.Immutable;
using AttentionGen.Generator.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Xunit;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>A run of the generator: what it wrote, and the compilation with it.</summary>
internal sealed record Generation(GeneratorDriver Driver, GeneratorRunResult Result, Compilation Output)
{
    /// <summary>The texts of kernels, cores and stand-ins by their hint names, without what Roslyn itself adds.</summary>
    public SortedDictionary<string, string> Sources { get; } = new(
        Result.GeneratedSources.Where(source => !source.HintName.StartsWith("Microsoft.", StringComparison.Ordinal))
            .ToDictionary(source => source.HintName, source => source.SourceText.ToString()),
        StringComparer.Ordinal);

    public static Generation Of(GeneratorDriver driver, Compilation compilation)
    {
        driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out var output, out var diagnostics, TestContext.Current.CancellationToken);
        Assert.Empty(diagnostics); // a generator that throws is a warning of the driver's
        return new Generation(driver, Assert.Single(driver.GetRunResult().Results), output);
    }

    /// <summary>The run after an edit.</summary>
    public Generation Again(Compilation compilation) => Of(Driver, compilation);

    /// <summary>What a build reports: the compiler and our analyzers, on the compilation with what was generated. As in a build, both look at what is bound once.</summary>
    public async Task<ImmutableArray<Diagnostic>> BuildAsync() =>
        Sorted((await Analysis(Output).GetAllDiagnosticsAsync(TestContext.Current.CancellationToken)).Where(d => !d.IsSuppressed));

    /// <summary>What our analyzers report.</summary>
    public Task<ImmutableArray<Diagnostic>> AnalyzeAsync() => AnalyzeAsync(Output);

    private static async Task<ImmutableArray<Diagnostic>> AnalyzeAsync(Compilation compilation) =>
        Sorted(await Analysis(compilation).GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken));

    private static CompilationWithAnalyzers Analysis(Compilation compilation) => compilation.WithAnalyzers([new AttentionAnalyzer(), new CallAnalyzer()], new CompilationWithAnalyzersOptions(
        new AnalyzerOptions([]), onAnalyzerException: null, concurrentAnalysis: true, logAnalyzerExecutionTime: false, reportSuppressedDiagnostics: false));

    private static ImmutableArray<Diagnostic> Sorted(IEnumerable<Diagnostic> diagnostics) =>
        [.. diagnostics.Where(d => d.Severity != DiagnosticSeverity.Hidden).OrderBy(d => d.Location.SourceSpan.Start).ThenBy(d => d.Id, StringComparer.Ordinal)];

    /// <summary>Fails on any error or warning of the compiler, those of code generation included.</summary>
    public MemoryStream AssertCompiles()
    {
        var image = new MemoryStream();
        var emitted = Output.Emit(image, cancellationToken: TestContext.Current.CancellationToken);
        var found = emitted.Diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning && !d.IsSuppressed).ToList();
        Assert.True(emitted.Success && found.Count == 0, string.Join('\n', found.Take(20)));
        image.Position = 0;
        return image;
    }

    /// <summary>Fails unless the compiler and our analyzers report nothing.</summary>
    public async Task AssertBuildsAsync()
    {
        AssertCompiles();
        Assert.Empty(await AnalyzeAsync(Output.RemoveSyntaxTrees(Result.GeneratedSources.Where(source => Cores.Contains(source.HintName)).Select(source => source.SyntaxTree))));
    }

    /// <summary>The files that no declaration is in. The compiler has bound them, and does so again for an analyzer if they are there.</summary>
    private HashSet<string> Cores =>
        Result.TrackedSteps.TryGetValue(AttentionGenerator.Steps.Cores, out var steps) ? [.. steps.SelectMany(step => step.Outputs).Select(output => ((PlacedCore)output.Value).HintName)] : [];
}
