using System.Globalization;
using System.Text;
using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Report;

/// <summary>The tables of docs/benchmarks.md: every shape, one table for each file of benchmarks/results and number of threads.</summary>
internal static class FullTables
{
    public static string Text()
    {
        var text = new StringBuilder();
        foreach (var file in ResultFolder.Files)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {file.Title}\n\n{file.Machine}\n{file.Versions}\n\n");
            foreach (var threads in file.Results.GroupBy(result => result.Threads)) Append(text, threads);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, IGrouping<int, Result> results)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {Cells.Threads(results.Key)} | AttentionGen | AttentionGen, head-major |{string.Concat(Cells.Peers.Select(peer => $" {peer.Title} |"))} best peer / ours | time / plain |\n");
        text.Append(CultureInfo.InvariantCulture, $"|---|---|---|{string.Concat(Cells.Peers.Select(_ => "---|"))}---|---|\n");
        List<string> slower = [];
        foreach (var shape in results.GroupBy(result => result.Shape))
        {
            var ours = shape.First(result => result.Contender == Cells.Ours); // the first of ours is token-major
            text.Append(CultureInfo.InvariantCulture, $"| {Cells.Shape(shape.Key)} | {Cells.TimeAndPercent(ours)} | {Cells.TimeAndPercent(shape.Skip(1).FirstOrDefault(result => result.Contender == Cells.Ours))} |");
            foreach (var (contender, _) in Cells.Peers) text.Append(CultureInfo.InvariantCulture, $" {Cells.TimeAndPercent(shape.FirstOrDefault(result => result.Contender == contender))} |");
            var best = Cells.BestPeer([.. shape]);
            string plain = ours.TimeToPlain is { } ratio ? string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00} of {ours.Plain}") : "-";
            text.Append(CultureInfo.InvariantCulture, $" {(best is null ? "-" : Cells.Ratio(ours, best))} | {plain} |\n");
            if (best is not null && best.MedianMs < ours.MedianMs) slower.Add($"{shape.Key} ({Cells.TitleOf(best.Contender)}, {Cells.Ratio(ours, best)})");
        }

        text.Append(slower.Count == 0 ? "\nNo peer is faster in this table.\n\n" : $"\nA peer is faster in this table at {string.Join(", ", slower)}.\n\n");
        CacheTables.Append(text, results);
        if (SlowModes.Sentence(results) is { Length: > 0 } slow) text.Append(slow).Append("\n\n");
    }
}
