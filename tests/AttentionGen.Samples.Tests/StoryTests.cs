using AttentionGen.Samples.Tests.Harness;
using Generate;
using Xunit;

namespace AttentionGen.Samples.Tests;

/// <summary>The real model generates what was recorded of it in double precision.</summary>
public class StoryTests
{
    private const int LogitsAt = 48;

    /// <summary>Recorded logits have six digits, up to 20 in size; single precision adds some 1e-5 through five layers.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>Logits of up to 20 differ by 0.005 with half precision, and by eight times as much with bfloat16, which has three bits less, by 0.27 with integers and a scale for eight elements: limits are up to twice that.</summary>
    private const double HalfTolerance = 0.01, BFloat16Tolerance = 0.1, Int8Tolerance = 0.4;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Greedy_text_is_the_recorded_one(int run)
    {
        var recorded = Story.Recorded[run];
        var outcome = Sample.Run("--model", Story.Model, "--tokenizer", Story.Tokenizer, "--prompt", recorded.Prompt, "--steps", "256");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(recorded.Text, outcome.Text);
    }

    /// <summary>Standard output has the text and nothing else, to the byte; standard error has one line with the times.</summary>
    [Fact]
    public async Task A_process_writes_the_text_alone()
    {
        var recorded = Story.Recorded[1];
        var outcome = await Sample.StartAsync("--model", Story.Model, "--tokenizer", Story.Tokenizer, "--prompt", recorded.Prompt);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(recorded.Text, outcome.Text);
        Assert.Single(outcome.Error.TrimEnd().Split('\n'));
#if !DEBUG
        Assert.Matches(@"^\d+ tokens: the first after \d+\.\d ms, then \d+ tokens/s\s*$", outcome.Error);
#endif
    }

    /// <summary>With 16 bits, keys and values are rounded, and logits with them.</summary>
    [Theory]
    [InlineData(0, "fp32", Tolerance)]
    [InlineData(1, "fp32", Tolerance)]
    [InlineData(0, "half", HalfTolerance)]
    [InlineData(1, "half", HalfTolerance)]
    [InlineData(0, "bf16", BFloat16Tolerance)]
    [InlineData(1, "bf16", BFloat16Tolerance)]
    [InlineData(0, "int8", Int8Tolerance)]
    [InlineData(1, "int8", Int8Tolerance)]
    public void Tokens_and_logits_are_the_recorded_ones(int run, string cache, double tolerance)
    {
        var recorded = Story.Recorded[run];
        var weights = LlamaWeights.Read(Story.Model);
        var tokenizer = Tokenizer.Read(Story.Tokenizer, weights.Shape.Vocabulary);
        Assert.Equal(recorded.PromptTokens, tokenizer.Encode(recorded.Prompt, Options.MaxSteps));

        float[] atOnce = Model(LogitsAt).Forward(recorded.Tokens.AsSpan(0, LogitsAt)).ToArray();
        AssertClose(recorded.Logits, atOnce, tolerance);

        var stepwise = Model(1);
        for (int i = 0; i < LogitsAt - 1; i++) stepwise.Forward(recorded.Tokens[i]);
        AssertClose(recorded.Logits, stepwise.Forward(recorded.Tokens[LogitsAt - 1]).ToArray(), tolerance);

        LlamaModel Model(int tokens) => new(weights, CacheTypes.Parse(cache).Create(weights.Shape.Layers, LogitsAt), tokens);
    }

    [Theory]
    [InlineData("One day, Tom went to")]
    [InlineData("  two  blanks\tand a tab\nand a line")]
    [InlineData("Größe, 日本語, 🙂, é, “quoted”")]
    [InlineData("<s> </s> <0x41> <unk>")]
    public void What_is_encoded_is_decoded(string text)
    {
        var tokenizer = Tokenizer.Read(Story.Tokenizer, 512);
        Assert.Equal(text, TokenizerTests.Decode(tokenizer, tokenizer.Encode(text, Options.MaxSteps)));
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Zip(actual, (x, y) => Math.Abs((double)x - y)).Max();
        Assert.InRange(largest, 0, tolerance);
    }
}
