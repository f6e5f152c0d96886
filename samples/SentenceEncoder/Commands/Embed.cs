using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SentenceEncoder.Commands;

/// <summary>Prints the vector of each sentence.</summary>
internal static class Embed
{
    /// <summary>Text is written as it is, so that a file of results can be read. It is no part of a page.</summary>
    public static JsonWriterOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Run(Embeddings embeddings, Sentences sentences, Options options, Session session, EmbeddingReceiver watch)
    {
        if (options.Json) WriteJson(embeddings, sentences, session, watch);
        else WriteLines(embeddings, sentences, session, watch);
    }

    private static void WriteLines(Embeddings embeddings, Sentences sentences, Session session, EmbeddingReceiver watch)
    {
        using var lines = session.Lines();
        embeddings.Run(sentences, quiet: false, (text, embedding, length) =>
        {
            watch(text, embedding, length);
            for (int i = 0; i < embedding.Length; i++)
            {
                if (i > 0) lines.Write(' ');
                lines.Write(embedding[i].ToString(CultureInfo.InvariantCulture));
            }
            lines.WriteLine();
        });
    }

    /// <summary>An array with an object a line, each written when it is known.</summary>
    private static void WriteJson(Embeddings embeddings, Sentences sentences, Session session, EmbeddingReceiver watch)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Readable);
        bool first = true;
        session.Output.Write("["u8);
        embeddings.Run(sentences, quiet: false, (text, embedding, length) =>
        {
            watch(text, embedding, length);
            session.Output.Write(first ? "\n"u8 : ",\n"u8);
            first = false;
            json.WriteStartObject();
            json.WriteString("text"u8, text);
            json.WriteStartArray("embedding"u8);
            foreach (float element in embedding) json.WriteNumberValue(element);
            json.WriteEndArray();
            json.WriteEndObject();
            json.Flush();
            session.Output.Write(buffer.WrittenSpan);
            buffer.ResetWrittenCount();
            json.Reset();
        });
        session.Output.Write(first ? "]\n"u8 : "\n]\n"u8);
        session.Output.Flush();
    }
}
