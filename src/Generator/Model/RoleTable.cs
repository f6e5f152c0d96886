namespace AttentionGen.Generator.Model;

/// <summary>The table of all parameter roles, with the name and the type of each.</summary>
internal static class RoleTable
{
    private const string TensorNamespace = "global::System.Numerics.Tensors.";
    private const string InputTensor = TensorNamespace + "ReadOnlyTensorSpan<float>", OutputTensor = TensorNamespace + "TensorSpan<float>";

    public static readonly IReadOnlyList<RoleRow> Rows =
    [
        new(Role.Query, "query", "global::System.ReadOnlySpan<float>", IsRequired: true) { TensorType = InputTensor },
        new(Role.Key, "key", "global::System.ReadOnlySpan<float>", IsRequired: true) { TensorType = InputTensor },
        new(Role.Value, "value", "global::System.ReadOnlySpan<float>", IsRequired: true) { TensorType = InputTensor },
        new(Role.Output, "output", "global::System.Span<float>", IsRequired: true) { TensorType = OutputTensor },
        new(Role.Batch, "batch", "int"),
        new(Role.QueryStart, "queryStart", "int", NeedsPositions: true),
        new(Role.QueryStarts, "queryStarts", "global::System.ReadOnlySpan<int>", NeedsPositions: true),
        new(Role.KeyLengths, "keyLengths", "global::System.ReadOnlySpan<int>"),
        new(Role.MaxThreads, "maxThreads", "int"),
        new(Role.Scratch, "scratch", "global::System.Span<byte>"),
        new(Role.Bias, "bias", "global::System.ReadOnlySpan<float>"),
        new(Role.Keep, "keep", "global::System.ReadOnlySpan<bool>"),
        new(Role.Slopes, "slopes", "global::System.ReadOnlySpan<float>"),
        new(Role.Sinks, "sinks", "global::System.ReadOnlySpan<float>"),
        new(Role.LogSumExp, "logSumExp", "global::System.Span<float>"),
        new(Role.PrefixLength, "prefixLength", "int"),
        new(Role.PrefixLengths, "prefixLengths", "global::System.ReadOnlySpan<int>"),
        new(Role.DocumentStarts, "documentStarts", "global::System.ReadOnlySpan<int>"),
        new(Role.KeyDocumentStarts, "keyDocumentStarts", "global::System.ReadOnlySpan<int>"),
        new(Role.KeyBlockStarts, "keyBlockStarts", "global::System.ReadOnlySpan<int>"),
        new(Role.KeyBlocks, "keyBlocks", "global::System.ReadOnlySpan<int>"),
        new(Role.RelativeBias, "relativeBias", "global::System.ReadOnlySpan<float>"),
        new(Role.Scales, "scales", "global::System.ReadOnlySpan<float>"),
        new(Role.Scores, "scores", "global::System.Span<float>"),
        new(Role.MaxScore, "maxScore", "global::System.Span<float>"),
        new(Role.Entropy, "entropy", "global::System.Span<float>"),
        new(Role.ArgMax, "argmax", "global::System.Span<int>"),
        new(Role.QueryNormWeight, "queryNormWeight", "global::System.ReadOnlySpan<float>"),
        new(Role.KeyNormWeight, "keyNormWeight", "global::System.ReadOnlySpan<float>"),
    ];

    public static RoleRow Row(Role role) => Rows[(int)role];

    public static Role? ByName(string name) =>
        Rows.FirstOrDefault(row => string.Equals(row.Name, name, StringComparison.OrdinalIgnoreCase))?.Role;

    /// <summary>The table as text, for messages.</summary>
    public static string Text { get; } = string.Join(", ", Rows.Select(row => $"{Short(row.Type)} {row.Name}"))
        + "; query, key and value may also be ReadOnlyTensorSpan<float>, output TensorSpan<float>";

    /// <summary>A type as a user writes it, without namespaces.</summary>
    public static string Short(string type) => type.Replace(TensorNamespace, "").Replace("global::System.", "").Replace("global::", "");
}

/// <summary>A row of <see cref="RoleTable"/>.</summary>
/// <param name="NeedsPositions">Whether the role has an effect only if a mask or a score uses positions.</param>
internal sealed record RoleRow(Role Role, string Name, string Type, bool IsRequired = false, bool NeedsPositions = false)
{
    /// <summary>The tensor span, with its own shape and strides, that is allowed instead of the span; null for none.</summary>
    public string? TensorType { get; init; }

    /// <summary>The types that are allowed for a parameter of the role.</summary>
    public IReadOnlyList<string> Types => TensorType is null ? [Type] : [Type, TensorType];
}
