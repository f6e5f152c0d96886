using System.Globalization;
using System.Text;
using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Report;

/// <summary>The table of README.md: some shapes on one machine, one thread, token-major, beside the best peer of each.</summary>
internal static class ShortTable
{
    /// <summary>The file of benchmarks/results that the table is about.</summary>
    private const string Machine = "amd-epyc-zen-4.avx512";

    /// <summary>Eight at most. D3 is here because a peer is faster at it.</summary>
    private static readonly string[] s_shapes = ["P1", "P2", "P3", "P6", "S2", "D1", "D3", "M-documents"];

    public static string Text()
    {
        var file = ResultFolder.Files.Single(file => file.Name == Machine);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"| {file.Title}, one thread | AttentionGen | best peer | its time | ratio |\n|---|---|---|---|---|\n");
        foreach (string id in s_shapes)
        {
            var shape = file.Results.Where(result => result.Threads == 1 && result.Shape == id).ToList();
            var ours = shape.First(result => result.Contender == Cells.Ours); // the first of ours is token-major
            text.Append(Cells.BestPeer(shape) is { } peer
                ? $"| {Cells.Shape(id)} | {Cells.Time(ours)} | {Cells.TitleOf(peer.Contender)} | {Cells.Time(peer)} | {Cells.Ratio(ours, peer)} |\n"
                : $"| {Cells.Shape(id)} | {Cells.Time(ours)} | - | - | - |\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"\n{file.Machine}\n{file.Versions}\n\n").ToString();
    }
}
