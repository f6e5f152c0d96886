using System.Text.Json;
using AttentionGen.Views;
using SentenceEncoder.Models;

namespace SentenceEncoder.Commands;

/// <summary>Shows the attention of all layers and heads for one sentence.</summary>
internal static class Attend
{
    /// <summary>The name of a file that stands for the output.</summary>
    public const string ToOutput = "-";

    public static void Run(TextEmbedder model, Sentences sentences, string page, Options options, Session session)
    {
        if (!sentences.Next(out var sentence)) throw new Refusal("attend needs a sentence.");
        if (sentences.Next(out _)) throw new Refusal("attend shows one sentence: give only that.");
        var attention = model.Attend(sentence.Text);
        if (attention.Cut) sentences.ReportCut(sentence.Number, model);
        if (options.Json)
        {
            WriteJson(sentence.Text, attention, session);
            return;
        }

        var maps = new AttentionMaps(attention.Tokens, attention.Layers, attention.Heads) { Separators = attention.Separators };
        for (int layer = 0; layer < attention.Layers; layer++) maps.SetLayer(layer, attention.Layer(layer));
        var words = new AttentionPageOptions { Title = sentence.Text, Note = model.Name };
        if (page == ToOutput)
        {
            AttentionPage.Write(session.Output, maps, words);
            return;
        }
        using (var file = File.Create(page)) AttentionPage.Write(file, maps, words);
        session.Error.WriteLine($"{page}: {attention.Layers} layers of {attention.Heads} heads, {attention.Tokens.Count} tokens. Open it in a browser.");
    }

    private static void WriteJson(string text, TextAttention attention, Session session)
    {
        int tokens = attention.Tokens.Count;
        using var json = new Utf8JsonWriter(session.Output, Embed.Readable);
        json.WriteStartObject();
        json.WriteString("text"u8, text);
        json.WriteStartArray("tokens"u8);
        foreach (string token in attention.Tokens) json.WriteStringValue(token);
        json.WriteEndArray();

        // [layers, heads, queries, keys]
        json.WriteStartArray("weights"u8);
        for (int layer = 0; layer < attention.Layers; layer++)
        {
            json.WriteStartArray();
            for (int head = 0; head < attention.Heads; head++)
            {
                var weights = attention.Head(layer, head);
                json.WriteStartArray();
                for (int query = 0; query < tokens; query++)
                {
                    json.WriteStartArray();
                    foreach (float weight in weights.Slice(query * tokens, tokens)) json.WriteNumberValue(weight);
                    json.WriteEndArray();
                }
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        session.Output.Write("\n"u8);
    }
}
