namespace AttentionGen.Generator.Model;

/// <summary>The specification of a kernel: one annotated method as numbers, enums and text, without symbols, nodes or locations.</summary>
internal sealed record KernelSpec(MethodSpec Method, AttentionSpec Attention)
{
    /// <summary>The C# version of the project if it is too old for generated code; null otherwise.</summary>
    public string? OldLanguage { get; init; }

    /// <summary>The widths of a layer; null for a kernel without projections.</summary>
    public LayerSpec? Layer { get; init; }

    /// <summary>What linear attention is declared with; null for attention with scores.</summary>
    public LinearSpec? Linear { get; init; }

    /// <summary>The kind of declaration, of which some roles are.</summary>
    public OperandUse Use => Layer is not null ? OperandUse.Layer : Linear is not null ? OperandUse.Linear : OperandUse.Kernel;

    /// <summary>The own mask of the user; null for none.</summary>
    public LiftedSpec? Mask { get; init; }

    /// <summary>The own score of the user; null for none.</summary>
    public LiftedSpec? Score { get; init; }

    /// <summary>The parameters of the kernel that the own mask and the own score read as numbers.</summary>
    public EquatableArray<ParameterSpec> Scalars { get; init; }

    /// <summary>The names of the parameters of the own mask and the own score, if one of them cannot be lifted; empty otherwise.</summary>
    public EquatableArray<string> Claimed { get; init; }

    /// <summary>The parameters of the kernel that the own mask and the own score index.</summary>
    public EquatableArray<ParameterSpec> Spans { get; init; }

    /// <summary>
    /// The axes for each index of which a span must have an element: the code reads the element unconditionally. An element that is missing there is always an
    /// error of the caller. Under a condition, it may never be read.
    /// </summary>
    public Axes SpanAxes(int slot) => Indexed(Mask, slot) | Indexed(Score, slot);

    private static Axes Indexed(LiftedSpec? lifted, int slot) => slot < lifted?.Indexed.Count ? (Axes)lifted.Indexed[slot] : Axes.None;

    /// <summary>Whether anything but the mask and the window of the attribute depends on the positions of the queries.</summary>
    public bool UsesPositions =>
        Attention.Alibi || Attention.Rotary != Rotary.None || Attention.GivenChunkLength > 0 || Attention.GivenDilation > 1 || Has(Role.Slopes) || Has(Role.RelativeBias)
        || Mask?.Result?.Uses(Input.Query) == true || Score?.Result?.Uses(Input.Query) == true;

    /// <summary>Whether the keys and values are in a ring, which has those of the window only.</summary>
    public bool HasRing => Method.Parameters.Any(parameter => parameter.Role == Role.Cache && parameter.Type.StartsWith("global::AttentionGen.RingKeyValueCache<", StringComparison.Ordinal));

    /// <summary>Whether a parameter has the role, or the projections of a layer give what it is.</summary>
    public bool Has(Role role) => Method.Parameters.Any(parameter => parameter.Role == role) || (Layer is not null && role is Role.Query or Role.Key or Role.Value);
}

/// <summary>The widths of the rows of a layer, as the user wrote them.</summary>
internal sealed record LayerSpec(int ModelDim, int? GivenContextDim, int? GivenOutputDim)
{
    /// <summary>Whether the method has the attribute of a kernel, too.</summary>
    public bool IsKernel { get; init; }

    public int ContextDim => GivenContextDim ?? ModelDim;

    public int OutputDim => GivenOutputDim ?? ModelDim;
}

/// <summary>The arguments of linear attention beside those of all attention, as the user wrote them.</summary>
internal sealed record LinearSpec(Rule Rule, FeatureMap FeatureMap, bool Normalize, Axes? GivenDecayAxes, Axes? GivenBetaAxes)
{
    /// <summary>The other attributes of the method that make it a kernel, as a user writes them; null for none.</summary>
    public string? OtherAttribute { get; init; }

    public bool Decays => Rule is Rule.Gated or Rule.GatedDelta;

    public bool Corrects => Rule is Rule.Delta or Rule.GatedDelta;

    /// <summary>Whether tokens follow each other.</summary>
    public bool IsOrdered(AttentionSpec attention) => Rule != Rule.None || attention.Mask == Mask.Causal;

