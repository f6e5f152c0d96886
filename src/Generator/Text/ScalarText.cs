
namespace AttentionGen.Generator.Text;

/// <summary>Numbers as C# literals, the same in every culture.</summary>
internal static class ScalarText
{
    public static string Float(float value) => Invariant.Text(value) + "f";
}
