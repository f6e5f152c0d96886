using System.Numerics.Tensors;
using AttentionGen.SentenceEncoder.Tests.Harness;
using Microsoft.Extensions.AI;
using SentenceEncoder.Models;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>The encoders behind the interface that programs for semantic search use.</summary>
public sealed class GeneratorTests
{
    /// <summary>A program that knows no model: the line that makes the generator is the only one that changes.</summary>
    [Fact]
    public async Task A_semantic_search_finds_the_answer()
    {
        _ = Published.MiniLm; // skips without weights
        using IEmbeddingGenerator<string, Embedding<float>> generator = MiniLmEncoder.Load();

        string[] documents = ["The invoice is due at the end of the month.", "Our office is closed on public holidays.", "Restart the router if the connection drops."];
        var index = await generator.GenerateAndZipAsync(documents, cancellationToken: TestContext.Current.CancellationToken);
        var query = await generator.GenerateVectorAsync("My internet does not work", cancellationToken: TestContext.Current.CancellationToken);
        var (best, _) = index.MaxBy(entry => TensorPrimitives.CosineSimilarity(entry.Embedding.Vector.Span, query.Span));
        Assert.Equal(documents[2], best);
    }

    [Fact]
    public async Task Vectors_are_those_of_the_encoder_with_the_number_of_tokens()
    {
        using var model = new LetterCounter();
        var results = await ((IEmbeddingGenerator<string, Embedding<float>>)model).GenerateAsync(["abc", "b"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(2, results.Count);
        Assert.Equal(model.Embed("abc"), results[0].Vector.ToArray());
        Assert.Equal(model.Embed("b"), results[1].Vector.ToArray());
        Assert.Equal(4, results.Usage?.InputTokenCount);
        Assert.All(results, result => Assert.Equal("letters", result.ModelId));
        Assert.Empty(await model.GenerateAsync([], cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void It_says_what_it_is()
    {
        using IEmbeddingGenerator<string, Embedding<float>> model = new LetterCounter();
        var data = model.GetRequiredService<EmbeddingGeneratorMetadata>();
        Assert.Equal("letters", data.DefaultModelId);
        Assert.Equal(26, data.DefaultModelDimensions);
        Assert.Same(model, model.GetService<TextEmbedder>());
        Assert.Null(model.GetService<string>());
        Assert.Null(model.GetService(typeof(TextEmbedder), "key"));
    }

    [Fact]
    public async Task Other_models_and_dimensions_are_refused()
    {
        using var model = new LetterCounter();
        var cancellation = TestContext.Current.CancellationToken;
        await model.GenerateAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 26, ModelId = "letters" }, cancellation);
        await Assert.ThrowsAsync<ArgumentException>(() => model.GenerateAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 25 }, cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => model.GenerateAsync(["a"], new EmbeddingGenerationOptions { ModelId = "x" }, cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => model.GenerateAsync(["a", ""], cancellationToken: cancellation));
        await Assert.ThrowsAsync<ArgumentNullException>(() => model.GenerateAsync(null!, cancellationToken: cancellation));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.GenerateAsync(["a"], cancellationToken: new CancellationToken(canceled: true)));
    }
}
