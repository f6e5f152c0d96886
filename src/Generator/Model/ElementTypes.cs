namespace AttentionGen.Generator.Model;

/// <summary>The types of the elements that a core loads and stores.</summary>
internal sealed record ElementTypes(ElementType Query, ElementType Key, ElementType Value, ElementType Output)
{
    public static ElementTypes Single { get; } = new(ElementType.Float, ElementType.Float, ElementType.Float, ElementType.Float);

    /// <summary>The type in C#.</summary>
    public static string Text(ElementType type) => type switch
    {
        ElementType.Float => "float",
        ElementType.Int => "int",
        ElementType.Bool => "bool",
        _ => "byte",
    };
}
