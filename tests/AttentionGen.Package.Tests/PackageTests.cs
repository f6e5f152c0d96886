using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Package.Tests.Harness;
using Xunit;

namespace AttentionGen.Package.Tests;

/// <summary>What is in the package.</summary>
public partial class PackageTests(Consumers consumers)
{
    private const string Address = "https://github.com/attentiongen/AttentionGen";

    /// <summary>The platforms for which the library is compiled ahead, in a Release build.</summary>
    private static readonly string[] s_ahead = Consumers.Configuration == "Release" ? ["linux-arm64", "linux-x64", "osx-arm64", "win-arm64", "win-x64"] : [];

    [Fact]
    public void It_holds_the_library_the_generator_build_files_and_texts()
    {
        using var package = Open();
        string[] expected =
        [
            "LICENSE", "README.md", "THIRD-PARTY-NOTICES.md", "analyzers/dotnet/cs/AttentionGen.Generator.dll",
            "build/net10.0/AttentionGen.props", "build/net10.0/AttentionGen.targets", "buildTransitive/net10.0/AttentionGen.props", "buildTransitive/net10.0/AttentionGen.targets",
            "lib/net10.0/AttentionGen.dll", "lib/net10.0/AttentionGen.xml",
            .. s_ahead.Select(platform => $"runtimes/{platform}/lib/net10.0/AttentionGen.dll"),
        ];
        Assert.Equal(expected, package.Entries.Select(entry => entry.FullName).Where(name => !name.StartsWith('_') && !name.StartsWith('[') && !name.StartsWith("package/", StringComparison.Ordinal) && !name.EndsWith(".nuspec", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(File.ReadAllText(Repository.PathOf("LICENSE")), Read(package, "LICENSE"));
        Assert.Equal(File.ReadAllText(Repository.PathOf("THIRD-PARTY-NOTICES.md")), Read(package, "THIRD-PARTY-NOTICES.md"));
    }

    /// <summary>They are the same library: code for a platform beside the same metadata and symbols.</summary>
    [Fact]
    public void Images_compiled_ahead_are_of_the_library_in_it()
    {
        using var package = Open();
        using var library = new PEReader(new MemoryStream(Bytes(package, "lib/net10.0/AttentionGen.dll")));
        var metadata = library.GetMetadataReader();
        foreach (string platform in s_ahead)
        {
            byte[] bytes = Bytes(package, $"runtimes/{platform}/lib/net10.0/AttentionGen.dll");
            using var image = new PEReader(new MemoryStream(bytes));
            var reader = image.GetMetadataReader();
            Assert.Equal(metadata.GetGuid(metadata.GetModuleDefinition().Mvid), reader.GetGuid(reader.GetModuleDefinition().Mvid));
            Assert.True(image.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0, platform);
            Assert.Single(image.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
            Assert.DoesNotContain(Repository.Root, System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void It_says_where_it_comes_from()
    {
        using var package = Open();
        var metadata = XDocument.Parse(Read(package, "AttentionGen.nuspec")).Root!.Elements().Single();
        string Value(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
        Assert.Equal(("MIT", "README.md", Address), (Value("license"), Value("readme"), Value("projectUrl")));
        Assert.True(Value("tags").Split(' ').Length >= 5, Value("tags"));
        var repository = metadata.Elements().Single(element => element.Name.LocalName == "repository");
        Assert.Equal(("git", Address), (repository.Attribute("type")?.Value, repository.Attribute("url")?.Value));
    }

    /// <summary>Who reads it there has no repository around it.</summary>
    [Fact]
    public void Its_README_is_that_of_the_repository_with_links_that_work_anywhere()
    {
        using var package = Open();
        string packed = Read(package, "README.md"), source = File.ReadAllText(Repository.PathOf("README.md"));
        Assert.NotEmpty(Link().Matches(packed));
        Assert.All(Link().Matches(packed).Select(match => match.Groups[1].Value), link => Assert.StartsWith("https://", link, StringComparison.Ordinal));
        Assert.Equal(source.ReplaceLineEndings("\n").TrimEnd(), packed.ReplaceLineEndings("\n").Replace($"]({Address}/blob/main/", "](", StringComparison.Ordinal).TrimEnd());
    }

    [Theory]
    [InlineData("lib/net10.0/AttentionGen.dll", new[] { "/_/src/Runtime/" })]
    [InlineData("analyzers/dotnet/cs/AttentionGen.Generator.dll", new[] { "/_/src/Generator/", "/_/src/Runtime/" })] // it compiles a few files of the library
    public void Its_assemblies_bring_symbols_with_sources_and_no_path_of_this_machine(string assembly, string[] roots)
    {
        using var package = Open();
        using var image = new PEReader(new MemoryStream(Bytes(package, assembly)));
        var entry = Assert.Single(image.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
        using var provider = image.ReadEmbeddedPortablePdbDebugDirectoryData(entry);
        var symbols = provider.GetMetadataReader();
        var documents = symbols.Documents.Select(handle => symbols.GetString(symbols.GetDocument(handle).Name)).ToList();
        Assert.True(documents.Count > 20, $"{documents.Count} documents");
        Assert.All(documents, name => Assert.Contains(roots, root => name.StartsWith(root, StringComparison.Ordinal)));
        var embedded = new Guid("0E8A571B-6926-466E-B4AD-8AB04611F5FE"); // embedded source, of the portable PDB format
        var parents = symbols.CustomDebugInformation.Select(symbols.GetCustomDebugInformation).Where(it => symbols.GetGuid(it.Kind) == embedded).Select(it => it.Parent).ToHashSet();
        Assert.All(symbols.Documents, document => Assert.Contains(document, parents));
        Assert.DoesNotContain(Repository.Root, System.Text.Encoding.UTF8.GetString(Bytes(package, assembly)), StringComparison.Ordinal);
    }

    /// <summary>Wherever outputs go: here to a folder of artifacts, where nothing has been built.</summary>
    [Fact]
    public async Task The_generator_is_taken_from_where_its_project_says()
    {
        string artifacts = Path.Combine(consumers.Folder, "artifacts");
        var told = await Dotnet.RunAsync(
            Repository.Root, "msbuild", Repository.PathOf("src", "Runtime", "AttentionGen.csproj"), "-nologo", "-p:UseArtifactsOutput=true", $"-p:ArtifactsPath={artifacts}", "-p:NoBuild=true",
            $"-p:Configuration={Consumers.Configuration}", "-p:TargetFramework=net10.0", "-t:PackGenerator", "-getItem:TfmSpecificPackageFile");
        var file = Assert.Single(System.Text.Json.Nodes.JsonNode.Parse(told.Text)!["Items"]!["TfmSpecificPackageFile"]!.AsArray())!;
        Assert.Equal(Path.Combine(artifacts, "bin", "AttentionGen.Generator", Consumers.Configuration.ToLowerInvariant(), "AttentionGen.Generator.dll"), (string?)file["FullPath"]);
    }

    private ZipArchive Open() => ZipFile.OpenRead(consumers.Package);

    private static byte[] Bytes(ZipArchive package, string name)
    {
        using var stream = package.GetEntry(name)!.Open();
        var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static string Read(ZipArchive package, string name) => new StreamReader(new MemoryStream(Bytes(package, name))).ReadToEnd();

    [GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial Regex Link();
}
