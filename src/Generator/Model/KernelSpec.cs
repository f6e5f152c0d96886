
namespace AttentionGen.Generator.Model;

/// <summary>What the user asked for: one annotated method, as text and numbers. No symbol, node or location.</summary>
internal sealed record KernelSpec(MethodSpec Method, AttentionSpec Attention)
{
    /// <summary>The project's version of C# where it is too old to read what is generated; null otherwise.</summary>
    public string? OldLanguage { get; init; }

    /// <summary>The user's own mask; null where there is none.</summary>
    public LiftedSpec? Mask { get; init; }

    /// <summary>The user's own score; null where there is none.</summary>
    public LiftedSpec? Score { get; init; }

    /// <summary>The parameters of the kernel that these use as numbers.</summary>
    public EquatableArray<ParameterSpec> Scalars { get; init; }

    /// <summary>Where a method cannot be lifted: the names of the parameters of these methods.</summary>
    public EquatableArray<string> Claimed { get; init; }

    /// <summary>The parameters of the kernel that these index.</summary>
    public EquatableArray<ParameterSpec> Spans { get; init; }

    /// <summary>
    /// The axes that a span has an element for each index of: those that it is indexed by as they are, whatever the numbers are. Only then a missing one is a
    /// mistake for sure; of another index a condition may see to it that it does not matter.
    /// </summary>
    public Axes SpanAxes(int slot) => Indexed(Mask, slot) | Indexed(Score, slot);

    private static Axes Indexed(LiftedSpec? lifted, int slot) => slot < lifted?.Indexed.Count ? (Axes)lifted.Indexed[slot] : Axes.None;

    /// <summary>Whether scores depend on where the queries stand, apart from the mask of the attribute.</summary>
    public bool UsesPositions => Attention.Alibi || Attention.GivenChunkLength > 0 || Attention.GivenDilation > 1 || Has(Role.Slopes) || Has(Role.RelativeBias)
        || Mask?.Result?.Uses(Input.Query) == true || Score?.Result?.Uses(Input.Query) == true;

    public bool Has(Role role) => Method.Parameters.Any(parameter => parameter.Role == role);
}

/// <summary>The method that is to be implemented, as it has to be declared again.</summary>
/// <param name="Namespace">Empty for the global one.</param>
/// <param name="Types">The containing types, outermost first.</param>
/// <param name="Modifiers">The modifiers as the user wrote them, <c>partial</c> included.</param>
/// <param name="ReturnType">In C#, with <c>global::</c> before namespaces.</param>
/// <param name="TypeParameters">With their brackets, or nothing.</param>
/// <param name="Constraints">Of the type parameters, with a blank before, or nothing.</param>
/// <param name="OtherKind">What the attribute stands on where it is no method, for people: <c>an accessor</c>.</param>
/// <param name="IsRepeated">Whether the same declaration stands in the type before: the compiler says so.</param>
/// <param name="HasUnknownTypes">Whether the compiler does not know a type of the signature, and says so.</param>
internal sealed record MethodSpec(
    string Namespace, EquatableArray<TypeSpec> Types, string Modifiers, string ReturnType, string Name, EquatableArray<ParameterSpec> Parameters,
    string TypeParameters, string Constraints, string? OtherKind, bool IsPartial, bool HasBody, bool IsRepeated, bool HasUnknownTypes)
{
    public bool IsGeneric => TypeParameters.Length > 0;

    /// <summary>Whether the compiler rejects the declaration, says so, and would say it again of a second part.</summary>
    public bool IsRejected { get; init; }

    /// <summary>Whether parameters have no name, or the same one, which the compiler says.</summary>
    public bool HasBadNames { get; init; }

    /// <summary>Whether the signature has types that a second part of the method must not name again: the compiler would reject them there, too.</summary>
    public bool CannotRepeatTypes { get; init; }

    /// <summary>Whether there is a part without a body.</summary>
    public bool IsDefined { get; init; }

    /// <summary>Whether the user says who wrote the method, so that it cannot be said again.</summary>
    public bool HasOwnGeneratedCode { get; init; }

    /// <summary>The attribute for which another generator writes the body; null for none.</summary>
    public string? OtherGenerator { get; init; }

    /// <summary>Distinguishes the method from every other in the compilation, but from its own repetition.</summary>
    public string Identity =>
        $"{Namespace}.{string.Join(".", Types.Select(t => t.Declaration))}.{Name}{TypeParameters}({string.Join(", ", Parameters.Select(p => p.Modifiers + p.Type))})";

    public string FullName => string.Join(".", Types.Select(t => t.Name).Prepend(Namespace).Append(Name).Where(part => part.Length > 0));
}

