using AttentionGen.Generator.Text;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Validation;

/// <summary>A rule that a declaration breaks, its place, and the arguments of the message.</summary>
internal sealed record Violation(DiagnosticDescriptor Rule, Place Place, params object[] Arguments)
{
    /// <summary>The arguments as text in one line. Roslyn would format numbers with the culture of the build.</summary>
    public object[] Arguments { get; } = [.. Arguments.Select(argument => OneLine.Of(Invariant.Text(argument)))];
}

/// <summary>A place in a declaration, without syntax. The analyzer finds its location.</summary>
/// <param name="Kind">The kind of the place.</param>
/// <param name="Argument">The name of an argument of the attribute, or of an own method.</param>
/// <param name="Index">The index of a parameter or of a containing type; in an own method, the offset from the start of its declaration, in characters.</param>
/// <param name="Length">The length in an own method, in characters.</param>
internal readonly record struct Place(PlaceKind Kind, string Argument = "", int Index = 0, int Length = 0)
{
    public static Place Method { get; } = new(PlaceKind.Method);

    public static Place ReturnType { get; } = new(PlaceKind.ReturnType);

    public static Place Attribute { get; } = new(PlaceKind.Attribute);

    public static Place OfArgument(string name) => new(PlaceKind.Argument, name);

    public static Place OfParameter(int index) => new(PlaceKind.Parameter, Index: index);

    /// <summary>A place in an own method, in characters from the start of its declaration.</summary>
    public static Place OfLifted(string method, int start, int length) => new(PlaceKind.Lifted, method, start, length);

    public static Place OfType(int index) => new(PlaceKind.ContainingType, Index: index);
}

internal enum PlaceKind
{
    Method,
    ReturnType,
    Attribute,
    Argument,
    Parameter,
    ContainingType,
    Lifted,
}
