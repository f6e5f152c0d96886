using System.Globalization;
using AttentionGen.MaskPictures;
using AttentionGen.Views.Tests.Harness;
using Microsoft.Playwright;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>The page of masks in a browser: its tiles are those that the runtime library computes, for any lengths.</summary>
public sealed class MasksPageTests(Chromium chromium)
{
    public static TheoryData<string> Masks => [.. Picture.All.Select(picture => picture.Name)];

    private Task<OpenPage> Open(string address = "", ColorScheme scheme = ColorScheme.Light) => OpenPage.Of(chromium, Pages.Masks, scheme, address);

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task It_loads_without_an_error(ColorScheme scheme)
    {
        await using var open = await Open(scheme: scheme);
        Assert.Equal(Picture.All.Select(picture => picture.Name), await open.Page.Locator("#masks button").AllInnerTextsAsync());
        for (int i = 0; i < Picture.All.Count; i++)
        {
            await open.Page.Locator("#masks button").Nth(i).ClickAsync();
            Assert.Contains("[Attention(heads: 12, headDim: 64", await open.Text("#code"), StringComparison.Ordinal);
        }

        open.AssertNoComplaints();
    }

    /// <summary>The page computes zones in JavaScript, from the closed form. Here they are beside those of the runtime library.</summary>
    [Theory, MemberData(nameof(Masks))]
    public async Task The_tiles_are_those_of_the_runtime_library(string name)
    {
        var picture = Picture.All.Single(picture => picture.Name == name);
        int index = Picture.All.ToList().IndexOf(picture);
        (int Queries, int Keys)[] lengths = [(32, 32), (1, 1), (1, 40), (12, 32), (40, 9), (31, 33), (64, 64), (97, 130), (70, 3)];
        if (picture.DocumentLengths.Length > 0) lengths = [.. lengths.Select(length => (length.Queries, length.Queries))];
        await using var open = await Open();
        foreach (var (queries, keys) in lengths)
        {
            foreach (var (rows, columns) in new[] { (2, 4), (6, 16) })
            {
                int[] expected = [.. Intervals.Of(picture with { Queries = queries, Keys = keys }, rows, columns).Cast<Touch>().Select(touch => (int)touch)];
                int[] actual = await open.Value<int[]>($"maskTiles({index}, {queries}, {keys}, {rows}, {columns})");
                int different = Enumerable.Range(0, expected.Length).FirstOrDefault(i => expected[i] != actual[i], -1);
                Assert.True(different < 0, $"{queries} x {keys}, tiles of {rows} x {columns}: query {different / keys}, key {different % keys} is {actual[Math.Max(different, 0)]}, not {expected[Math.Max(different, 0)]}");
            }
        }
    }

    /// <summary>An expression of an own mask has the integers of C#, also at negative positions, which queries before all keys have.</summary>
    [Fact]
    public async Task Conditions_have_the_integers_of_CSharp()
    {
        var (query, key) = (MaskCondition.Query, MaskCondition.Key);
        static MaskCondition N(int value) => MaskCondition.Number(value);
        (MaskCondition Condition, Func<int, int, bool> Expected)[] cases =
        [
            (MaskCondition.Of("==", MaskCondition.Of("/", query, N(3)), N(-1)), (q, _) => q / 3 == -1),
            (MaskCondition.Of("<", MaskCondition.Of("%", query, N(5)), N(0)), (q, _) => q % 5 < 0),
            (MaskCondition.Of("?:", MaskCondition.Of("<", query, N(0)), MaskCondition.Of(">", key, N(2)), MaskCondition.Of("!=", key, N(2))), (q, k) => q < 0 ? k > 2 : k != 2),
            (MaskCondition.Of("<", MaskCondition.Of("*", MaskCondition.Of("+", key, N(50_000)), MaskCondition.Of("+", key, N(50_000))), N(0)), (_, k) => unchecked((k + 50_000) * (k + 50_000)) < 0),
            (MaskCondition.Of("||", MaskCondition.Of("==", MaskCondition.Of("&", MaskCondition.Of("^", query, key), N(3)), N(0)), MaskCondition.Of("!", MaskCondition.Of("<=", key, N(6)))), (q, k) => ((q ^ k) & 3) == 0 || !(k <= 6)),
            (MaskCondition.Of("&&", MaskCondition.Of(">=", MaskCondition.Of("Max", MaskCondition.Of("Abs", query), key), N(4)), MaskCondition.Of("<", MaskCondition.Of("Min", MaskCondition.Of("-", query), MaskCondition.Of("~", key)), MaskCondition.Of(">>", MaskCondition.Of("<<", query, N(2)), N(1)))),
                (q, k) => Math.Max(Math.Abs(q), k) >= 4 && Math.Min(-q, ~k) < q << 2 >> 1),
        ];
        var masks = cases.Select((c, i) => new MaskDeclaration($"case {i}", "", new() { Terms = [new() { Decided = false }], Condition = c.Condition })).ToList();
        await using var open = await OpenPage.Of(chromium, stream => MaskPage.Write(stream, masks));
        for (int i = 0; i < cases.Length; i++)
        {
            int[] touched = await open.Value<int[]>($"maskTiles({i}, 20, 10, 2, 4)");
            Assert.Equal(Enumerable.Range(0, 200).Select(at => cases[i].Expected(at / 10 - 10, at % 10) ? (int)Touch.Computed : (int)Touch.ComputedHidden), touched);
        }

        open.AssertNoComplaints();
    }

