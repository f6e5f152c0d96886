using System.Globalization;
using System.Text;
using AttentionGen.SentenceEncoder.Tests.Harness;
using SentenceEncoder.Tokens;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>The tokens of all-MiniLM-L6-v2.</summary>
public sealed class WordPieceTests
{
    private static readonly WordPieces s_small = new(RandomModels.Pieces(), 16);

    [Theory]
    [InlineData("Hello, World!", "hello ,  world ! ")]
    [InlineData("5$+3", "5 $  + 3")]
    [InlineData("a\tb\r\nc\u00A0d\u2028e", "a b  c d e")]
    [InlineData("x\u0000y\u200Dz\uFFFD\u0085", "xyz")]
    [InlineData("Café e\u0301 Åström", "cafe e astrom")]
    [InlineData("İstanbul ΑΓΓΕΛΟΣ Straße", "istanbul αγγελοσ straße")]
    [InlineData("日本go", " 日  本 go")]
    [InlineData("\U00020000x", " \U00020000 x")]
    [InlineData("カナ 한", "カナ \u1112\u1161\u11AB")]
    [InlineData("a\uD83Db", "ab")]
    [InlineData("a\u2260b \u226E", "a = b  < ")]
    [InlineData("a \u0301 b", "a  b")]
    [InlineData("a\u000Bb", "ab")]
    [InlineData("x\U00010100y", "x \U00010100 y")]
    [InlineData("“q” — …", " “ q ”   —   … ")]
    public void Text_is_normalised(string text, string expected) => Assert.Equal(expected, new BertNormalizer().Normalize(text));

    [Fact]
    public void A_text_is_cut_inside_of_a_word()
    {
        int[] tokens = s_small.Encode("the cat abcdefghijklmnopqrstuvwxyz", out bool cut);
        Assert.True(cut);
        Assert.Equal(["[CLS]", "the", "cat", "a", "##b", "##c", "##d", "##e", "##f", "##g", "##h", "##i", "##j", "##k", "##l", "[SEP]"], tokens.Select(s_small.PieceOf));
        Assert.Equal(16, s_small.Encode("abcdefghijklmn", out cut).Length);
        Assert.False(cut);
        s_small.Encode("abcdefghijklmno", out cut);
        Assert.True(cut);
    }

    [Theory]
    [InlineData("", "[CLS] [SEP]")]
    [InlineData(" \t ", "[CLS] [SEP]")]
    [InlineData("THE cating.", "[CLS] the cat ##ing . [SEP]")]
    [InlineData("9 a9 9a", "[CLS] [UNK] [UNK] [UNK] [SEP]")]
    [InlineData("[SEP]", "[CLS] [UNK] s ##e ##p [UNK] [SEP]")]
    public void Words_become_pieces(string text, string expected) => Assert.Equal(expected, string.Join(' ', s_small.Encode(text, out _).Select(s_small.PieceOf)));

    [Fact]
    public void A_word_of_more_than_100_characters_is_unknown()
    {
        var pieces = new WordPieces(RandomModels.Pieces(), 256);
        Assert.Equal(102, pieces.Encode(new string('x', 100), out _).Length);
        Assert.Equal(["[CLS]", "[UNK]", "[SEP]"], pieces.Encode(new string('x', 101), out bool cut).Select(pieces.PieceOf));
        Assert.False(cut);
        Assert.Equal(["[CLS]", "[UNK]", "cat", "[SEP]"], pieces.Encode(new string('y', 100_000) + " cat", out _).Select(pieces.PieceOf));
    }

    [Fact]
    public void A_vocabulary_needs_its_special_tokens()
    {
        var e = Assert.Throws<InvalidDataException>(() => new WordPieces(Encoding.UTF8.GetBytes("[UNK]\n[CLS]\na\n"), 16));
        Assert.Contains("[SEP]", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Two tokenizers that share no code, on all that both are known to do as the published one does.</summary>
    [Fact]
    public void Another_tokenizer_has_the_same_tokens()
    {
        byte[] vocabulary = Published.MiniLmFiles.Vocabulary;
        var ours = new WordPieces(vocabulary, 256);
        var other = new FastBertTokenizer.BertTokenizer();
        other.LoadVocabulary(new StreamReader(new MemoryStream(vocabulary)), convertInputToLowercase: true);
        var different = new List<string>();
        int count = 0;
        foreach (string text in Texts.Sentences.Concat(Texts.Random(4000, seed: 7).Select(WithoutKnownDifferences)))
        {
            count++;
            int[] tokens = ours.Encode(text, out _), others = [.. other.Encode(text, 256).InputIds.ToArray().Select(token => (int)token)];
            if (!tokens.SequenceEqual(others))
                different.Add($"{Escape(text)}\n  {string.Join(' ', tokens.Select(ours.PieceOf))}\n  {string.Join(' ', others.Select(ours.PieceOf))}");
        }
        Assert.True(different.Count == 0, $"{different.Count} of {count} differ:\n{string.Join('\n', different.Take(10))}");
    }

    /// <summary>
    /// The other tokenizer looks at 16 bits at a time, so it finds no ideographs, punctuation and marks beyond them. It splits words at some control characters and not at symbols with an ASCII mark in them, keeps
    /// marks without a letter as unknown words, and knows no longest word. In all that, ours does what the published one does; the tests above say so.
    /// </summary>
    private static string WithoutKnownDifferences(string text)
    {
        var kept = new StringBuilder();
        bool letter = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (!rune.IsBmp && (Rune.IsPunctuation(rune) || category is UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark)) continue;
            if (category is UnicodeCategory.Control or UnicodeCategory.OtherNotAssigned || category == UnicodeCategory.NonSpacingMark && !letter) continue;
            if (!rune.IsAscii && rune.ToString().Normalize(NormalizationForm.FormD).Any(c => c is > ' ' and < (char)127 && !char.IsAsciiLetterOrDigit(c))) continue;
            kept.Append(rune);
            letter = category == UnicodeCategory.NonSpacingMark || Rune.IsLetter(rune) && rune.Value is not (>= 0x3400 and <= 0x9FFF or >= 0xF900 and <= 0xFAFF); // an ideograph is a word of its own
        }
        return string.Join(' ', kept.ToString().Split(' ').Where(word => word.Length <= 90));
    }

    private static string Escape(string text) => string.Concat(text.Select(c => c is >= ' ' and < (char)127 ? $"{c}" : $"\\u{(int)c:X4}"));
}
