using System.Globalization;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;
using Spectre.Console;

namespace AttentionGen.Benchmarks.Report;

/// <summary>The table of a run, for a terminal and for a file.</summary>
internal static class ResultTable
{
    // Output that is not a terminal has no width. With this one no line of the table breaks.
    private const int WideEnough = 240;

    public static void Print(IReadOnlyList<Result> results, IReadOnlyList<string> notes)
    {
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = WideEnough;
        Write(AnsiConsole.Console, results, notes, TableBorder.Rounded);
    }

    public static string Markdown(IReadOnlyList<Result> results, IReadOnlyList<string> notes)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var plain = new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) };
        var console = AnsiConsole.Create(plain);
        console.Profile.Width = WideEnough;
        Write(console, results, notes, TableBorder.Markdown);
        return string.Join('\n', text.ToString().ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd())).Trim('\n') + "\n";
    }

    private static void Write(IAnsiConsole console, IReadOnlyList<Result> results, IReadOnlyList<string> notes, TableBorder border)
    {
        var table = new Table().Border(border);
        table.AddColumn("shape").AddColumn("contender");
        foreach (string name in new[] { "threads", "ms", "time / ours", "time / plain", "GFLOP/s", "% of peak", "GB/s", "% of read", "% of roof", "bytes", "error" })
            table.AddColumn(new TableColumn(name).RightAligned());
        table.AddColumn("path");

        foreach (var group in results.GroupBy(result => (result.Shape, result.Threads)))
        {
            double ours = group.First(result => result.Contender == "AttentionGen").MedianMs;
            string shape = $"{group.Key.Shape}: {ShapeTable.Find(group.Key.Shape).Description}";
            foreach (var result in group)
            {
                string[] cells =
                [
                    shape,
                    result.Layout == Contender.HeadMajor ? $"{result.Contender}, head-major" : result.Storage is { } storage ? $"{result.Contender}, {storage}" : result.Contender,
                    Text(result.Threads, "0"),
                    Text(result.MedianMs, result.MedianMs < 0.01 ? "0.000000" : result.MedianMs < 1 ? "0.0000" : "0.00"),
                    Text(result.MedianMs / ours, "0.00"),
                    result.TimeToPlain is { } ratio ? $"{Text(ratio, "0.00")} of {result.Plain}" : "",
                    Text(result.Gflops, "0.0"),
                    Text(result.PercentOfPeak, "0.0"),
                    Text(result.GigabytesPerSecond, "0.0"),
                    result.PercentOfReadBandwidth is { } percent ? Text(percent, "0.0") : "",
                    result.PercentOfRoofline is { } roofline ? Text(roofline, "0.0") : "",
                    result.AllocatedBytes is { } bytes ? Text(bytes, "0") : "",
                    Text(result.MaxError, "0.0e+0"),
                    result.Path,
                ];
                table.AddRow([.. cells.Select(Markup.Escape)]);
                shape = "";
            }

            if (border != TableBorder.Markdown) table.AddEmptyRow();
        }

        console.Write(table);
        foreach (string note in notes) console.WriteLine($"- {note}");
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
