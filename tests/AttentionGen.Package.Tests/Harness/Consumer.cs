namespace AttentionGen.Package.Tests.Harness;

/// <summary>A project that uses the package, as small as shows its point.</summary>
internal sealed record Consumer(string Name)
{
    private const string Spans = "ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output";

    /// <summary>A kernel for one instruction set: the least to compile.</summary>
    public const string Kernel = $"using AttentionGen; public static partial class Llama {{ [Attention(2, 8, Isas = AttentionIsas.Portable)] public static partial void Attend({Spans}); }}";

    private const string TwoKernels = Kernel + $" public static partial class More {{ [Attention(2, 8, Isas = AttentionIsas.Portable)] public static partial void Attend({Spans}); }}";

    private const string Wrong = $"using AttentionGen; public static partial class Llama {{ [Attention(2, 0)] public static partial void Attend({Spans}); }}";

    /// <summary>A declaration over several lines without an accessibility: without an implementation, its calls are elided.</summary>
    private const string Silent = $"using AttentionGen;\n\nstatic partial class Llama\n{{\n    /// <summary>Attends.</summary>\n    [Attention(\n        heads: 2, headDim: 8, Isas = AttentionIsas.Portable)]\n    static partial void Attend(\n        {Spans});\n}}";

    /// <summary>An attribute of somebody else's with the same name.</summary>
    private const string OtherAttribute =
        "public sealed class AttentionAttribute(string to) : Attribute { public string To => to; } [Attention(\"this\")] public class Marked { public object Uses => AttentionGen.AttentionInfo.Isa; public void Attention() { } }";

    /// <summary>Prints what the package's targets and the compiler's own say about analyzers.</summary>
    private const string Mirror = """
        <Target Name="Compare" DependsOnTargets="GenerateMSBuildEditorConfigFile;_ComputeSkipAnalyzers">
          <Message Importance="high" Text="mirror: [$(Case)] ours $(AttentionGenSkipsAnalyzers), the compiler's $(_SkipAnalyzers)" />
          <ReadLinesFromFile File="$(GeneratedMSBuildEditorConfigFile)"><Output TaskParameter="Lines" ItemName="_Line" /></ReadLinesFromFile>
          <Message Importance="high" Text="seen: [$(Case)] %(_Line.Identity)" Condition="$([System.String]::Copy('%(_Line.Identity)').Contains('build_property.AttentionGenSkipsAnalyzers'))" />
        </Target>
        """;

    private const string TakeGeneratorOut = """
        <Target Name="TakeOut" BeforeTargets="CoreCompile"><ItemGroup><Analyzer Remove="@(Analyzer)" Condition="'%(Filename)' == 'AttentionGen.Generator'" /></ItemGroup></Target>
        """;

    public string Properties { get; init; } = "";

    /// <summary>Attributes of the package reference.</summary>
    public string Reference { get; init; } = "";

    public string Body { get; init; } = "";

    /// <summary>The inside of a Directory.Build.targets.</summary>
    public string Targets { get; init; } = "";

    public string Source { get; init; } = Kernel;

    public bool HasReference { get; init; } = true;

