namespace AttentionGen.Generator.Model;

/// <summary>The element types of the four tensors of a core.</summary>
internal sealed record ElementTypes(ElementType Query, ElementType Key, ElementType Value, ElementType Output)
{
    public static ElementTypes Single { get; } = new(ElementType.Float, ElementType.Float, ElementType.Float, ElementType.Float);

    /// <summary>The types of the tensors of a kernel.</summary>
    public static ElementTypes Of(KernelSpec spec)
    {
        ElementType Type(Role role) => spec.Method.Parameters.FirstOrDefault(parameter => parameter.Role == role)?.Element ?? ElementType.Float;
        return new(Type(Role.Query), Type(Role.Key), Type(Role.Value), Type(Role.Output));
    }

    /// <summary>The name of the type in C#.</summary>
    public static string Text(ElementType type) => ElementTable.Of(type).Text;

    /// <summary>The part of a core's name: one type, or each.</summary>
    public string Name => string.Join("_", new[] { Query, Key, Value, Output }.Distinct().Count() == 1 ? [ElementTable.Of(Query).Name] : new[] { Query, Key, Value, Output }.Select(type => ElementTable.Of(type).Name));
}
