using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(AttentionGen.Views.Tests.Harness.Chromium))]

namespace AttentionGen.Views.Tests.Harness;

/// <summary>The Chromium of the system, started once for all tests. Where there is none, tests of pages are skipped.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The program: the one that the variable names, or else the first of the usual names on the path. .ci/run looks for the same names.</summary>
    public static string? Program { get; } = Places().FirstOrDefault(File.Exists);

    private static IEnumerable<string> Places() =>
        Environment.GetEnvironmentVariable("ATTENTIONGEN_CHROMIUM") is { Length: > 0 } named
            ? [named]
            : from name in new[] { "chromium", "chromium-browser", "google-chrome" }
              from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
              where folder.Length > 0
              select Path.Combine(folder, name);

    /// <summary>The browser; it skips the test that asks for it where there is none.</summary>
    public IBrowser Browser
    {
        get
        {
            Assert.SkipWhen(_browser is null, "There is no Chromium: install the package chromium, or set ATTENTIONGEN_CHROMIUM to the path of one.");
            return _browser;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Program is null) return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = ["--no-sandbox", "--force-color-profile=srgb"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
