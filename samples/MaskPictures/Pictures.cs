namespace AttentionGen.MaskPictures;

/// <summary>A picture of docs/masks.md: a declaration and a small call of it.</summary>
/// <param name="Name">The file.</param>
/// <param name="Arguments">Arguments of the attribute, after heads and headDim.</param>
internal sealed record Picture(string Name, string Arguments)
{
    /// <summary>Further parameters of the kernel.</summary>
    public string Parameters { get; init; } = "";

    /// <summary>The user's own mask, an expression.</summary>
    public string Mask { get; init; } = "";

    public int Queries { get; init; } = 32;

    public int Keys { get; init; } = 32;

    public int[] PrefixLengths { get; init; } = [];

    public int[] KeyLengths { get; init; } = [];

    public int[] DocumentStarts { get; init; } = [];

    /// <summary>Lists of a block-sparse mask; the picture's blocks are smaller than any of a kernel.</summary>
    public (int[] Starts, int[] Blocks, int Size)? Lists { get; init; }

    public static IReadOnlyList<Picture> All { get; } =
    [
        new("causal", "Mask = AttentionMask.Causal"),
        new("window", "Mask = AttentionMask.Causal, WindowLeft = 7"),
        new("both-sides", "WindowLeft = 5, WindowRight = 5"),
        new("cache", "Mask = AttentionMask.Causal") { Queries = 12 },
        new("prefix", "Mask = AttentionMask.Causal, PrefixLength = 10"),
        new("padding", "") { Parameters = "ReadOnlySpan<int> keyLengths", KeyLengths = [22] },
        new("documents", "Mask = AttentionMask.Causal") { Parameters = "ReadOnlySpan<int> documentStarts", DocumentStarts = [0, 7, 19, 32] },
        new("chunks", "Mask = AttentionMask.Causal, ChunkLength = 12"),
        new("dilated", "Mask = AttentionMask.Causal, Dilation = 3, WindowLeft = 18"),
        new("blocks", "Mask = AttentionMask.Causal") { Lists = ([0, 1, 2, 4, 5, 7, 9, 11, 14], [0, 1, 0, 2, 3, 0, 4, 2, 5, 0, 6, 1, 3, 7], 4) },
        new("own-window-and-first", "MaskMethod = nameof(Visible)") { Mask = "key <= query && (query - key < 8 || key < 3)" },
        new("own-block-causal", "MaskMethod = nameof(Visible)") { Mask = "key / 8 <= query / 8" },
        new("own-global-rows", "MaskMethod = nameof(Visible)") { Mask = "query < 4 || key < 4 || Math.Abs(query - key) < 4" },
        new("own-stripes", "MaskMethod = nameof(Visible)") { Mask = "key <= query && (query - key < 8 || key % 6 == 0)" },
    ];
}
