using System.Globalization;
using Microsoft.CodeAnalysis.CSharp;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>Random edits of a source, as somebody who types passes through them: the same ones for the same seed.</summary>
internal static class Edits
{
    /// <summary>Words that mean something between others.</summary>
    private static readonly string[] s_words =
    [
        "(", ")", "{", "}", "[", "]", "<", ">", ",", ";", ":", "=", "=>", ".", "?", "*", "&", "@", "\"", "'", "$\"", "//", "/*", "#if X", "\n", "0", "-1", "1e-40f", "null", "default", "nameof(", "typeof(int)",
        "partial", "static", "class", "struct", "record", "interface", "enum", "delegate", "namespace", "using", "file", "ref", "in", "out", "params", "this", "scoped", "unsafe", "extern", "async", "abstract", "operator", "implicit", "extension(int x)",
        "void", "int", "float", "bool", "var", "dynamic", "string", "where T : new()", "<T>", "int[]", "int*", "(int, int)", "Attention", "[Attention(2, 8)]", "MaskMethod", "query", "key", "output", "head", "return", "new", "get;", "event", "const", "Attend",
    ];

    public static string Of(string source, int seed)
    {
        var random = new Random(seed);
        for (int left = 1 + (random.Next(3) == 0 ? random.Next(3) : 0); left > 0; left--) source = One(source, random);
        return source;
    }

    private static string One(string source, Random random)
    {
        if (source.Length < 2) return source;
        var tokens = SyntaxFactory.ParseTokens(source).Where(token => token.Span.Length > 0).Select(token => token.Span).ToList();
        if (tokens.Count < 2 || random.Next(4) == 0)
        {
            int at = random.Next(source.Length - 1), length = Math.Min(1 + random.Next(random.Next(2) == 0 ? 2 : 40), source.Length - at);
            return random.Next(5) switch
            {
                0 => source.Remove(at, length),
                1 => source.Insert(at, source.Substring(at, length)),
                2 => source.Insert(at, char.ConvertFromUtf32(random.Next(4) == 0 ? 0xC0 + random.Next(0x2000) : 32 + random.Next(95))),
                3 => string.Create(CultureInfo.InvariantCulture, $"{source[..at]}{source[at + 1]}{source[at]}{source[(at + 2)..]}"),
                _ => source[..at], // the end of the file is not there yet
            };
        }

        var (one, other) = (tokens[random.Next(tokens.Count)], tokens[random.Next(tokens.Count)]);
        string Text(Microsoft.CodeAnalysis.Text.TextSpan span) => source.Substring(span.Start, span.Length);
        string Replaced(Microsoft.CodeAnalysis.Text.TextSpan span, string text) => source.Remove(span.Start, span.Length).Insert(span.Start, text);
        switch (random.Next(7))
        {
            case 0: return Replaced(one, "");
            case 1: return source.Insert(one.End, $" {s_words[random.Next(s_words.Length)]} ");
            case 2: return source.Insert(one.End, $" {Text(other)} ");
            case 3: return Replaced(one, s_words[random.Next(s_words.Length)]);
            case 4: return Replaced(one, Text(other));
            case 5:
                var (first, second) = one.Start < other.Start ? (one, other) : (other, one);
                if (first == second) return source;
                string text = Text(first);
                return source.Remove(second.Start, second.Length).Insert(second.Start, text).Remove(first.Start, first.Length).Insert(first.Start, Text(second));
            default: // a stretch of tokens
                int start = Math.Min(one.Start, other.Start), end = Math.Min(Math.Max(one.End, other.End), start + 200);
                return random.Next(2) == 0 ? source.Remove(start, end - start) : source.Insert(end, source[start..end]);
        }
    }
}
