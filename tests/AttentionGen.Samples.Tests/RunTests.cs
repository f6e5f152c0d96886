using System.Text.RegularExpressions;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Samples.Tests.Harness;
using Generate;
using Xunit;

namespace AttentionGen.Samples.Tests;

/// <summary>What the program does on any model, and without one.</summary>
public sealed partial class RunTests : IDisposable
{
    /// <summary>Logits are below 10 here, and single precision adds some 1e-6.</summary>
    private const double Tolerance = 1e-5;

    private readonly TemporaryFolder _folder = new();
    private readonly string _model, _tokenizer;

    public RunTests()
    {
        _model = _folder.Write("model.bin", TinyModel.Model());
        _tokenizer = _folder.Write("tok.bin", TinyModel.Tokenizer());
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_a_model_it_replays_a_sentence()
    {
        var outcome = Sample.Run();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("The animal didn't cross the street", outcome.Text, StringComparison.Ordinal);
        Assert.Equal(2, outcome.Text.Split("largest difference to one causal call").Length - 1);
        Assert.Empty(outcome.Error);
    }

    /// <summary>The help and the table of the README have the same options.</summary>
    [Fact]
    public void Help_lists_the_options()
    {
        var outcome = Sample.Run("--help");
        Assert.Equal(0, outcome.ExitCode);
        string readme = File.ReadAllText(Repository.PathOf("samples", "Generate", "README.md"));
        string[] options = [.. OptionOfHelp().Matches(outcome.Text).Select(match => match.Groups[1].Value).Where(option => option != "--help")];
        Assert.Contains("--model FILE", options);
        Assert.Equal(options, OptionOfReadme().Matches(readme).Select(match => match.Groups[1].Value));
    }

    [Fact]
    public void The_same_seed_gives_the_same_text()
    {
        byte[] text = Run("--temperature", "1", "--top-p", "0.9", "--seed", "42").Output;
        Assert.NotEmpty(text);
        Assert.Equal(text, Run("--temperature", "1", "--top-p", "0.9", "--seed", "42").Output);
        Assert.NotEqual(text, Run("--temperature", "1", "--top-p", "0.9", "--seed", "43").Output);
    }

    [Fact]
    public void Greedy_text_does_not_depend_on_the_seed() => Assert.Equal(Run("--seed", "1").Output, Run("--seed", "2", "--top-p", "0.1").Output);

    [Fact]
    public void Without_a_seed_it_says_how_to_draw_the_text_again()
    {
        var outcome = Run("--temperature", "1");
        const string Advice = "To draw this text again: --seed ";
        int begin = outcome.Error.IndexOf(Advice, StringComparison.Ordinal);
        Assert.True(begin >= 0, outcome.Error);
        Assert.Equal(outcome.Output, Run("--temperature", "1", "--seed", outcome.Error[(begin + Advice.Length)..].Trim()).Output);
    }

    [Fact]
    public void The_text_begins_with_the_prompt()
    {
        var outcome = Run("--prompt", "the day 日", "--steps", "20");
        Assert.Equal(0, outcome.ExitCode);
        Assert.StartsWith("the day 日", outcome.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_classifier_of_its_own_is_read()
    {
        string model = _folder.Write("own.bin", TinyModel.Model(ownClassifier: true));
        Assert.Equal(Run().Output, Sample.Run("--model", model, "--tokenizer", _tokenizer).Output);
    }

    /// <summary>A prompt at once, in parts or token by token: the logits of plain loops in double precision.</summary>
    [Theory]
    [InlineData(9)]
    [InlineData(5, 3, 1)]
    [InlineData(1, 1, 1, 1, 1, 1, 1, 1, 1)]
    public void Logits_are_those_of_plain_loops(params int[] parts)
    {
        int[] tokens = [1, 261, 266, 263, 5, 200, 270, 261, 7];
        double[] expected = PlainModel.Logits(LlamaWeights.Read(_model), tokens);

        var model = Model(parts.Max());
        float[] actual = [];
        int start = 0;
        foreach (int part in parts)
        {
            actual = model.Forward(tokens.AsSpan(start, part)).ToArray();
            start += part;
        }
        Assert.Equal(expected.Length, actual.Length);
        Assert.InRange(expected.Zip(actual, (x, y) => Math.Abs(x - y)).Max(), 0, Tolerance);
    }

    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    [InlineData("half")]
    [InlineData("int8")]
    public void A_token_allocates_nothing(string cache)
    {
        var model = Model(1, cache);
        var sampler = new Sampler(TinyModel.Vocabulary, 1, 0.9f, 1);
        int token = 1;
        for (int i = 0; i < 10; i++) token = sampler.Next(model.Forward(token));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++) token = sampler.Next(model.Forward(token));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private Outcome Run(params string[] options)
    {
        var outcome = Sample.Run(["--model", _model, "--tokenizer", _tokenizer, .. options]);
        Assert.Equal(0, outcome.ExitCode);
        return outcome;
    }

    private LlamaModel Model(int tokens, string cache = "fp32") => new(LlamaWeights.Read(_model), CacheTypes.Parse(cache).Create(TinyModel.Layers, 32), tokens);

    [GeneratedRegex("^  (--[a-z-]+(?: [A-Z]+)?) ", RegexOptions.Multiline)]
    private static partial Regex OptionOfHelp();

    [GeneratedRegex("^\\| `(--[a-z-]+ [A-Z]+)` ", RegexOptions.Multiline)]
    private static partial Regex OptionOfReadme();
}
