using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AttentionGen.Package.Tests.Harness;

/// <summary>Runs the SDK as a stranger would: outside of this repository, with nothing of the test run in its environment.</summary>
internal static partial class Dotnet
{
    public static Task<Outcome> RunAsync(string directory, params string[] arguments) =>
        RunProgramAsync(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", directory, arguments);

    public static async Task<Outcome> RunProgramAsync(string program, string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        foreach (string name in start.Environment.Keys.Where(IsOfTheTestRun).ToList()) start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // a node that stays would keep our pipes open
        start.Environment["MSBUILDTERMINALLOGGER"] = "off";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return new Outcome(process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end.");
        }
    }

    private static bool IsOfTheTestRun(string name) =>
        name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase) || name is "CI" or "NUGET_PACKAGES";

    /// <summary>What a command printed, and the diagnostics in it.</summary>
    internal sealed record Outcome(int ExitCode, string Text)
    {
        public IReadOnlyList<Found> Diagnostics { get; } =
        [
            .. Line().Matches(Text)
                .Select(match => new Found(match.Groups["kind"].Value, match.Groups["code"].Value, match.Groups["text"].Value.Trim(), Path.GetFileNameWithoutExtension(match.Groups["project"].Value)))
                .Distinct(),
        ];
    }

    /// <param name="Kind">error or warning.</param>
    /// <param name="Project">The name of the project, empty where none is told.</param>
    internal sealed record Found(string Kind, string Code, string Text, string Project)
    {
        public override string ToString() => $"{Kind} {Code}: {Text}";
    }

    // The place, then "error AG0009: text [project]"; a file-based app names no project.
    [GeneratedRegex(@"^.*?: (?<kind>error|warning) (?<code>[A-Z]+\d+): (?<text>.*?)(?: \[(?<project>[^\]]*proj)[^\]]*\])?\r?$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
