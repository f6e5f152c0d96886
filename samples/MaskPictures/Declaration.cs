using System.Collections.Concurrent;
using System.Reflection;
using AttentionGen.Generator;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace AttentionGen.MaskPictures;

/// <summary>What the generator reads in the declaration of a picture, and the user's own mask as it is. The lengths of a call have no part in it.</summary>
internal sealed record Declaration(KernelSpec Spec, Func<int, int, bool> Visible)
{
    private static readonly ConcurrentDictionary<string, Declaration> s_read = new();

    private static readonly Lazy<IReadOnlyList<MetadataReference>> s_references = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))]);

    /// <summary>The declaration as a user writes it.</summary>
    public static string Code(Picture picture)
    {
        string arguments = picture.Arguments.Length > 0 ? ", " + picture.Arguments : "", parameters = picture.Parameters.Length > 0 ? ", " + picture.Parameters : "";
        string mask = picture.Mask.Length > 0 ? $"\n\nprivate static bool Visible(int query, int key) => {picture.Mask};" : "";
        return $"""
            [Attention(heads: 12, headDim: 64{arguments})]
            public static partial void Attend(
                ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output{parameters});{mask}
            """;
    }

    /// <summary>Reads a declaration, once.</summary>
    public static Declaration Of(Picture picture) => s_read.GetOrAdd(Code(picture), _ => Read(picture));

    private static Declaration Read(Picture picture)
    {
        string source = $$"""
            using System;
            using AttentionGen;

            public static partial class Kernels
            {
            {{Code(picture with { Arguments = picture.Arguments + (picture.Arguments.Length > 0 ? ", " : "") + "Isas = AttentionIsas.Portable" })}}
            }
            """; // the mask is the same for all instruction sets, and the code of one compiles faster
        var compilation = CSharpCompilation.Create("Kernels", [CSharpSyntaxTree.ParseText(source)], s_references.Value, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release));
        CSharpGeneratorDriver.Create(new AttentionGenerator()).RunGeneratorsAndUpdateCompilation(compilation, out var generated, out _);
        using var image = new MemoryStream();
        var result = generated.Emit(image);
        if (!result.Success) throw new InvalidOperationException($"{picture.Name}: {string.Join('\n', result.Diagnostics)}");
        var method = Assembly.Load(image.ToArray()).GetType("Kernels")!.GetMethod("Visible", BindingFlags.Static | BindingFlags.NonPublic);
        var kernel = compilation.GetTypeByMetadataName("Kernels")!.GetMembers("Attend").OfType<IMethodSymbol>().Single();
        return new(KernelParser.Parse(kernel, kernel.GetAttributes()[0], compilation)!, method is null ? (_, _) => true : method.CreateDelegate<Func<int, int, bool>>());
    }
}
