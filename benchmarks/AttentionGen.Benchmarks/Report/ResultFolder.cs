using System.Globalization;
using System.Runtime.InteropServices;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Machine;

namespace AttentionGen.Benchmarks.Report;

/// <summary>benchmarks/results: for each processor and instruction set the results as JSON, and as a table with what they were measured on.</summary>
internal static class ResultFolder
{
    private static readonly string s_path = Repository.PathOf("benchmarks", "results");

    /// <summary>The files with results.</summary>
    public static IEnumerable<string> Files => !Directory.Exists(s_path) ? [] : Directory.EnumerateFiles(s_path, "*.json").Order(StringComparer.Ordinal);

    public static void Save(IReadOnlyList<Result> results, IReadOnlyList<string> notes)
    {
        string path = Path.Combine(s_path, $"{CpuModel.Here.Slug}.{AttentionInfo.Isa.ToString().ToLowerInvariant()}");
        ResultFile.Write(results, new FileInfo(path + ".json"));
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        File.WriteAllText(path + ".md", $"""
            {Title(path)}

            {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {date}. Written by
            `compare --save`; what the columns mean: [README](../README.md).

            {ResultTable.Markdown(results, notes)}
            """.ReplaceLineEndings("\n"));
    }

    private static string Title(string path) => $"# {CpuModel.Here}, {Path.GetExtension(path)[1..]}";
}
