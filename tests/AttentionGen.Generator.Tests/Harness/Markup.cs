using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis.Text;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>Source in which <c>[|</c> and <c>|]</c> enclose the place of a diagnostic.</summary>
internal sealed record Markup(string Source, TextSpan Place)
{
    public static Markup Parse(string text)
    {
        int start = text.IndexOf("[|", StringComparison.Ordinal), end = text.IndexOf("|]", StringComparison.Ordinal);
        return start < 0 || end < start
            ? throw new FormatException("The source marks no place with [| and |].")
            : new Markup(text.Remove(end, 2).Remove(start, 2), TextSpan.FromBounds(start, end - 2));
    }
}
