namespace AttentionGen.Views;

/// <summary>Weights of the same queries and keys without and with a mask.</summary>
public sealed record MaskExample
{
    /// <param name="queries">The texts of the queries.</param>
    /// <param name="keys">The texts of the keys.</param>
    /// <param name="unmasked">[queries, keys], without the mask.</param>
    /// <param name="masked">[queries, keys], with the mask.</param>
    /// <exception cref="ArgumentNullException">A list of texts, or a text, is null.</exception>
    /// <exception cref="ArgumentException">A length does not fit, or a number is not a weight.</exception>
    public MaskExample(IReadOnlyList<string> queries, IReadOnlyList<string> keys, ReadOnlySpan<float> unmasked, ReadOnlySpan<float> masked)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(keys);
        (Queries, Keys) = ([.. queries], [.. keys]);
        foreach (string text in Queries) ArgumentNullException.ThrowIfNull(text, nameof(queries));
        foreach (string text in Keys) ArgumentNullException.ThrowIfNull(text, nameof(keys));
        Unmasked = Weights(unmasked, nameof(unmasked));
        Masked = Weights(masked, nameof(masked));
    }

    /// <summary>The texts of the queries.</summary>
    public IReadOnlyList<string> Queries { get; }

    /// <summary>The texts of the keys.</summary>
    public IReadOnlyList<string> Keys { get; }

    /// <summary>[queries, keys], without the mask.</summary>
    public IReadOnlyList<float> Unmasked { get; }

    /// <summary>[queries, keys], with the mask.</summary>
    public IReadOnlyList<float> Masked { get; }

    private float[] Weights(ReadOnlySpan<float> weights, string name)
    {
        if (weights.Length != Queries.Count * Keys.Count)
            throw new ArgumentException($"{name} has {weights.Length} numbers, but should have {Queries.Count * Keys.Count}: {Queries.Count} queries x {Keys.Count} keys.", name);
        for (int i = 0; i < weights.Length; i++)
            if (!(weights[i] is >= 0 and <= 1.01f))
                throw new ArgumentException(FormattableString.Invariant($"{name} of query {i / Keys.Count}, key {i % Keys.Count} is {weights[i]}: a weight is between 0 and 1."), name);
        return weights.ToArray();
    }
}
