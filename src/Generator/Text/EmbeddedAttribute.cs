namespace Microsoft.CodeAnalysis;

/// <summary>Says that a type is for this assembly alone, also where others see its internals: the compiler does not take it for theirs.</summary>
[AttributeUsage(AttributeTargets.All, Inherited = false), Embedded]
internal sealed class EmbeddedAttribute : Attribute;
