using AttentionGen.SentenceEncoder.Tests.Harness;
using SentenceEncoder.Models;
using SentenceEncoder.Tokens;
using SentenceEncoder.Weights;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>all-MiniLM-L6-v2: the vectors and the attention of ONNX Runtime over the same file.</summary>
public sealed class MiniLmTests(ITestOutputHelper log)
{
    [Fact]
    public void Vectors_and_attention_are_those_of_ONNX_Runtime()
    {
        var (model, vocabulary) = Published.MiniLmFiles;
        var encoder = Published.MiniLm;
        var pieces = new WordPieces(vocabulary, 256);
        using var onnx = new OnnxMiniLm(model);
        double worst = 0, worstWeight = 0;
        foreach (string text in Texts.Sentences.Concat(Recorded.Sentences.Select(sentence => sentence.Text)).Concat(Texts.Random(40, seed: 11)).Append(""))
        {
            var (expected, weights) = onnx.Run(pieces.Encode(text, out _));
            worst = Math.Max(worst, Agreement.LargestError(encoder.Embed(text), expected));
            var maps = encoder.Attend(text);
            Assert.Equal(weights.Length, maps.Layers);
            for (int layer = 0; layer < maps.Layers; layer++) worstWeight = Math.Max(worstWeight, Agreement.LargestError(maps.Layer(layer), weights[layer]));
        }
        log.WriteLine($"Largest difference of a vector {worst:0.0e+0}, of an attention weight {worstWeight:0.0e+0}.");
        Assert.InRange(worst, 0, Agreement.Tolerance);
        Assert.InRange(worstWeight, 0, Agreement.Tolerance);
    }

    [Fact]
    public void Random_weights_give_the_vectors_of_plain_loops()
    {
        byte[] model = RandomModels.MiniLm(), vocabulary = RandomModels.Pieces();
        using var encoder = MiniLmEncoder.Load(model, vocabulary);
        var pieces = new WordPieces(vocabulary, 256);
        foreach (string text in new[] { "the cat is sleeping.", "", "abc" })
        {
            int[] tokens = pieces.Encode(text, out _);
            var (expected, weights) = PlainModels.MiniLm(new MiniLmWeights(new OnnxWeights(model)), tokens);
            Assert.InRange(Agreement.LargestError(encoder.Embed(text), expected), 0, Agreement.Tolerance);
            var maps = encoder.Attend(text);
            Assert.Equal(tokens.Select(pieces.PieceOf), maps.Tokens);
            for (int layer = 0; layer < maps.Layers; layer++) Assert.InRange(Agreement.LargestError(maps.Layer(layer), weights[layer]), 0, Agreement.Tolerance);
        }
    }

    [Fact]
    public void Another_model_is_refused()
    {
        byte[] vocabulary = RandomModels.Pieces();
        Assert.Throws<WeightsException>(() => MiniLmEncoder.Load([1, 2, 3], vocabulary));
        Assert.Throws<WeightsException>(() => MiniLmEncoder.Load(RandomModels.MiniLm(), []));
    }

    [Fact]
    public void Sentences_of_one_meaning_are_close()
    {
        var encoder = Published.MiniLm;
        float same = Dot("How old are you?", "What is your age?"), other = Dot("How old are you?", "The bank raised its rates.");
        Assert.InRange(same, 0.7f, 0.8f);
        Assert.InRange(other, -0.2f, 0.2f);

        float Dot(string x, string y) => encoder.Embed(x).Zip(encoder.Embed(y), (a, b) => a * b).Sum();
    }
}
