using System.Diagnostics;
using System.Text;
using SentenceEncoder;
using SentenceEncoder.Commands;
using SentenceEncoder.Models;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>Runs samples/SentenceEncoder.</summary>
internal static class Run
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    /// <summary>The program, which the build puts beside the tests.</summary>
    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "SentenceEncoder.exe" : "SentenceEncoder");

    /// <summary>In this process, with a model that needs no weights.</summary>
    public static Outcome WithLetters(string[] arguments, ReadOnlySpan<byte> input = default) => With(new LetterCounter(), arguments, input);

    public static Outcome With(TextEmbedder model, string[] arguments, ReadOnlySpan<byte> input = default)
    {
        using var stream = new MemoryStream(input.ToArray());
        using var output = new MemoryStream();
        using var error = new StringWriter();
        int exitCode = Program.Run(arguments, new Session(stream, output, error), (_, _) => model);
        return new Outcome(exitCode, output.ToArray(), error.ToString());
    }

    /// <summary>In this process, with the real loading of models.</summary>
    public static Outcome Real(params string[] arguments)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        int exitCode = Program.Run(arguments, new Session(Stream.Null, output, error), ModelChoice.Load);
        return new Outcome(exitCode, output.ToArray(), error.ToString());
    }

    /// <summary>As a user does.</summary>
    public static async Task<Outcome> StartAsync(string[] arguments, byte[]? input = null, Action<ProcessStartInfo>? change = null)
    {
        var start = new ProcessStartInfo(Executable, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardErrorEncoding = Encoding.UTF8,
        };
        change?.Invoke(start);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            using var output = new MemoryStream();
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var results = process.StandardOutput.BaseStream.CopyToAsync(output, limit.Token);
            await process.StandardInput.BaseStream.WriteAsync(input ?? [], limit.Token);
            process.StandardInput.Close();
            await results;
            await process.WaitForExitAsync(limit.Token);
            return new Outcome(process.ExitCode, output.ToArray(), await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"SentenceEncoder {string.Join(' ', arguments)} did not end.");
        }
    }

    public static void AssertRefused(string message, Outcome outcome)
    {
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Single(outcome.ErrorLines);
        Assert.Empty(outcome.Output);
    }
}

/// <param name="ExitCode">0 is good.</param>
/// <param name="Output">The bytes on standard output.</param>
/// <param name="Error">The text on standard error.</param>
internal sealed record Outcome(int ExitCode, byte[] Output, string Error)
{
    public string Text => Encoding.UTF8.GetString(Output);

    public string[] Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string[] ErrorLines => Error.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
