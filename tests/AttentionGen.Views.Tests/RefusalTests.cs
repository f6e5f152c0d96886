using AttentionGen.Views.Tests.Harness;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>What is no map is an exception that names the parameter and the shapes.</summary>
public sealed class RefusalTests
{
    private static AttentionMaps Maps() => new(["a", "b", "c"], layers: 2, heads: 1);

    private static float[] Even() => TestMaps.Weights(3, 3, (_, _) => 1);

    [Fact]
    public void No_tokens()
    {
        Assert.Contains("no tokens", Assert.Throws<ArgumentException>("tokens", () => new AttentionMaps([], 1, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("no tokens", Assert.Throws<ArgumentException>("keys", () => new AttentionMaps(["a"], [], 1, 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>("tokens", () => new AttentionMaps(null!, 1, 1));
        Assert.Contains("Token 1 of 2", Assert.Throws<ArgumentNullException>("queries", () => new AttentionMaps(["a", null!], ["a"], 1, 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("layers", () => new AttentionMaps(["a"], 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>("heads", () => new AttentionMaps(["a"], 1, 0));
    }

    [Fact]
    public void Lengths_that_do_not_fit()
    {
        Assert.Contains("8 numbers, but should have 9: 1 heads x 3 queries x 3 keys", Assert.Throws<ArgumentException>("weights", () => Maps().SetLayer(0, new float[8])).Message, StringComparison.Ordinal);
        Assert.Contains("should have 3: 1 heads x 3 queries", Assert.Throws<ArgumentException>("entropy", () => Maps().SetLayer(0, Even(), new float[4])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("largest", () => Maps().SetLayer(0, Even(), new float[3], new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>("layer", () => Maps().SetLayer(2, Even()));
        Assert.Throws<ArgumentOutOfRangeException>("layer", () => Maps().SetLayer(-1, Even()));
    }

    [Theory]
    [InlineData(float.NaN, "is NaN: it is not finite")]
    [InlineData(float.PositiveInfinity, "it is not finite")]
    [InlineData(-0.25f, "is -0.25: it is negative")]
    [InlineData(1.5f, "add up to")]
    public void Numbers_that_are_no_weights(float number, string message)
    {
        float[] weights = Even();
        weights[5] = number;
        var error = Assert.Throws<ArgumentException>("weights", () => Maps().SetLayer(1, weights));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("layer 1, head 0, query 1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(-1f)]
    [InlineData(3f)]
    public void Numbers_that_are_no_entropy(float number) =>
        Assert.Contains("between 0 and 1.386", Assert.Throws<ArgumentException>("entropy", () => Maps().SetLayer(0, Even(), [1, number, 1])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_weight_of_minus_0_is_one_of_a_hidden_key() => Maps().SetLayer(0, [1, -0f, -0f, 0.5f, 0.5f, -0f, 1, 0, 0]);

    [Fact]
    public void A_separator_that_is_no_key() =>
        Assert.Contains("one of 3 keys", Assert.Throws<ArgumentOutOfRangeException>("Separators", () => new AttentionMaps(["a", "b", "c"], 1, 1) { Separators = [3] }).Message, StringComparison.Ordinal);

    [Fact]
    public void A_layer_without_weights()
    {
        var maps = Maps();
        maps.SetLayer(0, Even());
        using var text = new StringWriter();
        Assert.Contains("Layer 1 of 2", Assert.Throws<InvalidOperationException>(() => AttentionPage.Write(text, maps)).Message, StringComparison.Ordinal);
        Assert.Empty(text.ToString());
        Assert.Throws<InvalidOperationException>(() => maps.Measures(1, 0));
    }

    [Fact]
    public void Masks()
    {
        Assert.Throws<ArgumentOutOfRangeException>("Left", () => new MaskForm { Left = -1 });
        Assert.Throws<ArgumentOutOfRangeException>("Dilation", () => new MaskForm { Dilation = 0 });
        Assert.Throws<ArgumentOutOfRangeException>("DocumentLengths", () => new MaskForm { DocumentLengths = [3, 0] });
        Assert.Throws<ArgumentException>("rows", () => new MaskBlocks(4, [[1, 1]]));
        Assert.Throws<ArgumentException>("operation", () => MaskCondition.Of("+", MaskCondition.Key));
        Assert.Throws<ArgumentException>("operation", () => MaskCondition.Of("constructor", MaskCondition.Key, MaskCondition.Key));
        Assert.Throws<ArgumentException>("declarations", () => MaskPage.Write(TextWriter.Null, []));
        Assert.Throws<ArgumentOutOfRangeException>("Queries", () => new MaskDeclaration("", "", new()) { Queries = 257 });
        Assert.Contains("should have 2: 1 queries x 2 keys", Assert.Throws<ArgumentException>("masked", () => new MaskExample(["a"], ["b", "c"], [0.5f, 0.5f], [1])).Message, StringComparison.Ordinal);
    }
}
