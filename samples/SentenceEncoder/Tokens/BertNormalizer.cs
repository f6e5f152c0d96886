using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace SentenceEncoder.Tokens;

/// <summary>
/// The normal form of uncased BERT models: no control characters, no accents, lower case, and spaces around each ideograph and each
/// punctuation mark, so that words are what stands between spaces.
/// </summary>
/// <remarks>That of Microsoft.ML.Tokenizers 2.0.1 joins words over a tab and drops symbols: "5$" would be "5".</remarks>
internal sealed class BertNormalizer : Normalizer
{
    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());

    public override string Normalize(string original)
    {
        var text = new StringBuilder(original.Length + 16);
        foreach (var rune in original.EnumerateRunes())
        {
            if (IsSpace(rune)) text.Append(' ');
            else if (IsControl(rune)) continue;
            else if (IsIdeograph(rune.Value)) text.Append(' ').Append(rune).Append(' ');
            else text.Append(rune);
        }

        // Marks that are letters of their own before this come off their letters here, and some symbols become punctuation.
        string apart = Unicode.Normalize(text.ToString(), NormalizationForm.FormD);
        text.Clear();
        foreach (var rune in apart.EnumerateRunes())
        {
            if (IsPunctuation(rune)) text.Append(' ').Append(rune).Append(' ');
            else if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark) text.Append(Rune.ToLowerInvariant(rune));
        }
        return text.ToString();
    }

    private static bool IsSpace(Rune rune) => rune.Value is '\t' or '\n' or '\r' || Rune.GetUnicodeCategory(rune) != UnicodeCategory.Control && Rune.IsWhiteSpace(rune);

    private static bool IsControl(Rune rune) => rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;

    /// <summary>All that ASCII has beside letters, digits and the space counts as punctuation, although Unicode calls some of it symbols.</summary>
    private static bool IsPunctuation(Rune rune) => rune.IsAscii ? rune.Value is > ' ' and < 127 && !Rune.IsLetterOrDigit(rune) : Rune.IsPunctuation(rune);

    /// <summary>The ideographs of Chinese, Japanese and Korean. Kana and Hangul are words like those of other scripts.</summary>
    private static bool IsIdeograph(int value) => value is
        >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF or >= 0x2A700 and <= 0x2CEAF
        or >= 0xF900 and <= 0xFAFF or >= 0x2F800 and <= 0x2FA1F;
}
