using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>The rooms of the code base, which are folders, depend one way: a file names what is in its own room and in those that its room may name, and nothing else.</summary>
public class RoomsTests
{
    /// <summary>Each room with the rooms before it that it may name. A room in another may name what that one may.</summary>
    private static readonly (string Room, string[] MayName)[] s_generator =
    [
        ("Text", []),
        ("Model", ["Text"]),
        ("Syntax", ["Text", "Model"]),
        ("Lowering", ["Text", "Model"]),
        ("Steps/Loads", ["Text", "Model", "Lowering"]),
        ("Steps/Scores", ["Text", "Model", "Lowering"]),
        ("Steps/RowStates", ["Text", "Model", "Lowering"]),
        ("Validation", ["Text", "Model", "Lowering"]),
        ("Planning", ["Text", "Model", "Lowering", "Steps"]),
        ("Emit/Dialects", ["Text", "Model", "Planning"]),
        ("Emit/MicroKernels", ["Text", "Model", "Lowering", "Planning", "Emit/Dialects"]),
        ("Emit/Linear", ["Text", "Model", "Planning", "Emit/Dialects", "Emit/MicroKernels"]),
        ("Emit/Walks", ["Text", "Model", "Lowering", "Steps", "Planning", "Emit/Dialects", "Emit/MicroKernels"]),
        ("Emit/Dispatch", ["Text", "Model", "Lowering", "Planning", "Emit/Dialects", "Emit/Walks"]),
        ("", ["Text", "Model", "Syntax", "Lowering", "Validation", "Planning", "Emit"]),
    ];

    /// <summary>The same for what is hidden in the library; the public surface, above the rooms, may name all of them.</summary>
    private static readonly (string Room, string[] MayName)[] s_runtime =
    [
        ("CompilerServices/Memory", []),
        ("CompilerServices/Numerics", []),
        ("CompilerServices/Vectors", ["CompilerServices/Memory", "CompilerServices/Numerics"]),
        ("CompilerServices/Masks", ["CompilerServices/Memory"]),
        ("CompilerServices/Operands", ["CompilerServices/Memory", "CompilerServices/Masks"]),
        ("CompilerServices/Sources", ["CompilerServices/Memory", "CompilerServices/Numerics", "CompilerServices/Masks", "CompilerServices/Operands"]),
        ("CompilerServices/Cores", ["CompilerServices/Numerics", "CompilerServices/Masks", "CompilerServices/Operands", "CompilerServices/Sources"]),
        ("Caches", ["CompilerServices/Memory", "CompilerServices/Operands", "CompilerServices/Sources"]),
        ("CompilerServices/Jobs", ["CompilerServices/Memory", "CompilerServices/Numerics", "CompilerServices/Masks", "CompilerServices/Operands", "CompilerServices/Sources", "CompilerServices/Cores"]),
        ("CompilerServices/Linear", ["CompilerServices/Memory", "CompilerServices/Numerics", "CompilerServices/Jobs"]),
        ("CompilerServices/Recurrence", ["CompilerServices/Memory", "CompilerServices/Numerics", "CompilerServices/Vectors", "CompilerServices/Operands", "CompilerServices/Cores", "CompilerServices/Jobs", "CompilerServices/Linear"]),
        ("CompilerServices/Calls", ["CompilerServices/Memory", "CompilerServices/Masks", "CompilerServices/Operands", "CompilerServices/Sources", "CompilerServices/Cores", "CompilerServices/Jobs", "CompilerServices/Linear", "CompilerServices/Recurrence", "Caches"]),
    ];

    private static readonly Lazy<List<(string File, string Room, ISymbol Symbol, string To)>> s_names = new(() => Names(Repository.PathOf("src", "Generator"), "ATTENTIONGEN_GENERATOR"));

