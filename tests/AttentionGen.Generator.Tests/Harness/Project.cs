global using Project = AttentionGen.Generator.Tests.Harness.Project; // not the one of Roslyn's workspaces, which its testing packages bring along
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using TensorSpan = System.Numerics.Tensors.TensorSpan<float>;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>A user's project in memory: its sources and the settings that a compiler is given for it.</summary>
internal sealed record Project(params string[] Sources)
{
    /// <summary>What the compiler is given of the framework and of our library: no more than declarations need.</summary>
    public static ImmutableArray<MetadataReference> FrameworkAndLibrary { get; } = Referenced();

    /// <summary>The compilations of all projects descend from one: what it read of the references is read once.</summary>
    private static readonly CSharpCompilation s_empty = CSharpCompilation.Create("Empty", references: FrameworkAndLibrary);

    public string Name { get; init; } = "Demo";

    /// <summary>Preview is what this Roslyn has for C# 14.</summary>
    public LanguageVersion Language { get; init; } = LanguageVersion.Preview;

    public bool ImplicitUsings { get; init; } = true;

    public bool Nullable { get; init; } = true;

    public bool CheckOverflow { get; init; }

    public bool AllowUnsafe { get; init; }

    public bool IsDebug { get; init; }

    /// <summary>Ids that the project file names under NoWarn.</summary>
    public string[] NoWarn { get; init; } = [];

    /// <summary>Ids that an .editorconfig turns off.</summary>
    public string[] SeverityNone { get; init; } = [];

    /// <summary>Other projects, as they are compiled.</summary>
    public MetadataReference[] References { get; init; } = [];

    /// <summary>Properties of the build that are visible to the generator.</summary>
    public Dictionary<string, string> Properties { get; init; } = [];

    public CSharpParseOptions ParseOptions => new(Language, DocumentationMode.Diagnose);

    public CSharpCompilationOptions CompilationOptions => new(
        OutputKind.DynamicallyLinkedLibrary, checkOverflow: CheckOverflow, allowUnsafe: AllowUnsafe, warningLevel: 9999,
        optimizationLevel: IsDebug ? OptimizationLevel.Debug : OptimizationLevel.Release, nullableContextOptions: Nullable ? NullableContextOptions.Enable : NullableContextOptions.Disable,
        specificDiagnosticOptions: NoWarn.ToDictionary(id => id, _ => ReportDiagnostic.Suppress));

    /// <summary>The files of the project, by their names.</summary>
    public IEnumerable<(string Path, string Text)> Files
    {
        get
        {
            const string Usings = "global using global::System; global using global::System.Collections.Generic; global using global::System.Linq;";
            return (ImplicitUsings ? Sources.Append(Usings) : Sources).Select((text, i) => ($"{Name}{i}.cs", text));
        }
    }

    public CSharpCompilation Compilation() => s_empty.WithAssemblyName(Name).WithOptions(CompilationOptions.WithSyntaxTreeOptionsProvider(new EditorConfig(SeverityNone)))
        .AddReferences(References).AddSyntaxTrees(Files.Select(file => Tree(file.Text, file.Path)));

    public SyntaxTree Tree(string text, string path) => CSharpSyntaxTree.ParseText(text, ParseOptions, path);

    public GeneratorDriver Driver() => CSharpGeneratorDriver.Create(
        [new AttentionGenerator().AsSourceGenerator()], parseOptions: ParseOptions, optionsProvider: new BuildProperties(Properties),
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    public Generation Generate() => Generation.Of(Driver(), Compilation());

    private static ImmutableArray<MetadataReference> Referenced()
    {
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string[] names = ["System.Private.CoreLib", "System.Runtime", "System.Collections", "System.Linq", "System.Memory", "System.Runtime.Intrinsics"];
        string[] libraries = [typeof(AttentionAttribute).Assembly.Location, typeof(TensorSpan).Assembly.Location];
        return [.. names.Select(name => Path.Combine(framework, name + ".dll")).Concat(libraries).Select(path => MetadataReference.CreateFromFile(path))];
    }

    private sealed class EditorConfig(string[] none) : SyntaxTreeOptionsProvider
    {
        public override GeneratedKind IsGenerated(SyntaxTree tree, CancellationToken cancellationToken) => GeneratedKind.Unknown;

        public override bool TryGetDiagnosticValue(SyntaxTree tree, string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity) =>
            TryGetGlobalDiagnosticValue(diagnosticId, cancellationToken, out severity);

        public override bool TryGetGlobalDiagnosticValue(string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity)
        {
            severity = ReportDiagnostic.Suppress;
            return none.Contains(diagnosticId);
        }
    }

    private sealed class BuildProperties(Dictionary<string, string> properties) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Options(properties);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => new Options([]);

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Options([]);
    }

    private sealed class Options(Dictionary<string, string> values) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value) => values.TryGetValue(key, out value);
    }
}
