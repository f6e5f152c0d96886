using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Validation;

/// <summary>A rule that a declaration breaks, where, and the numbers for the message.</summary>
internal sealed record Violation(DiagnosticDescriptor Rule, Place Place, params object[] Arguments)
{
    /// <summary>As text in one line; of numbers Roslyn would make one in the culture of the build.</summary>
    public object[] Arguments { get; } = [.. Arguments.Select(argument => OneLine.Of(Invariant.Text(argument)))];
}

/// <summary>A place in a declaration, without syntax: whoever reports looks it up.</summary>
/// <param name="Argument">The attribute's argument, by its name in C#.</param>
/// <param name="Index">The index of a parameter or of a containing type; in a method beside the kernel, where it begins.</param>
/// <param name="Length">How long it is there.</param>
internal readonly record struct Place(PlaceKind Kind, string Argument = "", int Index = 0, int Length = 0)
{
    public static Place Method { get; } = new(PlaceKind.Method);

    public static Place ReturnType { get; } = new(PlaceKind.ReturnType);

    public static Place Attribute { get; } = new(PlaceKind.Attribute);

    public static Place OfArgument(string name) => new(PlaceKind.Argument, name);

    public static Place OfParameter(int index) => new(PlaceKind.Parameter, Index: index);

    /// <summary>A place in a method beside the kernel, counted from the beginning of its declaration.</summary>
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
