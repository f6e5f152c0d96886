using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace SentenceEncoder.Tokens;

/// <summary>The tokens of uncased BERT models: pieces of words between [CLS] and [SEP].</summary>
/// <remarks>A text cannot have special tokens: "[SEP]" in it is a word in brackets.</remarks>
internal sealed partial class WordPieces : ITextTokenizer
{
    /// <summary>A longer word is one unknown token, so that no word has more tokens than this.</summary>
    private const int LongestWord = 100;

    private readonly WordPieceTokenizer _words;
    private readonly string[] _pieces;
    private readonly int _begin, _end;

    /// <param name="vocabulary">The pieces in UTF-8, one a line.</param>
    /// <param name="maxTokens">The most tokens of a text.</param>
    /// <exception cref="InvalidDataException">A special token is missing.</exception>
    public WordPieces(byte[] vocabulary, int maxTokens)
    {
        Unicode.RequireNormalForms();
        MaxTokens = maxTokens;
        _pieces = [.. Encoding.UTF8.GetString(vocabulary).TrimEnd().Split('\n').Select(piece => piece.TrimEnd('\r'))];
        _begin = Special("[CLS]");
        _end = Special("[SEP]");
        Special("[UNK]");
        using var stream = new MemoryStream(vocabulary);
        _words = WordPieceTokenizer.Create(stream, new WordPieceOptions
        {
            Normalizer = new BertNormalizer(),
            PreTokenizer = new RegexPreTokenizer(Words(), specialTokens: null),
            MaxInputCharsPerWord = LongestWord,
        });
    }

    public int MaxTokens { get; }

    public string PieceOf(int token) => _pieces[token];

    public bool IsSeparator(int token) => token == _end;

    public int[] Encode(string text, out bool cut)
    {
        // The tokenizer stops before a word that does not fit. The model wants the pieces of it that do, so there is room for the whole word.
        int room = MaxTokens - 2;
        var words = _words.EncodeToIds(text, room + LongestWord + 1, out _, out _);
        cut = words.Count > room;
        int[] tokens = new int[Math.Min(words.Count, room) + 2];
        tokens[0] = _begin;
        for (int i = 1; i < tokens.Length - 1; i++) tokens[i] = words[i - 1];
        tokens[^1] = _end;
        return tokens;
    }

    private int Special(string piece) =>
        Array.IndexOf(_pieces, piece) is >= 0 and int index ? index : throw new InvalidDataException($"The vocabulary has no {piece}.");

    [GeneratedRegex("[^ ]+")]
    private static partial Regex Words();
}
