namespace AttentionGen.Benchmarks.Report;

/// <summary>The tables of README.md and docs/benchmarks.md, written from benchmarks/results between two marker comments of each file.</summary>
internal static class Documents
{
    private const string Begin = "<!-- benchmarks: written by `benchmarks/AttentionGen.Benchmarks -- readme` -->\n", End = "<!-- end of benchmarks -->";

    /// <returns>The exit code: 1 where a file has no place for its tables.</returns>
    public static int Write() => Write("README.md", ShortTable.Text()) + Write(Path.Combine("docs", "benchmarks.md"), FullTables.Text()) == 0 ? 0 : 1;

    private static int Write(string name, string tables)
    {
        string path = Repository.PathOf(name), text = File.ReadAllText(path);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            Console.Error.WriteLine($"{name} has no place for the tables. It needs the line {Begin.Trim()} and, after it, the line {End}.");
            return 1;
        }

        File.WriteAllText(path, text[..(begin + Begin.Length)] + tables + text[end..]);
        return 0;
    }
}
