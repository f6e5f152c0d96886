using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Views.Tests.Harness;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>The pictures of docs/views.md. ATTENTIONGEN_UPDATE_SNAPSHOTS=1 takes them anew; pixels differ from machine to machine and are not compared.</summary>
public sealed class ScreenshotTests(Chromium chromium)
{
    [Fact]
    public Task Maps() => Take("maps", Pages.Maps, "#layer=1&head=9&query=20&key=30");

    [Fact]
    public Task Lines() => Take("lines", Pages.Maps, "#layer=3&head=8&view=lines&lines=15&theme=dark");

    [Fact]
    public Task Masks() => Take("masks", Pages.Masks, "#mask=own-stripes&queries=32&keys=32&query=20&key=6");

    private async Task Take(string name, Action<Stream> write, string address)
    {
        await using var open = await OpenPage.Of(chromium, write, address: address, size: (1440, 920));
        byte[] picture = SmallPng.Of(await open.Page.ScreenshotAsync());
        open.AssertNoComplaints();
        string path = Repository.PathOf("docs", "views", name + ".png");
        if (Environment.GetEnvironmentVariable("ATTENTIONGEN_UPDATE_SNAPSHOTS") == "1" && Environment.GetEnvironmentVariable("CI") != "true")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, picture, TestContext.Current.CancellationToken);
        }

        Assert.InRange(new FileInfo(path).Length, 20_000, 200_000);
    }
}
