using System.Text;

namespace SentenceEncoder.Tokens;

/// <summary>Normal forms of Unicode, of any text.</summary>
internal static class Unicode
{
    /// <exception cref="PlatformNotSupportedException">.NET runs without ICU, and leaves a text as it is.</exception>
    public static void RequireNormalForms()
    {
        if ("\u00E9".Normalize(NormalizationForm.FormD).Length != 2)
            throw new PlatformNotSupportedException("Tokenizers need ICU: install it (libicu), and set InvariantGlobalization to false in the project of the program.");
    }

    /// <summary>The normal form. Halves of surrogate pairs become U+FFFD: .NET refuses to normalise them.</summary>
    public static string Normalize(string text, NormalizationForm form) => Ascii.IsValid(text) ? text : WithoutHalves(text).Normalize(form);

    private static string WithoutHalves(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else return Replaced(text);
        }
        return text;
    }

    private static string Replaced(string text)
    {
        var whole = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) whole.Append(rune);
        return whole.ToString();
    }
}