    [Fact]
    public async Task Sliders_change_the_numbers()
    {
        await using var open = await Open("#mask=causal&queries=32&keys=32");
        Assert.Equal((528, 2080), await Numbers("visible"));
        Assert.Equal((528L * 2 * 128 * 12, 2080L * 2 * 128 * 12), await Numbers("flops"));
        Assert.Equal((4L * 32 * 12 * 128 * 2, 8L * 32 * 12 * 128 * 2), await Numbers("bytes"));
        Assert.StartsWith("Twice as many tokens: 3.94 times the flops, 2.00 times the bytes", await open.Text("#doubling"), StringComparison.Ordinal);

        await open.Page.Locator("#queries").FocusAsync();
        await open.Page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal("33", await open.Text("#keys-value")); // as many keys as queries
        Assert.Equal((33 * 34 / 2, 66 * 67 / 2), await Numbers("visible"));
        await open.Page.Locator("#square").UncheckAsync();
        await open.Page.Locator("#queries").FocusAsync();
        await open.Page.Keyboard.PressAsync("Home");
        Assert.Equal((33, 66), await Numbers("visible"));
        Assert.StartsWith("Twice as many keys: 2.00 times the flops", await open.Text("#doubling"), StringComparison.Ordinal);
        Assert.Contains("mask=causal&queries=1&keys=33", open.Page.Url, StringComparison.Ordinal);

        // A window's work doubles.
        await open.Page.GotoAsync(open.Url + "#mask=window&queries=256&keys=256");
        await Assertions.Expect(open.Page.Locator("#name")).ToHaveTextAsync("window");
        Assert.Equal((256 * 8 - 28, 512 * 8 - 28), await Numbers("visible"));
        await open.Page.Locator("#tile").SelectOptionAsync("1");
        Assert.Equal(256 * 8 - 28, (await Numbers("visible")).Now);
        open.AssertNoComplaints();

        async Task<(long Now, long Twice)> Numbers(string name)
        {
            var row = open.Page.Locator($"#costs tr[data-name='{name}']");
            return (long.Parse((await row.GetAttributeAsync("data-now"))!, CultureInfo.InvariantCulture), long.Parse((await row.GetAttributeAsync("data-twice"))!, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task Documents_have_as_many_queries_as_keys()
    {
        await using var open = await Open("#mask=documents&queries=20&keys=50");
        Assert.Equal("20", await open.Text("#keys-value"));
        Assert.True(await open.Page.Locator("#square").IsDisabledAsync());
    }

    [Fact]
    public async Task A_cell_says_what_the_kernel_does_with_it()
    {
        await using var open = await Open("#mask=own-stripes&query=20&key=6");
        Assert.StartsWith("query 20, key 6: visible by the rest of your own mask", await open.Text("#readout"), StringComparison.Ordinal);
        await open.Page.Locator("#matrix").FocusAsync();
        await open.Page.Keyboard.PressAsync("ArrowRight");
        Assert.StartsWith("query 20, key 7: hidden by the rest of your own mask", await open.Text("#readout"), StringComparison.Ordinal);
        await open.Page.Keyboard.PressAsync("End");
        Assert.Equal("query 20, key 31: not computed", await open.Text("#readout"));
        await open.Page.Locator("#matrix").HoverAsync(new() { Position = new() { X = 3, Y = 3 } });
        Assert.Equal("query 0, key 0: visible, in a tile that is masked", await open.Text("#tip"));
        open.AssertNoComplaints();
    }

    /// <summary>The pixels of the picture are the colours of docs/masks.md.</summary>
    [Fact]
    public async Task Tiles_have_the_colours_of_the_pictures()
    {
        await using var open = await Open("#mask=own-stripes");
        var picture = Picture.All.Single(picture => picture.Name == "own-stripes");
        var touched = Intervals.Of(picture);
        const string Pixel = "([row, column]) => { const c = document.querySelector('#matrix canvas'), cell = c.width / 32, d = c.getContext('2d').getImageData(column * cell + cell / 4, row * cell + cell / 4, 1, 1).data; return '#' + [...d].slice(0, 3).map(x => x.toString(16).padStart(2, '0')).join(''); }";
        for (int i = 0; i < 32 * 32; i += 7) Assert.Equal(Svg.Color(touched[i / 32, i % 32]), await open.Page.EvaluateAsync<string>(Pixel, new[] { i / 32, i % 32 }));
    }

    [Fact]
    public async Task Examples_show_weights_without_and_with_the_mask()
    {
        await using var open = await Open("#mask=window");
        foreach (var (table, most) in new[] { ("#unmasked", 16), ("#masked", 8) })
        {
            string[] rows = await open.Page.Locator($"{table} tbody tr").EvaluateAllAsync<string[]>("rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.title).join(' '))");
            Assert.Equal(16, rows.Length);
            Assert.All(rows, row => Assert.Equal(1, row.Split(' ').Sum(number => double.Parse(number, CultureInfo.InvariantCulture)), 0.001));
            Assert.Equal(most, rows[^1].Split(' ').Count(number => number != "0.0000"));
        }
    }
}
