namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>A type of ggml's elements.</summary>
/// <param name="Name">Its own name.</param>
/// <param name="Number">Its own number.</param>
/// <param name="BlockElements">A block has so many elements.</param>
/// <param name="BlockBytes">The bytes of a block.</param>
/// <param name="Tolerance">The error of a result whose keys and values are rounded to it, and whose queries ggml rounds, too.</param>
internal sealed record GgmlType(string Name, int Number, int BlockElements, int BlockBytes, double Tolerance)
{
    public static GgmlType Float { get; } = new("f32", 0, 1, sizeof(float), 1e-3);

    public static GgmlType Half { get; } = new("f16", 1, 1, 2, 1e-2);

    /// <summary>Bytes, and a scale of 16 bits for 32 of them.</summary>
    public static GgmlType Bytes { get; } = new("q8_0", 8, 32, 34, 3e-2);

    /// <summary>Those that its users keep keys and values in.</summary>
    public static IReadOnlyList<GgmlType> OfCaches { get; } = [Float, Half, Bytes];

    /// <summary>Values in blocks cannot be kept transposed: a token would be an element of many blocks.</summary>
    public IReadOnlyList<GgmlWay> Ways => BlockElements == 1 ? [GgmlWay.Fused, GgmlWay.Unfused] : [GgmlWay.Fused];

    public long BytesOf(long elements) => elements / BlockElements * BlockBytes;
}
