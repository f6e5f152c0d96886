using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Kernels;

/// <summary>
/// What is timed beside plain kernels. A row is an id, the plain shape, what differs in functions that the reference and the peers go by, and the
/// kernel, with how it is called where it takes more than the tensors. The kernel is held against those functions, not against itself.
/// </summary>
internal static class VariantTable
{
    // P2's heads, more tokens, and masks that say all themselves.
    private static readonly Shape s_open = ShapeTable.P2 with { Queries = 4096, Keys = 4096, Causal = false };

    private static readonly (Shape Shape, Kernel Kernel)[] s_rows =
    [
        Row("M-causal", ShapeTable.P2, new("a MaskMethod"), Kernel.Of(VariantKernels.CausalMethod)),
        Row("M-window", ShapeTable.P6, new("a MaskMethod"), Kernel.Of(VariantKernels.WindowMethod)),
        Row("M-window-first", ShapeTable.P6 with { WindowLeft = -1 },
            new("MaskMethod: 512 keys or the first 4") { Sees = (_, query, key) => query - key < 512 || key < 4 },
            Kernel.Of(VariantKernels.WindowOrFirstMethod)),
        Row("M-prefix", s_open with { Queries = 1024, Keys = 1024 },
            new("causal with a prefix of 256") { Sees = (_, query, key) => key <= query || key < 256 }, Kernel.Of(VariantKernels.Prefix), plain: "P2"),
        Row("M-chunks", s_open, new("causal in chunks of 512") { Sees = (_, query, key) => key <= query && query / 512 == key / 512 }, Kernel.Of(VariantKernels.Chunks), plain: "P2"),
        Row("M-dilation", s_open, new("causal, every fourth key") { Sees = (_, query, key) => key <= query && (query - key) % 4 == 0 }, Kernel.Of(VariantKernels.Dilation), plain: "P2"),
        Row("M-documents", s_open,
            new("16 documents, causal") { Sees = SameDocument },
            Kernel.Of(VariantKernels.Documents, (in KernelCall call) => VariantKernels.Documents(call.Query, call.Key, call.Value, call.Output, VariantKernels.DocumentStarts, call.MaxThreads)), plain: "P2"),
        Row("M-documents-apart", s_open, new("16 documents in calls of their own") { Sees = SameDocument }, Kernel.Of(TokenMajor.H12D64Causal, Apart), plain: "P2"),
        Row("M-blocks", s_open,
            new("lists of blocks of 64 x 64, the diagonal and a tenth of the others") { Sees = (_, query, key) => key <= query && VariantKernels.IsListed(query / 64, key / 64) },
            Kernel.Of(VariantKernels.Blocks, (in KernelCall call) =>
                VariantKernels.Blocks(call.Query, call.Key, call.Value, call.Output, VariantKernels.KeyBlockStarts, VariantKernels.KeyBlocks, call.MaxThreads)), plain: "P2"),
        Row("M-keep", ShapeTable.P2,
            new("keep [M, N], 7 of 8 keys") { Sees = (_, query, key) => query == key || Noise(0, query, key) >= 32 },
            Kernel.Of(VariantKernels.Keep, (in KernelCall call) => VariantKernels.Keep(call.Query, call.Key, call.Value, call.Keep, call.Output, call.MaxThreads))),
        Row("M-bias", ShapeTable.P2,
            new("bias [M, N]") { Bias = (_, query, key) => Small(0, query, key) },
            Kernel.Of(VariantKernels.Bias, (in KernelCall call) => VariantKernels.Bias(call.Query, call.Key, call.Value, call.Bias, call.Output, call.MaxThreads))),
        Row("M-bias-heads", ShapeTable.P2,
            new("bias [H, M, N]") { Bias = Small, PerHead = true },
            Kernel.Of(VariantKernels.BiasOfHeads, (in KernelCall call) => VariantKernels.BiasOfHeads(call.Query, call.Key, call.Value, call.Bias, call.Output, call.MaxThreads))),
        Row("M-alibi", ShapeTable.P2, new("ALiBi") { Alibi = true, PerHead = true }, Kernel.Of(VariantKernels.Alibi)),
        Row("M-relative", ShapeTable.P2,
            new("T5 bias, 32 buckets") { Bias = VariantKernels.RelativeOf, PerHead = true },
            Kernel.Of(VariantKernels.Relative, (in KernelCall call) => VariantKernels.Relative(call.Query, call.Key, call.Value, call.Output, VariantKernels.RelativeBias, call.MaxThreads))),
        Row("M-cap", ShapeTable.P2, new("soft cap 50") { SoftCap = 50 }, Kernel.Of(VariantKernels.SoftCap)),
        Row("M-sinks", ShapeTable.P2,
            new("sinks") { Sinks = [.. Enumerable.Range(0, ShapeTable.P2.Heads).Select(head => head / 4f)] },
            Kernel.Of(VariantKernels.Sinks, (in KernelCall call) => VariantKernels.Sinks(call.Query, call.Key, call.Value, call.Sinks, call.Output, call.MaxThreads))),
        Row("M-lse", ShapeTable.P2,
            new("log-sum-exp") { LogSumExp = true },
            Kernel.Of(VariantKernels.LogSumExp, (in KernelCall call) => VariantKernels.LogSumExp(call.Query, call.Key, call.Value, call.Output, call.LogSumExp, call.MaxThreads))),
        Row("M-score-distance", ShapeTable.P2,
            new("ScoreMethod: - log of the distance") { Bias = (_, query, key) => VariantKernels.LogDistance(0, query, key) },
            Kernel.Of(VariantKernels.ScoreOfDistance)),
        Row("M-score-position", ShapeTable.P2,
            new("ScoreMethod: * log of the position") { Score = (_, query, key, score) => VariantKernels.Sharpened(score, query, key) },
            Kernel.Of(VariantKernels.ScoreOfPosition)),
    ];

