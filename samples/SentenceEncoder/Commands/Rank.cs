using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using SentenceEncoder.Models;

namespace SentenceEncoder.Commands;

/// <summary>Prints the sentences that are closest to a text.</summary>
internal static class Rank
{
    public static void Run(TextEmbedder model, Embeddings embeddings, Sentences sentences, string query, int top, Options options, Session session, EmbeddingReceiver watch)
    {
        if (string.IsNullOrWhiteSpace(query)) throw new Refusal("--query is empty: give the text to compare with.");
        float[] wanted = model.Embed(query);

        // Only the best so far are kept, the worst of them in front. Of equal ones, the first.
        var best = new PriorityQueue<string, (float Score, long Order)>();
        long order = 0;
        embeddings.Run(sentences, quiet: true, (text, embedding, length) =>
        {
            watch(text, embedding, length);
            var place = (TensorPrimitives.Dot(wanted, embedding), -order++);
            if (best.Count < top) best.Enqueue(text, place);
            else best.EnqueueDequeue(text, place);
        });

        var ranked = new List<(string Text, float Score)>(best.Count);
        while (best.TryDequeue(out string? text, out var place)) ranked.Add((text, place.Score));
        ranked.Reverse();
        if (options.Json) WriteJson(ranked, session);
        else WriteLines(ranked, session);
    }

    private static void WriteLines(List<(string Text, float Score)> ranked, Session session)
    {
        using var lines = session.Lines();
        foreach (var (text, score) in ranked) lines.WriteLine($"{score.ToString("0.000", CultureInfo.InvariantCulture)}  {text}");
    }

    private static void WriteJson(List<(string Text, float Score)> ranked, Session session)
    {
        using var json = new Utf8JsonWriter(session.Output, Embed.Readable with { Indented = true });
        json.WriteStartArray();
        foreach (var (text, score) in ranked)
        {
            json.WriteStartObject();
            json.WriteString("text"u8, text);
            json.WriteNumber("score"u8, score);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.Flush();
        session.Output.Write("\n"u8);
    }
}
