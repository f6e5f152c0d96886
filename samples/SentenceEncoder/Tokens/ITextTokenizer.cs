namespace SentenceEncoder.Tokens;

/// <summary>Cuts a text into the tokens of a model.</summary>
internal interface ITextTokenizer
{
    /// <summary>The most tokens of a text, special ones included.</summary>
    int MaxTokens { get; }

    /// <param name="text">The text.</param>
    /// <param name="cut">Whether the text goes on behind the last token.</param>
    /// <returns>Its tokens, at most <see cref="MaxTokens"/>.</returns>
    int[] Encode(string text, out bool cut);

    /// <summary>The piece of text that a token stands for.</summary>
    string PieceOf(int token);

    /// <summary>Whether a token only says where the text ends.</summary>
    bool IsSeparator(int token);
}
