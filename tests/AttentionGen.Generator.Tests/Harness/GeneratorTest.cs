using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Testing;
using Microsoft.CodeAnalysis.Text;
using Xunit;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>
/// A run of the generator on a project, by Roslyn's own harness for tests of generators. It writes <see cref="File"/>s and no others, letter for letter, and the compiler reports of all files
/// what the marks in the sources and the list of expected diagnostics say, each at its place.
/// </summary>
internal sealed class GeneratorTest : CSharpSourceGeneratorTest<AttentionGenerator, DefaultVerifier>
{
    private readonly Project _project;

    public GeneratorTest(Project project)
    {
        _project = project;
        ReferenceAssemblies = BuildTest.NothingToDownload;
        CompilerDiagnostics = CompilerDiagnostics.Suggestions;
        TestState.AdditionalReferences.AddRange(Project.FrameworkAndLibrary);
        foreach (var file in project.Files) TestState.Sources.Add(file);
        if (project.Properties.Count > 0)
            TestState.AnalyzerConfigFiles.Add(("/.globalconfig", $"is_global = true\n{string.Join('\n', project.Properties.Select(property => $"{property.Key} = {property.Value}"))}"));

        // Roslyn's own.
        var embedded = project.Generate().Result.GeneratedSources.Single(source => source.HintName.StartsWith("Microsoft.", StringComparison.Ordinal));
        TestState.GeneratedSources.Add((typeof(AttentionGenerator), embedded.HintName, embedded.SourceText));
    }

    /// <summary>A file that the generator writes.</summary>
    public GeneratorTest File(string name, string text)
    {
        TestState.GeneratedSources.Add((typeof(AttentionGenerator), name, SourceText.From(text, Encoding.UTF8)));
        return this;
    }

    /// <summary>An <c>#error</c> in a file that the generator writes, with all of its text.</summary>
    public GeneratorTest Error(string name, int line, string text)
    {
        string path = Path.Combine(typeof(AttentionGenerator).Assembly.GetName().Name!, typeof(AttentionGenerator).FullName!, name);
        int column = "#error ".Length + 1;
        ExpectedDiagnostics.Add(DiagnosticResult.CompilerError("CS1029").WithSpan(path, line, column, line, column + text.Length).WithMessage($"#error: '{text}'"));
        return this;
    }

    public Task RunAsync() => RunAsync(TestContext.Current.CancellationToken);

    protected override Task<Workspace> CreateWorkspaceImplAsync() => BuildTest.NewWorkspaceAsync();

    protected override CompilationOptions CreateCompilationOptions() => _project.CompilationOptions;

    protected override ParseOptions CreateParseOptions() => _project.ParseOptions;
}
