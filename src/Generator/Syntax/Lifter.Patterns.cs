using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace AttentionGen.Generator.Syntax;

/// <summary>Lifts patterns into comparisons, and switch expressions into chains of choices.</summary>
internal sealed partial class Lifter
{
    private const string NoPattern = "this pattern cannot be lifted: use constants, < <= > >=, and, or, not and _";

    private static Expression Pattern(IPatternOperation pattern, Expression value)
    {
        OperationExpression Of(string name, params Expression[] operands) => new(Kind.Bool, name, operands.ToEquatableArray());
        switch (pattern)
        {
            case IDiscardPatternOperation:
                return new ConstantExpression(Kind.Bool, 1);
            case IConstantPatternOperation { Value.ConstantValue: { HasValue: true, Value: bool given } } when value.Kind == Kind.Bool:
                return given ? value : Of("!", value);
            case IConstantPatternOperation { Value: var given } when Constant(given, value.Kind) is { } constant:
                return double.IsNaN(constant.Value) ? Of("!=", value, value) : Of("==", value, constant); // a pattern of NaN matches NaN
            case IRelationalPatternOperation { Value: var given, OperatorKind: var relation } when Constant(given, value.Kind) is { } constant:
                string comparison = relation switch
                {
                    BinaryOperatorKind.LessThan => "<",
                    BinaryOperatorKind.LessThanOrEqual => "<=",
                    BinaryOperatorKind.GreaterThan => ">",
                    _ => ">=",
                };
                return Of(comparison, value, constant);
            case INegatedPatternOperation { Pattern: var negated }:
                return Of("!", Pattern(negated, value));
            case IBinaryPatternOperation { LeftPattern: var left, RightPattern: var right, OperatorKind: var joins }:
                return Of(joins == BinaryOperatorKind.And ? "&&" : "||", Pattern(left, value), Pattern(right, value));
            default:
                throw new CannotLiftException(pattern.Syntax, NoPattern);
        }
    }

    private static Expression Switch(ISwitchExpressionOperation choices, Expression value, Func<IOperation, Expression> sometimes)
    {
        // A kernel does not throw, so the arms must cover all values. The last arm needs no condition then.
        if (!choices.IsExhaustive) throw new CannotLiftException(choices.Syntax, "it throws if no arm matches, but a kernel does not throw: add '_ => ...'");
        Expression? result = null;
        foreach (var arm in choices.Arms.Reverse())
        {
            var condition = Pattern(arm.Pattern, value);
            if (arm.Guard is { } guard)
            {
                var guarded = sometimes(guard);
                condition = condition is ConstantExpression
                    ? guarded
                    : new OperationExpression(Kind.Bool, "&&", new[] { condition, guarded }.ToEquatableArray());
            }

            var taken = sometimes(arm.Value);
            result = result is null || (arm.Guard is null && condition is ConstantExpression)
                ? taken
                : new OperationExpression(taken.Kind, "?", new[] { condition, taken, result }.ToEquatableArray());
        }

        return result!;
    }

    /// <summary>The constant of a pattern, in the type of the compared value; null for other patterns.</summary>
    private static ConstantExpression? Constant(IOperation operation, Kind kind) =>
        operation.ConstantValue is { HasValue: true, Value: (int or float) and var value } && (kind == Kind.Float || (kind == Kind.Int && value is int))
            ? new(kind, Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture))
            : null;

    /// <summary>
    /// The <c>checked(...)</c> around an operation; null if there is none. The setting of the project does not count: it is about how code runs, not about what
    /// a mask is.
    /// </summary>
    private static CheckedExpressionSyntax? Checked(IOperation operation)
    {
        var around = operation.Syntax.AncestorsAndSelf().TakeWhile(node => node is not MethodDeclarationSyntax)
            .OfType<CheckedExpressionSyntax>().FirstOrDefault();
        return around?.Keyword.ValueText == "checked" ? around : null;
    }

    private static CannotLiftException IsChecked(CheckedExpressionSyntax syntax) =>
        new(syntax, "a kernel does not throw, and its ints wrap: remove checked, and limit values that may overflow, such as with Math.Clamp");
}
