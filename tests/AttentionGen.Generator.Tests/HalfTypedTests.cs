using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>
/// Sources that are no C# yet: the generator and the analyzer meet them at every key that is pressed. Neither throws, as that would take every other kernel of the project away.
/// </summary>
public class HalfTypedTests(ITestOutputHelper output)
{
    private const string T = Sample.Tensors;

    /// <summary>In a file of their own: whatever happens in another one, these are generated.</summary>
    private const string Others = $$"""
        namespace Untouched;
        static partial class Others
        {
            [global::AttentionGen.Attention(2, 8, Isas = global::AttentionGen.AttentionIsas.Portable)] static partial void Attend({{T}});
            [global::AttentionGen.Attention(2, 24, MaskMethod = nameof(Visible), Isas = global::AttentionGen.AttentionIsas.Portable)] static partial void Masked({{T}}, int reach);
            static bool Visible(int query, int key, int reach) => query - key < reach && key % 3 != 1;
        }
        """;

    /// <summary>Kernels with all that declarations can have. One instruction set: what is written for others is not the matter here.</summary>
    private static readonly string[] s_sources =
    [
        $$"""
        using AttentionGen;
        namespace Demo;
        public static partial class Llama
        {
            [Attention(heads: 4, headDim: 16, KeyValueHeads = 2, Mask = AttentionMask.Causal, SoftCap = 50f, Isas = AttentionIsas.Portable)]
            public static partial void Attend({{T}}, int queryStart);

            [Attention(heads: 4, headDim: 16, ValueDim = 12, Scale = -0.3f, Batched = true, WindowLeft = 7, QueryStride = 80, Isas = AttentionIsas.Portable)]
            public static partial void Attend({{T}}, int batch, ReadOnlySpan<int> queryStarts, ReadOnlySpan<int> keyLengths, int maxThreads, Span<byte> scratch);
        }
        """,
        $$"""
        namespace Demo.Models
        {
            using AttentionGen;
            public partial class Outer
            {
                internal partial record struct Inner
                {
                    [Attention(2, 8, Layout = AttentionLayout.HeadMajor, Alibi = true, BiasAxes = AttentionAxes.Head | AttentionAxes.Key, Isas = AttentionIsas.Portable)]
                    private partial void Scored({{T}}, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> sinks, Span<float> logSumExp);

                    [Attention(2, 8, Isas = AttentionIsas.Portable)]
                    static partial void Tensors(in {{Sample.TensorSpan}} query, {{Sample.TensorSpan}} key, [Role(AttentionRole.Value)] {{Sample.TensorSpan}} v, scoped {{Sample.OutputTensorSpan}} output);
                }
            }
        }
        """,
        $$"""
        using AttentionGen;
        static partial class Own
        {
            [Attention(4, 8, MaskMethod = nameof(Visible), ScoreMethod = "Score", Isas = AttentionIsas.Portable)]
            static partial void Attend({{T}}, int reach, float slope, ReadOnlySpan<int> segment, ReadOnlySpan<float> table);

            static bool Visible(int query, int key, int head, int reach, ReadOnlySpan<int> segment) => key <= query && (query - key < reach || key < 4) && (query / 16 == key / 16 || segment[query] == segment[key]) && !(key % 2 == head % 2);
            static float Score(float score, int query, int key, int batch, float slope, ReadOnlySpan<float> table)
            {
                return Soft(score, 30f) - slope * MathF.Abs(query - key) + (key > 3 ? table[Math.Clamp(key - query, 0, table.Length - 1)] : -1.5f * batch);
            }
            private static float Soft(float x, float cap) => cap * MathF.Tanh(x / cap);
        }
        """,
        $$"""
        using AttentionGen;
        partial struct Fixed
        {
            [Attention(2, 8, QueryLength = 16, KeyLength = 32, QueryKeyNorm = AttentionNorm.Rms, NormEpsilon = 1e-5f, RelativeBuckets = 32, RelativeMaxDistance = 64, RelativeBidirectional = false, Isas = AttentionIsas.Portable)]
            public partial void Normed({{T}}, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales);
            [Attention(2, 8, QueryBlockSize = 16, KeyBlockSize = 64, BlockAxes = AttentionAxes.Head | AttentionAxes.Query, ScoresStage = AttentionStage.Masked, Isas = AttentionIsas.Portable)]
            public partial void Blocks({{T}}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks, Span<float> scores, Span<float> maxScore, Span<float> entropy, Span<int> argmax);
            [Attention(2, 8, Mask = AttentionMask.Causal, ChunkLength = 64, Dilation = 2, Isas = AttentionIsas.Portable)]
            public static partial void Cut({{T}}, ReadOnlySpan<int> documentStarts, ReadOnlySpan<int> keyDocumentStarts, ReadOnlySpan<int> prefixLengths);
        }
        """,
        $$"""
        using AttentionGen;
        partial class Cached
        {
            [Attention(heads: 4, headDim: 8, KeyValueHeads = 2, WindowLeft = 7, FirstKeys = 2, Isas = AttentionIsas.Portable)]
            public static partial void Step({{T}}, RingKeyValueCache<Half> cache, int layer = 0);
            private readonly RingKeyValueCache<Half> _ring = new(2, 8, window: 6, slack: 4, layers: 2), _other;
            public RingKeyValueCache<Half> Ring { get; } = new RingKeyValueCache<Half>(keyValueHeads: 4, headDim: 8, 7, 4, firstKeys: 2);
            public Cached(bool first) { _other = new(2, 8, 7, 4) { }; if (first) Call(new float[64]); }
            public void Call(float[] t)
            {
                const int Dim = 8 + 8;
                RingKeyValueCache<Half> local, again = new(2, Dim, 7, 4);
                local = (RingKeyValueCache<Half>)again;
                Step(t, t, t, t, _ring, layer: 2); Step(t, t, t, t, this.Ring); Step(t, t, t, t, _other, -1);
                Action call = () => { Step(t, t, t, t, local); Step(t, t, t, t, new(1, 8, 7, 4)); };
            }
        }
        """,
    ];

