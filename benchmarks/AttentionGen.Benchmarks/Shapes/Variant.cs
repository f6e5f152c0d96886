namespace AttentionGen.Benchmarks.Shapes;

/// <summary>
/// What a shape has beside plain attention, said once as functions of head, query (its position) and key: the reference computes with them, and
/// the tensors of kernels and peers are filled from them. How a kernel is told of it is its declaration's business.
/// </summary>
/// <param name="Title">For people.</param>
internal sealed record Variant(string Title)
{
    /// <summary>The shape of the plain kernel that is timed beside it.</summary>
    public string Plain { get; init; } = "";

    /// <summary>Whether a query sees a key that the shape's own mask lets it see; null for yes.</summary>
    public Func<int, int, int, bool>? Sees { get; init; }

    /// <summary>What is added to a score; null for nothing.</summary>
    public Func<int, int, int, float>? Bias { get; init; }

    /// <summary>Whether the two differ from head to head; otherwise one tensor serves all.</summary>
    public bool PerHead { get; init; }

    /// <summary>Whether scores fall with the distance by the standard slopes. It is a bias that some know by name.</summary>
    public bool Alibi { get; init; }

    /// <summary>What becomes of a score where it is more than a sum: of head, query, key and score.</summary>
    public Func<int, int, int, float, float>? Score { get; init; }

    /// <summary>0 for none.</summary>
    public float SoftCap { get; init; }

    /// <summary>A score of each head without a key; null for none.</summary>
    public float[]? Sinks { get; init; }

    /// <summary>Whether log-sum-exps are wanted beside the output.</summary>
    public bool LogSumExp { get; init; }

    /// <summary>Whether a tensor beside the scores says all of it, -infinity for what is hidden.</summary>
    public bool HasBias => Bias is not null || Alibi;

    /// <summary>What is added to a score, by whichever way.</summary>
    public float Added(int heads, int head, int query, int key) =>
        (Bias?.Invoke(head, query, key) ?? 0) - (Alibi ? Slope(heads, head) * Math.Abs(query - key) : 0);

    private static float Slope(int heads, int head)
    {
        int n = 1;
        while (2 * n <= heads) n *= 2;
        return (float)Math.Pow(2, head < n ? -8.0 * (head + 1) / n : -4.0 * (2 * (head - n) + 1) / n);
    }
}
