namespace AttentionGen.Benchmarks;

/// <summary>Files of the working tree, found from where the program lies.</summary>
internal static class Repository
{
    private static readonly string s_root = Find(AppContext.BaseDirectory);

    public static string PathOf(params string[] parts) => Path.Combine([s_root, .. parts]);

    private static string Find(string directory)
    {
        while (!File.Exists(Path.Combine(directory, "AttentionGen.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException($"No AttentionGen.sln above {AppContext.BaseDirectory}.");
        return directory;
    }
}
