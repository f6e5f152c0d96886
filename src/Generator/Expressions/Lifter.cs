using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace AttentionGen.Generator.Expressions;

/// <summary>
/// Lifts the body of a user's method into an expression. What cannot be lifted is said with its place: never slow code in silence. Symbols end here.
/// </summary>
internal sealed class Lifter
{
    private const int MaxDepth = 16;

    /// <summary>As many as a call brings along.</summary>
    public const int MaxScalars = 8;

    /// <summary>The same for spans.</summary>
    private const int MaxSpans = 4;

    private static readonly string[] s_intFunctions = ["Abs", "Min", "Max", "Clamp"];

    private static readonly string[] s_floatFunctions = ["Abs", "Min", "Max", "Clamp", "Sqrt", "Exp", "Exp2", "Log", "Log2", "Tanh", "Sin", "Cos", "FusedMultiplyAdd"];

    private readonly Compilation _compilation;
    private int _depth;

    private Lifter(Compilation compilation) => _compilation = compilation;

    /// <summary>Lifts a method that a declaration names.</summary>
    /// <param name="name">The method's name, null where none is named.</param>
    /// <param name="returns">What it has to return.</param>
    /// <param name="kernel">The declaration.</param>
    /// <param name="scalars">The parameters of the kernel that methods use as numbers; grows.</param>
    /// <param name="spans">Those that they index; grows.</param>
    public static LiftedSpec? Lift(
        string? name, Kind returns, IMethodSymbol kernel, Compilation compilation, List<ParameterSpec> scalars, List<ParameterSpec> spans, Func<IParameterSymbol, ParameterSpec> parse)
    {
        if (name is null) return null;
        var candidates = kernel.ContainingType.GetMembers(name).OfType<IMethodSymbol>().ToList();
        string type = returns == Kind.Bool ? "bool" : "float";
        string wanted = returns == Kind.Bool ? $"static bool {name}(int query, int key)" : $"static float {name}(float score, int query, int key)";
        if (candidates.Count != 1) return LiftedSpec.Failed(name, candidates.Count == 0 ? $"there is no such method beside the kernel: add '{wanted} => ...;'" : "there are several methods of this name: rename one");
        var method = candidates[0];
        if (!method.IsStatic || method.IsGenericMethod || KindOf(method.ReturnType) != returns)
            return LiftedSpec.Failed(name, $"it must be static and return {type}: write '{wanted}'");

        var inputs = new Dictionary<IParameterSymbol, Expression>(SymbolEqualityComparer.Default);
        foreach (var parameter in method.Parameters)
        {
            var elements = ElementsOf(parameter.Type);
            if (parameter.RefKind != RefKind.None || (elements ?? KindOf(parameter.Type)) is not (Kind.Int or Kind.Float))
                return LiftedSpec.Failed(name, $"its parameter '{parameter.Name}' is {parameter.Type.ToDisplayString()}: int and float can be, and ReadOnlySpan of them");
            if (Inputs(returns).FirstOrDefault(input => input.Text == parameter.Name) is { } input)
            {
                if (elements is not null || input.Kind != KindOf(parameter.Type)) return LiftedSpec.Failed(name, $"its parameter '{parameter.Name}' must be {(input.Kind == Kind.Int ? "int" : "float")}");
                inputs.Add(parameter, input);
                continue;
            }

            if (kernel.Parameters.FirstOrDefault(own => own.Name == parameter.Name) is not { } bound || ElementsOf(bound.Type) != elements || KindOf(bound.Type) != KindOf(parameter.Type))
            {
                string known = string.Join(", ", Inputs(returns).Select(own => own.Text)), written = Parsing.RoleTable.Short(parameter.Type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat));
                return LiftedSpec.Failed(name, $"its parameter '{parameter.Name}' is none of {known}, and the kernel has no parameter '{written} {parameter.Name}': add it there, or rename it");
            }

            var spec = parse(bound);
            var own = elements is null ? scalars : spans;
            if (own.All(known => known.Name != spec.Name)) own.Add(spec);
            if (scalars.Count > MaxScalars) return LiftedSpec.Failed(name, $"the methods of a kernel use more than {MaxScalars} of its parameters");
            if (spans.Count > MaxSpans) return LiftedSpec.Failed(name, $"the methods of a kernel use more than {MaxSpans} of its spans");
            int index = own.FindIndex(known => known.Name == spec.Name);
            inputs.Add(parameter, elements is { } kind ? new SpanExpression(kind, index) : new ScalarExpression(KindOf(parameter.Type)!.Value, index));
        }

