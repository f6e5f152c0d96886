namespace AttentionGen.Generator.Model;

/// <summary>The implementation of a declaration that has errors.</summary>
/// <param name="Errors">The messages of the errors; empty if the compiler reports them.</param>
/// <param name="IsOldLanguage">Whether the C# version is too old for kernels. The implementation then uses only features of that version.</param>
internal sealed record StandIn(MethodSpec Method, EquatableArray<string> Errors, bool IsOldLanguage);