    public string ProjectFile(string version) => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>{Properties}</PropertyGroup>
          <ItemGroup>{(HasReference ? $"<PackageReference Include=\"AttentionGen\" Version=\"{version}\" {Reference} />" : "")}</ItemGroup>
          {Body}
        </Project>
        """;

    public static IReadOnlyList<Consumer> All { get; } =
    [
        new("Debug") { Properties = "<TreatWarningsAsErrors>true</TreatWarningsAsErrors><WarningsNotAsErrors>CS0618</WarningsNotAsErrors>", Source = TwoKernels },
        new("DebugOverwritten") { Properties = "<TreatWarningsAsErrors>true</TreatWarningsAsErrors>", Targets = "<PropertyGroup><WarningsNotAsErrors>CS0618</WarningsNotAsErrors></PropertyGroup>" },
        new("DebugSilenced") { Properties = "<NoWarn>$(NoWarn);AG0102</NoWarn>" },
        new("Release") { Properties = "<TreatWarningsAsErrors>true</TreatWarningsAsErrors>" },
        new("WrongImplicit") { Properties = "<IsImplicitlyTriggeredBuild>true</IsImplicitlyTriggeredBuild>", Source = Wrong },
        new("WrongByCommandLine") { Source = Wrong },
        new("WrongByTargets") { Targets = "<PropertyGroup><RunAnalyzers>false</RunAnalyzers></PropertyGroup>", Source = Wrong },
        new("WrongAnalysed") { Properties = "<RunAnalyzers>true</RunAnalyzers><RunAnalyzersDuringBuild>false</RunAnalyzersDuringBuild>", Source = Wrong },
        new("Mirror") { Body = Mirror },
        new("OldLanguage") { Properties = "<LangVersion>11</LangVersion>" },
        new("PrivateLibrary") { Reference = "PrivateAssets=\"all\"" },
        new("PrivateRuntime") { Reference = "PrivateAssets=\"contentfiles; Runtime\"" },
        new("LibraryWithoutFile") { Reference = "ExcludeAssets=\"runtime\"" },
        new("PrivateApplication") { Reference = "PrivateAssets=\"all\"", Properties = "<OutputType>Exe</OutputType>", Source = Kernel + " static class Program { static void Main() { } }" },
        new("PrivatePlugin") { Reference = "PrivateAssets=\"all\"", Properties = "<EnableDynamicLoading>true</EnableDynamicLoading>" },
        new("NoGenerator") { Body = TakeGeneratorOut, Source = Silent },
        new("NoGeneratorNoKernel") { Body = TakeGeneratorOut, Source = OtherAttribute },
        new("OldCompiler") { Source = Silent },
        new("Application")
        {
            HasReference = false, Properties = "<OutputType>Exe</OutputType>", Body = "<ItemGroup><ProjectReference Include=\"../Release/Release.csproj\" /></ItemGroup>",
            Source = "float[] x = new float[16], y = new float[16]; x[3] = 1; Llama.Attend(x, x, x, y); Console.WriteLine($\"{y[3]:0.00} {AttentionGen.AttentionInfo.Isa}\");",
        },
        .. Publishes.Select(it => new Consumer(it.Name) { Properties = "<OutputType>Exe</OutputType>", Source = Kernel + " static class Program { static void Main() { } }" }),
    ];

    /// <summary>What is built of them: targets, and properties as a command line gives them.</summary>
    public static IReadOnlyList<(string Consumer, string Targets, string Properties)> Builds { get; } =
    [
        .. All.Where(it => it.Name != "Mirror" && !it.Name.StartsWith("Publish", StringComparison.Ordinal)).Select(it => (it.Name, "Build", it.Name switch
        {
            "Release" or "Application" => "Configuration=Release",
            "WrongByCommandLine" => "IsImplicitlyTriggeredBuild=true",
            "OldCompiler" => "CompilerApiVersion=roslyn4.8",
            _ => "Configuration=Debug",
        })),
        .. Switches.Select((it, i) => ("Mirror", "Compare", $"{it};Case={it.Replace(';', ' ')};GeneratedMSBuildEditorConfigFile=obj/{i}.editorconfig")), // two at a time, each with its own file
        .. Publishes.Select(it => (it.Name, "PrepareForPublish", it.Properties)),
    ];

    /// <summary>Every combination of what decides about analyzers.</summary>
    public static IEnumerable<string> Switches =>
        from run in new[] { "", "RunAnalyzers=true", "RunAnalyzers=false" }
        from during in new[] { "", "RunAnalyzersDuringBuild=false" }
        from build in new[] { "", "IsImplicitlyTriggeredBuild=true", "IsImplicitlyTriggeredBuild=true;OptimizeImplicitlyTriggeredBuild=true", "IsImplicitlyTriggeredBuild=true;OptimizeImplicitlyTriggeredBuild=false", "IsImplicitlyTriggeredBuild=true;DesignTimeBuild=true", "DesignTimeBuild=true" }
        from errors in build.Length > 0 && !build.Contains("DesignTime", StringComparison.Ordinal) ? ["", "TreatWarningsAsErrors=true"] : new[] { "" }
        select string.Join(';', new[] { run, during, build, errors }.Where(part => part.Length > 0));

    /// <summary>Publishing, as far as the check; AheadOfTimeTests goes all the way once.</summary>
    public static IEnumerable<(string Name, string Properties)> Publishes =>
    [
        ("PublishLinux", "PublishAot=true;RuntimeIdentifier=linux-x64"),
        ("PublishWindows", "PublishAot=true;RuntimeIdentifier=win-x64"),
        ("PublishNewer", "PublishAot=true;RuntimeIdentifier=linux-x64;IlcInstructionSet=x86-64-v3"),
        ("PublishArm", "PublishAot=true;RuntimeIdentifier=linux-arm64"),
        ("PublishSilenced", "PublishAot=true;RuntimeIdentifier=linux-x64;NoWarn=AG0111"),
        ("PublishJit", "PublishAot=false;RuntimeIdentifier=linux-x64"),
    ];
}
