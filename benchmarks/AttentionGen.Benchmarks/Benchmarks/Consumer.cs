using System.Collections.Immutable;
using System.Text;
using AttentionGen.Generator;
using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace AttentionGen.Benchmarks;

/// <summary>A project that declares kernels, as the compiler sees it.</summary>
internal sealed class Consumer
{
    private static readonly CSharpParseOptions s_parsing = new(LanguageVersion.Preview); // what this Roslyn has for C# 14

    private static readonly ImmutableArray<MetadataReference> s_references =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    /// <param name="kernels">How many it declares, all of different shapes.</param>
    public Consumer(int kernels)
    {
        Source = Text(kernels);
        Compilation = CSharpCompilation.Create(
            "Consumer", [CSharpSyntaxTree.ParseText(Source, s_parsing), CSharpSyntaxTree.ParseText("class Elsewhere { }", s_parsing)], s_references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release));
    }

    public string Source { get; }

    public CSharpCompilation Compilation { get; }

    /// <summary>After an edit of a file that has nothing to do with kernels.</summary>
    public CSharpCompilation Edited => Compilation.ReplaceSyntaxTree(
        Compilation.SyntaxTrees[1], CSharpSyntaxTree.ParseText("class Elsewhere { void Method(int key) { } }", s_parsing));

    public static GeneratorDriver Driver() => CSharpGeneratorDriver.Create([new AttentionGenerator().AsSourceGenerator()], parseOptions: s_parsing);

    private static string Text(int kernels)
    {
        var text = new StringBuilder("""
            using System;
            using AttentionGen;

            public static partial class Kernels
            {
                public static int Nothing() => 0;

            """);
        for (int i = 0; i < kernels; i++)
        {
            // Different heads need different code; other differences do not.
            text.Append(
                $$"""
                    [Attention(heads: 8, headDim: {{32 + 4 * (i % 100)}}, Mask = AttentionMask.Causal)]
                    public static partial void Attend{{i}}(
                        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

                """);
        }

        return text.Append("}\n").ToString();
    }
}
