using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace AttentionGen.Generator.Syntax;

/// <summary>
/// Lifts the body of a user's method into an expression. It reports code that cannot be lifted at its place, instead of calling the method slowly. Later stages
/// see no symbols.
/// </summary>
internal sealed partial class Lifter
{
    private const int MaxDepth = 16;

    /// <summary>
    /// The limit of operations. Each becomes about 30 characters, up to eight times in a kernel, so that a larger method would give megabytes of code.
    /// </summary>
    private const int MaxOperations = 1024;

    private static readonly string[] s_intFunctions = ["Abs", "Min", "Max", "Clamp"];

    private static readonly string[] s_floatFunctions =
        ["Abs", "Min", "Max", "Clamp", "Sqrt", "Exp", "Exp2", "Log", "Log2", "Tanh", "Sin", "Cos", "FusedMultiplyAdd"];

    private readonly Compilation _compilation;
    private readonly Axes[] _indexed = new Axes[LiftedSpec.MaxSpans];
    private int _depth;
    private int _lifted;

    /// <summary>The number of conditions around the current operation. C# evaluates it unconditionally if the number is 0.</summary>
    private int _conditions;

    private Lifter(Compilation compilation) => _compilation = compilation;

    /// <summary>Lifts a method that the attribute names.</summary>
    /// <param name="name">The name of the method; null for none.</param>
    /// <param name="returns">The type that the method must return.</param>
    /// <param name="kernel">The annotated method.</param>
    /// <param name="scalars">The parameters of the kernel that own methods read as numbers. The method adds to the list.</param>
    /// <param name="spans">The parameters of the kernel that own methods index. The method adds to the list.</param>
    public static LiftedSpec? Lift(
        string? name, Kind returns, IMethodSymbol kernel, Compilation compilation, List<ParameterSpec> scalars, List<ParameterSpec> spans,
        Func<IParameterSymbol, ParameterSpec> parse)
    {
        if (name is null) return null;
        var candidates = kernel.ContainingType.GetMembers(name).OfType<IMethodSymbol>().ToList();
        string type = returns == Kind.Bool ? "bool" : "float";
        string wanted = returns == Kind.Bool ? $"static bool {name}(int query, int key)" : $"static float {name}(float score, int query, int key)";
        if (candidates.Count == 0) return LiftedSpec.Failed(name, $"the type of the kernel has no such method: add '{wanted} => ...;'");
        if (candidates.Count > 1) return LiftedSpec.Failed(name, "several methods have this name: rename one of them");
        var method = candidates[0];
        if (!method.IsStatic || method.IsGenericMethod || KindOf(method.ReturnType) != returns)
            return LiftedSpec.Failed(name, $"it must be static and return {type}: use '{wanted}'");

        var inputs = new Dictionary<IParameterSymbol, Expression>(SymbolEqualityComparer.Default);
        foreach (var parameter in method.Parameters)
        {
            var elements = ElementsOf(parameter.Type);
            if (parameter.RefKind != RefKind.None || (elements ?? KindOf(parameter.Type)) is not (Kind.Int or Kind.Float))
            {
                string fix = parameter.Type.SpecialType == SpecialType.System_Boolean
                    ? $"use int here and in the kernel, and '{parameter.Name} != 0'"
                    : "use int, float, or a ReadOnlySpan of one of them";
                return LiftedSpec.Failed(name, $"its parameter '{parameter.Name}' is {parameter.Type.ToDisplayString()}: {fix}");
            }

            if (Inputs(returns).FirstOrDefault(input => input.Text == parameter.Name) is { } input)
            {
                if (elements is not null || input.Kind != KindOf(parameter.Type))
                    return LiftedSpec.Failed(name, $"its parameter '{parameter.Name}' has the wrong type: use {(input.Kind == Kind.Int ? "int" : "float")}");
                inputs.Add(parameter, input);
                continue;
            }

            if (kernel.Parameters.FirstOrDefault(own => own.Name == parameter.Name) is not { } bound || ElementsOf(bound.Type) != elements
                || KindOf(bound.Type) != KindOf(parameter.Type))
            {
                string known = string.Join(", ", Inputs(returns).Select(own => own.Text));
                string written = RoleTable.Short(parameter.Type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat));
                string unknown = $"its parameter '{parameter.Name}' is none of {known}, and the kernel has no parameter '{written} {parameter.Name}'";
                return LiftedSpec.Failed(name, $"{unknown}: add it to the kernel, or rename it");
            }

            var spec = parse(bound);
            var own = elements is null ? scalars : spans;
            if (own.All(known => known.Name != spec.Name)) own.Add(spec);
            if (scalars.Count > LiftedSpec.MaxScalars)
                return LiftedSpec.Failed(name, $"the methods of the kernel use more than {LiftedSpec.MaxScalars} numbers: pass some of them as elements of a span");
            if (spans.Count > LiftedSpec.MaxSpans) return LiftedSpec.Failed(name, $"the methods of the kernel use more than {LiftedSpec.MaxSpans} spans: combine some of them");
            int index = own.FindIndex(known => known.Name == spec.Name);
            inputs.Add(parameter, elements is { } kind ? new SpanExpression(kind, index) : new ScalarExpression(KindOf(parameter.Type)!.Value, index));
        }

