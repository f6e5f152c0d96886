using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AttentionGen.Views;

/// <summary>
/// Puts a page together: one file with its styles, its script and its data. The policy of the page lets only this style and this script run, by their
/// hashes, and nothing be loaded.
/// </summary>
internal static partial class PageText
{
    private static readonly string[] s_sharedScripts = ["data.js", "address.js", "theme.js", "ramp.js", "pixels.js"];

    /// <param name="folder">The folder of the page's own files.</param>
    /// <param name="scripts">Its scripts, in the order in which they run.</param>
    /// <param name="data">Writes the data, one JSON object.</param>
    public static string Of(string folder, IReadOnlyList<string> scripts, Action<Utf8JsonWriter> data)
    {
        string style = Read("Shared/shared.css") + Read($"{folder}/page.css");
        string script = $"(() => {{\n\"use strict\";\n{string.Concat(s_sharedScripts.Select(name => Read("Shared/" + name)))}{string.Concat(scripts.Select(name => Read($"{folder}/{name}")))}}})();\n";

        // One pass over the template, so that no text of the data is taken for a place of the template.
        return Place().Replace(Read("Shared/page.html"), place => place.Groups[1].Value switch
        {
            "policy" => $"default-src 'none'; style-src '{Hash(style)}'; script-src '{Hash(script)}'; base-uri 'none'; form-action 'none'",
            "style" => style,
            "body" => Read($"{folder}/body.html"),
            "data" => Json(data),
            "script" => script,
            var other => throw new InvalidOperationException($"The template has a place '{other}'."),
        });
    }

    /// <summary>The default encoder of System.Text.Json escapes all that HTML reads (less-than, greater-than, ampersand, quotes) and all that is not ASCII.</summary>
    private static string Json(Action<Utf8JsonWriter> data)
    {
        using var memory = new MemoryStream();
        using (var writer = new Utf8JsonWriter(memory))
        {
            writer.WriteStartObject();
            data(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(memory.GetBuffer(), 0, (int)memory.Length);
    }

    /// <summary>Writes texts. Half of a surrogate pair, which a tokenizer may leave, becomes the replacement character.</summary>
    public static void WriteTexts(this Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(Whole(text));
        json.WriteEndArray();
    }

    /// <inheritdoc cref="WriteTexts"/>
    public static void WriteText(this Utf8JsonWriter json, string name, string text) => json.WriteString(name, Whole(text));

    public static void WriteNumbers(this Utf8JsonWriter json, string name, IEnumerable<int> numbers)
    {
        json.WriteStartArray(name);
        foreach (int number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>With the line ends that a browser hashes, also where the files were checked out with others.</summary>
    private static string Read(string name)
    {
        using var stream = typeof(PageText).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The library has no {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Place();
}
