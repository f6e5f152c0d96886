using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Calls of random lengths, most of them beside the edges of the tiles of projections and attention, with random data.</summary>
public class RandomLayerTests
{
    private static readonly LayerDeclaration[] s_layers =
    [
        new(new(2, 16) { Mask = AttentionMask.Causal, Isas = LayerTests.Isas }, 33) { HasResidual = true },
        new(new(3, 24) { KeyValueHeads = 1, ValueDim = 10, Isas = LayerTests.Isas }, 17) { ContextDim = 40, OutputDim = 70 },
        new(new(2, 32) { Mask = AttentionMask.Causal, Window = (30, -1), Batched = true, Isas = LayerTests.Isas, Roles = Roles.MaxThreads | Roles.KeyLengths | Roles.LogSumExp }, 64) { Weights = Storage.SByte },
        new(new(2, 32) { Alibi = true, Isas = LayerTests.Isas, Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts }, 32) { ContextDim = 32, Weights = Storage.BFloat16 },
    ];

    private static readonly LayerKernels s_kernels = new(s_layers);

    /// <summary>Tiles of projections have 6 to 12 rows, blocks of rows 96; tiles of attention 12 to 96, blocks of keys 64 to 256.</summary>
    private static readonly int[] s_edges = [1, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];

    public static MatrixTheoryData<int, int> Seeds => new(Enumerable.Range(0, s_layers.Length), Enumerable.Range(1, 4));

    [Theory, MemberData(nameof(Seeds))]
    public void Random_calls(int index, int seed)
    {
        var layer = s_layers[index];
        var random = new Random(100 * index + seed);
        for (int i = 0; i < 5; i++)
        {
            int queries = Tokens(random), keys = layer.ContextDim == 0 ? queries : Tokens(random);
            var problem = new Problem(layer.Attention, queries, keys) { Batch = layer.Attention.Batched ? 1 + random.Next(3) : 1 };
            if (layer.Attention.Has(Roles.KeyLengths)) problem = problem with { KeyLengths = [.. Enumerable.Range(0, problem.Batch).Select(_ => random.Next(keys + 1))] };
            if (layer.Attention.Has(Roles.DocumentStarts))
            {
                int documents = 1 + random.Next(4);
                problem = problem with { DocumentStarts = Cuts(random, queries, documents), KeyDocumentStarts = Cuts(random, keys, documents) };
            }

            using var inputs = new LayerInputs(s_kernels, layer, problem, seed: random.Next(1000), biased: random.Next(2) == 0);
            inputs.Check();
            ThreadTests.AssertSameBits(inputs.Run(), inputs.Run(maxThreads: 2 + random.Next(3)));
        }
    }

    private static int Tokens(Random random) => random.Next(4) == 0 ? 1 + random.Next(200) : Math.Max(1, s_edges[random.Next(s_edges.Length)] + random.Next(-1, 2));

    private static int[] Cuts(Random random, int tokens, int parts) => [0, .. Enumerable.Range(1, parts - 1).Select(_ => random.Next(tokens + 1)).Order(), tokens];
}
