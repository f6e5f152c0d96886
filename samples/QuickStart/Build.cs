using System.Diagnostics;
using System.Reflection;

namespace QuickStart;

/// <summary>Facts about the build of this program.</summary>
internal static class Build
{
    private static readonly Assembly s_program = typeof(Build).Assembly;

    /// <summary>Whether the JIT compiles this program, and with it the kernels it declares, without optimisation.</summary>
    public static bool IsDebug => s_program.GetCustomAttribute<DebuggableAttribute>()?.IsJITOptimizerDisabled ?? false;

    /// <summary>
    /// The directory of a generated file, as seen from the current directory; null where the program was moved away from its build.
    /// </summary>
    public static string? GeneratedDirectory(string file)
    {
        string? root = s_program.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(data => data.Key == "GeneratedFiles")?.Value;
        if (root is null) return null;
        root = Path.GetFullPath(root, AppContext.BaseDirectory);
        if (!Directory.Exists(root)) return null;
        string? path = Directory.EnumerateFiles(root, file, SearchOption.AllDirectories).FirstOrDefault();
        return path is null ? null : Path.GetRelativePath(Environment.CurrentDirectory, Path.GetDirectoryName(path)!);
    }
}
