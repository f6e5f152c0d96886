using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Machine;

namespace AttentionGen.Benchmarks.Report;

/// <summary>benchmarks/results: for each processor and instruction set, the results as JSON, and as a table with the machine and the versions.</summary>
internal static class ResultFolder
{
    private static readonly string s_path = Repository.PathOf("benchmarks", "results");

    /// <summary>What the folder holds, ordered by file name.</summary>
    public static IEnumerable<SavedResults> Files =>
        !Directory.Exists(s_path) ? [] : Directory.EnumerateFiles(s_path, "*.json").Order(StringComparer.Ordinal).Select(Read);

    public static void Save(IReadOnlyList<Result> results, IReadOnlyList<string> notes)
    {
        string path = Path.Combine(s_path, $"{CpuModel.Here.Slug}.{AttentionInfo.Isa.ToString().ToLowerInvariant()}");
        ResultFile.Write(results, new FileInfo(path + ".json"));
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        File.WriteAllText(path + ".md", $"""
            # {CpuModel.Here}, {TitleOf(AttentionInfo.Isa)}

            {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {date}.
            {string.Join(", ", Versions())}.

            Written by `compare --save`; what the columns mean: [README](../README.md).

            {ResultTable.Markdown(results, notes)}
            """.ReplaceLineEndings("\n"));
    }

    private static SavedResults Read(string path)
    {
        string[] head = [.. File.ReadLines(Path.ChangeExtension(path, ".md")).Take(4)];
        return new SavedResults(Path.GetFileNameWithoutExtension(path), head[0].TrimStart('#', ' '), head[2], head[3], ResultFile.Read(path));
    }

    private static string TitleOf(AttentionIsas isa) => isa switch
    {
        AttentionIsas.Avx512 => "AVX-512",
        AttentionIsas.Avx2 => "AVX2",
        AttentionIsas.Neon => "NEON",
        _ => "portable",
    };

    /// <summary>The peers and their versions.</summary>
    private static IEnumerable<string> Versions()
    {
        var tensors = typeof(System.Numerics.Tensors.TensorPrimitives).Assembly;
        yield return $"{tensors.GetName().Name} {tensors.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";
        using var packages = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("benchmarks", "peers", "package.json")));
        foreach (var package in packages.RootElement.GetProperty("dependencies").EnumerateObject().OrderByDescending(package => package.Name, StringComparer.Ordinal))
            yield return $"{package.Name} {package.Value.GetString()}";
    }
}

/// <summary>The results of one run that was kept.</summary>
/// <param name="Name">The files' name without an extension.</param>
/// <param name="Title">The processor and the instruction set.</param>
/// <param name="Machine">A sentence: processors, versions of .NET and of the operating system, date.</param>
/// <param name="Versions">A sentence: the peers and their versions.</param>
/// <param name="Results">All results, in the order in which they were measured.</param>
internal sealed record SavedResults(string Name, string Title, string Machine, string Versions, IReadOnlyList<Result> Results);
