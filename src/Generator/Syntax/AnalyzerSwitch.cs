using Microsoft.CodeAnalysis.Diagnostics;

namespace AttentionGen.Generator.Syntax;

/// <summary>
/// Whether analyzers run in this build. Where they do not, nobody reports our errors, and the compiler has to. The package's targets ask as the
/// compiler's own do, so that there is one answer.
/// </summary>
internal static class AnalyzerSwitch
{
    public const string Property = "build_property.AttentionGenSkipsAnalyzers";

    public static bool IsOn(AnalyzerConfigOptions options) =>
        !options.TryGetValue(Property, out string? value) || !string.Equals(value, "true", StringComparison.OrdinalIgnoreCase);
}
