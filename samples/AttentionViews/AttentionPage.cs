using System.Text;
using System.Text.Json;

namespace AttentionGen.Views;

/// <summary>Writes attention maps as one HTML page that needs no network: all heads as small maps, one head enlarged, and lines between tokens.</summary>
public static class AttentionPage
{
    private static readonly string[] s_scripts = ["state.js", "texts.js", "overview.js", "labels.js", "matrix.js", "lines.js", "facts.js", "main.js"];

    /// <summary>Writes the page.</summary>
    /// <param name="writer">Receives the page. The encoding is to be UTF-8, which the page declares.</param>
    /// <param name="maps">The maps of all layers.</param>
    /// <param name="options">The title and a note; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="writer"/> or <paramref name="maps"/> is null.</exception>
    /// <exception cref="InvalidOperationException">A layer has no weights yet. Nothing was written.</exception>
    public static void Write(TextWriter writer, AttentionMaps maps, AttentionPageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Text(maps, options));
    }

    /// <summary>Writes the page as UTF-8.</summary>
    /// <param name="stream">Receives the page, and stays open.</param>
    /// <param name="maps">The maps of all layers.</param>
    /// <param name="options">The title and a note; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> or <paramref name="maps"/> is null.</exception>
    /// <exception cref="InvalidOperationException">A layer has no weights yet. Nothing was written.</exception>
    public static void Write(Stream stream, AttentionMaps maps, AttentionPageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Encoding.UTF8.GetBytes(Text(maps, options)));
    }

    private static string Text(AttentionMaps maps, AttentionPageOptions? options)
    {
        ArgumentNullException.ThrowIfNull(maps);
        options ??= new();
        var layers = Enumerable.Range(0, maps.Layers).Select(maps.Layer).ToList();
        return PageText.Of("Attention", s_scripts, json =>
        {
            json.WriteText("title", options.Title);
            json.WriteText("note", options.Note);
            json.WriteTexts("queries", maps.Queries);
            json.WriteTexts("keys", maps.Keys);
            if (maps.QueryStart is { } start) json.WriteNumber("queryStart", start);
            json.WriteNumbers("separators", maps.Separators);
            json.WriteNumber("heads", maps.Heads);
            json.WriteNumber("partsOfWeight", Parts.OfWeight);
            json.WriteNumber("partsOfEntropy", Parts.OfEntropy);
            WriteRules(json, maps.Rules);
            json.WriteStartArray("layers");
            foreach (var layer in layers) WriteLayer(json, layer, maps.Rules);
            json.WriteEndArray();
        });
    }

    private static void WriteRules(Utf8JsonWriter json, HeadRules rules)
    {
        json.WriteStartObject("rules");
        json.WriteNumber("share", rules.Share);
        json.WriteNumber("localShare", rules.LocalShare);
        json.WriteNumber("localDistance", rules.LocalDistance);
        json.WriteNumber("lift", rules.Lift);
        json.WriteNumber("diffuseEntropy", rules.DiffuseEntropy);
        json.WriteNumber("concentratedWeight", rules.ConcentratedWeight);
        json.WriteEndObject();
    }

    private static void WriteLayer(Utf8JsonWriter json, MapLayer layer, HeadRules rules)
    {
        json.WriteStartObject();
        json.WriteString("weights", Parts.Text(layer.Weights));
        json.WriteString("entropy", Parts.Text(layer.Entropy));
        json.WriteString("largest", Parts.Text(layer.Largest));
        json.WriteStartArray("heads");
        foreach (var head in layer.Heads)
        {
            json.WriteStartObject();
            json.WriteTexts("patterns", head.Patterns(rules).Select(pattern => pattern.ToString()));
            json.WriteNumber("rows", head.Rows);
            WriteShare("previous", head.Previous);
            WriteShare("first", head.First);
            WriteShare("separator", head.Separator);
            WriteShare("local", head.Local);
            json.WriteNumber("entropy", Math.Round(head.Entropy, 4));
            json.WriteNumber("relativeEntropy", Math.Round(head.RelativeEntropy, 4));
            json.WriteNumber("largest", Math.Round(head.LargestWeight, 4));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();

        void WriteShare(string name, HeadShare share)
        {
            json.WriteStartArray(name);
            json.WriteNumberValue(Math.Round(share.Measured, 4));
            json.WriteNumberValue(Math.Round(share.Even, 4));
            json.WriteEndArray();
        }
    }
}
