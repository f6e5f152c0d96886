using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using AttentionGen.MaskPictures;
using AttentionGen.Views.Tests.Harness;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>A page is one file: its data is escaped, its numbers are the given ones, nothing in it points elsewhere.</summary>
public sealed partial class DataTests
{
    internal static readonly string[] HostileTokens = ["</script>", "<!--", "<img src=x onerror=alert(1)>", "&lt;", "\u2028", "\"'`${1}", "{{script}}", "\ud83d", "]]>", ""];

    private static string HostilePage()
    {
        var maps = new AttentionMaps(HostileTokens, 1, 1);
        maps.SetLayer(0, TestMaps.Weights(HostileTokens.Length, HostileTokens.Length, (query, key) => 1 + query * key));
        return TestMaps.Page(maps, new() { Title = "</title><script>alert(1)</script>", Note = "<b>&" });
    }

    private static JsonElement Data(string page) => JsonDocument.Parse(DataBlock().Match(page).Groups[1].Value).RootElement;

    [Fact]
    public void Texts_are_escaped()
    {
        string page = HostilePage(), block = DataBlock().Match(page).Groups[1].Value;
        Assert.Equal(2, Regex.Count(page, "<script"));
        Assert.Equal(2, Regex.Count(page, "</script"));
        Assert.DoesNotMatch("[<>&\u2028]", block);
        Assert.Equal(HostileTokens.Select(token => token == "\ud83d" ? "\ufffd" : token), Data(page).GetProperty("keys").EnumerateArray().Select(token => token.GetString()));
        Assert.Equal("</title><script>alert(1)</script>", Data(page).GetProperty("title").GetString());
    }

    [Fact]
    public void Texts_of_the_page_of_masks_are_escaped()
    {
        using var text = new StringWriter();
        MaskPage.Write(text, [new("</script>", "</script>{{data}}", new()) { Note = "<!--" }], "</script>");
        Assert.Equal(2, Regex.Count(text.ToString(), "</script"));
        Assert.DoesNotMatch("[<>&]", DataBlock().Match(text.ToString()).Groups[1].Value);
    }

    /// <summary>Scripts make nodes, never markup, and evaluate no text.</summary>
    [Fact]
    public void Scripts_write_texts_only()
    {
        string[] scripts = Directory.GetFiles(Repository("samples", "AttentionViews", "Pages"), "*.js", SearchOption.AllDirectories);
        Assert.True(scripts.Length > 10, $"{scripts.Length} scripts");
        Assert.All(scripts, script => Assert.DoesNotMatch(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc|fetch\(|XMLHttpRequest|import\(", File.ReadAllText(script)));
    }

    [Fact]
    public void Nothing_points_elsewhere()
    {
        using var masks = new StringWriter();
        MaskPage.Write(masks, Page.Declarations);
        Assert.All([HostilePage(), masks.ToString()], page =>
        {
            string code = page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal); // the name of SVG, which nothing loads
            Assert.DoesNotContain("://", code.Replace(DataBlock().Match(code).Value, "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Contains("default-src 'none'; style-src 'sha256-", page, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", page, StringComparison.Ordinal);
        });
    }

    /// <summary>The weight that a page shows is the given one, rounded to four decimals.</summary>
    [Fact]
    public void Numbers_are_right_to_four_decimals()
    {
        var random = new Random(3);
        double[,] noise = new double[20, 30];
        for (int i = 0; i < noise.Length; i++) noise[i / 30, i % 30] = random.NextDouble();
        float[] weights = TestMaps.Weights(20, 30, (query, key) => Math.Pow(noise[query, key], 6));
        var maps = new AttentionMaps([.. Enumerable.Repeat("q", 20)], [.. Enumerable.Repeat("k", 30)], 1, 1);
        maps.SetLayer(0, weights);
        byte[] bytes = Data(TestMaps.Page(maps)).GetProperty("layers")[0].GetProperty("weights").GetBytesFromBase64();
        Assert.Equal(2 * weights.Length, bytes.Length);
        for (int i = 0; i < weights.Length; i++) Assert.Equal(Math.Round((double)weights[i], 4, MidpointRounding.AwayFromZero), BitConverter.ToUInt16(bytes, 2 * i) / 10_000.0, 1e-12);
    }

    [Fact]
    public void A_stream_and_a_writer_receive_the_same()
    {
        var maps = TestMaps.Of(4, [(_, _) => 1]);
        using var stream = new MemoryStream();
        AttentionPage.Write(stream, maps);
        Assert.Equal(TestMaps.Page(maps), Encoding.UTF8.GetString(stream.ToArray()));
        Assert.StartsWith("<!DOCTYPE html>", TestMaps.Page(maps), StringComparison.Ordinal);
        Assert.True(stream.CanWrite);
    }

    [Fact]
    public void Six_layers_of_twelve_heads_fit_into_5_MB()
    {
        Assert.Equal(64, RealMaps.Tokens.Length);
        using var stream = new MemoryStream();
        AttentionPage.Write(stream, RealMaps.Make());
        Assert.InRange(stream.Length, 500_000, 1_500_000);
    }

    private static string Repository(params string[] parts) => Generator.Tests.Harness.Repository.PathOf(parts);

    [GeneratedRegex("<script type=\"application/json\" id=\"data\">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex DataBlock();
}
