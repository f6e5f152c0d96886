using System.Globalization;
using System.Text;
using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Report;

/// <summary>The table of README.md: some shapes on one machine, one thread, token-major, with AVX-512 and with AVX2, beside the best peer.</summary>
internal static class ShortTable
{
    /// <summary>The files of benchmarks/results that the table is about, without their extensions.</summary>
    private static readonly string[] s_files = ["amd-epyc-zen-4.avx512", "amd-epyc-zen-4.avx2"];

    /// <summary>Ten at most. D3 is here because a peer is faster at it.</summary>
    private static readonly string[] s_shapes = ["P1", "P2", "P3", "P6", "S2", "F8", "D1", "D3", "M-documents"];

    public static string Text()
    {
        var all = ResultFolder.Files.ToList();
        List<SavedResults> files = [.. s_files.Select(name => all.Single(file => file.Name == name))];
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"| {files[0].Processor}, one thread |{string.Concat(files.Select(file => $" {file.Isa} | ratio |"))} best peer |\n");
        text.Append(CultureInfo.InvariantCulture, $"|---|{string.Concat(files.Select(_ => "---|---|"))}---|\n");
        foreach (string id in s_shapes)
        {
            var peers = new List<string>();
            text.Append(CultureInfo.InvariantCulture, $"| {Cells.Shape(id)} |");
            foreach (var file in files)
            {
                var shape = file.Results.Where(result => result.Threads == 1 && result.Shape == id).ToList();
                var ours = shape.First(result => result.Contender == Cells.Ours); // the first of ours is token-major
                var peer = Cells.BestPeer(shape);
                text.Append(CultureInfo.InvariantCulture, $" {Cells.Time(ours)} | {(peer is null ? "-" : Cells.Ratio(ours, peer))} |");
                if (peer is not null) peers.Add(Cells.TitleOf(peer.Contender));
            }

            text.Append(CultureInfo.InvariantCulture, $" {(peers.Count == 0 ? "-" : string.Join(", ", peers.Distinct()))} |\n");
        }

        foreach (var runs in files.GroupBy(file => (file.Machine, file.Versions)))
            text.Append(CultureInfo.InvariantCulture, $"\n{runs.Key.Machine}\n{runs.Key.Versions}\n");
        return text.Append('\n').ToString();
    }
}
