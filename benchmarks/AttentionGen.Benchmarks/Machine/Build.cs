using System.Diagnostics;
using System.Reflection;

namespace AttentionGen.Benchmarks.Machine;

/// <summary>How this program was built.</summary>
internal static class Build
{
    /// <summary>
    /// Whether the JIT compiles the program or the library without optimisation. Kernels are then ten times slower, and so is the peak loop:
    /// the percentages would look right.
    /// </summary>
    public static bool IsDebug => new[] { typeof(Build).Assembly, typeof(AttentionInfo).Assembly }
        .Any(assembly => assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true });
}
