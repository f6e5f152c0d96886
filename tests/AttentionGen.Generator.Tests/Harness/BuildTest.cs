using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Testing;
using Xunit;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>
/// A build of a project with the generator and the analyzer, by Roslyn's own harness for tests of analyzers. Its diagnostics, the compiler's included, are those that the marks in the sources
/// and the list of expected ones say, each at its place, and no others. <c>{|CS0246:text|}</c> marks the place of one, <c>{|#1:text|}</c> a place that the list names, <c>[|text|]</c> its place 0.
/// </summary>
internal sealed class BuildTest : CSharpAnalyzerTest<AttentionAnalyzer, DefaultVerifier>
{
    // References come from where this test runs.
    private static readonly ReferenceAssemblies s_nothingToDownload = new("net10.0");

    private readonly Project _project;

    public BuildTest(Project project, params IEnumerable<DiagnosticResult> expected)
    {
        _project = project;
        ReferenceAssemblies = s_nothingToDownload;
        CompilerDiagnostics = CompilerDiagnostics.Suggestions;
        TestBehaviors = TestBehaviors.SkipGeneratedSourcesCheck // what is written is no matter here
            | TestBehaviors.SkipSuppressionCheck | TestBehaviors.SkipGeneratedCodeCheck; // a build more each; tests of their own say what turns a diagnostic off
        TestState.AdditionalReferences.AddRange(Project.FrameworkAndLibrary);
        foreach (var (path, text) in project.Files) TestState.Sources.Add((path, text.Replace("[|", "{|#0:", StringComparison.Ordinal).Replace("|]", "|}", StringComparison.Ordinal)));
        ExpectedDiagnostics.AddRange(expected);
    }

    public Task RunAsync() => RunAsync(TestContext.Current.CancellationToken);

    // Not composed anew for each test.
    protected override Task<Workspace> CreateWorkspaceImplAsync() => Task.FromResult<Workspace>(new AdhocWorkspace());

    protected override IEnumerable<Type> GetSourceGenerators() => [typeof(AttentionGenerator)];

    protected override CompilationOptions CreateCompilationOptions() => _project.CompilationOptions;

    protected override ParseOptions CreateParseOptions() => _project.ParseOptions;
}
