namespace AttentionGen.Generator.Text;

/// <summary>Attributes of generated members.</summary>
internal static class GeneratedCode
{
    public const string Tool = "AttentionGen";

    /// <summary>The attribute that names the tool that wrote a member.</summary>
    public static string Attribute { get; } =
        $"[global::System.CodeDom.Compiler.GeneratedCode(\"{Tool}\", \"{typeof(GeneratedCode).Assembly.GetName().Version.ToString(3)}\")]";

    /// <summary>
    /// The attribute of every method of a core. The runtime optimises the method at its first call, and does not inline it: a larger method would spill
    /// registers.
    /// </summary>
    public const string CoreMethod = "[MethodImpl(AggressiveOptimization | NoInlining)]";
}
