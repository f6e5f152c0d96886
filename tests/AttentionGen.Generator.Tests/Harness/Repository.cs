namespace AttentionGen.Generator.Tests.Harness;

/// <summary>Files of the working tree, found from where the tests run.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find(string directory)
    {
        while (!File.Exists(Path.Combine(directory, "AttentionGen.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException($"No AttentionGen.sln above {AppContext.BaseDirectory}.");
        return directory;
    }
}
