using System.Runtime.Intrinsics.X86;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Kernels that read a cache, beside everything that changes what is loaded, scored or kept of a row: integers with scales in a cache and in pages, and the other types in pages.
/// <see cref="StorageKernelTests"/> has elements of 16 bits in spans.
/// </summary>
[Collection(nameof(Isolated))]
public class CachedKernelTests
{
    private const AttentionAxes All = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key;

    private const Roles Statistics = Roles.MaxScore | Roles.Entropy | Roles.ArgMax;

    private static readonly Declaration[] s_kinds =
    [
        new(4, 64) { KeyValueHeads = 1, Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.LogSumExp | Roles.Sinks },
        new(8, 100) { KeyValueHeads = 1, ValueDim = 33, SoftCap = 3, Bias = All, Roles = Roles.MaxThreads | Roles.LogSumExp },
        new(3, 33) { KeyValueHeads = 1, Mask = AttentionMask.Causal, Keep = AttentionAxes.Query | AttentionAxes.Key, Alibi = true },
        new(4, 7) { KeyValueHeads = 2, ValueDim = 1, Mask = AttentionMask.Causal, Buckets = 32, Roles = Roles.MaxThreads | Roles.LogSumExp },
        new(1, 1) { ValueDim = 20, MaskText = "key % 3 != 1 && key <= query", ScoreText = "score - slope * MathF.Abs(query - key)" },
        new(2, 20) { ValueDim = 7, Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.Scores },
        new(4, 80) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Window = (150, -1), FirstKeys = 3, Roles = Roles.MaxThreads | Statistics },
        new(4, 128) { KeyValueHeads = 1, ValueDim = 64, Mask = AttentionMask.Causal, ChunkLength = 300, Keep = AttentionAxes.Key, ScoresStage = AttentionStage.Masked, Roles = Roles.MaxThreads | Roles.Scores },
        new(6, 24) { KeyValueHeads = 2, Dilation = 3, Roles = Roles.MaxThreads | Roles.Slopes | Statistics },
        new(2, 32) { KeyValueHeads = 1, Mask = AttentionMask.Causal, PrefixLength = 40, Roles = Roles.MaxThreads | Roles.Scales | Roles.Sinks | Roles.LogSumExp | Roles.Scores },
        new(8, 64) { KeyValueHeads = 1 },
        new(4, 48) { KeyValueHeads = 2, ValueDim = 80, Window = (200, 30), Bias = AttentionAxes.Key, Roles = Roles.MaxThreads | Roles.QueryStart },
        new Declaration(6, 40) { KeyValueHeads = 2, ValueDim = 17, Mask = AttentionMask.Causal, Window = (300, -1) }.Hard,
    ];

    /// <summary>Of types whose other tests have no pages, or no cache at all.</summary>
    private static readonly (int Kind, Storage Storage, KeyStore KeysIn)[] s_others =
    [
        (0, Storage.Wide, KeyStore.Pages), (1, Storage.Half, KeyStore.Pages), (2, Storage.BFloat16, KeyStore.Cache), (5, Storage.Wide, KeyStore.Pages), (6, Storage.Wide, KeyStore.Cache), (6, Storage.BFloat16, KeyStore.Pages),
        (10, Storage.Wide, KeyStore.Pages), (11, Storage.Half, KeyStore.Cache),
        (12, Storage.Half, KeyStore.Pages), (12, Storage.Wide, KeyStore.Cache),
    ];

    /// <summary>Only code that this machine can run: most of the time of these tests goes into compiling.</summary>
    private static readonly AttentionIsas s_isas = X86Base.IsSupported ? AttentionIsas.Avx2 | AttentionIsas.Avx512 : AttentionIsas.All;

    private static readonly Declaration[] s_declarations =
    [
        .. from kind in s_kinds from keysIn in new[] { KeyStore.Cache, KeyStore.Pages } select kind with { Storage = Storage.SByte, KeysIn = keysIn, Isas = s_isas },
        .. from other in s_others select s_kinds[other.Kind] with { Storage = other.Storage, KeysIn = other.KeysIn, Isas = s_isas },
    ];

    /// <summary>The same for several sequences.</summary>
    private static readonly Declaration[] s_documents =
        [.. from declaration in s_declarations where declaration.KeysIn == KeyStore.Pages && !declaration.Has(Roles.QueryStart) select declaration with { Roles = declaration.Roles | Roles.DocumentStarts }];

    private static readonly KernelGroup s_kernels = new([.. s_declarations, .. s_documents]);

    /// <summary>Around the numbers of keys at which decode begins a new block, chunk or list of pages: each kind takes every fourth.</summary>
    private static readonly int[] s_long = [.. from edge in new[] { 64, 192, 240, 256, 384, 480, 512, 576, 1024, 1536 } from beside in new[] { -1, 0, 1 } select edge + beside];

    private static readonly (int Queries, int Keys)[] s_lengths = [(1, 1), (1, 16), (1, 33), (2, 65), (3, 17), (8, 400), (20, 130), (70, 100)];

    /// <summary>Queries that take the way of single rows, of a few, and of a tile.</summary>
    private static readonly int[] s_few = [1, 1, 2, 1, 3, 1, 4];

    public static TheoryData<string> Names => [.. s_declarations.Select(declaration => $"{declaration}")];

    public static TheoryData<string> NamesOfDocuments => [.. s_documents.Select(declaration => $"{declaration}")];

    [Theory, MemberData(nameof(Names))]
    public void Results_are_those_of_the_stored_values(string name)
    {
        int index = Array.FindIndex(s_declarations, declaration => declaration.ToString() == name);
        using var memory = new GuardedCacheMemory(); // NaN where no token is
        var lengths = s_lengths.Concat(s_long.Where((_, i) => i % 4 == index % 4).Select((keys, i) => (s_few[(i + index) % s_few.Length], keys)));
        foreach (var ((queries, keys), i) in lengths.Select((one, i) => (one, i)))
        {
            var problem = new Problem(s_declarations[index], queries, keys) { PageTokens = 16 << (i + index) % 3, MaxThreads = 1 + i % 2 };
            Check(problem.Declaration.Has(Roles.QueryStart) ? problem with { QueryStarts = [keys * 2 / 3] } : problem);
        }
    }

    [Theory, MemberData(nameof(NamesOfDocuments))]
    public void Results_of_sequences_are_those_of_the_stored_values(string name)
    {
        int index = Array.FindIndex(s_documents, declaration => declaration.ToString() == name);
        using var memory = new GuardedCacheMemory();
        (int[] Queries, int[] Keys)[] calls = [([1, 1, 1], [32, 193, 15]), ([1, 17, 0, 2], [481, 17, 9, 64]), ([3, 1], [100, 577])];
        foreach (var ((queries, keys), i) in calls.Select((one, i) => (one, i)))
        {
            int[] starts = PagedCalls.Starts(queries), keyStarts = PagedCalls.Starts(keys);
            Check(new Problem(s_documents[index], starts[^1], keyStarts[^1]) { DocumentStarts = starts, KeyDocumentStarts = keyStarts, PageTokens = 16 << (i + index) % 3, MaxThreads = 1 + i % 2 });
        }
    }

    private static void Check(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.RunEverywhere(s_kernels[problem.Declaration]));
        if (inputs.LogSumExp.Length > 0) Bound.CheckLogSumExp(inputs);
        if (inputs.Scores.Length > 0) Bound.CheckScores(inputs);
        if (inputs.ArgMax.Length > 0) Bound.CheckStatistics(inputs);
    }
}
