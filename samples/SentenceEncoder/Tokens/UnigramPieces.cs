using System.Text;
using System.Text.Json;

namespace SentenceEncoder.Tokens;

/// <summary>The tokens of Universal Sentence Encoder Lite: of all ways to cut a text into pieces, the one with the best sum of scores.</summary>
/// <remarks>What looks odd here is what the published tokenizer does, and the model was made with it.</remarks>
internal sealed class UnigramPieces : ITextTokenizer
{
    private const char Space = '\u2581';

    /// <summary>The pieces before it are special: a text has none of them.</summary>
    private const int FirstPiece = 6;

    /// <summary>The token of all that has no piece.</summary>
    private const int Unknown = 0;

    private readonly string[] _pieces;
    private readonly float[] _scores;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    private readonly int _longest;

    /// <param name="vocabulary">The pieces with their scores, in JSON.</param>
    /// <param name="maxTokens">The most tokens of a text.</param>
    /// <exception cref="JsonException">It is not such a list.</exception>
    public UnigramPieces(ReadOnlySpan<byte> vocabulary, int maxTokens)
    {
        Unicode.RequireNormalForms();
        MaxTokens = maxTokens;
        var list = JsonSerializer.Deserialize<JsonElement[][]>(vocabulary) ?? throw new JsonException("The vocabulary is null.");
        _pieces = [.. list.Select(piece => piece[0].GetString() ?? "")];
        _scores = [.. list.Select(piece => piece[1].ValueKind == JsonValueKind.Null ? 0 : piece[1].GetSingle())]; // no score is the score 0
        var tokens = new Dictionary<string, int>();
        for (int token = FirstPiece; token < _pieces.Length; token++) tokens[_pieces[token]] = token; // of equal pieces, the last one
        _tokens = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        _longest = tokens.Keys.Max(piece => piece.Length);
    }

    public int MaxTokens { get; }

    public string PieceOf(int token) => _pieces[token];

    public bool IsSeparator(int token) => false;

    public int[] Encode(string text, out bool cut)
    {
        cut = false;
        if (text.Length == 0) return [];
        string symbols = Space + Unicode.Normalize(text, NormalizationForm.FormKC).Replace(' ', Space);
        var tokens = Backwards(BestEnds(symbols));
        tokens.Reverse();
        cut = tokens.Count > MaxTokens;
        return [.. tokens.Take(MaxTokens)];
    }

    /// <summary>For each place in the text, the last piece of the best way to it.</summary>
    private int[] BestEnds(ReadOnlySpan<char> symbols)
    {
        // A best score of 0 counts as none. Edges come by their starts, so that each end sees its edges in this order, too.
        double[] best = new double[symbols.Length + 1];
        int[] last = new int[symbols.Length + 1];
        for (int start = 0; start < symbols.Length; start++)
        {
            bool any = false;
            for (int length = 1; length <= Math.Min(_longest, symbols.Length - start); length++)
            {
                if (!_tokens.TryGetValue(symbols.Slice(start, length), out int token)) continue;
                any = true;
                Offer(start + length, token, best[start] + _scores[token]);
            }
            if (!any) Offer(start + 1, Unknown, best[start]);
        }
        return last;

        void Offer(int end, int token, double score)
        {
            if (best[end] != 0 && score < best[end]) return;
            best[end] = score;
            last[end] = token;
        }
    }

    /// <summary>The tokens from the end to the beginning. Unknown ones side by side are one.</summary>
    private List<int> Backwards(int[] ends)
    {
        var tokens = new List<int>();
        for (int end = ends.Length - 1; end > 0; end -= _pieces[ends[end]].Length)
            if (ends[end] != Unknown || tokens.Count == 0 || tokens[^1] != Unknown) tokens.Add(ends[end]);
        return tokens;
    }
}
