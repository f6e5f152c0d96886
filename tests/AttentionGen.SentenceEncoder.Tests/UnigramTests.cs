using System.Text;
using AttentionGen.SentenceEncoder.Tests.Harness;
using SentenceEncoder.Tokens;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>The tokens of Universal Sentence Encoder Lite.</summary>
public sealed class UnigramTests
{
    /// <summary>Behind six special pieces: the space, letters, and pieces that overlap.</summary>
    private static readonly UnigramPieces s_small = new(Encoding.UTF8.GetBytes("""
        [["?",0],["<s>",0],["</s>",0],["x",0],["x",0],["x",0],["▁",-2],["a",-3],["b",-3],["ab",-4],["bc",null],["▁a",-3.5],["ab",-9]]
        """), 8);

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "11")] // ▁a
    [InlineData("b", "6 8")]
    [InlineData(" ", "6 6")]
    [InlineData("zzz", "6 0")] // unknown ones are one
    [InlineData("a\tb", "11 0 8")]
    [InlineData("ａ", "11")] // NFKC
    [InlineData("\uD83D", "6 0")]
    public void Text_becomes_pieces(string text, string expected) => Assert.Equal(expected, string.Join(' ', s_small.Encode(text, out _)));

    [Fact]
    public void A_text_is_cut()
    {
        int[] tokens = s_small.Encode("b b b b b", out bool cut);
        Assert.True(cut);
        Assert.Equal([6, 8, 6, 8, 6, 8, 6, 8], tokens);
        s_small.Encode("b b b b", out cut);
        Assert.False(cut);
    }

    [Theory]
    [InlineData(" ", "30 30")]
    [InlineData("a  b", "11 30 464")]
    [InlineData("a\tb", "11 0 151")]
    [InlineData("日 本", "30 0 30 0")]
    [InlineData("ﬁne", "839")]
    public void The_published_pieces(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', new UnigramPieces(Published.UseLiteFiles.Vocabulary, 128).Encode(text, out _)));

    [Fact]
    public void The_recorded_sentences_have_the_recorded_tokens()
    {
        var pieces = new UnigramPieces(Published.UseLiteFiles.Vocabulary, 128);
        Assert.All(Recorded.Sentences, sentence => Assert.Equal(sentence.Tokens, pieces.Encode(sentence.Text, out _)));
    }

    [Fact]
    public void Any_text_has_tokens()
    {
        var pieces = new UnigramPieces(Published.UseLiteFiles.Vocabulary, 128);
        foreach (string text in Texts.Sentences.Concat(Texts.Random(1000, seed: 9)).Append(new string('x', 100_000)))
        {
            int[] tokens = pieces.Encode(text, out _);
            Assert.InRange(tokens.Length, 1, 128);
            Assert.All(tokens, token => Assert.InRange(token, 0, 7999));
        }
    }
}
