using System.Diagnostics;
using System.Text;

namespace AttentionGen.Samples.Tests.Harness;

/// <summary>Runs samples/Generate.</summary>
internal static class Sample
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>The program, which the build puts beside the tests.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Generate.exe" : "Generate");

    /// <summary>In this process.</summary>
    public static Outcome Run(params string[] arguments)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        int exitCode = global::Generate.Program.Run(arguments, output, error);
        return new Outcome(exitCode, output.ToArray(), error.ToString());
    }

    /// <summary>As a user does.</summary>
    public static Task<Outcome> StartAsync(params string[] arguments) => StartAsync(Program, arguments);

    public static async Task<Outcome> StartAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, StandardErrorEncoding = Encoding.UTF8 };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            using var output = new MemoryStream();
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.StandardOutput.BaseStream.CopyToAsync(output, limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new Outcome(process.ExitCode, output.ToArray(), await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end.");
        }
    }
}

/// <param name="ExitCode">0 is good.</param>
/// <param name="Output">The bytes on standard output.</param>
/// <param name="Error">The text on standard error.</param>
internal sealed record Outcome(int ExitCode, byte[] Output, string Error)
{
    public string Text => Encoding.UTF8.GetString(Output);
}
