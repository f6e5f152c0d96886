using AttentionGen.Views.Tests.Harness;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>Both pages in both themes: the rules of axe, which include the contrast of all texts, and the contrast of marks, which axe does not see.</summary>
public sealed class LegibilityTests(Chromium chromium)
{
    /// <summary>WCAG 2.2: 3 for marks (1.4.11). That of texts, 4.5 (1.4.3), is a rule of axe.</summary>
    private const double Mark = 3;

    private const string Luminance = """
        const luminance = rgb => rgb.map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4).reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
        const contrast = (x, y) => { const [a, b] = [luminance(x), luminance(y)]; return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
        const probe = document.createElement("span");
        document.body.append(probe);
        const colour = name => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color.match(/\d+/g).slice(0, 3).map(Number); };
        """;

    public static TheoryData<string, ColorScheme> Views => new MatrixTheoryData<string, ColorScheme>(["maps", "maps#view=lines", "maps#name=First&head=1", "masks#mask=own-stripes"], [ColorScheme.Light, ColorScheme.Dark]);

    [Theory, MemberData(nameof(Views))]
    public async Task Axe_finds_nothing(string view, ColorScheme scheme)
    {
        // The library runs its checks as a script of the page, which the policy of the page would not let in.
        await using var open = await Open(view, scheme, bypassPolicy: true);
        await open.Page.EvaluateAsync("() => { for (const details of document.querySelectorAll('details')) details.open = true; }");
        var result = await open.Page.RunAxe();
        Assert.Empty(result.Violations.Select(violation => $"{violation.Id}: {violation.Help}: {string.Join(" | ", violation.Nodes.Take(3).Select(node => $"{node.Html} {string.Join(' ', node.Any.Select(check => check.Message))}"))}"));
        Assert.Contains(result.Passes, pass => pass.Id == "color-contrast");
    }

    [Theory]
    [InlineData("maps", ColorScheme.Light)]
    [InlineData("maps", ColorScheme.Dark)]
    [InlineData("masks", ColorScheme.Light)]
    [InlineData("masks", ColorScheme.Dark)]
    public async Task Marks_stand_out(string view, ColorScheme scheme)
    {
        await using var open = await Open(view, scheme);
        (string Mark, string Beside)[] pairs = [("accent", "page"), ("accent", "panel"), ("line", "page"), ("line", "panel"), ("warn", "panel"), ("warn", "warn-soft")];
        if (view == "masks")
        {
            // Outlines of tiles and strokes of hidden pairs. They tell apart what differs little in colour.
            pairs = [.. pairs, .. new[] { "hidden", "computed-hidden", "none", "gap" }.Select(tile => ("tile-edge", $"tile-{tile}")), ("tile-whole", "tile-hidden"), ("tile-whole", "tile-none")];
        }

        foreach (var (mark, beside) in pairs)
        {
            double contrast = await open.Value<double>($"(() => {{ {Luminance} return contrast(colour('{mark}'), colour('{beside}')); }})()");
            Assert.True(contrast >= Mark, $"{mark} beside {beside}: {contrast:0.00}");
        }
    }

    /// <summary>Lightness changes in even steps along the ramp, the ends differ by far, and one of the two rings of a chosen cell stands out everywhere.</summary>
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task The_ramp_is_even(ColorScheme scheme)
    {
        await using var open = await Open("maps#scale=linear", scheme);
        const string Ramp = "const d = document.querySelector('#ramp').getContext('2d').getImageData(0, 0, 256, 1).data, ramp = Array.from({ length: 256 }, (_, i) => [...d.slice(4 * i, 4 * i + 3)]);";
        double[] luminances = await open.Value<double[]>($"(() => {{ {Luminance} {Ramp} return ramp.map(luminance); }})()");
        Assert.Equal(256, luminances.Length);
        double[] lightness = [.. luminances.Select(y => y > 216.0 / 24389 ? 116 * Math.Cbrt(y) - 16 : y * 24389 / 27)]; // L* of CIELAB
        int sign = scheme == ColorScheme.Light ? -1 : 1;
        double whole = sign * (lightness[^1] - lightness[0]);
        Assert.True(whole > 60, $"from {lightness[0]:0} to {lightness[^1]:0}");
        for (int i = 16; i < 256; i += 16) Assert.InRange(sign * (lightness[i] - lightness[i - 16]) / whole, 0.035, 0.09); // a sixteenth is 0.0625
        Assert.All(luminances, y => Assert.True(Math.Max(1.05 / (y + 0.05), (y + 0.05) / (0.0056 + 0.05)) >= Mark)); // white and #111111
    }

    private Task<OpenPage> Open(string view, ColorScheme scheme, bool bypassPolicy = false)
    {
        string[] parts = view.Split('#');
        return OpenPage.Of(chromium, parts[0] == "maps" ? Pages.FewMaps : Pages.Masks, scheme, parts.Length > 1 ? "#" + parts[1] : "", bypassPolicy: bypassPolicy);
    }
}