        var lifter = new Lifter(compilation);
        try
        {
            return new LiftedSpec(name, lifter.Body(method, inputs), null);
        }
        catch (CannotLiftException failure)
        {
            return failure.At(name, method);
        }
    }

    private static IEnumerable<InputExpression> Inputs(Kind returns) =>
        new[] { Input.Query, Input.Key, Input.Head, Input.Batch, Input.Score }.Where(input => returns == Kind.Float || input != Input.Score).Select(input => new InputExpression(input));

    private static Kind? KindOf(ITypeSymbol? type) => type?.SpecialType switch
    {
        SpecialType.System_Int32 => Kind.Int,
        SpecialType.System_Single => Kind.Float,
        SpecialType.System_Boolean => Kind.Bool,
        _ => null,
    };

    /// <summary>The elements of a read-only span of ints or floats; null for another type.</summary>
    private static Kind? ElementsOf(ITypeSymbol type) =>
        type is INamedTypeSymbol { Arity: 1 } span && span.OriginalDefinition.ToDisplayString() == "System.ReadOnlySpan<T>" && KindOf(span.TypeArguments[0]) is Kind.Int or Kind.Float
            ? KindOf(span.TypeArguments[0])
            : null;

    /// <summary>What a method returns, with expressions for its parameters.</summary>
    private Expression Body(IMethodSymbol method, Dictionary<IParameterSymbol, Expression> parameters)
    {
        var declaration = method.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()).OfType<MethodDeclarationSyntax>().FirstOrDefault(syntax => syntax.Body is not null || syntax.ExpressionBody is not null);
        var result = declaration switch
        {
            { ExpressionBody.Expression: { } expression } => expression,
            { Body.Statements: { Count: 1 } statements } when statements[0] is ReturnStatementSyntax { Expression: { } expression } => expression,
            _ => null,
        };
        if (result is null) throw new CannotLiftException(declaration, "a method is lifted that is one expression: '=> ...' or a single return");
        while (result is ParenthesizedExpressionSyntax parenthesized) result = parenthesized.Expression; // they are no operations
        var operation = _compilation.GetSemanticModel(result.SyntaxTree).GetOperation(result) ?? throw new CannotLiftException(result, "it is no expression");
        return Lift(operation, parameters);
    }

    private Expression Lift(IOperation operation, Dictionary<IParameterSymbol, Expression> parameters)
    {
        if (operation is IParameterReferenceOperation { Parameter: var known } && parameters.TryGetValue(known, out var span) && span is SpanExpression) return span; // for what is done with it
        if (operation.ConstantValue is { HasValue: true, Value: { } value } && KindOf(operation.Type) is { } constant)
            return new ConstantExpression(constant, constant == Kind.Bool ? (bool)value ? 1 : 0 : Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture));
        if (KindOf(operation.Type) is not { } kind)
            throw new CannotLiftException(operation.Syntax, operation.Type?.SpecialType == SpecialType.System_Double ? "it is a double: write float literals, as 0.5f, and MathF" : $"its type is {operation.Type?.ToDisplayString() ?? "unknown"}: int, float and bool can be lifted");

        Expression Part(IOperation part) => Lift(part, parameters);
        OperationExpression Of(string name, params Expression[] operands) => new(kind, name, operands.ToEquatableArray());
        switch (operation)
        {
            case IParameterReferenceOperation { Parameter: var parameter } when parameters.TryGetValue(parameter, out var bound):
                return bound;
            case IConversionOperation { OperatorMethod: null, Operand: var operand }:
                var converted = Part(operand);
                if (converted.Kind == kind) return converted;
                if (kind == Kind.Float && converted.Kind == Kind.Int) return Of("tofloat", converted);
                throw new CannotLiftException(operation.Syntax, "a float is not made an int");
            case IUnaryOperation { OperatorMethod: null } unary:
                return unary.OperatorKind switch
                {
                    UnaryOperatorKind.Plus => Part(unary.Operand),
                    UnaryOperatorKind.Minus => Part(unary.Operand) switch
                    {
                        // From an inlined method; -int.MinValue is itself.
                        ConstantExpression { Value: var number } negated => negated with { Value = kind == Kind.Int ? unchecked(-(int)number) : -number },
                        var part => Of("-", part),
                    },
                    UnaryOperatorKind.Not when kind == Kind.Bool => Of("!", Part(unary.Operand)),
                    _ => throw new CannotLiftException(operation.Syntax, "of operators with one operand, - and ! can be lifted"),
                };
            case IBinaryOperation { OperatorMethod: null, IsLifted: false } binary:
                return Binary(binary, kind, Part(binary.LeftOperand), Part(binary.RightOperand));
            case IConditionalOperation { WhenFalse: { } otherwise } choice:
                return Of("?", Part(choice.Condition), Part(choice.WhenTrue), Part(otherwise));
            case IPropertyReferenceOperation { Instance: IParameterReferenceOperation instance, Property.IsIndexer: true, Arguments: { Length: 1 } at } when Part(instance) is SpanExpression of:
                return new ElementExpression(of, Part(at[0].Value));
            case IPropertyReferenceOperation { Instance: IParameterReferenceOperation instance, Property.Name: "Length" } when Part(instance) is SpanExpression of:
                return new LengthExpression(of.Slot);
            case IInvocationOperation { Instance: null } call:
                return Call(call, kind, Part, parameters);
            default:
                throw new CannotLiftException(operation.Syntax, "parameters, elements of spans, constants, arithmetic, comparisons, ?: and calls can be lifted");
        }
    }

    private static OperationExpression Binary(IBinaryOperation operation, Kind kind, Expression left, Expression right)
    {
        string? name = operation.OperatorKind switch
        {
            BinaryOperatorKind.Add => "+",
            BinaryOperatorKind.Subtract => "-",
            BinaryOperatorKind.Multiply => "*",
            BinaryOperatorKind.Divide => "/",
            BinaryOperatorKind.Remainder when kind == Kind.Int => "%",
            BinaryOperatorKind.LessThan => "<",
            BinaryOperatorKind.LessThanOrEqual => "<=",
            BinaryOperatorKind.GreaterThan => ">",
            BinaryOperatorKind.GreaterThanOrEqual => ">=",
            BinaryOperatorKind.Equals when left.Kind != Kind.Bool => "==",
            BinaryOperatorKind.NotEquals when left.Kind != Kind.Bool => "!=",
            BinaryOperatorKind.ConditionalAnd => "&&",
            BinaryOperatorKind.ConditionalOr => "||",
            BinaryOperatorKind.And when kind == Kind.Bool => "&&",
            BinaryOperatorKind.Or when kind == Kind.Bool => "||",
            _ => null,
        };
        if (name is null) throw new CannotLiftException(operation.Syntax, "of operators, + - * / %, comparisons, && and || can be lifted");
        if (name is "/" or "%" && kind == Kind.Int && right is not ConstantExpression { Value: not 0 and not -1 })
            throw new CannotLiftException(operation.RightOperand.Syntax, "an int is divided by constants other than 0 and -1 only");
        return new OperationExpression(kind, name, new[] { left, right }.ToEquatableArray());
    }

    private Expression Call(IInvocationOperation call, Kind kind, Func<IOperation, Expression> part, Dictionary<IParameterSymbol, Expression> parameters)
    {
        var target = call.TargetMethod;
        var arguments = call.Arguments.OrderBy(argument => argument.Parameter!.Ordinal).ToList();
        string type = target.ContainingType.ToDisplayString();
        if (type is "System.Math" or "System.MathF" or "float" or "int")
        {
            string[] names = kind == Kind.Int ? s_intFunctions : s_floatFunctions;
            var operands = arguments.Select(argument => part(argument.Value)).ToEquatableArray();
            int count = target.Name switch { "Min" or "Max" => 2, "Clamp" or "FusedMultiplyAdd" => 3, _ => 1 }; // a logarithm may have a base
            if (!names.Contains(target.Name) || operands.Count != count || operands.Any(operand => operand.Kind != kind))
                throw new CannotLiftException(call.Syntax, $"of Math, MathF, float and int, {string.Join(", ", names)} can be lifted here");
            if (target.Name != "Clamp") return new OperationExpression(kind, target.Name, operands);

            // Nothing throws in a kernel: between bounds in the wrong order it is the upper one.
            var raised = new OperationExpression(kind, "Max", new[] { operands[0], operands[1] }.ToEquatableArray());
            return new OperationExpression(kind, "Min", new[] { raised, operands[2] }.ToEquatableArray());
        }

        if (target.DeclaringSyntaxReferences.IsEmpty || target.IsGenericMethod || !target.IsStatic || target.Parameters.Any(parameter => parameter.RefKind != RefKind.None))
            throw new CannotLiftException(call.Syntax, "of methods, those of Math, MathF, float and int and static ones of one expression in this project can be called");
        if (++_depth > MaxDepth) throw new CannotLiftException(call.Syntax, "the method calls itself, or others too deep");
        var inner = new Dictionary<IParameterSymbol, Expression>(SymbolEqualityComparer.Default);
        foreach (var argument in arguments) inner.Add(argument.Parameter!, part(argument.Value));
        var result = Body(target, inner);
        _depth--;
        return result;
    }

    /// <summary>Where lifting ends, and why.</summary>
    private sealed class CannotLiftException(Microsoft.CodeAnalysis.SyntaxNode? syntax, string reason) : Exception
    {
        /// <summary>The failure of a method, at the place inside it or, where it is in another one, at its name.</summary>
        public LiftedSpec At(string name, IMethodSymbol method)
        {
            var declaration = method.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax();
            bool inside = syntax is not null && declaration is not null && declaration.SyntaxTree == syntax.SyntaxTree && declaration.Span.Contains(syntax.Span) && syntax != declaration;
            string where = syntax is null || syntax == declaration ? "" : $"'{syntax.ToString()}': ";
            var failure = LiftedSpec.Failed(name, where + reason);
            return inside ? failure with { Start = syntax!.SpanStart - declaration!.SpanStart, Length = syntax.Span.Length } : failure;
        }
    }
}

/// <summary>A method of the user's, lifted or not.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Result">What it returns; null where it cannot be lifted.</param>
/// <param name="Failure">Why not, and the way out.</param>
internal sealed record LiftedSpec(string Name, Expression? Result, string? Failure)
{
    /// <summary>Where it cannot be lifted, from the beginning of its declaration; nowhere in it where the length is 0.</summary>
    public int Start { get; init; }

    public int Length { get; init; }

    public static LiftedSpec Failed(string name, string reason) => new(name, null, reason);
}
