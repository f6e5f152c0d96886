using AttentionGen.Benchmarks.Kernels;

namespace AttentionGen.Benchmarks.Shapes;

/// <summary>What is timed. A shape's kernels stand in <see cref="KernelTable"/>.</summary>
internal static class ShapeTable
{
    /// <summary>The plain shapes that variants are made of.</summary>
    public static Shape P2 { get; } = new("P2", 12, 12, 64, 1024, 1024, Causal: true);

    public static Shape P6 { get; } = new("P6", 16, 8, 64, 4096, 4096, Causal: true) { WindowLeft = 511 };

    public static IReadOnlyList<Shape> Prefill { get; } =
    [
        new("P1", 12, 12, 64, 512, 512, Causal: false),
        P2,
        new("P3", 32, 8, 128, 1024, 1024, Causal: true),
        new("P3b", 32, 8, 128, 2048, 2048, Causal: true),
        new("P4", 8, 8, 128, 4096, 4096, Causal: true),
        new("P5", 4, 4, 32, 384, 384, Causal: false),
        P6,
        new("G1-80", 8, 8, 80, 1024, 1024, Causal: true),
        new("G1-96", 8, 8, 96, 1024, 1024, Causal: true),
    ];

    public static IReadOnlyList<Shape> Short { get; } =
    [
        new("S1", 3, 3, 32, 49, 49, Causal: false) { Batch = 64 },
        new("S2", 12, 12, 64, 128, 128, Causal: false) { Batch = 8 },
        new("S3", 12, 12, 64, 197, 197, Causal: false),
        new("S4", 12, 12, 64, 16, 16, Causal: true),
    ];

    public static IReadOnlyList<Shape> Decode { get; } =
    [
        new("D1", 32, 8, 128, 1, 2048, Causal: true), // 16 MiB: in the third-level cache of a server
        new("D1 cold", 32, 8, 128, 1, 4096, Causal: true) { Cold = true },
        new("D2", 12, 12, 64, 1, 1024, Causal: true),
        new("D2 cold", 12, 12, 64, 1, 1024, Causal: true) { Cold = true },
        new("D3", 32, 32, 128, 1, 8192, Causal: true), // 256 MiB: no cache holds it
    ];

    public static IReadOnlyList<Shape> FewRows { get; } =
        [.. new[] { 2, 4, 8, 16, 32 }.Select(queries => new Shape($"F{queries}", 32, 8, 128, queries, 4096, Causal: true))];

    /// <summary>Masks, scores and outputs of kernels, each beside the plain kernel of its shape.</summary>
    public static IReadOnlyList<Shape> Masks => VariantTable.Shapes;

    /// <summary>Our kernels over caches, beside what they are compared with.</summary>
    public static IReadOnlyList<Shape> Caches => CacheTable.Shapes;

    /// <summary>Linear layers: many rows, and few against weights out of DRAM.</summary>
    public static IReadOnlyList<Shape> Linear { get; } =
    [
        LinearRow.Shape("L-768", 512, 768, 768),
        LinearRow.Shape("L-ffn", 512, 768, 3072),
        LinearRow.Shape("L-64", 64, 512, 512),
        .. LinearStorage.All.Select(weights => LinearRow.Shape($"L-1{weights.Suffix}", 1, 4096, 2048, layers: 8, weights)), // 256 MiB of float: no cache holds it
        LinearRow.Shape("L-8", 8, 4096, 2048, layers: 8),
    ];

    /// <summary>Whole attention layers: an encoder's with many rows, and a step of a decoder, whose weights no cache holds.</summary>
    public static IReadOnlyList<Shape> Layers { get; } =
    [
        LayerRow.Shape("ML-P1", 768, 12, 12, 64, 512, 512, causal: false, LayerKernels.H12D64, (input, weights, _, output, threads) => LayerKernels.H12D64(input, weights, output, threads)),
        LayerRow.Shape("ML-D", 4096, 32, 8, 128, 1, 4096, causal: true, LayerKernels.H32On8D128Step, LayerKernels.H32On8D128Step!),
    ];

    /// <summary>Other attentions than dot products and a softmax over values.</summary>
    public static IReadOnlyList<Shape> Family => FamilyTable.Shapes;

    /// <summary>What stands for several shapes on the command line.</summary>
    public static IReadOnlyList<(string Name, IReadOnlyList<Shape> Shapes)> Groups =>
        [("prefill", Prefill), ("short", Short), ("decode", Decode), ("few", FewRows), ("masks", Masks), ("caches", Caches), ("linear", Linear), ("layers", Layers), ("family", Family)];

    public static IReadOnlyList<Shape> All => [.. Groups.SelectMany(group => group.Shapes)];

    /// <exception cref="FormatException">There is none.</exception>
    public static Shape Find(string id) =>
        All.FirstOrDefault(shape => Same(shape.Id, id)) ?? throw new FormatException($"There is no shape {id}. There are {Names}.");

    /// <summary>A shape, those of a group, or those whose ids begin as the text before a star.</summary>
    /// <exception cref="FormatException">There are none.</exception>
    public static IReadOnlyList<Shape> Select(string name)
    {
        if (!name.EndsWith('*')) return Groups.FirstOrDefault(group => Same(group.Name, name)).Shapes ?? [Find(name)];
        List<Shape> shapes = [.. All.Where(shape => shape.Id.StartsWith(name[..^1], StringComparison.OrdinalIgnoreCase))];
        return shapes.Count > 0 ? shapes : throw new FormatException($"No shape begins with {name[..^1]}. There are {Names}.");
    }

    /// <summary>All names of groups and shapes.</summary>
    public static string Names => string.Join("; ", Groups.Select(group => $"{group.Name}: {string.Join(", ", group.Shapes.Select(shape => shape.Id))}"));

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
