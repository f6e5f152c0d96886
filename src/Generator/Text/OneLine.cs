using System.Text;

namespace AttentionGen.Generator.Text;

/// <summary>
/// Text of the user's in a message. A message is one line, whatever it quotes: build logs read line by line, and so does the compiler, which takes the
/// second line of an #error for code.
/// </summary>
internal static class OneLine
{
    /// <summary>The text with a blank for each end of line and the blanks around it.</summary>
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

    /// <summary>What C# ends a line with (carriage return, line feed, next line, line and paragraph separator), and what a log cannot show.</summary>
    private static bool IsControl(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
}
