using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AttentionGen.Generator.Syntax;

/// <summary>Reads an annotated method into a specification. Later stages see no symbols.</summary>
internal static class KernelParser
{
    public const string AttributeName = "AttentionGen.AttentionAttribute", LayerAttributeName = "AttentionGen.MultiHeadAttentionAttribute", LinearAttributeName = "AttentionGen.LinearAttentionAttribute";

    /// <summary>The attributes of kernels; the one that counts where a method has several comes first.</summary>
    public static IReadOnlyList<string> AttributeNames { get; } = [LinearAttributeName, LayerAttributeName, AttributeName];

    private const string RoleAttributeName = "AttentionGen.RoleAttribute";
    private const string GeneratedCodeName = "System.CodeDom.Compiler.GeneratedCodeAttribute";

    /// <summary>The name of the generator, which is a part of the paths of its files.</summary>
    private const string GeneratorName = "AttentionGen.Generator.AttentionGenerator";

    /// <summary>The attributes of the framework for which another generator writes the body.</summary>
    private static readonly string?[] s_otherGenerators =
    [
        "System.Runtime.InteropServices.LibraryImportAttribute", "System.Text.RegularExpressions.GeneratedRegexAttribute",
        "Microsoft.Extensions.Logging.LoggerMessageAttribute",
    ];

    /// <summary>The oldest C# version for kernels: generated code has collection expressions.</summary>
    private const LanguageVersion OldestLanguage = LanguageVersion.CSharp12;

    private static readonly SymbolDisplayFormat s_typeFormat =
        SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    private static readonly SymbolDisplayFormat s_genericsFormat =
        s_typeFormat.WithGenericsOptions(SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeTypeConstraints);

    private static readonly SymbolDisplayFormat s_typeParametersFormat = new(
        genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeVariance,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers);

    /// <summary>Reads a method, its attribute and the methods that the attribute names.</summary>
    /// <returns>Null if the arguments of the attribute are not valid C#. The compiler reports it.</returns>
    public static KernelSpec? Parse(IMethodSymbol method, AttributeData attribute, Compilation compilation)
    {
        if (ParseAttribute(attribute, out var layer, out var linear) is not { } attention) return null;
        var use = UseOf(attribute);
        List<ParameterSpec> scalars = [], spans = [];
        LiftedSpec? Lift(string argument, Kind returns)
        {
            string? name = attribute.NamedArguments.FirstOrDefault(given => given.Key == argument).Value.Value as string;
            return Lifter.Lift(name, returns, method, compilation, scalars, spans, parameter => ParseParameter(parameter, use));
        }

        var (ownMask, ownScore) = (Lift("MaskMethod", Kind.Bool), Lift("ScoreMethod", Kind.Float));
        bool failed = ownMask?.Failure is not null || ownScore?.Failure is not null;

        // A method that cannot be lifted has an error of its own. Its parameters need no second one.
        var claimed = failed ? Claimed(method, attribute).ToList() : [];
        var spec = new KernelSpec(WithOwn(ParseMethod(method), scalars.Concat(spans), claimed, use), attention)
        {
            Layer = layer is null ? null : layer with { IsKernel = method.GetAttributes().Any(given => given.AttributeClass?.ToDisplayString() == AttributeName) },
            Linear = linear is null ? null : linear with { OtherAttribute = method.GetAttributes().Select(NameOf).FirstOrDefault(name => name is AttributeName or LayerAttributeName) is { } other ? Short(other) : null },
            OldLanguage = compilation is CSharpCompilation { LanguageVersion: var version and < OldestLanguage } ? version.ToDisplayString() : null,
            Claimed = claimed.ToEquatableArray(),
            Mask = ownMask, Score = ownScore, Scalars = scalars.ToEquatableArray(), Spans = spans.ToEquatableArray(),
        };
        return spec;
    }

    /// <summary>Reads a kernel of another project, without the methods that its attribute names: their code is not there.</summary>
    /// <returns>Null if the arguments of the attribute are not valid.</returns>
    public static KernelSpec? ParseCompiled(IMethodSymbol method, AttributeData attribute) =>
        ParseAttribute(attribute, out var layer, out var linear) is { } attention ? new KernelSpec(ParseMethod(method), attention) { Layer = layer, Linear = linear } : null;

