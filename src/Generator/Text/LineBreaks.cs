namespace AttentionGen.Generator.Text;

/// <summary>
/// Breaks lines of code that are longer than a reader wants. Code breaks after a statement, else after a comma or before an operator, as far out in its parentheses as there is one;
/// comments break between words. Nothing breaks inside a literal, and a line without a place to break stays as it is.
/// </summary>
internal static class LineBreaks
{
    /// <summary>The most characters of a line, indentation included.</summary>
    public const int MaxLength = 160;

    private const string Further = "    ";

    public static IEnumerable<string> Of(string line, int indentation)
    {
        if (indentation + line.Length <= MaxLength || line.StartsWith("#", StringComparison.Ordinal)) return [line];
        string code = line.TrimStart();
        string lead = line.Substring(0, line.Length - code.Length);
        foreach (string mark in s_commentMarks)
            if (code.StartsWith(mark, StringComparison.Ordinal)) return Words(code.Substring(mark.Length), lead + mark, indentation);

        // A comment at the end of a statement goes before it.
        int comment = Places(line).Where(place => place.Kind == Kind.Comment).Select(place => place.Index).DefaultIfEmpty(-1).First();
        if (comment > 0)
        {
            string statement = line.Substring(0, comment).TrimEnd();
            return Of(lead + line.Substring(comment), indentation).Concat(Of(statement, indentation));
        }

        return Code(line, lead, indentation);
    }

    private static readonly string[] s_commentMarks = ["/// ", "//     ", "//   ", "// "];

    private enum Kind
    {
        /// <summary>After a statement, or between the parts of a for.</summary>
        Statement,

        /// <summary>After a comma.</summary>
        Comma,

        /// <summary>Before an operator.</summary>
        Operator,

        Comment,
    }

    private static IEnumerable<string> Code(string line, string lead, int indentation)
    {
        string rest = line;
        while (indentation + rest.Length > MaxLength)
        {
            int room = MaxLength - indentation;
            var places = Places(rest).Where(place => place.Index > lead.Length + Further.Length && place.Index <= room && place.Kind != Kind.Comment).ToList();
            if (places.Count == 0) break;

            // The outermost parentheses; of these statements before commas before operators; of these the last that fits.
            var best = places.OrderBy(place => place.Depth).ThenBy(place => place.Kind).ThenByDescending(place => place.Index).First();
            yield return rest.Substring(0, best.Index).TrimEnd();
            string next = rest.Substring(best.Index).TrimStart();
            bool isStatement = best is { Kind: Kind.Statement, Depth: 0 };
            rest = lead + (isStatement ? "" : Further) + next;
        }

        yield return rest;
    }

    /// <summary>Places where a line of code may break, with the number of open parentheses.</summary>
    private static IEnumerable<(int Index, int Depth, Kind Kind)> Places(string line)
    {
        int depth = 0;
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (c is '"' or '\'')
            {
                int end = i + 1;
                while (end < line.Length && line[end] != c) end += line[end] == '\\' ? 2 : 1;
                i = end;
                continue;
            }

            if (c is '(' or '[' or '{') depth++;
            if (c is ')' or ']' or '}') depth--;
            if (c == '/' && i + 1 < line.Length && line[i + 1] == '/')
            {
                yield return (i, depth, Kind.Comment);
                yield break;
            }

            if (i + 1 >= line.Length || line[i + 1] != ' ') continue;
            if (c == ';') yield return (i + 2, depth, Kind.Statement);
            if (c == ',') yield return (i + 2, depth, Kind.Comma);
            if (i > 0 && line[i - 1] == ' ' && c is '+' or '-' or '?' or ':') yield return (i, depth, Kind.Operator);
            if (c is '&' or '|' && i > 1 && line[i - 1] == c && line[i - 2] == ' ') yield return (i - 1, depth, Kind.Operator);
            if (c is '&' or '|' && i > 0 && line[i - 1] == ' ') yield return (i, depth, Kind.Operator);
            if (c == '=' && i > 0 && line[i - 1] == ' ') yield return (i + 2, depth, Kind.Operator);
        }
    }

    private static IEnumerable<string> Words(string text, string lead, int indentation)
    {
        string line = lead;
        foreach (string word in text.Split(' '))
        {
            if (line.Length > lead.Length && indentation + line.Length + 1 + word.Length > MaxLength)
            {
                yield return line;
                line = lead;
            }

            line += (line.Length > lead.Length ? " " : "") + word;
        }

        yield return line;
    }
}
