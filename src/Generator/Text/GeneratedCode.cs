namespace AttentionGen.Generator.Text;

/// <summary>Attributes of generated members.</summary>
internal static class GeneratedCode
{
    public const string Tool = "AttentionGen";

    /// <summary>Who wrote the member.</summary>
    public static string Attribute { get; } =
        $"[global::System.CodeDom.Compiler.GeneratedCode(\"{Tool}\", \"{typeof(GeneratedCode).Assembly.GetName().Version.ToString(3)}\")]";

    /// <summary>The attribute of every method of a core: never interpreted at a low tier, never inlined into one that would spill.</summary>
    public const string CoreMethod = "[MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]";
}
