using AttentionGen.Generator.Tests.Harness;
using AttentionGen.SentenceEncoder.Tests.Harness;
using QuickStart;
using SentenceEncoder.Models;
using SentenceEncoder.Tokens;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>Universal Sentence Encoder Lite: the recorded vectors, the recorded attention, and plain loops for other sentences.</summary>
public sealed class UseLiteTests(ITestOutputHelper log)
{
    [Fact]
    public void The_recorded_sentences_have_the_recorded_vectors()
    {
        double worst = Recorded.Sentences.Max(sentence => Agreement.LargestError(Published.UseLite.Embed(sentence.Text), sentence.Embedding));
        log.WriteLine($"Largest difference of a vector {worst:0.0e+0}.");
        Assert.InRange(worst, 0, Agreement.Tolerance);
    }

    [Fact]
    public void The_recorded_sentence_has_the_recorded_attention()
    {
        var file = Safetensors.Read(Repository.PathOf("samples", "QuickStart", "data", "quickstart.safetensors"));
        var maps = Published.UseLite.Attend("The animal didn't cross the street because it was too tired");
        int tokens = maps.Tokens.Count;
        for (int layer = 0; layer < maps.Layers; layer++)
            Assert.InRange(Agreement.LargestError(maps.Layer(layer), file.Floats($"layer{layer}.attention_weights", maps.Heads, tokens, tokens)), 0, Agreement.Tolerance);
    }

    [Fact]
    public void Other_sentences_have_the_vectors_of_plain_loops()
    {
        var (tensors, vocabulary) = Published.UseLiteFiles;
        var pieces = new UnigramPieces(vocabulary, 128);
        double worst = 0;
        foreach (string text in Texts.Sentences.Concat(Texts.Random(8, seed: 13)))
            worst = Math.Max(worst, Agreement.LargestError(Published.UseLite.Embed(text), PlainModels.UseLite(tensors, pieces.Encode(text, out _)).Embedding));
        log.WriteLine($"Largest difference of a vector {worst:0.0e+0}.");
        Assert.InRange(worst, 0, Agreement.Tolerance);
    }

    [Fact]
    public void Random_weights_give_the_vectors_of_plain_loops()
    {
        var tensors = RandomModels.UseLite();
        var letters = new Letters();
        using var encoder = new UseLiteEncoder(tensors, letters);
        foreach (string text in new[] { "a", "some words", "abcdefghijklmnopqrstuvwxyz" })
        {
            var (expected, weights) = PlainModels.UseLite(tensors, letters.Encode(text, out _));
            Assert.InRange(Agreement.LargestError(encoder.Embed(text), expected), 0, Agreement.Tolerance);
            var maps = encoder.Attend(text);
            for (int layer = 0; layer < maps.Layers; layer++) Assert.InRange(Agreement.LargestError(maps.Layer(layer), weights[layer]), 0, Agreement.Tolerance);
        }
    }

    [Fact]
    public void An_empty_text_has_no_vector()
    {
        using var encoder = new UseLiteEncoder(RandomModels.UseLite(), new Letters());
        Assert.Contains("Text 1 is empty", Assert.Throws<ArgumentException>(() => encoder.Embed(["a", ""], new float[1024])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => encoder.Attend(""));
    }

    /// <summary>A token is a character.</summary>
    private sealed class Letters : ITextTokenizer
    {
        public int MaxTokens => 128;

        public int[] Encode(string text, out bool cut)
        {
            cut = false;
            return [.. text.Select(character => (int)character)];
        }

        public string PieceOf(int token) => $"{(char)token}";

        public bool IsSeparator(int token) => token == '.';
    }
}