/// <param name="Declaration">Keyword, name and type parameters, e.g. <c>record struct Shape</c>.</param>
internal sealed record TypeSpec(string Declaration, string Name, bool IsPartial, bool IsGeneric, bool IsFileLocal, bool IsInterface);

/// <param name="Role">Null for a name that is none.</param>
/// <param name="Type">In C#, with <c>global::</c> before namespaces.</param>
/// <param name="Modifiers">What stands before the type (<c>this</c>, <c>scoped</c>, <c>in</c>), with a blank behind it, or nothing.</param>
internal sealed record ParameterSpec(string Name, string Type, string Modifiers, Role? Role, bool IsUnknownType)
{
    /// <summary>The number that it is where a call leaves it out; null for none, or another type.</summary>
    public int? DefaultNumber { get; init; }

    /// <summary>Whether it is a span of nothing where a call leaves it out.</summary>
    public bool IsEmptyByDefault { get; init; }

    /// <summary>The number that it is marked with, where that is no role.</summary>
    public int? UnknownRole { get; init; }

    /// <summary>Whether it brings its own shape and strides.</summary>
    public bool IsTensorSpan => Role is { } role && RoleTable.Row(role).TensorType == Type;
}

/// <summary>The arguments of the attribute; null where the user gave none. Not normalised: rules look at what was written.</summary>
internal sealed record AttentionSpec(
    int Heads, int HeadDim, int? GivenKeyValueHeads, int? GivenValueDim, Mask Mask, float? GivenScale, bool Batched, Isas Isas)
{
    public Layout Layout { get; init; }

    public int? GivenWindowLeft { get; init; }

    public int? GivenWindowRight { get; init; }

    /// <summary>Keys that every query sees under a causal mask.</summary>
    public int? GivenPrefixLength { get; init; }

    public int? GivenChunkLength { get; init; }

    public int? GivenDilation { get; init; }

    public int? QueryBlockSize { get; init; }

    public int? KeyBlockSize { get; init; }

    public Axes? GivenBlockAxes { get; init; }

    public Axes BlockAxes => GivenBlockAxes ?? Axes.Query;

    public float? GivenSoftCap { get; init; }

    public Norm QueryKeyNorm { get; init; }

    public const float DefaultNormEpsilon = 1e-6f;

    /// <summary>The least normal number: one over a smaller one is infinite.</summary>
    public const float LeastNormEpsilon = 1.17549435e-38f;

    public float? GivenNormEpsilon { get; init; }

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

    public float Scale => GivenScale ?? (float)(1 / Math.Sqrt(HeadDim));

    public TensorSpec Tensor(Role role) => role switch
    {
        Role.Query => new(Heads, HeadDim, Layout, GivenQueryStride),
        Role.Key => new(KeyValueHeads, HeadDim, Layout, GivenKeyStride),
        Role.Value => new(KeyValueHeads, ValueDim, Layout, GivenValueStride),
        Role.Output => new(Heads, ValueDim, Layout, GivenOutputStride),
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };
}

/// <summary>The shape of one of the four tensors.</summary>
internal sealed record TensorSpec(int Heads, int Dim, Layout Layout, int? GivenStride)
{
    /// <summary>The elements of a token that lie side by side.</summary>
    public int Width => Layout == Layout.HeadMajor ? Dim : Heads * Dim;

    public int Stride => GivenStride ?? Width;
}
