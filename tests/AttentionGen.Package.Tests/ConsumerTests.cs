using AttentionGen.Package.Tests.Harness;
using Xunit;

namespace AttentionGen.Package.Tests;

/// <summary>What a project that uses the package is told by its build, and what it is not told.</summary>
public class ConsumerTests(Consumers consumers)
{
    private const string Slow = "warning AG0102: This build is not optimised, which makes 'Attend' ";

    [Fact]
    public void A_debug_build_warns_once_and_succeeds_where_warnings_are_errors()
    {
        Assert.StartsWith(Slow + "and another kernel 10 to 24 times slower: ", Assert.Single(consumers.Said("Debug")), StringComparison.Ordinal);
        Assert.StartsWith(Slow, Assert.Single(consumers.Said("DebugOverwritten")), StringComparison.Ordinal);
        Assert.True(Built("Debug") && Built("DebugOverwritten"));
    }

    [Theory]
    [InlineData("DebugSilenced")]
    [InlineData("Release")]
    [InlineData("Application")]
    [InlineData("NoGeneratorNoKernel")]
    public void Nothing_is_said_where_nothing_is_wrong(string consumer)
    {
        Assert.Empty(consumers.Said(consumer));
        Assert.True(Built(consumer));
    }

    [Fact]
    public async Task An_application_that_uses_a_library_with_a_kernel_runs()
    {
        var run = await Dotnet.RunAsync(consumers.Folder, "exec", Directory.GetFiles(Path.Combine(consumers.Folder, "Application", "bin"), "Application.dll", SearchOption.AllDirectories).Single());
        Assert.Matches("^1.00 (Portable|Avx2|Avx512|Neon)\r?\n$", run.Text);
    }

    [Theory]
    [InlineData("WrongImplicit", false)]
    [InlineData("WrongByCommandLine", false)]
    [InlineData("WrongByTargets", false)]
    [InlineData("WrongAnalysed", true)]
    public void A_wrong_declaration_is_one_error_whoever_reports_it(string consumer, bool byAnalyzer)
    {
        const string Message = "headDim is 0, but must be from 1 to 512";
        Assert.StartsWith(byAnalyzer ? $"error AG0009: {Message}" : $"error CS1029: #error: 'Llama.Attend: AG0009: {Message}'", Assert.Single(consumers.Said(consumer)), StringComparison.Ordinal);
        Assert.False(Built(consumer));
    }

    /// <summary>Held against the targets of the SDK that is installed, so that a change of theirs is seen.</summary>
    [Fact]
    public void The_generator_reports_exactly_where_the_compiler_skips_analyzers_and_never_in_a_design_time_build()
    {
        string Of(string text) => text[(text.IndexOf('[') + 1)..text.IndexOf(']')];
        var seen = consumers.Told("seen").ToDictionary(Of, text => text.EndsWith("= true", StringComparison.Ordinal));
        var told = consumers.Told("mirror").ToDictionary(Of);
        Assert.Equal(Consumer.Switches.Select(it => it.Replace(';', ' ')).Order(), told.Keys.Order());
        Assert.All(told, it =>
        {
            bool designTime = it.Key.Contains("DesignTimeBuild", StringComparison.Ordinal), skips = it.Value.EndsWith("the compiler's true", StringComparison.Ordinal);
            Assert.Equal(!designTime && skips, it.Value.Contains("ours true", StringComparison.Ordinal));
            Assert.Equal(!designTime && skips, seen[it.Key]);
        });
        Assert.InRange(told.Count(it => it.Value.EndsWith("the compiler's true", StringComparison.Ordinal)), 10, told.Count - 10);
    }

    [Fact]
    public void C_sharp_below_12_is_one_error() => Assert.StartsWith(
        "error AG0060: The project is compiled as C# 11.0, but the kernel of 'Attend' needs C# 12: remove LangVersion from the project file",
        Assert.Single(consumers.Said("OldLanguage")), StringComparison.Ordinal);

