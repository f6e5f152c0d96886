using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(AttentionGen.Views.Tests.Harness.Chromium))]

namespace AttentionGen.Views.Tests.Harness;

/// <summary>The Chromium of the system, started once for all tests. Where there is none, tests of pages are skipped.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] s_places =
    [
        Environment.GetEnvironmentVariable("ATTENTIONGEN_CHROMIUM") ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public static string? Path { get; } = s_places.FirstOrDefault(File.Exists);

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
        if (Path is null) return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Path, Args = ["--no-sandbox", "--force-color-profile=srgb"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
