namespace SentenceEncoder.Models;

/// <summary>Texts as tokens, packed one after the other without padding.</summary>
/// <param name="Tokens">The tokens of all texts.</param>
/// <param name="Starts">Where each text begins, and where the last one ends.</param>
internal sealed record TokenBatch(int[] Tokens, int[] Starts)
{
    public int Texts => Starts.Length - 1;

    public static TokenBatch Of(ReadOnlySpan<int[]> texts)
    {
        int[] starts = new int[texts.Length + 1];
        for (int i = 0; i < texts.Length; i++) starts[i + 1] = starts[i] + texts[i].Length;
        int[] tokens = new int[starts[^1]];
        for (int i = 0; i < texts.Length; i++) texts[i].CopyTo(tokens, starts[i]);
        return new TokenBatch(tokens, starts);
    }
}
