using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;
using Xunit;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>
/// A build of a project with the generator and the analyzers, by Roslyn's own harness for tests of analyzers. Its diagnostics, the compiler's included, are those that the marks in the sources
/// and the list of expected ones say, each at its place, and no others. <c>{|CS0246:text|}</c> marks the place of one, <c>{|#1:text|}</c> a place that the list names, <c>[|text|]</c> its place 0.
/// </summary>
internal sealed class BuildTest : CSharpAnalyzerTest<AttentionAnalyzer, DefaultVerifier>
{
    /// <summary>References come from where this test runs.</summary>
    public static readonly ReferenceAssemblies NothingToDownload = new("net10.0");

    private readonly Project _project;

    public BuildTest(Project project, params IEnumerable<DiagnosticResult> expected)
    {
        _project = project;
        ReferenceAssemblies = NothingToDownload;
        CompilerDiagnostics = CompilerDiagnostics.Suggestions;
        TestBehaviors = TestBehaviors.SkipGeneratedSourcesCheck // what is written is no matter here
            | TestBehaviors.SkipSuppressionCheck | TestBehaviors.SkipGeneratedCodeCheck; // a build more each; tests of their own say what turns a diagnostic off
        TestState.AdditionalReferences.AddRange(Project.FrameworkAndLibrary);
        TestState.AdditionalReferences.AddRange(project.References);
        foreach (var (path, text) in project.Files) TestState.Sources.Add((path, text.Replace("[|", "{|#0:", StringComparison.Ordinal).Replace("|]", "|}", StringComparison.Ordinal)));
        ExpectedDiagnostics.AddRange(expected);
    }

    /// <summary>Its services are composed once for all tests, not for each.</summary>
    public static Task<Workspace> NewWorkspaceAsync() => Task.FromResult<Workspace>(new AdhocWorkspace());

    public Task RunAsync() => RunAsync(TestContext.Current.CancellationToken);

    protected override Task<Workspace> CreateWorkspaceImplAsync() => NewWorkspaceAsync();

    protected override IEnumerable<DiagnosticAnalyzer> GetDiagnosticAnalyzers() => [.. base.GetDiagnosticAnalyzers(), new CallAnalyzer()];

    protected override IEnumerable<Type> GetSourceGenerators() => [typeof(AttentionGenerator)];

    protected override CompilationOptions CreateCompilationOptions() => _project.CompilationOptions;

    protected override ParseOptions CreateParseOptions() => _project.ParseOptions;
}
