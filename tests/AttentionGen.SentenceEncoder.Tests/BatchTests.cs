using AttentionGen.SentenceEncoder.Tests.Harness;
using SentenceEncoder.Models;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>The bits of a vector do not depend on the other texts, on the threads or on other callers.</summary>
public sealed class BatchTests
{
    [Fact]
    public void Batches_have_the_bits_of_single_runs_with_random_weights()
    {
        using var miniLm = MiniLmEncoder.Load(RandomModels.MiniLm(), RandomModels.Pieces());
        AssertSameBits(miniLm, "abcdefghijklmnop");
    }

    [Fact]
    public void Batches_of_MiniLM_have_the_bits_of_single_runs() => AssertSameBits(Published.MiniLm, "word ");

    [Fact]
    public void Batches_of_USE_Lite_have_the_bits_of_single_runs() => AssertSameBits(Published.UseLite, "word ");

    [Fact]
    public void Many_callers_get_the_bits_of_one()
    {
        var encoder = Published.MiniLm;
        string[] texts = [.. Texts.Sentences.Take(12)];
        float[][] expected = [.. texts.Select(encoder.Embed)];
        Parallel.For(0, 48, i => Assert.Equal(expected[i % texts.Length], encoder.Embed(texts[i % texts.Length])));
    }

    [Fact]
    public void Wrong_calls_are_refused()
    {
        using var model = new LetterCounter();
        Assert.Throws<ArgumentException>(() => model.Embed(["a", "b"], new float[26]));
        Assert.Throws<ArgumentException>(() => model.Embed(["a", null!], new float[52]));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Embed(["a"], new float[26], maxThreads: -1));
        Assert.Throws<ArgumentNullException>(() => model.Embed(null!, new float[26]));
        Assert.Empty(model.Embed([], Memory<float>.Empty));
        Assert.Throws<OperationCanceledException>(() => model.Embed(["a"], new float[26], cancellation: new CancellationToken(canceled: true)));
    }

    /// <summary>Texts of 1 to many tokens, more than a batch holds, in several orders.</summary>
    private static void AssertSameBits(TextEmbedder encoder, string unit)
    {
        string[] texts = [.. Texts.Sentences, .. new[] { 1, 2, 5, 9, 13, 62, 63, 64, 65, 100, 300 }.Select(length => string.Concat(Enumerable.Repeat(unit, length)))];
        float[] expected = [.. texts.SelectMany(encoder.Embed)];
        var random = new Random(3);
        foreach (int threads in new[] { 1, 2, 0 })
        {
            int[] order = [.. Enumerable.Range(0, texts.Length)];
            random.Shuffle(order);
            float[] vectors = new float[expected.Length];
            encoder.Embed([.. order.Select(i => texts[i])], vectors, threads);
            for (int i = 0; i < order.Length; i++)
            {
                var single = expected.AsSpan(order[i] * encoder.Dimensions, encoder.Dimensions);
                var batched = vectors.AsSpan(i * encoder.Dimensions, encoder.Dimensions);
                Assert.True(single.SequenceEqual(batched), $"{threads} threads, text {order[i]}");
            }
        }
    }
}
