using Microsoft.CodeAnalysis.Diagnostics;

namespace AttentionGen.Generator.Parsing;

/// <summary>Whether analyzers run in this build. Where they do not, nobody reports our errors, and the compiler has to.</summary>
internal static class AnalyzerSwitch
{
    public static bool IsOn(AnalyzerConfigOptions options) =>
        !IsFalse(options, "build_property.RunAnalyzers") && !IsFalse(options, "build_property.RunAnalyzersDuringBuild");

    private static bool IsFalse(AnalyzerConfigOptions options, string property) =>
        options.TryGetValue(property, out string? value) && string.Equals(value, "false", StringComparison.OrdinalIgnoreCase);
}
