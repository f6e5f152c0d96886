namespace AttentionGen.Generator.Model;

/// <summary>The table of operands as a parser and messages see it: the name that gives a role, and the types that a parameter of the role may have.</summary>
internal static class RoleTable
{
    private const string TensorNamespace = "global::System.Numerics.Tensors.";

    public static IReadOnlyList<RoleRow> Rows { get; } = [.. OperandTable.Rows.Select(row => new RoleRow(row, [.. row.Others.Prepend(row.Element).SelectMany(element => TypesOf(row, element))]))];

    public static RoleRow Row(Role role) => Rows[(int)role];

    /// <summary>The row of a role as a declaration has it: the output of a layer is a span of floats.</summary>
    public static RoleRow Row(Role role, OperandUse use) => use == OperandUse.Layer && role == Role.Output ? s_layerOutput : Row(role);

    private static readonly RoleRow s_layerOutput = Row(Role.Output) with { Elements = [Row(Role.Output).Elements[0] with { TensorType = null }], Operand = Row(Role.Output).Operand with { Others = [] } };

    /// <summary>The rows of the roles that a declaration has.</summary>
    public static IEnumerable<RoleRow> RowsOf(OperandUse use) => Rows.Where(row => row.IsOf(use)).Select(row => Row(row.Role, use));

    public static Role? ByName(string name, OperandUse use) =>
        RowsOf(use).FirstOrDefault(row => string.Equals(row.Name, name, StringComparison.OrdinalIgnoreCase))?.Role;

    /// <summary>The table as text, for messages.</summary>
    public static string Text(OperandUse use) => string.Join(", ", RowsOf(use).Select(row => $"{Short(row.Type)} {row.Name}"))
        + (use == OperandUse.Layer ? "; the elements of weights may also be BFloat16 or sbyte" : "; query, key and value may also be ReadOnlyTensorSpan<float>, output TensorSpan<float>, and the elements of these four Half or BFloat16");

    /// <summary>A type as a user writes it, without namespaces.</summary>
    public static string Short(string type) => type.Replace(TensorNamespace, "").Replace("global::AttentionGen.", "").Replace("global::System.", "").Replace("global::", "");

    private static IEnumerable<RoleType> TypesOf(OperandRow row, ElementType element)
    {
        string text = ElementTypes.FullText(element);
        if (row.ObjectTypes.Count > 0) return row.ObjectTypes.Select(type => new RoleType(element, type.Replace("{0}", text), null));
        return
        [
            row.Kind == OperandKind.Number
                ? new(element, text, null)
                : new(element, $"global::System.{Access(row)}Span<{text}>", row.Kind == OperandKind.Tensor ? $"{TensorNamespace}{Access(row)}TensorSpan<{text}>" : null),
        ];
    }

    private static string Access(OperandRow row) => row.IsWritten || row.Kind == OperandKind.Memory ? "" : "ReadOnly";
}

/// <param name="Operand">The row of the table.</param>
/// <param name="Elements">The types for each element type, the usual one first.</param>
internal sealed record RoleRow(OperandRow Operand, IReadOnlyList<RoleType> Elements)
{
    public Role Role => Operand.Role;

    public string Name => Operand.Name;

    public bool IsRequired => Operand.IsRequired;

    /// <summary>Whether a declaration has the role.</summary>
    public bool IsOf(OperandUse use) => (Operand.Use & use) != 0;

    public bool NeedsPositions => Operand.NeedsPositions;

    /// <summary>The type that a parameter of the role usually has.</summary>
    public string Type => Elements[0].Type;

    /// <summary>The type with shape and strides that a tensor may have instead of a span.</summary>
    public string? TensorType => Elements[0].TensorType;

    /// <summary>The types that are allowed for a parameter of the role.</summary>
    public IReadOnlyList<string> Types => [.. Elements.Select(type => type.Type), .. Elements.Select(type => type.TensorType).OfType<string>()];

    /// <summary>The types with the usual elements.</summary>
    public IEnumerable<string> UsualTypes => Elements.TakeWhile(type => type.Element == Operand.Element).SelectMany(type => new[] { type.Type, type.TensorType }).OfType<string>();

    /// <summary>The other elements that these types may have, for messages: nothing where there are none.</summary>
    public string OtherElements => Operand.Others.Count == 0 ? "" : $", or the same of {string.Join(", ", Operand.Others.Take(Operand.Others.Count - 1).Select(ElementTypes.Text))} or {ElementTypes.Text(Operand.Others[Operand.Others.Count - 1])}";

    public bool IsTensorSpan(string type) => Elements.Any(element => element.TensorType == type);
}

/// <summary>The types of a parameter with elements of one type.</summary>
internal sealed record RoleType(ElementType Element, string Type, string? TensorType);
