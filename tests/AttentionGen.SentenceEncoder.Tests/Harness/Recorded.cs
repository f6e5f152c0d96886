using System.Text.Json;
using QuickStart;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>Sentences with their tokens and vectors, as TensorFlow.js computed them (the file embeddings.json says more).</summary>
internal static class Recorded
{
    private const int Dimensions = 512;

    private static readonly string s_folder = Path.Combine(AppContext.BaseDirectory, "data");

    public static IReadOnlyList<RecordedSentence> Sentences { get; } = Read();

    private static RecordedSentence[] Read()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_folder, "embeddings.json")));
        var sentences = json.RootElement.GetProperty("sentences").EnumerateArray().ToArray();
        float[] vectors = Safetensors.Read(Path.Combine(s_folder, "embeddings.safetensors")).Floats("embeddings", sentences.Length, Dimensions);
        return [.. sentences.Select((sentence, i) => new RecordedSentence(
            sentence.GetProperty("text").GetString()!, sentence.GetProperty("token_ids").Deserialize<int[]>()!, vectors[(i * Dimensions)..((i + 1) * Dimensions)]))];
    }
}

internal sealed record RecordedSentence(string Text, int[] Tokens, float[] Embedding);