    /// <summary>Edits in a run: an environment variable gives another number, to look for more, and another place to begin.</summary>
    private static int Count(string variable, int usual) => Environment.GetEnvironmentVariable(variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;

    [Fact]
    public void Random_edits_stop_neither_generator_nor_analyzer()
    {
        int count = Count("ATTENTIONGEN_EDITS", 600), from = Count("ATTENTIONGEN_EDITS_FROM", 0);
        var runs = s_sources.Select(source => new Run(source)).ToList();
        var failures = new ConcurrentBag<(string Kind, string Text)>();
        Parallel.For(from, from + count, new ParallelOptions { CancellationToken = TestContext.Current.CancellationToken }, seed =>
        {
            var run = runs[seed % runs.Count];
            string edited = Edits.Of(s_sources[seed % runs.Count], seed);
            if (run.Failure(edited, withGenerated: seed % 16 == 0) is { } failure) failures.Add((failure.Split('\n')[0], $"edit {seed}: {failure}\n{edited}\n"));
        });
        var kinds = failures.GroupBy(failure => failure.Kind).Select(kind => $"{kind.Count()} times: {kind.MinBy(failure => failure.Text.Length).Text}").ToList();
        output.WriteLine($"{count} edits, {failures.Count} failures.");
        Assert.True(kinds.Count == 0, string.Join("\n----\n", kinds));
    }

    /// <summary>What edits have found, and what is like it.</summary>
    [Theory]
    [InlineData($"namespace N {{ [Attention(2, 8)] public static partial void Attend({T}); }}")]
    [InlineData($"namespace N; [Attention(2, 8)] public static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8)] public static partial void Attend({T});")]
    [InlineData($"[Attention(2, 0)] public static partial void Attend({T});")]
    [InlineData($"namespace {{ static partial class Llama {{ [Attention(2, 8)] public static partial void Attend({T}); }} }}")]
    [InlineData($"namespace A. {{ static partial class Llama {{ [Attention(2, 8)] public static partial void Attend({T}); }} }}")]
    [InlineData($"static partial class {{ [Attention(2, 8)] public static partial void Attend({T}); }}")]
    [InlineData($"static partial class Llama {{ [Attention(2, 8)] public static partial void ({T}); }}")]
    [InlineData($"static partial class Llama {{ [Attention(2, 8)] public static partial void Attend({T}, int ); }}")]
    [InlineData($"static partial class Llama {{ [Attention(2, 8, MaskMethod = nameof(Visible))] public static partial void Attend({T}, int ); static bool Visible(int query, int key, int ) => key < query; }}")]
    [InlineData($"static partial class Llama {{ [Attention(2, 8)] public static partial void Attend({T}, int , float ); [Attention(2, 8)] public static partial void Attend({T}, int, int x); }}")]
    [InlineData($"static partial class Llama {{ [Attention(2, 8)] public static partial void Attend({T}); [Attention(2, 8)] public static partial void attend({T}); [Attention(2, 0)] public static partial void ATTEND({T}); }}")]
    [InlineData($"partial class A {{ [Attention(2, 0)] public static partial void Attend({T}); }} partial struct A {{ [Attention(2, 0)] public static partial void Attend({T}); }}")]
    [InlineData($"static partial class Llama {{ extension(int x) {{ [Attention(2, 8)] public static partial void Attend({T}); }} extension(float x) {{ [Attention(2, 8)] public static partial void Attend({T}); }} }}")]
    public void What_is_no_declaration_yet_leaves_other_kernels_alone(string source) => Assert.Null(new Run("").Failure("using AttentionGen;\n" + source, withGenerated: true));

    /// <summary>The driver after a run over whole sources, and what it wrote for the others.</summary>
    private sealed class Run
    {
        private static readonly ImmutableArray<DiagnosticAnalyzer> s_analyzers = [new AttentionAnalyzer(), new CallAnalyzer()];

        private readonly Project _project;
        private readonly CSharpCompilation _compilation;
        private readonly GeneratorDriver _driver;
        private readonly Dictionary<string, string> _others;

        public Run(string source)
        {
            _project = new Project(source, Others) { AllowUnsafe = true, NoWarn = ["CS1591"] };
            _compilation = _project.Compilation();
            var run = Generation.Of(_project.Driver(), _compilation);
            if (source.Length > 0) run.AssertCompiles();
            _driver = run.Driver;
            var alone = new Project(Others).Generate();
            _others = alone.Sources.ToDictionary();
            Assert.Equal(4, _others.Count);
        }

        /// <summary>What goes wrong with a source in the place of the first; null for nothing.</summary>
        public string? Failure(string source, bool withGenerated)
        {
            var cancellation = TestContext.Current.CancellationToken;
            var compilation = (Compilation)_compilation.ReplaceSyntaxTree(_compilation.SyntaxTrees[0], _project.Tree(source, "Edited.cs"));
            var driver = _driver.RunGeneratorsAndUpdateCompilation(compilation, out var output, out _, cancellation);
            var result = driver.GetRunResult().Results[0];
            if (result.Exception is { } exception) return $"The generator: {exception.GetType().Name}: {exception.Message}\n{exception.StackTrace}";
            foreach (var generated in result.GeneratedSources)
                if (generated.HintName.Length > 100 || generated.HintName.Any(c => !char.IsAscii(c))) return $"A file has the name {generated.HintName}.";
            var texts = result.GeneratedSources.ToDictionary(generated => generated.HintName, generated => generated.SourceText);
            foreach (var (name, text) in _others)
                if ((!texts.TryGetValue(name, out var found) || found.ToString() != text) && !RefusesOthers(compilation)) return $"{name} is not what it was.";

            string? failure = null;
            var options = new CompilationWithAnalyzersOptions(
                new AnalyzerOptions([]), (thrown, _, _) => failure = $"The analyzer: {thrown.GetType().Name}: {thrown.Message}\n{thrown.StackTrace}", concurrentAnalysis: false, logAnalyzerExecutionTime: false);
            var found2 = (withGenerated ? output : compilation).WithAnalyzers(s_analyzers, options).GetAnalyzerDiagnosticsAsync(cancellation).GetAwaiter().GetResult();
            foreach (var diagnostic in found2)
                if (diagnostic.Id.StartsWith("AD", StringComparison.Ordinal) || diagnostic.GetMessage(CultureInfo.InvariantCulture).Length == 0) failure ??= $"The analyzer says {diagnostic}.";
            return failure;
        }

        /// <summary>Whether the compiler does not take the others any more: a variable of the first file may hide a namespace.</summary>
        private static bool RefusesOthers(Compilation compilation) =>
            compilation.GetSemanticModel(compilation.SyntaxTrees.ElementAt(1)).GetDiagnostics(cancellationToken: TestContext.Current.CancellationToken).Any(d => d.Severity == DiagnosticSeverity.Error && d.Id != MissingPart);

        private const string MissingPart = "CS8795";
    }
}
