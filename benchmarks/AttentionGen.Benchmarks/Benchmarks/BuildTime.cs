using System.Diagnostics;
using AttentionGen.Generator;
using BenchmarkDotNet.Attributes;

namespace AttentionGen.Benchmarks;

/// <summary>What a kernel costs the build of the project that declares it: the difference between a project with one and the same without.</summary>
public class BuildTime
{
    private Consumer? _consumer;
    private DirectoryInfo? _directory;
    private string? _arguments;

    [Params(0, 1)]
    public int Kernels { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _consumer = new Consumer(Kernels);
        _directory = Directory.CreateTempSubdirectory("attentiongen-build-");
        string source = Path.Combine(_directory.FullName, "Kernels.cs"), output = Path.Combine(_directory.FullName, "Consumer.dll");
        File.WriteAllText(source, _consumer.Source);
        string references = string.Concat(Sdk.ReferenceAssemblies.Append(typeof(AttentionAttribute).Assembly.Location).Select(path => $" -r:\"{path}\""));
        string arguments = Path.Combine(_directory.FullName, "arguments.rsp");
        string generator = typeof(AttentionGenerator).Assembly.Location;
        File.WriteAllText(arguments, $"-target:library -optimize+ -nologo -analyzer:\"{generator}\" -out:\"{output}\"{references} \"{source}\"");
        _arguments = $"exec \"{Sdk.Compiler}\" -noconfig \"@{arguments}\"";
    }

    [GlobalCleanup]
    public void Cleanup() => _directory!.Delete(recursive: true);

    /// <summary>In a compiler that runs already, as the build server and the editor keep one.</summary>
    [Benchmark]
    public long WarmCompiler()
    {
        Consumer.Driver().RunGeneratorsAndUpdateCompilation(_consumer!.Compilation, out var compilation, out _);
        using var image = new MemoryStream();
        if (!compilation.Emit(image).Success) throw new InvalidOperationException("The consumer does not compile.");
        return image.Length;
    }

    /// <summary>In a compiler that starts for this build alone.</summary>
    [Benchmark]
    public void FreshCompiler()
    {
        using var compiler = Process.Start(new ProcessStartInfo(Sdk.Host, _arguments!) { RedirectStandardOutput = true })!;
        string said = compiler.StandardOutput.ReadToEnd();
        compiler.WaitForExit();
        if (compiler.ExitCode != 0) throw new InvalidOperationException(said);
    }

    /// <summary>The SDK beside the runtime that this runs on.</summary>
    private static class Sdk
    {
        private static readonly string s_root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));

        public static string Host { get; } = Path.Combine(s_root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");

        public static string Compiler { get; } = Path.Combine(Newest(Path.Combine(s_root, "sdk")), "Roslyn", "bincore", "csc.dll");

        public static IEnumerable<string> ReferenceAssemblies { get; } = Directory.EnumerateFiles(
            Path.Combine(Newest(Path.Combine(s_root, "packs", "Microsoft.NETCore.App.Ref")), "ref", $"net{Environment.Version.Major}.0"), "*.dll");

        private static string Newest(string directory) => Directory.EnumerateDirectories(directory)
            .OrderBy(path => Version.TryParse(Path.GetFileName(path).Split('-')[0], out var version) ? version : new Version(0, 0))
            .Last();
    }
}
