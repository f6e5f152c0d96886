namespace Microsoft.CodeAnalysis;

/// <summary>Hides a type from other assemblies, even from those that see the internals of this one.</summary>
[AttributeUsage(AttributeTargets.All, Inherited = false), Embedded]
internal sealed class EmbeddedAttribute : Attribute;
