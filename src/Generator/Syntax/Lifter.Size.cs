using System.Globalization;
using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace AttentionGen.Generator.Syntax;

/// <summary>
/// Finds the bodies of methods and limits their total size. A chain of methods, each of which calls the next one twice, doubles the size at each step.
/// </summary>
internal sealed partial class Lifter
{
    private readonly Dictionary<IMethodSymbol, IOperation> _operations = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<IMethodSymbol, (double Bodies, double Operations)> _costs = new(SymbolEqualityComparer.Default);

    /// <summary>The only expression of the body of a method.</summary>
    private IOperation Operation(IMethodSymbol method)
    {
        if (_operations.TryGetValue(method, out var known)) return known;
        var declaration = method.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()).OfType<MethodDeclarationSyntax>()
            .FirstOrDefault(syntax => syntax.Body is not null || syntax.ExpressionBody is not null);
        var result = declaration switch
        {
            { ExpressionBody.Expression: { } expression } => expression,
            { Body.Statements: { Count: 1 } statements } when statements[0] is ReturnStatementSyntax { Expression: { } expression } => expression,
            _ => null,
        };
        if (result is null) throw new CannotLiftException(declaration, "the method is not one expression: use '=> ...' or a single return");
        while (true) // parentheses and checked have no operations of their own
        {
            if (result is ParenthesizedExpressionSyntax parenthesized) result = parenthesized.Expression;
            else if (result is CheckedExpressionSyntax @checked) result = @checked.Expression;
            else break;
        }

        var operation = _compilation.GetSemanticModel(result.SyntaxTree).GetOperation(result)
            ?? throw new CannotLiftException(result, "it is not an expression: use '=> ...' or a single return");
        _operations.Add(method, operation);
        return operation;
    }

    /// <summary>
    /// Checks the number of operations of a method after all calls are expanded in place. It visits each method once, however often it is called.
    /// </summary>
    private void CheckSize(IMethodSymbol method)
    {
        var (bodies, operations) = Cost(method, 0);
        if (operations > MaxOperations) throw TooLarge($"{Text(operations)} operations{(bodies > 1 ? $" in {Text(bodies)} method bodies" : "")}");
    }

    private static void CheckSize(Expression result)
    {
        if (result.Size > MaxOperations) throw TooLarge($"{Text(result.Size)} operations");
    }

    private (double Bodies, double Operations) Cost(IMethodSymbol method, int depth)
    {
        if (_costs.TryGetValue(method, out var known)) return known;
        if (depth > MaxDepth) return default; // lifting reports deep calls and recursion
        _costs.Add(method, default);
        double bodies = 1, operations = 0;
        foreach (var operation in Operation(method).DescendantsAndSelf())
        {
            operations++;
            if (operation is not IInvocationOperation { TargetMethod: var target } || !IsOwn(target)) continue;
            var inner = Cost(target, depth + 1);
            bodies += inner.Bodies;
            operations += inner.Operations;
        }

        return _costs[method] = (bodies, operations);
    }

    /// <summary>Whether a call of a method can be expanded in place: the method is static, not generic, and declared in the project.</summary>
    private static bool IsOwn(IMethodSymbol method) =>
        !method.DeclaringSyntaxReferences.IsEmpty && method is { IsGenericMethod: false, IsStatic: true }
        && method.Parameters.All(parameter => parameter.RefKind == RefKind.None);

    private static CannotLiftException TooLarge(string size)
    {
        const string Fix = "compute less for each pair, or read values from a span that the caller fills";
        return new(null, $"it has {size} after all calls are expanded in place, but the limit is {Text(MaxOperations)}: {Fix}");
    }

    private static string Text(double count) => count.ToString(count < 1e15 ? "0" : "0.0e0", CultureInfo.InvariantCulture);
}
