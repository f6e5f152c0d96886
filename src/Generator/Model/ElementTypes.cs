namespace AttentionGen.Generator.Model;

/// <summary>The element types of the four tensors of a core.</summary>
internal sealed record ElementTypes(ElementType Query, ElementType Key, ElementType Value, ElementType Output)
{
    public static ElementTypes Single { get; } = new(ElementType.Float, ElementType.Float, ElementType.Float, ElementType.Float);

    /// <summary>The name of the type in C#.</summary>
    public static string Text(ElementType type) => type switch
    {
        ElementType.Float => "float",
        ElementType.Int => "int",
        ElementType.Bool => "bool",
        _ => "byte",
    };
}
