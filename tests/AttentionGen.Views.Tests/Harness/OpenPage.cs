using Microsoft.Playwright;
using Xunit;

namespace AttentionGen.Views.Tests.Harness;

/// <summary>A page of a file in the browser. Whatever the browser complains about is an error of the test, and so is any request beside the file.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly List<string> _complaints = [];
    private readonly List<string> _requests = [];
    private readonly string _folder;
    private readonly IBrowserContext _context;

    private OpenPage(string folder, IBrowserContext context, IPage page)
    {
        (_folder, _context, Page) = (folder, context, page);
        page.Console += (_, message) => _complaints.Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => _complaints.Add(error);
        page.Dialog += (_, dialog) =>
        {
            _complaints.Add($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        page.Request += (_, request) => _requests.Add(request.Url);
    }

    public IPage Page { get; }

    public string Url { get; private set; } = "";

    /// <summary>Writes a page to a file and opens it.</summary>
    public static async Task<OpenPage> Of(Chromium chromium, Action<Stream> write, ColorScheme scheme = ColorScheme.Light, string address = "", (int Width, int Height)? size = null, bool bypassPolicy = false)
    {
        var browser = chromium.Browser;
        string folder = Directory.CreateTempSubdirectory("attentiongen-views-").FullName, path = Path.Combine(folder, "page.html");
        await using (var file = File.Create(path)) write(file);
        var (width, height) = size ?? (1600, 1000);
        var context = await browser.NewContextAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = height }, BypassCSP = bypassPolicy, Locale = "en-US" });
        var open = new OpenPage(folder, context, await context.NewPageAsync()) { Url = new Uri(path).AbsoluteUri };
        await open.Page.GotoAsync(open.Url + address);
        return open;
    }

    public Task<T> Value<T>(string script) => Page.EvaluateAsync<T>(script);

    public Task<string> Text(string selector) => Page.Locator(selector).InnerTextAsync();

    public void AssertNoComplaints()
    {
        Assert.Empty(_complaints);
        Assert.Single(_requests.Select(request => request.Split('#')[0]).Distinct());
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
