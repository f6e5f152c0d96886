namespace AttentionGen.Generator.Text;

/// <summary>Writes numbers as C# literals.</summary>
internal static class ScalarText
{
    public static string Float(float value) => Invariant.Text(value) + "f";
}
