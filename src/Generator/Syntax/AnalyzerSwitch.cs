using Microsoft.CodeAnalysis.Diagnostics;

namespace AttentionGen.Generator.Syntax;

/// <summary>
/// Reads whether analyzers run in this build. If they do not run, the generator reports the errors through the compiler. The targets of the package decide it
/// with the conditions of the compiler's targets, so that both agree.
/// </summary>
internal static class AnalyzerSwitch
{
    public const string Property = "build_property.AttentionGenSkipsAnalyzers";

    public static bool IsOn(AnalyzerConfigOptions options) =>
        !options.TryGetValue(Property, out string? value) || !string.Equals(value, "true", StringComparison.OrdinalIgnoreCase);
}
