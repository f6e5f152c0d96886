using System.Buffers.Binary;
using AttentionGen.Samples.Tests.Harness;
using Generate;
using Xunit;

namespace AttentionGen.Samples.Tests;

/// <summary>What cannot be run is one line on standard error and exit code 2.</summary>
public sealed class RefusalTests : IDisposable
{
    private static readonly byte[] s_model = TinyModel.Model(), s_tokenizer = TinyModel.Tokenizer();

    private readonly TemporaryFolder _folder = new();
    private readonly string _model, _tokenizer;

    public RefusalTests()
    {
        _model = _folder.Write("model.bin", s_model);
        _tokenizer = _folder.Write("tok.bin", s_tokenizer);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_unaltered_files_run() => Assert.Equal(0, Run().ExitCode);

    [Theory]
    [InlineData("--steps 0", "--steps is '0', but must be a number from 1 to 256.")]
    [InlineData("--steps 999", "from 1 to 256")]
    [InlineData("--steps -1", "from 1 to 256")]
    [InlineData("--steps 1.5", "from 1 to 256")]
    [InlineData("--steps 99999999999999999999", "from 1 to 256")]
    [InlineData("--steps x", "from 1 to 256")]
    [InlineData("--steps", "--steps needs a value")]
    [InlineData("--steps 65", "sequences of 64 tokens")]
    [InlineData("--steps 5 --steps 6", "--steps is given twice")]
    [InlineData("--temperature -1", "0 or more")]
    [InlineData("--temperature NaN", "0 or more")]
    [InlineData("--temperature 1e99", "0 or more")]
    [InlineData("--temperature 0,5", "0 or more")]
    [InlineData("--top-p 0", "more than 0 and at most 1")]
    [InlineData("--top-p 1.01", "more than 0 and at most 1")]
    [InlineData("--top-p NaN", "more than 0 and at most 1")]
    [InlineData("--seed -1", "from 0 to 18446744073709551615")]
    [InlineData("--seed x", "from 0 to 18446744073709551615")]
    [InlineData("--cache int7", "--cache is 'int7'")]
    [InlineData("--unknown 1", "no option '--unknown'")]
    [InlineData("word", "no option 'word'")]
    public void A_wrong_option(string options, string message) => AssertRefused(message, Run(options.Split(' ')));

    [Theory]
    [InlineData("--model x", "--model and --tokenizer belong together")]
    [InlineData("--tokenizer x", "--model and --tokenizer belong together")]
    [InlineData("--prompt x", "--prompt needs a model")]
    [InlineData("--steps 5", "--steps needs a model")]
    [InlineData("--model no-such-file --tokenizer x", "no-such-file")]
    [InlineData("--model . --tokenizer x", "is a folder")]
    public void A_wrong_choice_of_files(string options, string message) => AssertRefused(message, Sample.Run(options.Split(' ')));

    [Fact]
    public void A_device()
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "There are no such files here.");
        AssertRefused("it has 0 bytes", Sample.Run("--model", "/dev/zero", "--tokenizer", _tokenizer));
        AssertRefused("it has 0 bytes", Sample.Run("--model", _model, "--tokenizer", "/dev/zero"));
    }

    [Fact]
    public void An_empty_path() => AssertRefused("--model needs the path", Sample.Run("--model", "", "--tokenizer", _tokenizer));

    [Fact]
    public void A_prompt_longer_than_the_context()
    {
        AssertRefused("The prompt has 66 tokens, there is room for 64: shorten it.", Run("--prompt", new string('x', 64)));
        AssertRefused("The prompt has 4 tokens, there is room for 3: shorten it.", Run("--prompt", "xx", "--steps", "3"));
        Assert.Equal(0, Run("--prompt", "xx", "--steps", "4").ExitCode);
        AssertRefused("at least", Run("--prompt", new string('x', 10_000_000))); // at once, without the work
    }

    /// <summary>Half of a surrogate pair, and the character that .NET makes of bytes that are not UTF-8.</summary>
    [Theory]
    [InlineData(0xD83D)]
    [InlineData(0xFFFD)]
    public void A_prompt_that_is_not_Unicode(int character) => AssertRefused("not valid Unicode", Run("--prompt", $"a{(char)character}b"));

    [Fact]
    public async Task A_prompt_of_bytes_that_are_not_UTF_8()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A command line is UTF-16 there.");
        var outcome = await Sample.StartAsync("sh", ["-c", $"'{Sample.Program}' --model '{_model}' --tokenizer '{_tokenizer}' --prompt \"$(printf 'a\\377b')\""]);
        AssertRefused("not valid Unicode", outcome);
    }

    [Fact]
    public async Task A_process_ends_with_the_code()
    {
        AssertRefused("from 1 to 256", await Sample.StartAsync("--model", _model, "--tokenizer", _tokenizer, "--steps", "0"));
        AssertRefused("is damaged", await Sample.StartAsync("--model", _folder.Write("cut.bin", s_model.AsSpan(..^1)), "--tokenizer", _tokenizer));
    }

    [Fact]
    public void A_model_of_any_other_length()
    {
        var random = new Random(5);
        int[] lengths = [0, 1, 27, 28, 29, s_model.Length - 4, s_model.Length - 1, s_model.Length + 1, s_model.Length + 4, 2 * s_model.Length];
        foreach (int length in lengths.Concat(Enumerable.Range(0, 40).Select(_ => random.Next(s_model.Length))))
        {
            byte[] file = s_model;
            Array.Resize(ref file, length);
            AssertRefused("is damaged: it has", RunModel(file));
        }
    }

    [Fact]
    public void A_model_with_any_other_number_in_its_header()
    {
        int[] values = [0, -1, 1, 2, 3, 7, 255, 65_536, 1 << 30, int.MaxValue, int.MinValue, -TinyModel.Vocabulary];
        for (int number = 0; number < 7; number++)
        {
            int right = BinaryPrimitives.ReadInt32LittleEndian(s_model.AsSpan(4 * number));
            foreach (int value in values.Append(right + 1).Append(right - 1).Append(2 * right).Where(value => value != right))
                AssertRefused("is damaged", RunModel(With(s_model, 4 * number, value)));
        }

        // The largest of all.
        byte[] file = s_model;
        for (int number = 0; number < 7; number++) file = With(file, 4 * number, int.MaxValue);
        AssertRefused("is damaged", RunModel(file));
    }

    [Fact]
    public void A_model_of_another_shape_names_the_attribute()
    {
        // Six heads of 48 elements, one layer.
        int[] header = [288, 8, 1, 6, 6, 260, 8];
        byte[] file = new byte[28 + sizeof(float) * (260 * 288 + 2 * 288 + 4 * 288 * 288 + 3 * 8 * 288 + 288 + 2 * 8 * 24)];
        for (int i = 0; i < header.Length; i++) file = With(file, 4 * i, header[i]);
        AssertRefused("declare [Attention(heads: 6, headDim: 48, KeyValueHeads = 6)] in samples/Generate/Cache.cs", RunModel(file));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_model_with_a_weight_that_is_not_finite(float weight)
    {
        byte[] file = [.. s_model];
        BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(TinyModel.HeaderBytes + 4 * 20_000), weight);
        AssertRefused("not all of its weights are finite", RunModel(file));
    }

    [Fact]
    public void A_model_whose_numbers_overflow()
    {
        byte[] file = [.. s_model];
        for (int i = TinyModel.HeaderBytes + sizeof(float) * TinyModel.Vocabulary * TinyModel.Dim; i < file.Length; i += sizeof(float)) BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(i), 3e38f);
        AssertRefused("computes numbers that are not finite", RunModel(file));
    }

    [Fact]
    public void A_tokenizer_of_any_other_length()
    {
        for (int length = 0; length < s_tokenizer.Length + 12; length += length < 40 ? 1 : 7)
        {
            if (length == s_tokenizer.Length) continue;
            byte[] file = s_tokenizer;
            Array.Resize(ref file, length);
            AssertRefused("is damaged", RunTokenizer(file));
        }
        AssertRefused("is damaged", RunTokenizer([]));
        AssertRefused("belongs to another model", RunTokenizer([.. s_tokenizer, 0]));
    }

    [Fact]
    public void A_tokenizer_with_a_wrong_number()
    {
        const int SecondPiece = 4 + 8 + 5;
        foreach (int longest in new[] { 0, -1, 5, 7, int.MaxValue, int.MinValue }) AssertRefused("longest piece", RunTokenizer(With(s_tokenizer, 0, longest)));
        foreach (int length in new[] { 0, -1, int.MinValue, int.MaxValue, 100_000 }) AssertRefused("should have", RunTokenizer(With(s_tokenizer, 4 + 4, length)));
        foreach (int length in new[] { 4, 6, 100 }) AssertRefused("is damaged", RunTokenizer(With(s_tokenizer, 4 + 4, length)));
        foreach (float score in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            AssertRefused("the score of token 1 is", RunTokenizer(With(s_tokenizer, SecondPiece, BitConverter.SingleToInt32Bits(score))));
    }

    /// <summary>Whatever single bits fall over, a file is refused or runs; there is never an exception or half a message.</summary>
    [Fact]
    public void Any_altered_bit_is_refused_or_runs()
    {
        var random = new Random(11);
        for (int n = 0; n < 150; n++)
        {
            byte[] model = [.. s_model], tokenizer = [.. s_tokenizer];
            var file = n % 2 == 0 ? model.AsSpan(0, n % 4 == 0 ? TinyModel.HeaderBytes : model.Length) : tokenizer;
            file[random.Next(file.Length)] ^= (byte)(1 << random.Next(8));
            var outcome = Sample.Run("--model", _folder.Write("m", model), "--tokenizer", _folder.Write("t", tokenizer), "--steps", "4");
            if (outcome.ExitCode != 0) AssertRefused("", outcome);
        }
    }

    private Outcome Run(params string[] options) => Sample.Run(["--model", _model, "--tokenizer", _tokenizer, .. options]);

    private Outcome RunModel(byte[] file) => Sample.Run("--model", _folder.Write("altered.bin", file), "--tokenizer", _tokenizer);

    private Outcome RunTokenizer(byte[] file) => Sample.Run("--model", _model, "--tokenizer", _folder.Write("altered.bin", file));

    private static byte[] With(byte[] file, int offset, int number)
    {
        byte[] altered = [.. file];
        BinaryPrimitives.WriteInt32LittleEndian(altered.AsSpan(offset), number);
        return altered;
    }

    private static void AssertRefused(string message, Outcome outcome)
    {
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
        Assert.Equal(2, outcome.ExitCode);
        Assert.EndsWith(Environment.NewLine, outcome.Error, StringComparison.Ordinal);
        Assert.Single(outcome.Error.TrimEnd().ReplaceLineEndings("\n").Split('\n'));
        Assert.Empty(outcome.Output);
    }
}
