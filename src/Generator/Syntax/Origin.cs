using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace AttentionGen.Generator.Syntax;

/// <summary>
/// Finds where an object was created, if the code leaves no doubt: a variable that is assigned once, and is used in no way that could change it, is what it was
/// assigned.
/// </summary>
internal static class Origin
{
    /// <summary>The most variables between an object and its use. It ends circles.</summary>
    private const int MostSteps = 8;

    /// <returns>The construction of what a value is, unless it is null; null if that is not certain.</returns>
    public static IObjectCreationOperation? Of(IOperation value, Compilation compilation, CancellationToken cancellation)
    {
        var now = value;
        for (int step = 0; step < MostSteps && now is not null; step++)
        {
            while (now is IConversionOperation { OperatorMethod: null } conversion) now = conversion.Operand;
            if (now is IObjectCreationOperation creation) return creation;
            now = now switch
            {
                ILocalReferenceOperation { Local.RefKind: RefKind.None } reference => OfLocal(reference),
                IFieldReferenceOperation { Field.IsReadOnly: true } reference => OfMember(reference.Field.OriginalDefinition, compilation, cancellation),
                IPropertyReferenceOperation reference when IsFixed(reference.Property, cancellation) => OfMember(reference.Property.OriginalDefinition, compilation, cancellation),
                _ => null,
            };
        }

        return null;
    }

    private static IOperation? OfLocal(ILocalReferenceOperation reference)
    {
        IOperation body = reference;
        while (body.Parent is { } parent) body = parent;
        var values = new List<IOperation>();
        return AddAssigned(body, reference.Local, values) && values.Count == 1 ? values[0] : null;
    }

    /// <summary>The only value of a field or property that nothing but an initializer, constructors and init accessors can assign.</summary>
    private static IOperation? OfMember(ISymbol member, Compilation compilation, CancellationToken cancellation)
    {
        var values = new List<IOperation>();
        foreach (var syntax in Declarations(member, cancellation).Concat(Assigning(member).SelectMany(method => Declarations(method, cancellation))))
        {
            if (!compilation.ContainsSyntaxTree(syntax.SyntaxTree)) return null; // another project
            var (node, isBody) = syntax switch
            {
                VariableDeclaratorSyntax variable => (variable.Initializer, false),
                PropertyDeclarationSyntax property => (property.Initializer, false),
                ConstructorDeclarationSyntax or AccessorDeclarationSyntax => (syntax, true),
                _ => ((SyntaxNode?)null, false), // a primary constructor has no body
            };
            if (node is null || compilation.GetSemanticModel(node.SyntaxTree).GetOperation(node, cancellation) is not { } operation) continue;
            if (!isBody) values.Add(((ISymbolInitializerOperation)operation).Value);
            else if (!AddAssigned(operation, member, values)) return null;
        }

        return values.Count == 1 ? values[0] : null;
    }

    /// <summary>Whether a property is the same object at each use: its own field, which has no setter.</summary>
    private static bool IsFixed(IPropertySymbol property, CancellationToken cancellation) =>
        property is { SetMethod: null, IsVirtual: false, IsAbstract: false, IsOverride: false, IsExtern: false, IsPartialDefinition: false, PartialDefinitionPart: null }
        && Declarations(property, cancellation).FirstOrDefault() is PropertyDeclarationSyntax { AccessorList.Accessors: { Count: 1 } accessors }
        && accessors[0] is { Body: null, ExpressionBody: null };

    /// <summary>The methods that may assign a read-only member.</summary>
    private static IEnumerable<IMethodSymbol> Assigning(ISymbol member)
    {
        var type = member.ContainingType;
        return member.IsStatic ? type.StaticConstructors
            : type.InstanceConstructors.Concat(type.GetMembers().OfType<IPropertySymbol>().Select(property => property.SetMethod).OfType<IMethodSymbol>().Where(setter => setter.IsInitOnly));
    }

    private static IEnumerable<SyntaxNode> Declarations(ISymbol symbol, CancellationToken cancellation) =>
        (symbol is IMethodSymbol { PartialImplementationPart: { } part } ? part : symbol).DeclaringSyntaxReferences.Select(reference => reference.GetSyntax(cancellation));

    /// <summary>Adds the values that code assigns to a variable.</summary>
    /// <returns>Whether the code changes the variable in no other way.</returns>
    private static bool AddAssigned(IOperation code, ISymbol variable, List<IOperation> values)
    {
        bool Is(ISymbol symbol) => SymbolEqualityComparer.Default.Equals(symbol.OriginalDefinition, variable);
        foreach (var operation in code.DescendantsAndSelf())
        {
            bool isReference = operation switch
            {
                ILocalReferenceOperation { Local: var local } => Is(local),
                IMemberReferenceOperation { Member: var member } => Is(member),
                _ => false,
            };
            if (operation is IVariableDeclaratorOperation { Initializer.Value: { } initial } declarator && Is(declarator.Symbol)) values.Add(initial);
            else if (isReference && operation.Parent is ISimpleAssignmentOperation { IsRef: false } assignment && assignment.Target == operation) values.Add(assignment.Value);
            else if (isReference && !IsRead(operation)) return false;
        }

        return true;
    }

    /// <summary>Whether a use of a variable is sure not to change it. The list has the usual ones; with others, nothing is said.</summary>
    private static bool IsRead(IOperation use) => use.Parent switch
    {
        IArgumentOperation argument => argument.Parameter?.RefKind == RefKind.None,
        IInvocationOperation or IPropertyReferenceOperation or IMethodReferenceOperation or IConditionalAccessOperation => true, // members of the object, which is no struct
        ISimpleAssignmentOperation assignment => !assignment.IsRef,
        IVariableInitializerOperation initializer => initializer.Parent is IVariableDeclaratorOperation { Symbol.RefKind: RefKind.None },
        IConversionOperation or IBinaryOperation or IIsPatternOperation or INameOfOperation or IUsingOperation or IReturnOperation => true,
        _ => false,
    };
}
