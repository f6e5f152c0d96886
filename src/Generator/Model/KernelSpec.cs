namespace AttentionGen.Generator.Model;

/// <summary>What the user asked for: one annotated method, as text and numbers. No symbol, node or location.</summary>
internal sealed record KernelSpec(MethodSpec Method, AttentionSpec Attention);

/// <summary>The method that is to be implemented, as it has to be declared again.</summary>
/// <param name="Namespace">Empty for the global one.</param>
/// <param name="Types">The containing types, outermost first.</param>
/// <param name="Modifiers">The modifiers as the user wrote them, <c>partial</c> included.</param>
/// <param name="ReturnType">As written in C#.</param>
internal sealed record MethodSpec(
    string Namespace, EquatableArray<TypeSpec> Types, string Modifiers, string ReturnType, string Name, EquatableArray<ParameterSpec> Parameters,
    bool IsPartial, bool HasBody, bool IsGeneric)
{
    /// <summary>Distinguishes the method from every other in the compilation.</summary>
    public string Identity => $"{FullName}({string.Join(", ", Parameters.Select(p => p.Type))})";

    public string FullName => string.Join(".", Types.Select(t => t.Name).Prepend(Namespace).Append(Name).Where(part => part.Length > 0));
}

/// <param name="Declaration">Keyword and name, e.g. <c>record struct Shape</c>.</param>
internal sealed record TypeSpec(string Declaration, string Name, bool IsPartial, bool IsGeneric, bool IsFileLocal, bool IsInterface);

/// <param name="Role">Null for a name that is none.</param>
/// <param name="Type">As written in C#, with namespaces.</param>
/// <param name="Modifiers">What stands before the type (<c>scoped</c>, <c>in</c>), with a blank behind it, or nothing.</param>
internal sealed record ParameterSpec(string Name, string Type, string Modifiers, Role? Role);

/// <summary>The arguments of the attribute; null where the user gave none. Not normalised: rules look at what was written.</summary>
internal sealed record AttentionSpec(
    int Heads, int HeadDim, int? GivenKeyValueHeads, int? GivenValueDim, Mask Mask, float? GivenScale, bool Batched, Isas Isas)
{
    public int KeyValueHeads => GivenKeyValueHeads ?? Heads;

    public int ValueDim => GivenValueDim ?? HeadDim;

    public float Scale => GivenScale ?? (float)(1 / Math.Sqrt(HeadDim));
}