    /// <summary>The axes of an operand: those of the declaration, or one for each key of each head.</summary>
    public Axes AxesOf(Role role, AttentionSpec attention) =>
        (role == Role.Decay ? GivenDecayAxes : GivenBetaAxes) ?? OperandTable.Row(role).Axes | (attention.Batched ? Axes.Batch : Axes.None);
}

/// <summary>The annotated method, as the generated part declares it again.</summary>
/// <param name="Namespace">The namespace; empty for the global one.</param>
/// <param name="Types">The containing types, outermost first.</param>
/// <param name="Modifiers">The modifiers as the user wrote them, <c>partial</c> included.</param>
/// <param name="ReturnType">The return type in C#, with <c>global::</c> before namespaces.</param>
/// <param name="TypeParameters">The type parameters with their brackets, or nothing.</param>
/// <param name="Constraints">The constraints of the type parameters, with a space before them, or nothing.</param>
/// <param name="OtherKind">The kind of the annotated member if it is not an ordinary method, for messages: <c>an accessor</c>.</param>
/// <param name="IsRepeated">Whether an earlier member has the same signature. The compiler reports it.</param>
/// <param name="HasUnknownTypes">Whether the signature has a type that does not exist. The compiler reports it.</param>
internal sealed record MethodSpec(
    string Namespace, EquatableArray<TypeSpec> Types, string Modifiers, string ReturnType, string Name, EquatableArray<ParameterSpec> Parameters,
    string TypeParameters, string Constraints, string? OtherKind, bool IsPartial, bool HasBody, bool IsRepeated, bool HasUnknownTypes)
{
    public bool IsGeneric => TypeParameters.Length > 0;

    /// <summary>Whether the compiler rejects the declaration, and would reject a second part for the same reason.</summary>
    public bool IsRejected { get; init; }

    /// <summary>Whether parameters have no name or the same name. The compiler reports it.</summary>
    public bool HasBadNames { get; init; }

    /// <summary>Whether the signature has types that the compiler would reject again in a second part.</summary>
    public bool CannotRepeatTypes { get; init; }

    /// <summary>Whether the method has a part without a body.</summary>
    public bool IsDefined { get; init; }

    /// <summary>Whether the user wrote a GeneratedCode attribute. The generated part cannot repeat it.</summary>
    public bool HasOwnGeneratedCode { get; init; }

    /// <summary>The name of an attribute for which another generator writes the body; null for none.</summary>
    public string? OtherGenerator { get; init; }

    /// <summary>A text that no other method of the compilation has, except a repetition of this one.</summary>
    public string Identity =>
        $"{Namespace}.{string.Join(".", Types.Select(type => type.Declaration))}.{Name}{TypeParameters}"
        + $"({string.Join(", ", Parameters.Select(parameter => parameter.Modifiers + parameter.Type))})";

    public string FullName => string.Join(".", Types.Select(t => t.Name).Prepend(Namespace).Append(Name).Where(part => part.Length > 0));
}

/// <summary>A type that contains the method.</summary>
/// <param name="Declaration">The keyword, name and type parameters, e.g. <c>record struct Shape</c>.</param>
internal sealed record TypeSpec(string Declaration, string Name, bool IsPartial, bool IsGeneric, bool IsFileLocal, bool IsInterface);

/// <summary>A parameter of the method.</summary>
/// <param name="Role">The role; null for none.</param>
/// <param name="Type">The type in C#, with <c>global::</c> before namespaces.</param>
/// <param name="Modifiers">The modifiers before the type (<c>this</c>, <c>scoped</c>, <c>in</c>), each with a space after it, or nothing.</param>
internal sealed record ParameterSpec(string Name, string Type, string Modifiers, Role? Role, bool IsUnknownType)
{
    /// <summary>The default value; null if there is none, or if the type is not int.</summary>
    public int? DefaultNumber { get; init; }

    /// <summary>Whether the default value is an empty span.</summary>
    public bool IsEmptyByDefault { get; init; }

    /// <summary>The number in its <c>[Role]</c> if no role has that number; null otherwise.</summary>
    public int? UnknownRole { get; init; }

    /// <summary>Whether it is a tensor span, which has its own shape and strides.</summary>
    public bool IsTensorSpan => Role is { } role && RoleTable.Row(role).IsTensorSpan(Type);

    /// <summary>Whether it is a cache of several sequences.</summary>
    public bool IsPagedCache => Role == Model.Role.Cache && Type.StartsWith(OperandTable.PagedCache.Substring(0, OperandTable.PagedCache.IndexOf('{')), StringComparison.Ordinal);

