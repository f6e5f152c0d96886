namespace AttentionGen.Generator.Text;

/// <summary>Who wrote a generated member.</summary>
internal static class GeneratedCode
{
    public const string Tool = "AttentionGen";

    public static string Attribute { get; } =
        $"[global::System.CodeDom.Compiler.GeneratedCode(\"{Tool}\", \"{typeof(GeneratedCode).Assembly.GetName().Version.ToString(3)}\")]";
}
