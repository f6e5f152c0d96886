namespace AttentionGen.Generator.Model;

/// <summary>The implementation of a declaration that is in error.</summary>
/// <param name="Errors">What is wrong with the declaration; empty where the compiler says it.</param>
/// <param name="IsOldLanguage">Whether C# is too old for kernels: then the implementation is written for as old a version.</param>
internal sealed record StandIn(MethodSpec Method, EquatableArray<string> Errors, bool IsOldLanguage);
