using System.Text.RegularExpressions;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.MaskPictures;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>docs/masks.md: its pictures are what the code makes of them, and its declarations compile.</summary>
public partial class MaskPageTests
{
    private static readonly string s_page = File.ReadAllText(Repository.PathOf("docs", "masks.md"));

    public static TheoryData<string> Pictures => [.. Picture.All.Select(picture => picture.Name)];

    [Theory, MemberData(nameof(Pictures))]
    public void A_picture_is_what_the_intervals_are(string name)
    {
        string drawn = Svg.Of(name, Intervals.Of(Picture.All.Single(picture => picture.Name == name)));
        Assert.Equal(File.ReadAllText(Repository.PathOf("docs", "masks", name + ".svg")), drawn);
        Assert.Contains($"(masks/{name}.svg)", s_page, StringComparison.Ordinal);
    }

    [Fact]
    public void There_are_no_other_pictures() =>
        Assert.Equal(Picture.All.Select(picture => picture.Name + ".svg").Order(), Directory.GetFiles(Repository.PathOf("docs", "masks")).Select(Path.GetFileName).Order());

    [Fact]
    public async Task The_declarations_compile()
    {
        var examples = Example().Matches(s_page).Select(match => match.Groups[1].Value).ToList();
        Assert.True(examples.Count > 8, $"{examples.Count} examples");
        string source = $"using AttentionGen;\n#pragma warning disable CS1591\npublic static partial class Kernels\n{{\n{string.Concat(examples)}\n}}";
        Assert.Empty(await new Project(source).Generate().BuildAsync());
    }

    /// <summary>A mask of the user's own in the table has the text of its picture.</summary>
    [Fact]
    public void The_table_has_the_masks_of_the_pictures() =>
        Assert.All(Picture.All.Where(picture => picture.Mask.Length > 0), picture => Assert.Contains($"(masks/{picture.Name}.svg) | `{picture.Mask.Replace("||", "\\|\\|", StringComparison.Ordinal)}` |", s_page, StringComparison.Ordinal));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
