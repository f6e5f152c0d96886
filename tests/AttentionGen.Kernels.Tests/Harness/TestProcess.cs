using System.Diagnostics;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Tests of this assembly in a process of their own, for which the runtime is set up in another way. It finds the kernels compiled.</summary>
internal static class TestProcess
{
    /// <param name="filter">Arguments of the runner that say which tests.</param>
    /// <param name="environment">Variables that differ from those of this process.</param>
    public static (int ExitCode, string Text) Run(IEnumerable<string> filter, params (string Name, string Value)[] environment)
    {
        string tests = typeof(TestProcess).Assembly.Location, program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") start.ArgumentList.Add(tests);
        foreach (string argument in new[] { "-noColor", "-noLogo", "-noAutoReporters" }.Concat(filter)) start.ArgumentList.Add(argument);
        string calls = Path.Combine(KernelGroup.Images.FullName, $"{Guid.NewGuid():N}.calls");
        start.Environment[KernelGroup.ImagesVariable] = KernelGroup.Images.FullName;
        start.Environment[CallsInProgress.FileVariable] = calls;
        foreach (var (name, value) in environment) start.Environment[name] = value;

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text + errors.Result + CallsInProgress.Read(calls));
    }
}
