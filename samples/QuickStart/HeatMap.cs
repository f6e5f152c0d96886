using System.Collections.Immutable;
using System.Text;

namespace QuickStart;

/// <summary>Prints attention maps: a row for each query, a column for each key, weights in percent; as many side by side as fit.</summary>
internal sealed class HeatMap(ImmutableArray<string> tokens, Terminal terminal)
{
    private const string Gap = "   ";
    private const int CellWidth = 3;

    /// <summary>The token to follow above each map: what a pronoun looks at is easy to judge.</summary>
    private const string Followed = "it";

    private readonly int _labelWidth = tokens.Max(token => token.Length);

    private int Width => _labelWidth + 1 + tokens.Length * CellWidth;

    public void Write(AttentionMap map)
    {
        int together = Math.Max(1, (terminal.Width + Gap.Length) / (Width + Gap.Length));
        foreach (int[] heads in Enumerable.Range(0, Encoder.Heads).Chunk(together))
        {
            WriteLine(heads, head => Title(map, head));
            WriteLine(heads, _ => Keys());
            for (int query = 0; query < tokens.Length; query++)
                WriteLine(heads, head => tokens[query].PadLeft(_labelWidth) + ' ' + Cells(map.Row(head, query)));
            Console.WriteLine();
        }
    }

    private static void WriteLine(int[] heads, Func<int, string> part) => Console.WriteLine(string.Join(Gap, heads.Select(part)).TrimEnd());

    private string Title(AttentionMap map, int head)
    {
        string title = new string(' ', _labelWidth + 1) + $"head {head}";
        int query = tokens.IndexOf(Followed);
        if (query >= 0)
        {
            float[] weights = map.Row(head, query).ToArray();
            var strongest = Enumerable.Range(0, weights.Length).OrderByDescending(key => weights[key]).Take(2);
            title += $": {Followed} -> {string.Join(", ", strongest.Select(key => $"{tokens[key]} {Percent(weights[key])}"))}";
        }
        return title.PadRight(Width);
    }

    /// <summary>The first two letters of the keys; the rows have the same tokens in full.</summary>
    private string Keys() => new string(' ', _labelWidth + 1)
        + string.Concat(tokens.Select(token => $" {(token.Length > 2 ? token[..2] : token),-2}"));

    private string Cells(ReadOnlySpan<float> weights)
    {
        var cells = new StringBuilder();
        foreach (float weight in weights)
        {
            if (terminal.Colour) cells.Append(Colours.Of(weight));
            cells.Append(float.IsNaN(weight) ? "NaN" : Percent(weight) is > 0 and int percent ? $"{percent,CellWidth}" : " . ");
        }
        if (terminal.Colour) cells.Append(Colours.Reset);
        return cells.ToString();
    }

    private static int Percent(float weight) => (int)MathF.Round(100 * weight);
}
