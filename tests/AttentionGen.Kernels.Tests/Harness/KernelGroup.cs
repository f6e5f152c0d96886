using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using AttentionGen.Generator;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>A generated kernel.</summary>
/// <param name="Body">The kernel behind the uniform signature.</param>
/// <param name="Method">The kernel itself.</param>
public sealed record Kernel(Declaration Declaration, KernelBody Body, Delegate Method)
{
    public override string ToString() => Declaration.ToString();
}

/// <summary>Kernels that are compiled together, through the generator, when the first of them is asked for.</summary>
public sealed class KernelGroup
{
    /// <summary>
    /// The environment variable with a directory of compiled groups: what <see cref="IsaMatrixTests"/> has its child processes find instead of
    /// compiling the same again. It lives as long as the run.
    /// </summary>
    public const string ImagesVariable = "ATTENTIONGEN_KERNEL_IMAGES";

    private static readonly Lazy<DirectoryInfo> s_images = new(() =>
    {
        if (Environment.GetEnvironmentVariable(ImagesVariable) is { } given) return new DirectoryInfo(given);
        var own = Directory.CreateTempSubdirectory("attentiongen-kernels-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => own.Delete(recursive: true);
        return own;
    });

    private readonly Lazy<Dictionary<Declaration, Kernel>> _kernels;

    public KernelGroup(IEnumerable<Declaration> declarations) => _kernels = new(() => Load([.. declarations.Distinct()]));

    public Kernel this[Declaration declaration] => _kernels.Value[declaration];

    public IEnumerable<Kernel> All => _kernels.Value.Values;

    /// <summary>Where the groups that this process has compiled lie.</summary>
    public static DirectoryInfo Images => s_images.Value;

    /// <summary>Compiles what a user could have written, with the kernels in it; a warning is an error.</summary>
    public static Assembly CompileSource(string source)
    {
        var image = new FileInfo(Path.Combine(Images.FullName, Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(source))) + ".dll"));
        if (!image.Exists) Compile(source, image);
        return Assembly.Load(File.ReadAllBytes(image.FullName));
    }

    private static Dictionary<Declaration, Kernel> Load(Declaration[] declarations)
    {
        string source = $$"""
            using System;
            using System.Numerics.Tensors;
            using System.Runtime.InteropServices;
            using AttentionGen;
            using AttentionGen.Kernels.Tests;

            public static partial class Kernels
            {
                // For expressions to call.
                private static float Relative(ReadOnlySpan<float> table, int distance) => table[Math.Clamp(distance + 20, 0, 40)];

            {{string.Concat(declarations.Select(declaration => declaration.Source))}}
            }
            """;
        var type = CompileSource(source).GetType("Kernels", throwOnError: true)!;
        foreach (var declaration in declarations) Own.Add(declaration, type);
        return declarations.ToDictionary(declaration => declaration, declaration => new Kernel(
            declaration,
            type.GetMethod($"Call_{declaration}")!.CreateDelegate<KernelBody>(),
            (Delegate)type.GetMethod($"Method_{declaration}")!.Invoke(null, null)!));
    }

    private static void Compile(string source, FileInfo image)
    {
        var parsing = new CSharpParseOptions(LanguageVersion.Latest);
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "Kernels", [CSharpSyntaxTree.ParseText(source, parsing)], references,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, warningLevel: 9999,
                generalDiagnosticOption: ReportDiagnostic.Error, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: false));

        CSharpGeneratorDriver.Create([new AttentionGenerator().AsSourceGenerator()], parseOptions: parsing)
            .RunGeneratorsAndUpdateCompilation(compilation, out var generated, out var diagnostics);
        Assert.Empty(diagnostics);

        string unfinished = image.FullName + "." + Guid.NewGuid().ToString("N");
        using (var file = File.Create(unfinished))
        {
            var emitted = generated.Emit(file);
            Assert.True(emitted.Success && emitted.Diagnostics.All(d => d.Severity < DiagnosticSeverity.Warning), string.Join('\n', emitted.Diagnostics.Take(20)));
        }

        File.Move(unfinished, image.FullName, overwrite: true);
    }
}
