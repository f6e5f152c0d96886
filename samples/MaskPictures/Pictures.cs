namespace AttentionGen.MaskPictures;

/// <summary>A picture of docs/masks.md: a declaration and a small call of it. The arguments of the call follow from its lengths.</summary>
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

    /// <summary>The number of keys at the end that the call hides.</summary>
    public int Padding { get; init; }

    /// <summary>The lengths of documents; after the last one, the list begins again.</summary>
    public int[] DocumentLengths { get; init; } = [];

    /// <summary>The size of the blocks of a block-sparse mask, smaller than any of a kernel, and the list of each block of queries; the lists go on in the same way.</summary>
    public (int Size, int[][] Rows)? Blocks { get; init; }

    public int[] KeyLengths => Padding > 0 ? [Math.Max(Keys - Padding, 0)] : [];

    /// <summary>Cumulative lengths up to the number of queries, of which there are as many as keys.</summary>
    public int[] DocumentStarts
    {
        get
        {
            if (DocumentLengths.Length == 0) return [];
            var starts = new List<int> { 0 };
            while (starts[^1] < Queries) starts.Add(Math.Min(starts[^1] + DocumentLengths[(starts.Count - 1) % DocumentLengths.Length], Queries));
            return [.. starts];
        }
    }

    /// <summary>The lists in compressed rows.</summary>
    public (int[] Starts, int[] Blocks, int Size)? Lists
    {
        get
        {
            if (Blocks is not var (size, rows)) return null;
            var lists = Enumerable.Range(0, (Queries + size - 1) / size).Select(row => rows[row % rows.Length].Select(block => block + row / rows.Length * rows.Length).ToArray()).ToList();
            var starts = new List<int> { 0 };
            foreach (int[] list in lists) starts.Add(starts[^1] + list.Length);
            return ([.. starts], [.. lists.SelectMany(list => list)], size);
        }
    }

    public static IReadOnlyList<Picture> All { get; } =
    [
        new("causal", "Mask = AttentionMask.Causal"),
        new("window", "Mask = AttentionMask.Causal, WindowLeft = 7"),
        new("first-keys", "Mask = AttentionMask.Causal, WindowLeft = 7, FirstKeys = 3"),
        new("both-sides", "WindowLeft = 5, WindowRight = 5"),
        new("cache", "Mask = AttentionMask.Causal") { Queries = 12 },
        new("prefix", "Mask = AttentionMask.Causal, PrefixLength = 10"),
        new("padding", "") { Parameters = "ReadOnlySpan<int> keyLengths", Padding = 10 },
        new("documents", "Mask = AttentionMask.Causal") { Parameters = "ReadOnlySpan<int> documentStarts", DocumentLengths = [7, 12, 13] },
        new("chunks", "Mask = AttentionMask.Causal, ChunkLength = 12"),
        new("dilated", "Mask = AttentionMask.Causal, Dilation = 3, WindowLeft = 18"),
        new("blocks", "Mask = AttentionMask.Causal") { Blocks = (4, [[0], [1], [0, 2], [3], [0, 4], [2, 5], [0, 6], [1, 3, 7]]) },
        new("own-window-and-first", "MaskMethod = nameof(Visible)") { Mask = "key <= query && (query - key < 8 || key < 3)" },
        new("own-block-causal", "MaskMethod = nameof(Visible)") { Mask = "key / 8 <= query / 8" },
        new("own-global-rows", "MaskMethod = nameof(Visible)") { Mask = "query < 4 || key < 4 || Math.Abs(query - key) < 4" },
        new("own-stripes", "MaskMethod = nameof(Visible)") { Mask = "key <= query && (query - key < 8 || key % 6 == 0)" },
    ];
}
