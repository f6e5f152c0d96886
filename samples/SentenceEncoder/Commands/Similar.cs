using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using Spectre.Console;

namespace SentenceEncoder.Commands;

/// <summary>Compares all pairs of sentences.</summary>
internal static class Similar
{
    /// <summary>Nobody reads a larger table, and it grows with the square of their number.</summary>
    public const int MostSentences = 100;

    public static void Run(Embeddings embeddings, Sentences sentences, Options options, Session session, EmbeddingReceiver watch)
    {
        var texts = new List<string>();
        var vectors = new List<float[]>();
        embeddings.Run(sentences, quiet: true, (text, embedding, length) =>
        {
            watch(text, embedding, length);
            if (texts.Count == MostSentences) throw new Refusal($"similar compares {MostSentences} sentences at most. rank takes any number of them.");
            texts.Add(text);
            vectors.Add(embedding.ToArray());
        });
        float[,] scores = new float[texts.Count, texts.Count];
        for (int i = 0; i < texts.Count; i++)
            for (int j = 0; j < texts.Count; j++) scores[i, j] = TensorPrimitives.Dot<float>(vectors[Math.Min(i, j)], vectors[Math.Max(i, j)]);

        if (options.Json) WriteJson(texts, scores, session);
        else WriteTable(texts, scores, session);
    }

    private static void WriteTable(List<string> texts, float[,] scores, Session session)
    {
        using var lines = session.Lines();
        var console = session.Tables(lines);
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumn(new TableColumn("").RightAligned()).AddColumn("");
        for (int i = 0; i < texts.Count; i++) table.AddColumn(new TableColumn($"{i + 1}").RightAligned().NoWrap());
        for (int i = 0; i < texts.Count; i++)
        {
            var cells = new List<Markup> { new($"{i + 1}"), new(Markup.Escape(texts[i])) };
            for (int j = 0; j < texts.Count; j++)
                cells.Add(new Markup(Text(scores[i, j]), i == j ? new Style(Color.Grey) : ColourOf(scores[i, j])));
            table.AddRow(cells);
        }
        console.Write(table);
    }

    /// <summary>Two digits. What rounds to 0 has no sign.</summary>
    private static string Text(float score) => (MathF.Round(score, 2) + 0f).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>The background of a cell: the closer, the deeper. Text on deep blue is white.</summary>
    private static Style ColourOf(float score)
    {
        float share = Math.Clamp(score, 0, 1);
        byte Mix(int light, int deep) => (byte)(light + (deep - light) * share);
        return new Style(share > 0.5f ? Color.White : Color.Black, new Color(Mix(247, 8), Mix(251, 69), Mix(255, 148)));
    }

    private static void WriteJson(List<string> texts, float[,] scores, Session session)
    {
        using var json = new Utf8JsonWriter(session.Output, Embed.Readable);
        json.WriteStartObject();
        json.WriteStartArray("texts"u8);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
        json.WriteStartArray("scores"u8);
        for (int i = 0; i < texts.Count; i++)
        {
            json.WriteStartArray();
            for (int j = 0; j < texts.Count; j++) json.WriteNumberValue(scores[i, j]);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        session.Output.Write("\n"u8);
    }
}
