using System.Globalization;
using AttentionGen.Views.Tests.Harness;
using Microsoft.Playwright;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>The page of maps in a browser: what a reader points at, types and follows shows the right numbers.</summary>
public sealed class MapsPageTests(Chromium chromium)
{
    private Task<OpenPage> Open(string address = "", ColorScheme scheme = ColorScheme.Light) => OpenPage.Of(chromium, Pages.Maps, scheme, address);

    private static string Number(float weight) => Math.Round((double)weight, 4, MidpointRounding.AwayFromZero).ToString("0.0000", CultureInfo.InvariantCulture);

    private static string About(int layer, int head, int query, int key)
    {
        int tokens = RealMaps.Tokens.Length;
        return $"query “\u2068{RealMaps.Tokens[query]}\u2069” ({query}) → key “\u2068{RealMaps.Tokens[key]}\u2069” ({key}): {Number(RealMaps.Layer(layer).Weights[(head * tokens + query) * tokens + key])}";
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task It_loads_without_an_error(ColorScheme scheme)
    {
        await using var open = await Open(scheme: scheme);
        Assert.Equal("Attention of a made-up model", await open.Page.TitleAsync());
        Assert.Equal(RealMaps.Layers * RealMaps.Heads, await open.Page.Locator(".map").CountAsync());
        Assert.Equal(64, await open.Page.Locator("#rows .token").CountAsync());
        Assert.Contains("do not prove", await open.Text("#claim"), StringComparison.Ordinal);
        open.AssertNoComplaints();
    }

    [Fact]
    public async Task A_hovered_cell_shows_its_number()
    {
        await using var open = await Open("#layer=2&head=5");
        var box = (await open.Page.Locator("#matrix").BoundingBoxAsync())!;
        float cell = box.Width / 64;
        foreach (var (query, key) in new[] { (0, 0), (5, 9), (33, 32), (63, 63), (63, 0) })
        {
            await open.Page.Locator("#matrix").HoverAsync(new() { Position = new() { X = (key + 0.5f) * cell, Y = (query + 0.5f) * cell } });
            string tip = await open.Text("#tip");
            Assert.StartsWith(About(2, 5, query, key), tip, StringComparison.Ordinal);
            Assert.Contains($"entropy {RealMaps.Layer(2).Entropy[5 * 64 + query].ToString("0.000", CultureInfo.InvariantCulture)}", tip, StringComparison.Ordinal);
            Assert.Equal([RealMaps.Tokens[query]], await open.Page.Locator("#rows .on").AllInnerTextsAsync());
            Assert.Equal([RealMaps.Tokens[key]], await open.Page.Locator("#columns .on").AllInnerTextsAsync());
        }

        open.AssertNoComplaints();
    }

    /// <summary>The colour of a cell is that of its weight.</summary>
    [Fact]
    public async Task A_cell_has_the_colour_of_its_weight()
    {
        await using var open = await Open("#layer=1&head=9&scale=linear");
        float[] shades = await open.Value<float[]>("(() => { const c = document.querySelector('#matrix canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const a = []; for (let i = 0; i < d.length; i += 4) a.push(d[i] + d[i + 1] + d[i + 2]); return a; })()");
        float[] weights = RealMaps.Layer(1).Weights[(9 * 64 * 64)..(10 * 64 * 64)];
        Assert.Equal(weights.Length, shades.Length);
        int[] order = [.. Enumerable.Range(0, weights.Length).OrderBy(i => weights[i])];
        for (int i = 1; i < order.Length; i++)
            if (weights[order[i]] - weights[order[i - 1]] > 0.01f) Assert.True(shades[order[i]] < shades[order[i - 1]]); // darker on a light page
    }

    [Fact]
    public async Task The_keyboard_moves_the_cell_and_a_live_region_says_it()
    {
        await using var open = await Open("#layer=4&head=0&query=3&key=3");
        Assert.Equal("polite", await open.Page.Locator("#readout").GetAttributeAsync("aria-live"));
        await open.Page.Locator("#matrix").FocusAsync();
        foreach (var (key, query, column) in new[] { ("ArrowDown", 4, 3), ("ArrowRight", 4, 4), ("ArrowUp", 3, 4), ("ArrowLeft", 3, 3), ("End", 3, 63), ("PageDown", 63, 63), ("ArrowDown", 63, 63), ("Home", 63, 0), ("PageUp", 0, 0), ("ArrowLeft", 0, 0) })
        {
            await open.Page.Keyboard.PressAsync(key);
            Assert.Equal(About(4, 0, query, column), await open.Text("#readout"));
        }

        await open.Page.Locator("#matrix").ClickAsync(new() { Position = new() { X = 60, Y = 5 } });
        Assert.Contains("query=0&key=5", open.Page.Url, StringComparison.Ordinal);
        open.AssertNoComplaints();
    }

    [Fact]
    public async Task The_overview_is_one_stop_of_the_tab_key_and_enlarges_a_head()
    {
        await using var open = await Open("#layer=1&head=1");
        Assert.Equal(1, await open.Page.Locator(".map[tabindex='0']").CountAsync());
        await open.Page.Locator(".map[tabindex='0']").FocusAsync();
        foreach (string key in new[] { "ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft" }) await open.Page.Keyboard.PressAsync(key);
        Assert.Equal("Layer 1, head 1", await open.Text("#head-title"));
        Assert.StartsWith("Layer 2, head 2", await open.Value<string>("document.activeElement.getAttribute('aria-label')"), StringComparison.Ordinal);
        await open.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("Layer 2, head 2", await open.Text("#head-title"));
        Assert.Equal(1, await open.Page.Locator(".map[tabindex='0']").CountAsync());
        Assert.Equal(About(2, 2, 0, 0), await open.Text("#readout"));

        await open.Page.Locator(".map").Nth(5 * 12 + 7).ClickAsync();
        Assert.Equal("Layer 5, head 7", await open.Text("#head-title"));
        await open.Page.Locator("#layer").SelectOptionAsync("3");
        await open.Page.Locator("#head").SelectOptionAsync("11");
        Assert.Contains("layer=3&head=11", open.Page.Url, StringComparison.Ordinal);
        open.AssertNoComplaints();
    }

    [Fact]
    public async Task Heads_have_the_names_that_were_measured()
    {
        await using var open = await Open();
        var maps = RealMaps.Make();
        string[] marks = [.. (await open.Page.Locator(".map").EvaluateAllAsync<string[]>("maps => maps.map(map => [...map.querySelectorAll('.mark')].map(mark => mark.dataset.mark).join(''))"))];
        for (int i = 0; i < marks.Length; i++)
            Assert.Equal(string.Concat(maps.Measures(i / 12, i % 12).Patterns(maps.Rules).Select(pattern => pattern.ToString()[0])), marks[i]);
        Assert.All(Enum.GetNames<HeadPattern>(), name => Assert.Contains(marks, mark => mark.Contains(name[0], StringComparison.Ordinal))); // the page shows each of them

        await open.Page.Locator("#filters [data-name=Diffuse]").ClickAsync();
        Assert.Equal(marks.Count(mark => !mark.Contains('D', StringComparison.Ordinal)), await open.Page.Locator(".map.dim").CountAsync());
        Assert.Contains("90 %", await open.Page.Locator("#filters [data-name=Diffuse]").GetAttributeAsync("title"), StringComparison.Ordinal);
        open.AssertNoComplaints();
    }

    [Fact]
    public async Task Lines_are_those_of_the_threshold()
    {
        await using var open = await Open("#layer=3&head=8&view=lines&lines=6");
        float[] weights = RealMaps.Layer(3).Weights[(8 * 64 * 64)..(9 * 64 * 64)];
        int Count(double threshold) => weights.Count(weight => Math.Round((double)weight, 4, MidpointRounding.AwayFromZero) >= threshold);
        Assert.Equal(Count(0.06), await open.Page.Locator("#lines line").CountAsync());
        await open.Page.Locator("#threshold").FocusAsync();
        for (int i = 0; i < 4; i++) await open.Page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal(Count(0.1), await open.Page.Locator("#lines line").CountAsync());
        Assert.Contains("lines=10", open.Page.Url, StringComparison.Ordinal);

        // More opaque lines have larger weights.
        string[] lines = await open.Page.Locator("#lines line").EvaluateAllAsync<string[]>("lines => lines.map(line => [line.dataset.query, line.dataset.key, line.getAttribute('stroke-opacity')].join(' '))");
        Assert.All(lines.Select(line => line.Split(' ')), line => Assert.Equal(Math.Sqrt(weights[int.Parse(line[0], CultureInfo.InvariantCulture) * 64 + int.Parse(line[1], CultureInfo.InvariantCulture)]), double.Parse(line[2], CultureInfo.InvariantCulture), 0.002));
        open.AssertNoComplaints();
    }

    [Fact]
    public async Task A_token_shows_only_its_lines()
    {
        await using var open = await Open("#layer=3&head=8&view=lines&lines=1");
        var tokens = open.Page.Locator("#line-queries .token");
        await tokens.Nth(10).HoverAsync();
        Assert.Equal(["10"], (await Queries()).Distinct());
        Assert.Contains("(10) reads: “", await open.Text("#readout"), StringComparison.Ordinal);
        await open.Page.Locator("#claim").HoverAsync();
        Assert.True((await Queries()).Distinct().Count() > 10);

        await tokens.Nth(0).FocusAsync();
        await open.Page.Keyboard.PressAsync("ArrowDown");
        Assert.Equal(["1"], (await Queries()).Distinct());
        var top = Enumerable.Range(0, 64).MaxBy(key => RealMaps.Layer(3).Weights[(8 * 64 + 1) * 64 + key]);
        Assert.Contains($"reads: “\u2068{RealMaps.Tokens[top]}\u2069” {Number(RealMaps.Layer(3).Weights[(8 * 64 + 1) * 64 + top])}", await open.Text("#readout"), StringComparison.Ordinal);
        await open.Page.Keyboard.PressAsync("ArrowRight"); // to the keys
        Assert.Equal("line-keys", await open.Value<string>("document.activeElement.parentElement.id"));
        await open.Page.Keyboard.PressAsync("Enter"); // stays without the focus
        await open.Page.Locator("#threshold").FocusAsync();
        Assert.Contains("token=k0", open.Page.Url, StringComparison.Ordinal);
        Assert.Equal(["0"], (await open.Page.Locator("#lines line").EvaluateAllAsync<string[]>("lines => lines.map(line => line.dataset.key)")).Distinct());
        open.AssertNoComplaints();

        Task<string[]> Queries() => open.Page.Locator("#lines line").EvaluateAllAsync<string[]>("lines => lines.map(line => line.dataset.query)");
    }

    [Fact]
    public async Task A_line_shows_its_weight()
    {
        await using var open = await Open("#layer=0&head=0&view=lines&lines=30&token=q20");
        var line = open.Page.Locator("#lines line").First;
        int key = int.Parse((await line.GetAttributeAsync("data-key"))!, CultureInfo.InvariantCulture);
        await line.HoverAsync(new() { Force = true });
        Assert.Equal(About(0, 0, 20, key), await open.Text("#tip"));
    }

    [Fact]
    public async Task A_link_shows_the_same_view()
    {
        await using var open = await Open("#layer=5&head=2&view=lines&query=7&key=9&scale=linear&lines=12&token=q7&theme=dark&name=Local");
        Assert.Equal("Layer 5, head 2", await open.Text("#head-title"));
        Assert.Equal("dark", await open.Value<string>("document.documentElement.dataset.theme"));
        Assert.Equal("0.12", await open.Text("#threshold-value"));
        Assert.Equal("true", await open.Page.Locator("#filters [data-name=Local]").GetAttributeAsync("aria-pressed"));
        await open.Page.Locator("#view-matrix").ClickAsync();
        Assert.Equal(About(5, 2, 7, 9), await open.Text("#readout"));
        await open.Page.GotoAsync(open.Url + "#layer=1&head=3");
        await Assertions.Expect(open.Page.Locator("#head-title")).ToHaveTextAsync("Layer 1, head 3");

        await open.Page.GotoAsync(open.Url + "#layer=99&head=-1&view=x&query=64&key=1e3&scale=constructor&lines=x&token=q99&theme=x&name=toString");
        await Assertions.Expect(open.Page.Locator("#head-title")).ToHaveTextAsync("Layer 0, head 0");
        Assert.Equal(About(0, 0, 0, 0), await open.Text("#readout"));
        open.AssertNoComplaints();
    }

    [Fact]
    public async Task Hostile_tokens_are_texts()
    {
        var maps = new AttentionMaps(DataTests.HostileTokens, 1, 1);
        maps.SetLayer(0, TestMaps.Weights(DataTests.HostileTokens.Length, DataTests.HostileTokens.Length, (query, key) => 1 + query * key));
        await using var open = await OpenPage.Of(chromium, stream => AttentionPage.Write(stream, maps, new() { Title = "</title><script>alert(1)</script>", Note = "<b>bold</b>" }));
        Assert.Equal("</title><script>alert(1)</script>", await open.Page.TitleAsync());
        Assert.Equal("<b>bold</b>", await open.Text("#note"));
        Assert.Equal("</script>", await open.Text("#rows .token:first-child"));
        Assert.Equal(0, await open.Page.Locator("img, b").CountAsync());
        await open.Page.Locator("#matrix").HoverAsync(new() { Position = new() { X = 3, Y = 3 } });
        Assert.Contains("</script>", await open.Text("#tip"), StringComparison.Ordinal);
        await open.Page.Locator("#view-lines").ClickAsync();
        Assert.Equal("∅", await open.Text("#line-keys .token:last-child"));
        open.AssertNoComplaints();
    }

    [Fact]
    public async Task Tokens_of_all_scripts_and_lengths()
    {
        string longToken = string.Concat(Enumerable.Repeat("Donaudampfschiff", 8));
        var maps = new AttentionMaps(["سلام", "日本", longToken, " the", "\n", "🙂"], 1, 1);
        maps.SetLayer(0, TestMaps.Weights(6, 6, (query, key) => 1 + query + key));
        await using var open = await OpenPage.Of(chromium, stream => AttentionPage.Write(stream, maps));
        var rows = open.Page.Locator("#rows .token");
        Assert.Equal("rtl", await rows.Nth(0).EvaluateAsync<string>("node => getComputedStyle(node).direction"));
        Assert.Equal("ltr", await rows.Nth(1).EvaluateAsync<string>("node => getComputedStyle(node).direction"));
        Assert.Equal(["␣the", "⏎", "🙂"], (await rows.AllInnerTextsAsync()).Skip(3));
        foreach (string axis in new[] { "#rows", "#columns" })
        {
            var cut = open.Page.Locator($"{axis} .token").Nth(2);
            Assert.True(await cut.EvaluateAsync<bool>("node => node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight"), axis);
            Assert.Equal($"2: {longToken}", await cut.GetAttributeAsync("title"));
        }

        open.AssertNoComplaints();
    }

    [Fact]
    public async Task One_query_against_many_keys()
    {
        var maps = new AttentionMaps(["x"], [.. Enumerable.Range(0, 300).Select(i => $"k{i}")], 1, 1);
        maps.SetLayer(0, TestMaps.Weights(1, 300, (_, key) => 1 + key));
        await using var open = await OpenPage.Of(chromium, stream => AttentionPage.Write(stream, maps));
        await open.Page.Locator("#matrix").FocusAsync();
        await open.Page.Keyboard.PressAsync("End");
        Assert.EndsWith(Number(300f / (300 * 301 / 2)), await open.Text("#readout"), StringComparison.Ordinal);
        open.AssertNoComplaints();
    }
}
