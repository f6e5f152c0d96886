using System.Collections.Immutable;
using System.Text.Json;

namespace QuickStart;

/// <summary>A real sentence on its way through a real encoder: what went into the attention of each layer, and what came out.</summary>
internal sealed class Sentence
{
    private const char WordStart = '\u2581'; // SentencePiece's mark

    private readonly Safetensors _file;

    private Sentence(Safetensors file)
    {
        _file = file;
        Text = file.Metadata("sentence");
        Tokens = [.. ReadTokens(file.Metadata("tokens")).Select(token => token.Replace(WordStart, ' ').Trim())];
        if (Tokens.Length != Encoder.Tokens)
            throw new InvalidDataException($"The sentence has {Tokens.Length} tokens, the kernels of weights are for {Encoder.Tokens}.");
    }

    public string Text { get; }

    public ImmutableArray<string> Tokens { get; }

    public static Sentence Read(string path) => new(Safetensors.Read(path));

    public RecordedAttention Layer(string name, int heads, int headDim) => new(
        Query: _file.Floats($"{name}.q", Tokens.Length, heads, headDim),
        Key: _file.Floats($"{name}.k", Tokens.Length, heads, headDim),
        Value: _file.Floats($"{name}.v", Tokens.Length, heads, headDim),
        Output: _file.Floats($"{name}.attention_output", Tokens.Length, heads, headDim),
        Weights: _file.Floats($"{name}.attention_weights", heads, Tokens.Length, Tokens.Length));

    private static string[] ReadTokens(string json)
    {
        try
        {
            string?[] tokens = JsonSerializer.Deserialize<string?[]>(json) ?? [];
            return [.. tokens.Select(token => token ?? throw new JsonException("a token is null"))];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The tokens of the sentence cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>Query, key, value and output are [tokens, heads, headDim], the weights [heads, query, key].</summary>
internal sealed record RecordedAttention(float[] Query, float[] Key, float[] Value, float[] Output, float[] Weights);
