using System.Text;
using System.Text.Json;

namespace AttentionGen.Views;

/// <summary>
/// Writes masks as one HTML page that needs no network: for each declaration the score matrix with its tiles, for lengths that the reader chooses, what it
/// costs, and the weights of a small example.
/// </summary>
public static class MaskPage
{
    /// <summary>The most queries and keys of a slider.</summary>
    public const int MaxLength = 256;

    private static readonly string[] s_scripts = ["condition.js", "layout.js", "tiles.js", "costs.js", "state.js", "picture.js", "numbers.js", "example.js", "main.js"];

    /// <summary>The tiles that the page offers: those of the pictures in docs/masks.md, and those of kernels.</summary>
    public static IReadOnlyList<MaskTile> Tiles { get; } =
        [new("picture", 2, 4), new("AVX-512", 6, 32), new("AVX2", 6, 16), new("NEON", 8, 8), new("portable", 4, 8)];

    /// <summary>Writes the page.</summary>
    /// <param name="writer">Receives the page. The encoding is to be UTF-8, which the page declares.</param>
    /// <param name="declarations">The declarations, one or more.</param>
    /// <param name="title">The heading and the title of the page.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There are no declarations.</exception>
    public static void Write(TextWriter writer, IReadOnlyList<MaskDeclaration> declarations, string title = "Attention masks")
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Text(declarations, title));
    }

    /// <summary>Writes the page as UTF-8.</summary>
    /// <param name="stream">Receives the page, and stays open.</param>
    /// <param name="declarations">The declarations, one or more.</param>
    /// <param name="title">The heading and the title of the page.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There are no declarations.</exception>
    public static void Write(Stream stream, IReadOnlyList<MaskDeclaration> declarations, string title = "Attention masks")
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Encoding.UTF8.GetBytes(Text(declarations, title)));
    }

    private static string Text(IReadOnlyList<MaskDeclaration> declarations, string title)
    {
        ArgumentNullException.ThrowIfNull(declarations);
        ArgumentNullException.ThrowIfNull(title);
        if (declarations.Count == 0) throw new ArgumentException("There are no declarations.", nameof(declarations));
        foreach (var declaration in declarations) ArgumentNullException.ThrowIfNull(declaration, nameof(declarations));
        return PageText.Of("Masks", s_scripts, json =>
        {
            json.WriteText("title", title);
            json.WriteNumber("maxLength", MaxLength);
            json.WriteStartArray("tiles");
            foreach (var tile in Tiles)
            {
                json.WriteStartObject();
                json.WriteText("name", tile.Name);
                json.WriteNumber("rows", tile.Rows);
                json.WriteNumber("keys", tile.Keys);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("masks");
            foreach (var declaration in declarations) MaskJson.Write(json, declaration);
            json.WriteEndArray();
        });
    }
}