        var lifter = new Lifter(compilation);
        try
        {
            lifter.CheckSize(method);
            var result = lifter.Body(method, inputs);
            CheckSize(result);
            return new LiftedSpec(name, result, null) { Indexed = lifter._indexed.Select(axes => (int)axes).ToEquatableArray() };
        }
        catch (CannotLiftException failure)
        {
            return failure.At(name, method);
        }
    }

    private static IEnumerable<InputExpression> Inputs(Kind returns) =>
        new[] { Input.Query, Input.Key, Input.Head, Input.Batch, Input.Score }
            .Where(input => returns == Kind.Float || input != Input.Score).Select(input => new InputExpression(input));

    private static Kind? KindOf(ITypeSymbol? type) => type?.SpecialType switch
    {
        SpecialType.System_Int32 => Kind.Int,
        SpecialType.System_Single => Kind.Float,
        SpecialType.System_Boolean => Kind.Bool,
        _ => null,
    };

    /// <summary>The element type of a read-only span of ints or floats; null for another type.</summary>
    private static Kind? ElementsOf(ITypeSymbol type) =>
        type is INamedTypeSymbol { Arity: 1 } span && span.OriginalDefinition.ToDisplayString() == "System.ReadOnlySpan<T>"
        && KindOf(span.TypeArguments[0]) is Kind.Int or Kind.Float
            ? KindOf(span.TypeArguments[0])
            : null;

    /// <summary>The result of a method, with expressions in place of its parameters.</summary>
    private Expression Body(IMethodSymbol method, Dictionary<IParameterSymbol, Expression> parameters) => Lift(Operation(method), parameters);

    private Expression Lift(IOperation operation, Dictionary<IParameterSymbol, Expression> parameters)
    {
        if (++_lifted > MaxOperations) throw TooLarge($"more than {Text(MaxOperations)} operations");
        if (operation is IParameterReferenceOperation { Parameter: var known } && parameters.TryGetValue(known, out var span) && span is SpanExpression)
            return span; // the caller reads an element or the length
        if (operation.ConstantValue is { HasValue: true, Value: { } value } && KindOf(operation.Type) is { } constant)
        {
            double number = constant == Kind.Bool ? (bool)value ? 1 : 0 : Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture);
            return new ConstantExpression(constant, number);
        }

        if (KindOf(operation.Type) is not { } kind)
        {
            bool isDouble = operation.Type?.SpecialType == SpecialType.System_Double;
            string reason = isDouble
                ? "it is a double: use float literals, such as 0.5f, and MathF"
                : $"its type is {operation.Type?.ToDisplayString() ?? "unknown"}: use int, float or bool";
            throw new CannotLiftException(operation.Syntax, reason);
        }

        Expression Part(IOperation part) => Lift(part, parameters);
        Expression Sometimes(IOperation part)
        {
            _conditions++;
            var lifted = Part(part);
            _conditions--;
            return lifted;
        }

        OperationExpression Of(string name, params Expression[] operands) => new(kind, name, operands.ToEquatableArray());
        switch (operation)
        {
            case IParameterReferenceOperation { Parameter: var parameter } when parameters.TryGetValue(parameter, out var bound):
                return bound;
            case IConversionOperation { OperatorMethod: null, Operand: var operand }:
                var converted = Part(operand);
                if (converted.Kind == kind) return converted;
                if (kind == Kind.Float && converted.Kind == Kind.Int) return Of("tofloat", converted);
                throw new CannotLiftException(operation.Syntax, "a float cannot be converted to an int: use floats, or pass an int");
            case IUnaryOperation { OperatorMethod: null } unary:
                return unary.OperatorKind switch
                {
                    UnaryOperatorKind.Plus => Part(unary.Operand),
                    UnaryOperatorKind.Minus when kind == Kind.Int && unary.IsChecked && Checked(operation) is { } @checked => throw IsChecked(@checked),
                    UnaryOperatorKind.Minus => Part(unary.Operand) switch
                    {
                        // The constant is an argument of an inlined method. The negative of int.MinValue is int.MinValue.
                        ConstantExpression { Value: var number } negated => negated with { Value = kind == Kind.Int ? unchecked(-(int)number) : -number },
                        var part => Of("-", part),
                    },
                    UnaryOperatorKind.Not when kind == Kind.Bool => Of("!", Part(unary.Operand)),
                    UnaryOperatorKind.BitwiseNegation when kind == Kind.Int => Of("~", Part(unary.Operand)),
                    _ => throw new CannotLiftException(operation.Syntax, "this operator cannot be lifted: use -, ! or ~"),
                };
            case IBinaryOperation { OperatorMethod: null, IsLifted: false } binary:
                if (kind == Kind.Int && binary.IsChecked && Checked(operation) is { } checkedHere) throw IsChecked(checkedHere);
                bool isConditional = binary.OperatorKind is BinaryOperatorKind.ConditionalAnd or BinaryOperatorKind.ConditionalOr;
                return Binary(binary, kind, Part(binary.LeftOperand), isConditional ? Sometimes(binary.RightOperand) : Part(binary.RightOperand));
            case IConditionalOperation { WhenFalse: { } otherwise } choice:
                return Of("?", Part(choice.Condition), Sometimes(choice.WhenTrue), Sometimes(otherwise));
            case IIsPatternOperation test:
                return Pattern(test.Pattern, Part(test.Value));
            case ISwitchExpressionOperation choices:
                return Switch(choices, Part(choices.Value), Sometimes);
            case IPropertyReferenceOperation { Instance: IParameterReferenceOperation instance, Property.IsIndexer: true, Arguments: { Length: 1 } at }
                when Part(instance) is SpanExpression of:
                var index = Part(at[0].Value);
                if (_conditions == 0) _indexed[of.Slot] |= AxesOf(index);
                return new ElementExpression(of, index);
            case IPropertyReferenceOperation { Instance: IParameterReferenceOperation instance, Property.Name: "Length" }
                when Part(instance) is SpanExpression of:
                return new LengthExpression(of.Slot);
            case IInvocationOperation { Instance: null } call:
                return Call(call, kind, Part, parameters);
            default:
                const string Known = "parameters, elements of spans, constants, arithmetic, comparisons, patterns of numbers, ?:, switch expressions and calls";
                throw new CannotLiftException(operation.Syntax, $"this expression cannot be lifted: use {Known}");
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
            BinaryOperatorKind.NotEquals or BinaryOperatorKind.ExclusiveOr when kind == Kind.Bool => "^",
            BinaryOperatorKind.Equals => "==",
            BinaryOperatorKind.ConditionalAnd => "&&",
            BinaryOperatorKind.ConditionalOr => "||",
            BinaryOperatorKind.And when kind == Kind.Bool => "&&", // a kernel computes both sides of either operator
            BinaryOperatorKind.Or when kind == Kind.Bool => "||",
            BinaryOperatorKind.And => "&",
            BinaryOperatorKind.Or => "|",
            BinaryOperatorKind.ExclusiveOr => "^",
            BinaryOperatorKind.LeftShift => "<<",
            BinaryOperatorKind.RightShift => ">>",
            BinaryOperatorKind.UnsignedRightShift => ">>>",
            _ => null,
        };
        if (name is null)
            throw new CannotLiftException(operation.Syntax, "this operator cannot be lifted: use + - * / % & | ^ << >> >>>, comparisons, && or ||");
        if (name is "<<" or ">>" or ">>>")
        {
            if (right is not ConstantExpression { Value: var count })
                throw new CannotLiftException(operation.RightOperand.Syntax, "the shift count is not a constant: use a constant");
            right = new ConstantExpression(Kind.Int, (int)count & 31); // C# uses the low 5 bits of a shift count
        }

        if (name == "==" && left.Kind == Kind.Bool)
        {
            var differ = new OperationExpression(Kind.Bool, "^", new[] { left, right }.ToEquatableArray());
            return new OperationExpression(Kind.Bool, "!", new Expression[] { differ }.ToEquatableArray());
        }

        if (name is "/" or "%" && kind == Kind.Int && right is not ConstantExpression { Value: not 0 and not -1 })
            throw new CannotLiftException(operation.RightOperand.Syntax, "the divisor of an int is not valid: use a constant other than 0 and -1");
        return new OperationExpression(kind, name, new[] { left, right }.ToEquatableArray());
    }

    /// <summary>The axis whose index an int is, unchanged; none for other expressions.</summary>
    private static Axes AxesOf(Expression index) => index is not InputExpression { Input: var input } ? Axes.None : input switch
    {
        Input.Batch => Axes.Batch,
        Input.Head => Axes.Head,
        Input.Query => Axes.Query,
        _ => Axes.Key,
    };

    private Expression Call(IInvocationOperation call, Kind kind, Func<IOperation, Expression> part, Dictionary<IParameterSymbol, Expression> parameters)
    {
        var target = call.TargetMethod;
        var arguments = call.Arguments.OrderBy(argument => argument.Parameter!.Ordinal).ToList();
        string type = target.ContainingType.ToDisplayString();
        if (type is "System.Math" or "System.MathF" or "float" or "int")
        {
            string[] names = kind == Kind.Int ? s_intFunctions : s_floatFunctions;
            var operands = arguments.Select(argument => part(argument.Value)).ToEquatableArray();
            int count = target.Name switch { "Min" or "Max" => 2, "Clamp" or "FusedMultiplyAdd" => 3, _ => 1 }; // Math.Log has an overload with a base
            if (!names.Contains(target.Name) || operands.Count != count || operands.Any(operand => operand.Kind != kind))
                throw new CannotLiftException(call.Syntax, $"this function cannot be lifted: use {string.Join(", ", names)} of Math, MathF, float or int");
            if (target.Name != "Clamp") return new OperationExpression(kind, target.Name, operands);

            // A kernel does not throw. If the bounds are in the wrong order, the result is the upper bound.
            var raised = new OperationExpression(kind, "Max", new[] { operands[0], operands[1] }.ToEquatableArray());
            return new OperationExpression(kind, "Min", new[] { raised, operands[2] }.ToEquatableArray());
        }

        if (!IsOwn(target))
        {
            const string Known = "functions of Math, MathF, float and int, or static methods of this project that are one expression";
            throw new CannotLiftException(call.Syntax, $"this method cannot be lifted: use {Known}");
        }

        if (++_depth > MaxDepth) throw new CannotLiftException(call.Syntax, $"the calls are recursive or more than {MaxDepth} levels deep: use fewer levels");
        var inner = new Dictionary<IParameterSymbol, Expression>(SymbolEqualityComparer.Default);
        foreach (var argument in arguments) inner.Add(argument.Parameter!, part(argument.Value));
        var result = Body(target, inner);
        _depth--;
        return result;
    }

    /// <summary>The reason why an operation cannot be lifted, and its syntax.</summary>
    private sealed class CannotLiftException(Microsoft.CodeAnalysis.SyntaxNode? syntax, string reason) : Exception
    {
        /// <summary>The failure of a method. It has a place if the operation is inside of the method, and none if it is in a method that it calls.</summary>
        public LiftedSpec At(string name, IMethodSymbol method)
        {
            var declaration = method.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax();
            bool inside = syntax is not null && declaration is not null && declaration.SyntaxTree == syntax.SyntaxTree
                && declaration.Span.Contains(syntax.Span) && syntax != declaration;
            string where = syntax is null || syntax == declaration ? "" : $"'{syntax.ToString()}': ";
            var failure = LiftedSpec.Failed(name, where + reason);
            return inside ? failure with { Start = syntax!.SpanStart - declaration!.SpanStart, Length = syntax.Span.Length } : failure;
        }
    }
}
