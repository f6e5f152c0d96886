namespace AttentionGen.Generator.Model;

/// <summary>The element types of the four tensors of a core.</summary>
internal sealed record ElementTypes(ElementType Query, ElementType Key, ElementType Value, ElementType Output)
{
    public static ElementTypes Single { get; } = new(ElementType.Float, ElementType.Float, ElementType.Float, ElementType.Float);

    /// <summary>The types of the tensors of a core. Queries that the call projects are floats, whatever the kernel takes.</summary>
    public static ElementTypes Of(KernelSpec spec)
    {
        ElementType Type(Role role) => spec.Method.Parameters.FirstOrDefault(parameter => parameter.Role == role)?.Element ?? ElementType.Float;
        var key = spec.Has(Role.Cache) ? Role.Cache : Role.Key;
        var value = spec.Has(Role.Cache) || spec.Attention.ValueFromKey ? key : Role.Value;
        return new(spec.Attention.Scoring == Scoring.General ? ElementType.Float : Type(Role.Query), Type(key), Type(value), Type(Role.Output));
    }

    /// <summary>The name of the type in C#, with its namespace.</summary>
    public static string FullText(ElementType type) => ElementTable.Of(type).Text;

    /// <summary>The name of the type in a core, which has the namespaces in scope.</summary>
    public static string Text(ElementType type) => FullText(type) is var text ? text.Substring(text.LastIndexOfAny(['.', ':']) + 1) : text;

    /// <summary>The function of the vector classes or of KernelMemory for elements of a type: <c>Load</c> becomes <c>LoadHalf</c>.</summary>
    public static string Function(string name, ElementType type) => name + ElementTable.Of(type).Suffix;

    /// <summary>An element as a float.</summary>
    public static string Read(ElementType type, string arguments) => $"{(type == ElementType.Float ? "At" : "Vectors128.ReadFloat")}({arguments})";

    /// <summary>Writes a float to an element.</summary>
    public static string Write(ElementType type, string arguments, string number) => type == ElementType.Float ? $"At({arguments}) = {number};" : $"Vectors128.WriteFloat({number}, {arguments});";

    /// <summary>The part of a core's name: one type, or each.</summary>
    public string Name => string.Join("_", new[] { Query, Key, Value, Output }.Distinct().Count() == 1 ? [ElementTable.Of(Query).Name] : new[] { Query, Key, Value, Output }.Select(type => ElementTable.Of(type).Name));
}
