using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Contenders.Ggml;
using AttentionGen.Benchmarks.Contenders.OnnxRuntime;
using AttentionGen.Benchmarks.Machine;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Report;

/// <summary>benchmarks/results: for each processor and instruction set, the results as JSON, and as a table with the machine and the versions.</summary>
internal static class ResultFolder
{
    private static readonly string s_path = Repository.PathOf("benchmarks", "results");

    /// <summary>What the folder holds, ordered by file name.</summary>
    public static IEnumerable<SavedResults> Files =>
        !Directory.Exists(s_path) ? [] : Directory.EnumerateFiles(s_path, "*.json").Order(StringComparer.Ordinal).Select(Read);

    /// <summary>Keeps results. Those of other shapes, or of another number of threads, that are there stay.</summary>
    public static void Save(IReadOnlyList<Result> measured, IReadOnlyList<string> notes)
    {
        string path = Path.Combine(s_path, $"{CpuModel.Here.Slug}.{AttentionInfo.Isa.ToString().ToLowerInvariant()}");
        var results = measured;
        if (File.Exists(path + ".json"))
        {
            var again = measured.Select(result => (result.Shape, result.Threads)).ToHashSet();
            var order = ShapeTable.All.Select((shape, i) => (shape.Id, i)).ToDictionary();
            results = [.. ResultFile.Read(path + ".json").Where(result => order.ContainsKey(result.Shape) && !again.Contains((result.Shape, result.Threads))).Concat(measured)
                .OrderBy(result => order[result.Shape]).ThenBy(result => result.Threads)];
        }

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

    /// <summary>The peers that are here, and the versions that they tell of themselves.</summary>
    private static IEnumerable<string> Versions()
    {
        var tensors = typeof(System.Numerics.Tensors.TensorPrimitives).Assembly;
        yield return $"{tensors.GetName().Name} {tensors.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";
        if (Version(() => OrtApi.Here.Version) is { } onnxRuntime) yield return $"ONNX Runtime {onnxRuntime}";
        if (Version(() => GgmlApi.Here.Version) is { } ggml) yield return $"ggml {ggml}";
    }

    private static string? Version(Func<string> told)
    {
        try
        {
            return told();
        }
        catch (PeerException) // a note of the run says why it is missing
        {
            return null;
        }
    }
}

/// <summary>The results of one run that was kept.</summary>
/// <param name="Name">The files' name without an extension.</param>
/// <param name="Title">The processor and the instruction set.</param>
/// <param name="Machine">A sentence: processors, versions of .NET and of the operating system, date.</param>
/// <param name="Versions">A sentence: the peers and their versions.</param>
/// <param name="Results">All results, in the order in which they were measured.</param>
internal sealed record SavedResults(string Name, string Title, string Machine, string Versions, IReadOnlyList<Result> Results)
{
    public string Processor => Title[..Title.LastIndexOf(", ", StringComparison.Ordinal)];

    /// <summary>The instruction set, for people.</summary>
    public string Isa => Title[(Title.LastIndexOf(", ", StringComparison.Ordinal) + 2)..];
}
