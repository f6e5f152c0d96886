using Microsoft.Extensions.AI;

namespace SentenceEncoder.Models;

/// <content>The interface by which programs for semantic search use any model.</content>
public abstract partial class TextEmbedder : IEmbeddingGenerator<string, Embedding<float>>
{
    /// <exception cref="ArgumentException">A text is empty, or the options ask for another model or for vectors of another length.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (options?.Dimensions is { } wanted && wanted != Dimensions)
            throw new ArgumentException($"The vectors of {Name} have {Dimensions} elements, not {wanted}.", nameof(options));
        if (options?.ModelId is { } other && other != Name)
            throw new ArgumentException($"The model is {Name}, not {other}.", nameof(options));
        string[] texts = [.. values];
        return Task.Run(() => Generate(texts, cancellationToken), cancellationToken);
    }

    object? IEmbeddingGenerator.GetService(Type serviceType, object? serviceKey)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return new EmbeddingGeneratorMetadata("AttentionGen", null, Name, Dimensions);
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    private GeneratedEmbeddings<Embedding<float>> Generate(string[] texts, CancellationToken cancellationToken)
    {
        float[] vectors = new float[texts.Length * Dimensions];
        var lengths = Embed(texts, vectors, cancellation: cancellationToken);
        long tokens = lengths.Sum(length => (long)length.Tokens);
        return new(texts.Select((_, i) => new Embedding<float>(vectors.AsMemory(i * Dimensions, Dimensions)) { ModelId = Name }))
        {
            Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
        };
    }
}
