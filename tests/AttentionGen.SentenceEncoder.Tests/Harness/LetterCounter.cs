using SentenceEncoder.Models;
using SentenceEncoder.Tokens;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>A model without weights: the vector of a text counts its letters. A token is a character.</summary>
internal sealed class LetterCounter() : TextEmbedder(new ModelShape("letters", 26, 1, 1), new Characters())
{
    public const int MostTokens = 64;

    protected override void Dispose(bool disposing)
    {
    }

    private protected override void Forward(TokenBatch batch, Span<float> embeddings, TextAttention? maps, Buffers buffers, int maxThreads)
    {
        embeddings.Clear();
        for (int text = 0; text < batch.Texts; text++)
        {
            var embedding = embeddings.Slice(text * Dimensions, Dimensions);
            for (int i = batch.Starts[text]; i < batch.Starts[text + 1]; i++)
                if (batch.Tokens[i] is >= 'a' and <= 'z' and int letter) embedding[letter - 'a']++;
            Pooling.Normalize(embedding, 1e-12f);
        }
    }

    private sealed class Characters : ITextTokenizer
    {
        public int MaxTokens => MostTokens;

        public int[] Encode(string text, out bool cut)
        {
            cut = text.Length > MaxTokens;
            return [.. text.Take(MaxTokens).Select(character => (int)character)];
        }

        public string PieceOf(int token) => $"{(char)token}";

        public bool IsSeparator(int token) => token == '.';
    }
}
