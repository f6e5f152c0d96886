using System.Runtime.Intrinsics.X86;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Layers with everything that attention can be declared with: each has the bits of three calls, projections, attention and projection, and the accuracy of <see cref="LayerBound"/>.</summary>
public class LayerTests
{
    private const AttentionAxes All = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key;

    private const Roles Statistics = Roles.LogSumExp | Roles.MaxScore | Roles.Entropy | Roles.ArgMax, Norms = Roles.QueryNormWeight | Roles.KeyNormWeight;

    /// <summary>Only code that this machine can run: most of the time goes into compiling.</summary>
    internal static readonly AttentionIsas Isas = X86Base.IsSupported ? AttentionIsas.Avx2 | AttentionIsas.Avx512 : AttentionIsas.All;

    private static readonly Declaration s_plain = new(4, 32) { Isas = Isas }, s_causal = s_plain with { Mask = AttentionMask.Causal }, s_batched = s_plain with { Batched = true };

    private static readonly LayerDeclaration[] s_layers =
    [
        // Masks.
        new(s_plain, 96),
        new(s_causal, 96),
        new(s_plain with { Window = (20, 5) }, 40),
        new(s_causal with { Window = (16, -1), FirstKeys = 3 }, 40),
        new(s_causal with { PrefixLength = 10 }, 33),
        new(s_causal with { ChunkLength = 24 }, 33) { HasResidual = true },
        new(s_plain with { Dilation = 3 }, 33),
        new(s_causal with { Blocks = (16, 32, AttentionAxes.Query) }, 64),
        new(s_plain with { MaskText = "key % 3 != 1 && key <= query" }, 64),
        new(s_plain with { MaskText = "segment[query] == segment[key]" }, 64) { HasResidual = true },
        new(s_plain with { Keep = AttentionAxes.Query | AttentionAxes.Key }, 64),
        new(s_causal with { Roles = Roles.MaxThreads | Roles.DocumentStarts }, 64) { HasResidual = true },

        // Scores.
        new(s_causal with { ScoreText = "score - slope * MathF.Abs(query - key)" }, 64),
        new(s_plain with { Bias = All }, 64) { HasResidual = true },
        new(s_causal with { Alibi = true }, 64),
        new(s_plain with { SoftCap = 3, Scale = 0.5f }, 64),
        new(s_causal with { Roles = Roles.MaxThreads | Roles.Sinks | Roles.LogSumExp }, 64),
        new(s_plain with { Buckets = 32 }, 64),
        new(s_plain with { Roles = Roles.MaxThreads | Roles.Slopes | Roles.Scales }, 64),

        // Queries and keys.
        new(s_causal with { Norm = AttentionNorm.Rms, Roles = Roles.MaxThreads | Norms, Rotary = AttentionRotary.Halves }, 64),
        new(s_plain with { Norm = AttentionNorm.L2, Scale = 5 }, 64),
        new(s_plain with { Rotary = AttentionRotary.Interleaved, Rotated = (16, 8) }, 64) { HasResidual = true },

        // Results.
        new(s_causal with { Roles = Roles.MaxThreads | Statistics | Roles.Scores }, 64),
        new(s_plain with { ScoresStage = AttentionStage.Masked, Roles = Roles.MaxThreads | Roles.Scores, Keep = AttentionAxes.Key }, 64),

        // Shapes.
        new(new(6, 20) { KeyValueHeads = 2, ValueDim = 7, Mask = AttentionMask.Causal, Isas = Isas }, 50) { OutputDim = 31, HasResidual = true },
        new(new(8, 64) { KeyValueHeads = 1, Isas = Isas }, 300) { OutputDim = 513 },
        new(new(3, 1) { ValueDim = 40, Isas = Isas }, 1),
        new(new(1, 100) { Isas = Isas }, 7) { OutputDim = 1 },
        new(s_batched with { Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.KeyLengths }, 96) { HasResidual = true },
        new(s_batched with { QueryLength = 8, KeyLength = 8 }, 96),
        new(s_causal with { Roles = Roles.MaxThreads | Roles.QueryStart }, 48),

        // Weights.
        new(s_causal, 96) { Weights = Storage.BFloat16, HasResidual = true },
        new(s_causal with { KeyValueHeads = 2, ValueDim = 48 }, 70) { Weights = Storage.BFloat16, OutputDim = 96 },
        new(s_plain, 300) { Weights = Storage.SByte },
        new(s_causal with { KeyValueHeads = 1, ValueDim = 20 }, 70) { Weights = Storage.SByte, OutputDim = 33, HasResidual = true },

        // Context.
        new(s_plain, 96) { ContextDim = 50, HasResidual = true },
        new(s_plain, 96) { ContextDim = 96 },
        new(s_causal with { KeyValueHeads = 2, ValueDim = 17, Roles = Roles.MaxThreads | Roles.LogSumExp }, 33) { ContextDim = 257, OutputDim = 65 },
        new(s_batched with { Window = (60, -1), Roles = Roles.MaxThreads | Roles.KeyLengths | Roles.QueryStarts }, 40) { ContextDim = 24, Weights = Storage.BFloat16 },
        new(s_plain with { Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts }, 40) { ContextDim = 24, Weights = Storage.SByte },
    ];

    internal static readonly LayerKernels Kernels = new(s_layers);

    public static TheoryData<string> Names => [.. s_layers.Select(layer => $"{layer}")];

    [Theory, MemberData(nameof(Names))]
    public void Results_are_those_of_the_parts_and_of_double_precision(string name)
    {
        var layer = s_layers.Single(layer => layer.ToString() == name);
        (int, int)[] lengths = layer.ContextDim > 0 ? [(1, 130), (70, 33), (5, 0), (20, 200)] : layer.Attention.QueryLength > 0 ? [(8, 8)] : [(1, 1), (7, 7), (100, 100), (0, 0)];
        bool biased = true;
        foreach (var (queries, keys) in lengths)
        {
            using var inputs = new LayerInputs(Kernels, layer, ProblemOf(layer.Attention, queries, keys), seed: queries + 1, biased = !biased || queries == 100);
            inputs.Check();
        }
    }

    private static Problem ProblemOf(Declaration attention, int queries, int keys)
    {
        var problem = new Problem(attention, queries, keys) { Batch = attention.Batched ? 3 : 1 };
        if (attention.Has(Roles.KeyLengths)) problem = problem with { KeyLengths = [keys, keys / 2, Math.Max(keys - 1, 0)] };
        if (attention.Has(Roles.QueryStart)) problem = problem with { QueryStarts = [3] };
        if (attention.Has(Roles.QueryStarts)) problem = problem with { QueryStarts = [0, 2, 5] };
        if (attention.Has(Roles.DocumentStarts)) problem = problem with { DocumentStarts = Starts(queries, 3) };
        if (attention.Has(Roles.KeyDocumentStarts)) problem = problem with { KeyDocumentStarts = Starts(keys, 2) };
        if (attention.Blocks.Keys > 0)
        {
            // Each list has its first block of keys and the one before the diagonal.
            int rows = (queries + attention.Blocks.Queries - 1) / attention.Blocks.Queries;
            int[][] lists = [.. Enumerable.Range(0, rows).Select(row => new[] { 0, row * attention.Blocks.Queries / attention.Blocks.Keys }.Distinct().ToArray())];
            problem = problem with { Lists = (PagedCalls.Starts([.. lists.Select(list => list.Length)]), [.. lists.SelectMany(list => list)]) };
        }

        return problem;

        static int[] Starts(int tokens, int part) => [0, tokens / part, tokens / part, tokens];
    }
}