    /// <summary>The type of its elements.</summary>
    public ElementType? Element => Role is { } role ? RoleTable.Row(role).Elements.FirstOrDefault(element => element.Type == Type || element.TensorType == Type)?.Element : null;
}

/// <summary>The arguments of the attribute, as the user wrote them, because rules check them. A property is null if the user did not give it.</summary>
internal sealed record AttentionSpec(
    int Heads, int HeadDim, int? GivenKeyValueHeads, int? GivenValueDim, Mask Mask, float? GivenScale, bool Batched, Isas Isas)
{
    public Layout Layout { get; init; }

    public Scoring Scoring { get; init; }

    public int? GivenKeyDim { get; init; }

    /// <summary>The elements of a key.</summary>
    public int KeyDim => Scoring == Scoring.General ? GivenKeyDim ?? HeadDim : HeadDim;

    /// <summary>Whether the value is the first elements of the key.</summary>
    public bool ValueFromKey { get; init; }

    public int? GivenWindowLeft { get; init; }

    public int? GivenWindowRight { get; init; }

    public int? GivenFirstKeys { get; init; }

    /// <summary>The number of first keys that stay visible outside of the left window; 0 for none.</summary>
    public int FirstKeys => GivenWindowLeft is >= 0 ? GivenFirstKeys ?? 0 : 0;

    /// <summary>The number of first keys that every query sees under a causal mask.</summary>
    public int? GivenPrefixLength { get; init; }

    public int? GivenChunkLength { get; init; }

    public int? GivenDilation { get; init; }

    public int? QueryBlockSize { get; init; }

    public int? KeyBlockSize { get; init; }

    public Axes? GivenBlockAxes { get; init; }

    public Axes BlockAxes => GivenBlockAxes ?? Axes.Query;

    public Selection Selection { get; init; }

    public float? GivenSoftCap { get; init; }

    public Norm QueryKeyNorm { get; init; }

    public const float DefaultNormEpsilon = 1e-6f;

    /// <summary>The least normal float. The reciprocal of a smaller number may be infinite.</summary>
    public const float LeastNormEpsilon = 1.17549435e-38f;

    public float? GivenNormEpsilon { get; init; }

    public Rotary Rotary { get; init; }

    public int? GivenRotaryDim { get; init; }

    public int? GivenRotaryStart { get; init; }

    public int RotaryStart => GivenRotaryStart ?? 0;

    public int RotaryDim => GivenRotaryDim ?? HeadDim - RotaryStart;

    public bool Alibi { get; init; }

    public RelativeSpec Relative { get; init; } = new(null, null, null);

    public Axes? GivenBiasAxes { get; init; }

    public Axes? GivenKeepAxes { get; init; }

    public Stage? GivenScoresStage { get; init; }

    /// <summary>The axes of an operand: those that the declaration gives it, or those of its row.</summary>
    public Axes AxesOf(OperandRow row) => row.Role switch
    {
        Role.Bias => GivenBiasAxes ?? row.Axes,
        Role.Keep => GivenKeepAxes ?? row.Axes,
        _ => row.Axes,
    };

    public int? GivenQueryStride { get; init; }

    public int? GivenKeyStride { get; init; }

    public int? GivenValueStride { get; init; }

    public int? GivenOutputStride { get; init; }

    public int? QueryLength { get; init; }

    public int? KeyLength { get; init; }

    public int KeyValueHeads => GivenKeyValueHeads ?? Heads;

    public int ValueDim => GivenValueDim ?? HeadDim;

    public float Scale => GivenScale ?? (Scoring == Scoring.Dot ? (float)(1 / Math.Sqrt(HeadDim)) : 1);

    public TensorSpec Tensor(Role role) => role switch
    {
        Role.Query => new(Heads, HeadDim, Layout, GivenQueryStride),
        Role.Key => new(KeyValueHeads, KeyDim, Layout, GivenKeyStride),
        Role.Value => new(KeyValueHeads, ValueDim, Layout, GivenValueStride),
        Role.Output => new(Heads, ValueDim, Layout, GivenOutputStride),
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };
}

/// <summary>The shape of one of the four tensors.</summary>
internal sealed record TensorSpec(int Heads, int Dim, Layout Layout, int? GivenStride)
{
    /// <summary>The number of contiguous elements of a token.</summary>
    public int Width => Layout == Layout.HeadMajor ? Dim : Heads * Dim;

    public int Stride => GivenStride ?? Width;
}
