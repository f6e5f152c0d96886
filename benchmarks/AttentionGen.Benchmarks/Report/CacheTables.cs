using System.Globalization;
using System.Text;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Contenders.Ggml;

namespace AttentionGen.Benchmarks.Report;

/// <summary>What the tables of docs/benchmarks.md have no column for: the bytes that a call through a cache allocates, and each type in which peers store caches and weights.</summary>
internal static class CacheTables
{
    private static readonly (string Contender, string Storage)[] s_peers = [("OnnxRuntime", "float"), ("OnnxRuntime", "int8"), .. GgmlType.OfCaches.Select(type => ("Ggml", type.Name))];

    /// <summary>A row for each shape with a cache or with packed weights; nothing where there are none.</summary>
    /// <param name="text">Where it goes.</param>
    /// <param name="results">Of one number of threads.</param>
    public static void Append(StringBuilder text, IGrouping<int, Result> results)
    {
        var shapes = results.Where(result => result.Storage is not null).GroupBy(result => result.Shape).ToList();
        if (shapes.Count == 0) return;
        text.Append(CultureInfo.InvariantCulture, $"| by type of storage, {Cells.Threads(results.Key)} | AttentionGen | compared with | bytes a call |{string.Concat(s_peers.Select(peer => $" {Cells.TitleOf(peer.Contender)} {peer.Storage} |"))}\n");
        text.Append(CultureInfo.InvariantCulture, $"|---|---|---|---|{string.Concat(s_peers.Select(_ => "---|"))}\n");
        foreach (var shape in shapes)
        {
            var ours = shape.First(result => result.Contender == Cells.Ours);
            string beside = ours.TimeToPlain is { } ratio ? string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00} of {ours.Plain}") : "-";
            text.Append(CultureInfo.InvariantCulture, $"| {shape.Key} | {Cells.TimeAndPercent(ours)} | {beside} | {ours.AllocatedBytes} |");
            foreach (var (contender, storage) in s_peers)
            {
                var peer = shape.FirstOrDefault(result => result.Contender == contender && result.Storage == storage);
                text.Append(CultureInfo.InvariantCulture, $" {(peer is null ? "-" : $"{Cells.Time(peer)}, {Cells.Ratio(ours, peer)} x ours")} |");
            }

            text.Append('\n');
        }

        text.Append('\n');
    }
}
