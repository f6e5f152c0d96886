namespace AttentionGen.Generator.Model;

/// <summary>The table of operands as a parser and messages see it: the name that gives a role, and the types that a parameter of the role may have.</summary>
internal static class RoleTable
{
    private const string TensorNamespace = "global::System.Numerics.Tensors.";

    public static IReadOnlyList<RoleRow> Rows { get; } = [.. OperandTable.Rows.Select(row => new RoleRow(row, Type(row), row.Kind == OperandKind.Tensor ? $"{TensorNamespace}{Access(row)}TensorSpan<float>" : null))];

    public static RoleRow Row(Role role) => Rows[(int)role];

    public static Role? ByName(string name) =>
        Rows.FirstOrDefault(row => string.Equals(row.Name, name, StringComparison.OrdinalIgnoreCase))?.Role;

    /// <summary>The table as text, for messages.</summary>
    public static string Text { get; } = string.Join(", ", Rows.Select(row => $"{Short(row.Type)} {row.Name}"))
        + "; query, key and value may also be ReadOnlyTensorSpan<float>, output TensorSpan<float>";

    /// <summary>A type as a user writes it, without namespaces.</summary>
    public static string Short(string type) => type.Replace(TensorNamespace, "").Replace("global::System.", "").Replace("global::", "");

    private static string Type(OperandRow row) =>
        row.Kind == OperandKind.Number ? ElementTypes.Text(row.Element) : $"global::System.{Access(row)}Span<{ElementTypes.Text(row.Element)}>";

    private static string Access(OperandRow row) => row.IsWritten || row.Kind == OperandKind.Memory ? "" : "ReadOnly";
}

/// <param name="Operand">The row of the table.</param>
/// <param name="Type">The type that a parameter of the role has.</param>
/// <param name="TensorType">The type with shape and strides that a tensor may have instead of a span.</param>
internal sealed record RoleRow(OperandRow Operand, string Type, string? TensorType)
{
    public Role Role => Operand.Role;

    public string Name => Operand.Name;

    public bool IsRequired => Operand.IsRequired;

    public bool NeedsPositions => Operand.NeedsPositions;

    /// <summary>The types that are allowed for a parameter of the role.</summary>
    public IReadOnlyList<string> Types => TensorType is null ? [Type] : [Type, TensorType];
}