    [Fact]
    public void Rooms_of_the_library_depend_one_way()
    {
        // Enums and attributes of the public surface are the words of all rooms.
        var names = Names(Repository.PathOf("src", "Runtime")).Where(name => name.Room.Length > 0 && name.To.Length > 0).ToList();
        string wrong = string.Join('\n', Wrong(s_runtime, names));
        Assert.True(wrong.Length == 0, wrong);
        Assert.Equal(s_runtime.Select(row => row.Room).Order(StringComparer.Ordinal), names.Select(name => name.Room).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Rooms_of_the_generator_depend_one_way()
    {
        string wrong = string.Join('\n', Wrong(s_generator, s_names.Value));
        Assert.True(wrong.Length == 0, wrong);
    }

    [Fact]
    public void Every_room_of_the_generator_is_in_the_table()
    {
        var rooms = s_names.Value.Select(name => name.Room).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(s_generator.Select(row => row.Room).Order(StringComparer.Ordinal), rooms);
    }

    /// <summary>A table with a circle would prove nothing.</summary>
    [Fact]
    public void Rooms_may_name_only_those_before_them()
    {
        var before = new List<string>();
        foreach (var (room, mayName) in s_generator.Concat(s_runtime))
        {
            Assert.All(mayName, other => Assert.Contains(before, earlier => IsIn(earlier, other)));
            before.Add(room);
        }
    }

    /// <summary>Symbols end where declarations are read; rules have descriptors, as analyzers report them.</summary>
    [Fact]
    public void Only_syntax_rules_and_the_pipeline_name_Roslyn()
    {
        var named = s_names.Value.Where(name => name.To == "Roslyn" && name.Room is not ("" or "Syntax")).ToList();
        Assert.All(named, name => Assert.Equal("Validation", name.Room));
        Assert.All(named, name => Assert.Contains(name.Symbol.ContainingType?.Name ?? name.Symbol.Name, new[] { "DiagnosticDescriptor", "DiagnosticSeverity", "WellKnownDiagnosticTags", "LocalizableString" }));
        Assert.Contains(s_names.Value, name => name is { To: "Roslyn", Room: "Syntax" });
    }

    private static List<string> Wrong((string Room, string[] MayName)[] table, IEnumerable<(string File, string Room, ISymbol Symbol, string To)> names) =>
        [.. names.Where(name => name.To != "Roslyn" && name.To != name.Room && !table.Any(row => row.Room == name.Room && row.MayName.Any(other => IsIn(name.To, other))))
            .Select(name => $"{name.File} names {name.Symbol.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat)} of {(name.To.Length == 0 ? "the pipeline" : name.To)}").Distinct().Order(StringComparer.Ordinal)];

    private static bool IsIn(string room, string other) => room == other || room.StartsWith(other + "/", StringComparison.Ordinal);

    /// <summary>What the files of a project name of other files of it, and of Roslyn.</summary>
    private static List<(string File, string Room, ISymbol Symbol, string To)> Names(string folder, params string[] defined)
    {
        var files = Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin")).ToList();
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview).WithPreprocessorSymbols(defined);
        string[] shared = defined.Length == 0 ? [] : [.. Directory.EnumerateFiles(Repository.PathOf("src", "Runtime"), "*.cs", SearchOption.AllDirectories).Where(file => File.ReadLines(file).FirstOrDefault()?.StartsWith("#if ATTENTIONGEN_GENERATOR", StringComparison.Ordinal) == true)];
        var trees = files.Concat(shared).Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, file)).ToList();
        trees.Add(CSharpSyntaxTree.ParseText("global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading;", options));
        string[] assemblies = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path) is "netstandard.dll" or "mscorlib.dll")];
        var references = assemblies.Append(typeof(SyntaxNode).Assembly.Location).Append(typeof(CSharpSyntaxNode).Assembly.Location).Distinct().Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create("Rooms", trees, references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));

        var names = new List<(string, string, ISymbol, string)>();
        foreach (var tree in trees.Where(tree => files.Contains(tree.FilePath)))
        {
            var model = compilation.GetSemanticModel(tree);
            string file = Path.GetRelativePath(folder, tree.FilePath).Replace(Path.DirectorySeparatorChar, '/');
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                if (model.GetSymbolInfo(name).Symbol is not ({ } symbol and (INamedTypeSymbol or IMethodSymbol or IPropertySymbol or IFieldSymbol))) continue;
                symbol = symbol.OriginalDefinition;
                if (symbol.ContainingAssembly?.Name is { } assembly && assembly.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal)) names.Add((file, Room(file), symbol, "Roslyn"));
                else if (symbol.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath is { Length: > 0 } declared)
                    names.Add((file, Room(file), symbol, shared.Contains(declared) ? "Model" : Room(Path.GetRelativePath(folder, declared).Replace(Path.DirectorySeparatorChar, '/'))));
            }
        }

        Assert.True(names.Count > 2000, "Names were not resolved.");
        return names;
    }

    private static string Room(string file) => file.Contains('/', StringComparison.Ordinal) ? file[..file.LastIndexOf('/')] : "";
}
