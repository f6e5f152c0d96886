using System.Globalization;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Contenders;

namespace AttentionGen.Benchmarks.Report;

/// <summary>Where the machine was slower for a while, as far as the times tell.</summary>
internal static class SlowModes
{
    // How little the peak varies from shape to shape on a machine that has nothing else to do.
    private const double Quiet = 0.95;

    private const string Columns = "their share, and how many times as long they took";

    /// <summary>Notes for the table of a run.</summary>
    public static IEnumerable<string> Notes(IReadOnlyList<Result> results) => results
        .GroupBy(result => result.Threads)
        .SelectMany(Of, (run, shape) => $"{shape.Shape}, threads {run.Key}: slow rounds ({Columns}): {shape.What}.");

    /// <summary>A sentence below a table of one number of threads; nothing for results that do not tell.</summary>
    public static string Sentence(IEnumerable<Result> results)
    {
        var all = results.ToList();
        string shapes = string.Join(", ", Of(all).Select(shape => $"{shape.Shape} ({shape.What})"));
        return shapes.Length > 0 ? $"Slow rounds in this table ({Columns}): {shapes}."
            : all.Exists(result => result.Spread is null) ? ""
            : "No slow rounds in this table.";
    }

    /// <summary>The shapes that had a slow mode, and what was slow.</summary>
    /// <param name="results">Of one number of threads.</param>
    private static IEnumerable<(string Shape, string What)> Of(IEnumerable<Result> results)
    {
        var all = results.ToList();
        double highestPeak = all.Max(Peak);
        foreach (var shape in all.GroupBy(result => result.Shape))
        {
            List<string> slow = [.. shape.Where(result => result.Spread is { HasSlowMode: true }).Select(result => Text(Title(result), result.Spread!))];
            var any = shape.First(); // the peak is the same for all of them
            if (any.PeakSpread is { HasSlowMode: true } spread) slow.Add(Text("the peak", spread));

            // A phase that is longer than all rounds of a shape shows only beside other shapes.
            if (Peak(any) < Quiet * highestPeak)
                slow.Add(string.Create(CultureInfo.InvariantCulture, $"the peak all, {highestPeak / Peak(any):0.00} x"));
            if (slow.Count > 0) yield return (shape.Key, string.Join("; ", slow));
        }
    }

    /// <summary>In GFLOP/s.</summary>
    private static double Peak(Result result) => 100 * result.Gflops / result.PercentOfPeak;

    private static string Title(Result result) =>
        result.Layout == Contender.HeadMajor ? $"{Cells.TitleOf(result.Contender)} head-major"
        : result.Storage is { } storage ? $"{Cells.TitleOf(result.Contender)} {storage}"
        : Cells.TitleOf(result.Contender);

    private static string Text(string who, Spread spread) =>
        string.Create(CultureInfo.InvariantCulture, $"{who} {100 * spread.SlowShare:0} %, {spread.Slowdown:0.00} x");
}
