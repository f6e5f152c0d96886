using System.Text;

namespace AttentionGen.Generator.Text;

/// <summary>
/// Puts the user's text into one line of a message. Build logs are read line by line. The compiler would read the second line of an #error as code.
/// </summary>
internal static class OneLine
{
    /// <summary>The text, with one space in place of each line break and the spaces around it.</summary>
    public static string Of(string text)
    {
        if (!text.Any(IsControl)) return text;
        var line = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (!IsControl(text[i]))
            {
                line.Append(text[i]);
                continue;
            }

            while (line.Length > 0 && line[line.Length - 1] == ' ') line.Length--;
            while (i + 1 < text.Length && (IsControl(text[i + 1]) || text[i + 1] == ' ')) i++;
            line.Append(' ');
        }

        return line.ToString().Trim();
    }

    /// <summary>
    /// Whether a character ends a line in C# (carriage return, line feed, next line, line or paragraph separator), or is another control character.
    /// </summary>
    private static bool IsControl(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
}