    public static IReadOnlyList<Shape> Shapes { get; } = [.. s_rows.Select(row => row.Shape)];

    public static Kernel KernelOf(Shape shape) => s_rows.First(row => row.Shape.Id == shape.Id).Kernel;

    private static (Shape Shape, Kernel Kernel) Row(string id, Shape shape, Variant variant, Kernel kernel, string? plain = null) =>
        (shape with { Id = id, Variant = variant with { Plain = plain ?? shape.Id } }, kernel);

    private static bool SameDocument(int head, int query, int key) => key <= query && VariantKernels.DocumentOf[query] == VariantKernels.DocumentOf[key];

    private static void Apart(in KernelCall call)
    {
        int token = ShapeTable.P2.Heads * ShapeTable.P2.HeadDim;
        for (int i = 0; i + 1 < VariantKernels.DocumentStarts.Length; i++)
        {
            int from = VariantKernels.DocumentStarts[i] * token, length = VariantKernels.DocumentStarts[i + 1] * token - from;
            TokenMajor.H12D64Causal(call.Query.Slice(from, length), call.Key.Slice(from, length), call.Value.Slice(from, length), call.Output.Slice(from, length), call.MaxThreads);
        }
    }

    // 0 to 255, without any order that a mask could be made of.
    private static uint Noise(int head, int query, int key)
    {
        uint mixed = (uint)((head * 0x2545F491) ^ (query * 0x27D4EB2F) ^ (key * 0x165667B1));
        mixed = (mixed ^ (mixed >> 15)) * 0x85EBCA6B;
        return (mixed ^ (mixed >> 13)) * 0xC2B2AE35 >> 24;
    }

    // -2 to 2 in steps that half precision holds: ggml takes its mask in that.
    private static float Small(int head, int query, int key) => ((int)Noise(head, query, key) - 128) / 64f;
}
