using System.Text;
using AttentionGen.Samples.Tests.Harness;
using Generate;
using Xunit;

namespace AttentionGen.Samples.Tests;

public sealed class TokenizerTests : IDisposable
{
    private const int FirstByte = 3, FirstPiece = FirstByte + 256, Most = 1000;

    private readonly TemporaryFolder _folder = new();
    private readonly Tokenizer _tokenizer;

    public TokenizerTests() => _tokenizer = Tokenizer.Read(_folder.Write("tok.bin", TinyModel.Tokenizer()), TinyModel.Vocabulary);

    public void Dispose() => _folder.Dispose();

    /// <summary>The tokens as the pieces of <see cref="TinyModel"/> are numbered: 0 is " t".</summary>
    [Theory]
    [InlineData("the", 2)] // " t" first, then "he", then both
    [InlineData("abc", 7, 4)] // "ab" has a higher score than "bc"
    [InlineData("bcbc", 7, 5, 5)]
    [InlineData("aab", 7, 8, 3)]
    [InlineData("é", 7, 6)]
    public void Neighbours_join_by_score(string text, params int[] pieces) =>
        Assert.Equal([Tokenizer.Edge, .. pieces.Select(piece => FirstPiece + piece)], _tokenizer.Encode(text, Most));

    [Fact]
    public void An_empty_text_is_its_edge() => Assert.Equal([Tokenizer.Edge], _tokenizer.Encode("", Most));

    [Fact]
    public void Characters_that_are_no_piece_are_bytes() =>
        Assert.Equal([Tokenizer.Edge, FirstPiece + 7, FirstByte + 0xE6, FirstByte + 0x97, FirstByte + 0xA5], _tokenizer.Encode("日", Most));

    [Theory]
    [InlineData("the")]
    [InlineData(" the  the ")]
    [InlineData("abcabc\n\tabc")]
    [InlineData("日本語 🙂 é ñ")]
    [InlineData("\0\u0001\u007f")]
    [InlineData("<0x41> <unk>")]
    public void What_is_encoded_is_decoded(string text) => Assert.Equal(text, Decode(_tokenizer, _tokenizer.Encode(text, Most)));

    [Fact]
    public void Random_texts_are_decoded()
    {
        var random = new Random(3);
        for (int n = 0; n < 200; n++)
        {
            var text = new StringBuilder();
            for (int length = random.Next(30); length > 0; length--)
                text.Append(random.Next(3) == 0 ? Character(random).ToString() : " thehabcé"[random.Next(9)].ToString());
            Assert.Equal(text.ToString(), Decode(_tokenizer, _tokenizer.Encode(text.ToString(), Most)));
        }

        static Rune Character(Random random)
        {
            while (true)
                if (Rune.TryCreate(random.Next(0x110000), out var rune)) return rune;
        }
    }

    [Fact]
    public void Every_token_has_its_bytes()
    {
        for (int b = 0; b < 256; b++) Assert.Equal([(byte)b], _tokenizer.Decode(2, FirstByte + b).ToArray());
        Assert.Equal(" the"u8, _tokenizer.Decode(2, FirstPiece + 2));
        Assert.Equal("the"u8, _tokenizer.Decode(Tokenizer.Edge, FirstPiece + 2));
    }

    /// <summary>A character whose bytes are several tokens is written when its last byte is known, and broken ones are not lost.</summary>
    [Fact]
    public void Characters_are_written_whole()
    {
        using var stream = new ChunkStream();
        var output = new Utf8Output(stream);
        foreach (byte b in Encoding.UTF8.GetBytes("a日é🙂")) output.Write([b]);
        Assert.Equal(["a", "日", "é", "🙂"], stream.Chunks.Select(Encoding.UTF8.GetString));

        output.Write([.. "x"u8, 0xF0, 0x9F]);
        output.Write("y"u8);
        output.Write([0xE6]);
        output.End();
        Assert.Equal([.. Encoding.UTF8.GetBytes("a日é🙂x"), 0xF0, 0x9F, .. "y"u8, 0xE6], stream.Chunks.SelectMany(chunk => chunk));
    }

    internal static string Decode(Tokenizer tokenizer, int[] tokens)
    {
        using var stream = new MemoryStream();
        var output = new Utf8Output(stream);
        for (int i = 1; i < tokens.Length; i++) output.Write(tokenizer.Decode(tokens[i - 1], tokens[i]));
        output.End();
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(stream.ToArray());
    }

    private sealed class ChunkStream : MemoryStream
    {
        public List<byte[]> Chunks { get; } = [];

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Length > 0) Chunks.Add(buffer.ToArray());
        }
    }
}
