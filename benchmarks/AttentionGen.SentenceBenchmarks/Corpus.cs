using AttentionGen.Benchmarks;
using SentenceEncoder.Tokens;

namespace AttentionGen.SentenceBenchmarks;

/// <summary>Texts made of the prose of this repository's documents, the same whenever these are.</summary>
internal static class Corpus
{
    /// <summary>Those of <see cref="Equal"/>, the two tokens around a text included.</summary>
    private const int EqualTokens = 32;

    /// <summary>Every third paragraph is a text; of the others, every sentence is one.</summary>
    public static IReadOnlyList<string> Mixed(int count)
    {
        var texts = new List<string>();
        for (int i = 0; texts.Count < count; i++)
        {
            string paragraph = Paragraphs[i % Paragraphs.Count];
            texts.AddRange(i % 3 == 0 ? [paragraph] : paragraph.Split(". ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }

        return texts[..count];
    }

    /// <summary>Words one after the other, as many as have the tokens; a word that would be one token too many is left out.</summary>
    public static IReadOnlyList<string> Equal(int count, ITextTokenizer tokenizer)
    {
        string[] words = [.. Paragraphs.SelectMany(paragraph => paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        var texts = new List<string>();
        string text = "";
        for (int i = 0; texts.Count < count; i++)
        {
            string longer = $"{text} {words[i % words.Length]}";
            int tokens = tokenizer.Encode(longer, out _).Length;
            if (tokens <= EqualTokens) text = longer;
            if (tokens != EqualTokens) continue;
            texts.Add(text.Trim());
            text = "";
        }

        return texts;
    }

    private static IReadOnlyList<string> Paragraphs { get; } = [.. Directory.GetFiles(Repository.PathOf("docs"), "*.md").Order(StringComparer.Ordinal).SelectMany(ParagraphsOf)];

    /// <summary>What stands between empty lines, without code, tables, pictures and titles.</summary>
    private static IEnumerable<string> ParagraphsOf(string path)
    {
        var paragraph = new List<string>();
        bool isCode = false;
        foreach (string line in File.ReadLines(path).Append(""))
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) isCode = !isCode;
            else if (!isCode && line.Length > 0 && line[0] is not ('|' or '#' or '!' or '<')) paragraph.Add(line);
            else if (paragraph.Count > 0)
            {
                yield return string.Join(' ', paragraph);
                paragraph.Clear();
            }
        }
    }
}