    /// <summary>The names of the parameters of the methods that the attribute names, lifted or not.</summary>
    private static IEnumerable<string> Claimed(IMethodSymbol method, AttributeData attribute) =>
        from given in attribute.NamedArguments
        where given.Key is "MaskMethod" or "ScoreMethod" && given.Value.Value is string
        from own in method.ContainingType.GetMembers((string)given.Value.Value!).OfType<IMethodSymbol>()
        from parameter in own.Parameters
        select Escape(parameter.Name);

    /// <summary>
    /// Removes roles from parameters of the user's own methods. Such a parameter has a role by its name only if its type is that of the role: a <c>float
    /// maxScore</c> is a parameter of the own method.
    /// </summary>
    private static MethodSpec WithOwn(MethodSpec method, IEnumerable<ParameterSpec> own, IEnumerable<string> claimed, OperandUse use)
    {
        var names = own.Select(parameter => parameter.Name).Concat(claimed).ToList();
        bool IsOnlyNamed(ParameterSpec parameter) =>
            names.Contains(parameter.Name) && parameter.Role is { } role && role == RoleTable.ByName(parameter.Name, use)
            && !RoleTable.Row(role).Types.Contains(parameter.Type);
        return method with
        {
            Parameters = method.Parameters.Select(parameter => IsOnlyNamed(parameter) ? parameter with { Role = null } : parameter).ToEquatableArray(),
        };
    }

