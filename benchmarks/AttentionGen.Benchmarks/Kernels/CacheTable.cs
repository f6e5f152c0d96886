using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Kernels;

/// <summary>What is timed through caches: each row of the table in each type of storage.</summary>
internal static class CacheTable
{
    private const int Sequences = 32, Shortest = 17, Longest = 4096;

    private static readonly (Shape Shape, CacheKind Kind, string Spans)[] s_rows =
    [
        (new("C-D1", 32, 8, 128, 1, 4096, Causal: true), CacheKind.Sequence, "D1"),
        (new("C-D1-cold", 32, 8, 128, 1, 4096, Causal: true) { Cold = true }, CacheKind.Sequence, "D1"),
        (new("C-D2", 12, 12, 64, 1, 1024, Causal: true), CacheKind.Sequence, "D2"),
        (new("C-D2-cold", 12, 12, 64, 1, 1024, Causal: true) { Cold = true }, CacheKind.Sequence, "D2"),
        (new("C-D3", 32, 32, 128, 1, 8192, Causal: true), CacheKind.Sequence, "D3"),
        (new("C-pages", 32, 8, 128, 1, 4096, Causal: true), CacheKind.Pages, ""),
        (new("C-batch", 32, 8, 128, 1, Longest, Causal: true) { Batch = Sequences, Lengths = Lengths() }, CacheKind.Batch, ""),
        (new("C-P3", 32, 8, 128, 1024, 1024, Causal: true), CacheKind.Sequence, "P3"),
        (new("C-append", 8, 8, 128, 1, 1, Causal: true), CacheKind.Append, ""),
    ];

    public static IReadOnlyList<Shape> Shapes { get; } =
    [
        .. from row in s_rows
           from storage in Storage.All
           select row.Shape with { Id = row.Shape.Id + storage.Suffix, Cache = new CacheRow(storage, row.Kind, row.Spans) },
    ];

    /// <summary>Evenly spread, in an order in which long and short sequences take turns.</summary>
    private static int[] Lengths() =>
        [.. Enumerable.Range(0, Sequences).Select(i => Shortest + i * 13 % Sequences * (Longest - Shortest) / (Sequences - 1))];
}
