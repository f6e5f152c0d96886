using System.Globalization;
using System.Text;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Report;

/// <summary>The table of the README, from the files in benchmarks/results.</summary>
internal static class ReadmeTable
{
    private const string Begin = "<!-- benchmarks: written by `benchmarks/AttentionGen.Benchmarks -- readme` -->\n", End = "<!-- end of benchmarks -->";

    // The rest stands in benchmarks/results.
    private static readonly string[] s_shapes =
        ["P1", "P2", "P3", "P3b", "P4", "P5", "P6", "S1", "S2", "S3", "S4", "D1", "D1 cold", "D2", "D2 cold", "D3",
        "M-prefix", "M-window-first", "M-documents", "M-blocks", "M-bias", "M-alibi", "M-cap"];

    private static readonly (string Contender, string Title)[] s_contenders =
        [("AttentionGen", "AttentionGen"), ("OnnxRuntime", "ONNX Runtime"), ("Ggml", "ggml"), ("TensorPrimitives", "TensorPrimitives")];

    public static int Write()
    {
        string path = Repository.PathOf("README.md"), text = File.ReadAllText(path);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            Console.Error.WriteLine($"README.md has no place for the table, a line {Begin.Trim()} and a line {End}.");
            return 1;
        }

        File.WriteAllText(path, text[..(begin + Begin.Length)] + Text() + text[end..]);
        return 0;
    }

    /// <summary>A table for each file.</summary>
    public static string Text()
    {
        var text = new StringBuilder();
        foreach (string file in ResultFolder.Files)
        {
            string title = File.ReadLines(Path.ChangeExtension(file, ".md")).First().TrimStart('#', ' ');
            text.Append(CultureInfo.InvariantCulture, $"| {title}, one thread |{string.Concat(s_contenders.Select(column => $" {column.Title} |"))}\n");
            text.Append(CultureInfo.InvariantCulture, $"|---|{string.Concat(s_contenders.Select(_ => "---|"))}\n");
            foreach (var shape in ResultFile.Read(file).Where(result => result.Threads == 1 && s_shapes.Contains(result.Shape)).GroupBy(result => result.Shape))
            {
                text.Append(CultureInfo.InvariantCulture, $"| {shape.Key}: {ShapeTable.Find(shape.Key).Description} |");
                foreach (var (contender, _) in s_contenders)
                    text.Append(CultureInfo.InvariantCulture, $" {Cell(shape.FirstOrDefault(of => of.Contender == contender))} |");
                text.Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    // The first of ours is token-major.
    private static string Cell(Result? result)
    {
        if (result is null) return "-";
        string percent = result.PercentOfReadBandwidth is { } read && ShapeTable.Find(result.Shape).Queries == 1
            ? $"{read:0} % of a read"
            : $"{result.PercentOfPeak:0} %";
        string time = result.MedianMs.ToString(result.MedianMs < 1 ? "0.000" : result.MedianMs < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);
        return $"{time} ms, {percent}";
    }
}
