using System.Reflection;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Package.Tests.Harness;
using Xunit;

[assembly: AssemblyFixture(typeof(Consumers))]

namespace AttentionGen.Package.Tests.Harness;

/// <summary>
/// The package, packed anew, and projects that use it: in a folder of their own, with packages of their own, built together to spend the start of the SDK once.
/// </summary>
public sealed class Consumers : IAsyncLifetime
{
    /// <summary>A version that no cache has.</summary>
    internal static string Version { get; } = $"0.1.0-test.{DateTime.UtcNow.Ticks}";

    internal static string Configuration { get; } = typeof(Consumers).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    private static readonly string s_cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
        ? set
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>For a project that needs large packages: the cache of the user, which has them after the first time. What it gets of ours is taken out again.</summary>
    internal static string Cached { get; } = $"<RestorePackagesPath>{s_cache}</RestorePackagesPath>";

    private Dotnet.Outcome? _built;

    internal string Folder { get; } = Directory.CreateTempSubdirectory("AttentionGen.Package.Tests-").FullName;

    internal string Package => Directory.GetFiles(Path.Combine(Folder, "feed"), "*.nupkg").Single();

    /// <summary>What the build of a consumer said of ours, and every error.</summary>
    internal IEnumerable<string> Said(string consumer)
    {
        Assert.Contains(Consumer.All, it => it.Name == consumer);
        return _built!.Diagnostics.Where(found => found.Project == consumer && (found.Kind == "error" || found.Code.StartsWith("AG", StringComparison.Ordinal))).Select(found => found.ToString());
    }

    /// <summary>The lines that targets of consumers print.</summary>
    internal IEnumerable<string> Told(string about) =>
        _built!.Text.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith($"{about}: ", StringComparison.Ordinal)).Select(line => line[(about.Length + 2)..]);

    public async ValueTask InitializeAsync()
    {
        var packed = await Dotnet.RunAsync(
            Repository.Root, "pack", Repository.PathOf("src", "Runtime", "AttentionGen.csproj"), "-c", Configuration, "--no-build", "-o", Path.Combine(Folder, "feed"), $"-p:PackageVersion={Version}");
        Assert.True(packed.ExitCode == 0, packed.Text);

        Write("nuget.config", $"""
            <configuration>
              <packageSources><add key="packed" value="feed" /></packageSources>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <fallbackPackageFolders>{(Directory.Exists(s_cache) ? $"<add key=\"cache\" value=\"{s_cache}\" />" : "")}</fallbackPackageFolders>
            </configuration>
            """);
        Write("Directory.Build.props", "<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>");
        Write("Directory.Build.targets", "<Project />");
        Write("Directory.Packages.props", "<Project />");
        foreach (var consumer in Consumer.All)
        {
            Write($"{consumer.Name}/{consumer.Name}.csproj", consumer.ProjectFile(Version));
            Write($"{consumer.Name}/Code.cs", consumer.Source);
            if (consumer.Targets.Length > 0) Write($"{consumer.Name}/Directory.Build.targets", $"<Project>{consumer.Targets}</Project>");
        }

        Write("All.slnx", $"<Solution>{string.Concat(Consumer.All.Select(it => $"<Project Path=\"{it.Name}/{it.Name}.csproj\" />"))}</Solution>");
        Write("All.proj", $"""
            <Project>
              <ItemGroup>{string.Concat(Consumer.Builds.Select(it => $"<Build Include=\"{it.Consumer}/{it.Consumer}.csproj\" Of=\"{it.Targets}\" AdditionalProperties=\"{it.Properties}\" />"))}</ItemGroup>
              <Target Name="Build">
                <MSBuild Projects="@(Build)" Targets="%(Build.Of)" BuildInParallel="true" ContinueOnError="ErrorAndContinue" />
              </Target>
            </Project>
            """);
        var restored = await Dotnet.RunAsync(Folder, "restore", "All.slnx");
        Assert.True(restored.ExitCode == 0, restored.Text);
        _built = await Dotnet.RunAsync(Folder, "msbuild", "All.proj", "-t:Build", "-m:2", "-v:m", "-nologo");
    }

    /// <summary>Writes a file under the folder of the consumers.</summary>
    internal string Write(string path, string text)
    {
        string file = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }

    public ValueTask DisposeAsync()
    {
        try
        {
            Directory.Delete(Folder, recursive: true);
            string ours = Path.Combine(s_cache, "attentiongen", Version);
            if (Directory.Exists(ours)) Directory.Delete(ours, recursive: true);
        }
        catch (IOException)
        {
            // A compiler that is still up may have a file open; the folder is a temporary one.
        }

        return ValueTask.CompletedTask;
    }
}