    /// <summary>
    /// The syntax of a method, or of the part of a partial method that the symbol stands for; null for a local function, a lambda, an accessor or an operator.
    /// </summary>
    public static MethodDeclarationSyntax? Declaration(IMethodSymbol method) =>
        method.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()).OfType<MethodDeclarationSyntax>().FirstOrDefault();

    /// <summary>Reads the declaration of a method.</summary>
    public static MethodSpec ParseMethod(IMethodSymbol method)
    {
        var syntax = Declaration(method);
        var use = UseOf(method);
        var types = new List<TypeSpec>();
        for (var type = method.ContainingType; type is not null; type = type.ContainingType) types.Insert(0, ParseType(type));
        string generics = method.IsGenericMethod ? method.ToDisplayString(s_genericsFormat) : "";
        int open = generics.IndexOf('<'), where = generics.IndexOf(" where ", StringComparison.Ordinal);
        return new MethodSpec(
            method.ContainingNamespace.IsGlobalNamespace ? "" : method.ContainingNamespace.ToDisplayString(),
            types.ToEquatableArray(),
            syntax is null ? "" : SecondPart.Modifiers(syntax, method),
            syntax?.ReturnType is RefTypeSyntax ? $"ref {method.ReturnType.ToDisplayString(s_typeFormat)}" : method.ReturnType.ToDisplayString(s_typeFormat),
            Escape(method.Name),
            method.Parameters.Select(parameter => ParseParameter(parameter, use)).ToEquatableArray(),
            TypeParameters: open < 0 ? "" : generics.Substring(open, (where < 0 ? generics.Length : where) - open),
            Constraints: where < 0 ? "" : generics.Substring(where),
            OtherKind(method, syntax),
            IsPartial: method.IsPartialDefinition || syntax?.Modifiers.Any(SyntaxKind.PartialKeyword) == true,
            HasBody: syntax?.Body is not null || syntax?.ExpressionBody is not null || method.IsExtern
                || (method.PartialImplementationPart is { } part && !IsOurs(part)),
            IsRepeated(method),
            HasUnknownTypes: IsUnknown(method.ReturnType) || method.Parameters.Any(parameter => IsUnknown(parameter.Type)))
        {
            IsRejected = syntax is not null && SecondPart.IsRejected(syntax, method),
            HasBadNames = method.Parameters.Select(parameter => parameter.Name).Distinct().Count(name => name.Length > 0) < method.Parameters.Length,
            CannotRepeatTypes = syntax is not null && SecondPart.CannotRepeatTypes(syntax, method),
            IsDefined = method.IsPartialDefinition || method.PartialDefinitionPart is not null,
            HasOwnGeneratedCode = method.GetAttributes().Any(a => a.AttributeClass?.ToDisplayString() == GeneratedCodeName && !IsOurs(a)),
            OtherGenerator = method.GetAttributes().Select(attribute => attribute.AttributeClass?.ToDisplayString())
                .FirstOrDefault(name => s_otherGenerators.Contains(name)) is { } other
                ? other.Substring(other.LastIndexOf('.') + 1).Replace("Attribute", "")
                : null,
        };
    }

    /// <summary>
    /// Whether a method is incomplete C#: it is outside of any type, or it or something around it has no name. The compiler reports it, and no part can be
    /// added.
    /// </summary>
    public static bool IsFragment(IMethodSymbol method)
    {
        if (method.MethodKind != MethodKind.Ordinary) return false;
        if (method.Name.Length == 0) return true;
        for (var type = method.ContainingType; type is not null; type = type.ContainingType)
            if (type.IsImplicitClass || (type.Name.Length == 0 && type.TypeKind is TypeKind.Class or TypeKind.Struct or TypeKind.Interface)) return true;
        for (var space = method.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
            if (space.Name.Length == 0) return true;
        return method.ContainingType is null;
    }

    /// <summary>Whether a method is in an extension block. The Roslyn version of this project has no public type for such a block.</summary>
    public static bool IsOfExtension(MethodDeclarationSyntax? method) =>
        method?.Parent is TypeDeclarationSyntax
            and not (ClassDeclarationSyntax or StructDeclarationSyntax or RecordDeclarationSyntax or InterfaceDeclarationSyntax);

    private static string? OtherKind(IMethodSymbol method, MethodDeclarationSyntax? syntax) => method.MethodKind switch
    {
        MethodKind.Ordinary when IsOfExtension(syntax) => "a member of an extension block",
        MethodKind.Ordinary => null,
        MethodKind.LocalFunction => "a local function",
        MethodKind.AnonymousFunction => "a lambda",
        MethodKind.PropertyGet or MethodKind.PropertySet or MethodKind.EventAdd or MethodKind.EventRemove => "an accessor",
        MethodKind.UserDefinedOperator or MethodKind.Conversion => "an operator",
        MethodKind.ExplicitInterfaceImplementation => "an explicit implementation of an interface",
        _ => "something other than a method",
    };

    /// <summary>Whether an earlier member has the same signature. There is only one implementation for both.</summary>
    private static bool IsRepeated(IMethodSymbol method) =>
        method.PartialDefinitionPart is null
        && method.ContainingType.GetMembers(method.Name).OfType<IMethodSymbol>()
            .TakeWhile(other => !SymbolEqualityComparer.Default.Equals(other, method))
            .Any(other => other.Arity == method.Arity && other.Parameters.Length == method.Parameters.Length
                && other.Parameters.Zip(method.Parameters, (x, y) => x.RefKind == y.RefKind && IsSame(x.Type, y.Type)).All(same => same));

    /// <summary>Whether two types are the same, or have the same name in two assemblies, of which one has an alias.</summary>
    private static bool IsSame(ITypeSymbol x, ITypeSymbol y) =>
        SymbolEqualityComparer.Default.Equals(x, y) || x.ToDisplayString(s_typeFormat) == y.ToDisplayString(s_typeFormat);

    private static bool IsUnknown(ITypeSymbol type) => type switch
    {
        IErrorTypeSymbol => true,
        INamedTypeSymbol named => named.TypeArguments.Any(IsUnknown),
        IArrayTypeSymbol array => IsUnknown(array.ElementType),
        IPointerTypeSymbol pointer => IsUnknown(pointer.PointedAtType),
        _ => false,
    };

    /// <summary>Whether this generator wrote a part of a method. The analyzer sees the compilation with the generated parts.</summary>
    public static bool IsOurs(IMethodSymbol part) => part.DeclaringSyntaxReferences.Any(reference => IsOurs(reference.SyntaxTree));

    private static bool IsOurs(AttributeData attribute) => attribute.ApplicationSyntaxReference is { } reference && IsOurs(reference.SyntaxTree);

    private static bool IsOurs(SyntaxTree tree) => tree.FilePath.Contains(GeneratorName);

    private static TypeSpec ParseType(INamedTypeSymbol type)
    {
        string keyword = type switch
        {
            { IsRecord: true, TypeKind: TypeKind.Struct } => "record struct",
            { IsRecord: true } => "record",
            { TypeKind: TypeKind.Struct } => "struct",
            { TypeKind: TypeKind.Interface } => "interface",
            _ => "class",
        };
        bool isPartial = type.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()).OfType<TypeDeclarationSyntax>()
            .All(declaration => declaration.Modifiers.Any(SyntaxKind.PartialKeyword));
        string typeParameters = type.TypeParameters.Length > 0 ? type.ToDisplayString(s_typeParametersFormat) : "";

        // The compiler warns of a type name that has only lower-case letters, unless an @ is before it.
        string name = type.Name.All(c => c is >= 'a' and <= 'z') ? "@" + type.Name : Escape(type.Name);
        return new TypeSpec(
            $"{keyword} {name}{typeParameters.Substring(Math.Max(typeParameters.IndexOf('<'), 0))}", Escape(type.Name), isPartial,
            type.TypeParameters.Length > 0, type.IsFileLocal, type.TypeKind == TypeKind.Interface);
    }

    private static ParameterSpec ParseParameter(IParameterSymbol parameter, OperandUse use)
    {
        string modifiers = parameter.RefKind switch
        {
            RefKind.Ref => "ref ",
            RefKind.Out => "out ",
            RefKind.In => "in ",
            RefKind.RefReadOnlyParameter => "ref readonly ",
            _ => "",
        };
        if (parameter.ScopedKind != ScopedKind.None && parameter.RefKind != RefKind.Out) modifiers = "scoped " + modifiers;
        if (parameter.IsParams) modifiers = "params " + modifiers;
        if (parameter is { Ordinal: 0, ContainingSymbol: IMethodSymbol { IsExtensionMethod: true } }) modifiers = "this " + modifiers;

        var attribute = parameter.GetAttributes().FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == RoleAttributeName);
        Role? role = attribute is { ConstructorArguments.Length: 1 } && attribute.ConstructorArguments[0].Value is int given
            ? (Enum.IsDefined(typeof(Role), given) ? (Role)given : null)
            : RoleTable.ByName(parameter.Name, use);
        return new ParameterSpec(Escape(parameter.Name), parameter.Type.ToDisplayString(s_typeFormat), modifiers, role, IsUnknown(parameter.Type))
        {
            DefaultNumber = parameter is { IsOptional: true, Type.SpecialType: SpecialType.System_Int32 }
                ? parameter.HasExplicitDefaultValue ? parameter.ExplicitDefaultValue as int? : 0
                : null,
            IsEmptyByDefault = parameter.IsOptional && parameter.Type is INamedTypeSymbol { IsRefLikeType: true },
            UnknownRole = role is null ? attribute?.ConstructorArguments.FirstOrDefault().Value as int? : null,
        };
    }

    /// <summary>The attributes of kernels that a compilation knows, in the order of <see cref="AttributeNames"/>.</summary>
    public static INamedTypeSymbol[] AttributeTypes(Compilation compilation) =>
        [.. AttributeNames.Select(compilation.GetTypeByMetadataName).OfType<INamedTypeSymbol>()];

    /// <summary>The kind of declaration that a method is: that of the first of its attributes.</summary>
    public static OperandUse UseOf(ISymbol method)
    {
        var names = method.GetAttributes().Select(NameOf).ToList();
        return UseOf(AttributeNames.FirstOrDefault(names.Contains));
    }

    /// <summary>The kind of declaration of an attribute.</summary>
    public static OperandUse UseOf(AttributeData attribute) => UseOf(NameOf(attribute));

    private static OperandUse UseOf(string? name) => name switch { LinearAttributeName => OperandUse.Linear, LayerAttributeName => OperandUse.Layer, _ => OperandUse.Kernel };

    private static string? NameOf(AttributeData attribute) => attribute.AttributeClass?.ToDisplayString();

    /// <summary>The name of an attribute as a user writes it.</summary>
    private static string Short(string name) => name.Substring(name.LastIndexOf('.') + 1).Replace("Attribute", "");

    private static AttentionSpec? ParseAttribute(AttributeData attribute, out LayerSpec? layer, out LinearSpec? linear)
    {
        (layer, linear) = (null, null);
        var use = UseOf(attribute);
        bool isLayer = use == OperandUse.Layer;
        var arguments = attribute.ConstructorArguments;
        int first = isLayer ? 1 : 0;
        if (arguments.Length != first + 2 || arguments[first].Value is not int heads || arguments[first + 1].Value is not int headDim) return null;
        if (attribute.NamedArguments.Any(argument => argument.Value.Kind == TypedConstantKind.Error)) return null;
        object? Named(string name) => attribute.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value;
        if (isLayer)
        {
            if (arguments[0].Value is not int modelDim) return null;
            layer = new(modelDim, Named("ContextDim") as int?, Named("OutputDim") as int?);
        }

        if (use == OperandUse.Linear)
        {
            linear = new(
                (Rule)(Named("Rule") as int? ?? 0), (FeatureMap)(Named("FeatureMap") as int? ?? 0), Named("Normalize") as bool? ?? false,
                (Axes?)(Named("DecayAxes") as int?), (Axes?)(Named("BetaAxes") as int?));
        }

        return new AttentionSpec(
            heads, headDim,
            Named("KeyValueHeads") as int?, Named("ValueDim") as int?,
            (Mask)(Named("Mask") as int? ?? 0),
            Named("Scale") as float?,
            Named("Batched") as bool? ?? false,
            (Isas)(Named("Isas") as int? ?? (int)Isas.All) | Isas.Portable)
        {
            Layout = (Layout)(Named("Layout") as int? ?? 0),
            ValueFromKey = Named("ValueFromKey") as bool? ?? false,
            Scoring = (Scoring)(Named("Score") as int? ?? 0),
            GivenKeyDim = Named("KeyDim") as int?,
            GivenWindowLeft = Named("WindowLeft") as int?,
            GivenWindowRight = Named("WindowRight") as int?,
            GivenFirstKeys = Named("FirstKeys") as int?,
            GivenPrefixLength = Named("PrefixLength") as int?,
            GivenChunkLength = Named("ChunkLength") as int?,
            GivenDilation = Named("Dilation") as int?,
            QueryBlockSize = Named("QueryBlockSize") as int?,
            KeyBlockSize = Named("KeyBlockSize") as int?,
            GivenBlockAxes = (Axes?)(Named("BlockAxes") as int?),
            QueryKeyNorm = (Norm)(Named("QueryKeyNorm") as int? ?? 0),
            GivenNormEpsilon = Named("NormEpsilon") as float?,
            Rotary = (Rotary)(Named("Rotary") as int? ?? 0),
            GivenRotaryDim = Named("RotaryDim") as int?,
            GivenRotaryStart = Named("RotaryStart") as int?,
            Selection = (Selection)(Named("Selection") as int? ?? 0),
            GivenSoftCap = Named("SoftCap") as float?,
            Alibi = Named("Alibi") as bool? ?? false,
            Relative = new(Named("RelativeBuckets") as int?, Named("RelativeMaxDistance") as int?, Named("RelativeBidirectional") as bool?),
            GivenBiasAxes = (Axes?)(Named("BiasAxes") as int?),
            GivenKeepAxes = (Axes?)(Named("KeepAxes") as int?),
            GivenScoresStage = (Stage?)(Named("ScoresStage") as int?),
            GivenQueryStride = Named("QueryStride") as int?,
            GivenKeyStride = Named("KeyStride") as int?,
            GivenValueStride = Named("ValueStride") as int?,
            GivenOutputStride = Named("OutputStride") as int?,
            QueryLength = Named("QueryLength") as int?,
            KeyLength = Named("KeyLength") as int?,
        };
    }

    /// <summary>
    /// A name as C# code, with an @ before keywords. Contextual keywords get it, too: a type cannot be named <c>required</c> or <c>scoped</c> without it.
    /// </summary>
    private static string Escape(string name) =>
        SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None && SyntaxFacts.GetContextualKeywordKind(name) == SyntaxKind.None ? name : "@" + name;
}