    [Fact]
    public async Task An_older_target_framework_fails_to_restore()
    {
        foreach (string framework in new[] { "net8.0", "net9.0" })
            consumers.Write($"Old/{framework}/Old{framework}.csproj", (new Consumer("Old") { Properties = $"<TargetFramework>{framework}</TargetFramework><EnableTargetingPackDownload>false</EnableTargetingPackDownload>" }).ProjectFile(Consumers.Version));
        consumers.Write("Old/Old.slnx", "<Solution><Project Path=\"net8.0/Oldnet8.0.csproj\" /><Project Path=\"net9.0/Oldnet9.0.csproj\" /></Solution>");
        var restored = await Dotnet.RunAsync(Path.Combine(consumers.Folder, "Old"), "restore", "Old.slnx");
        Assert.NotEqual(0, restored.ExitCode);
        foreach (string framework in new[] { "net8.0", "net9.0" })
            Assert.StartsWith($"error NU1202: Package AttentionGen {Consumers.Version} is not compatible with {framework}", Assert.Single(restored.Diagnostics, it => it.Text.Contains($"not compatible with {framework} ", StringComparison.Ordinal)).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PrivateLibrary", "PrivateAssets=\"all\"")]
    [InlineData("PrivateRuntime", "PrivateAssets=\"contentfiles; Runtime\"")]
    [InlineData("LibraryWithoutFile", "ExcludeAssets=\"runtime\"")]
    public void A_library_that_keeps_the_package_to_itself_is_warned(string consumer, string setting)
    {
        Assert.StartsWith(
            $"warning AG0110: {setting} hides AttentionGen.dll from applications that use this library, and its kernels fail there: remove it from the package reference",
            Assert.Single(consumers.Said(consumer), it => !it.Contains("AG0102", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.True(Built(consumer));
    }

    [Theory]
    [InlineData("PrivateApplication")]
    [InlineData("PrivatePlugin")]
    public void What_brings_the_file_along_is_not(string consumer) => Assert.StartsWith(Slow, Assert.Single(consumers.Said(consumer)), StringComparison.Ordinal);

    /// <summary>The calls of such a declaration would be elided, and its output stay 0.</summary>
    [Theory]
    [InlineData("NoGenerator", "it is removed from the analyzers of this project: ")]
    [InlineData("OldCompiler", "the compiler is Roslyn 4.8, but the generator needs 4.14 or later: ")]
    public void A_kernel_without_the_generator_is_an_error(string consumer, string why)
    {
        Assert.StartsWith(
            $"error AG0061: This file declares a kernel, but the generator of AttentionGen does not run, and the kernel would do nothing: {why}", Assert.Single(consumers.Said(consumer)), StringComparison.Ordinal);
        Assert.False(Built(consumer));
    }

    [Theory]
    [InlineData("PublishLinux", true)]
    [InlineData("PublishWindows", true)]
    [InlineData("PublishNewer", false)]
    [InlineData("PublishArm", false)]
    [InlineData("PublishSilenced", false)]
    [InlineData("PublishJit", false)]
    public void A_publish_ahead_of_time_for_x64_without_an_instruction_set_is_warned(string consumer, bool warned)
    {
        string[] said = [.. consumers.Said(consumer)];
        if (!warned) Assert.Empty(said);
        else Assert.StartsWith("warning AG0111: Without IlcInstructionSet, a program published ahead of time runs the portable code of kernels, 3 to 4 times slower: set <IlcInstructionSet>x86-64-v3</IlcInstructionSet>", Assert.Single(said), StringComparison.Ordinal);
    }

    private bool Built(string consumer)
    {
        string output = Path.Combine(consumers.Folder, consumer, "bin");
        return Directory.Exists(output) && Directory.GetFiles(output, $"{consumer}.dll", SearchOption.AllDirectories).Length > 0;
    }
}
