using AttentionGen.Generator.Tests.Harness;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>The head of a kernel says which keys a query sees, whatever says it in the declaration.</summary>
public class MaskHeaderTests
{
    [Theory]
    [InlineData("", "", "none: every query sees every key")]
    [InlineData(", Mask = AttentionMask.Causal", "", "causal: a query sees the keys up to its own position")]
    [InlineData(", Mask = AttentionMask.Causal, PrefixLength = 9", "", "causal: a query sees the keys up to its own position; every query sees the first 9 keys")]
    [InlineData(", Mask = AttentionMask.Causal", ", int prefixLength", "causal: a query sees the keys up to its own position; every query sees the prefix")]
    [InlineData(", ChunkLength = 64", "", "chunks of 64")]
    [InlineData(", Mask = AttentionMask.Causal, Dilation = 2", ", ReadOnlySpan<int> documentStarts", "causal: a query sees the keys up to its own position; documents of their own, every 2nd key")]
    [InlineData(", QueryBlockSize = 16, KeyBlockSize = 64", ", ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks", "lists of blocks, 16 queries x 64 keys")]
    [InlineData(", MaskMethod = nameof(Causal)", "", "causal: a query sees the keys up to its own position")]
    [InlineData(", MaskMethod = nameof(Early)", "", "the bounds of the mask method")]
    [InlineData(", MaskMethod = nameof(Both)", "", "2 terms of the mask method")]
    public void It_names_what_hides_keys(string arguments, string parameters, string expected)
    {
        string source = $$"""
            using AttentionGen;

            public static partial class Llama
            {
                [Attention(2, 8{{arguments}})] public static partial void Attend({{Sample.Tensors}}{{parameters}});
                private static bool Causal(int query, int key) => key <= query;
                private static bool Early(int query, int key) => key < 100;
                private static bool Both(int query, int key) => key < 100 || key <= query;
            }
            """;
        string head = new Project(source).Generate().Sources.Single(file => file.Key.Contains("Llama.Attend", StringComparison.Ordinal)).Value;
        Assert.Equal(expected, Assert.Single(head.Split('\n'), line => line.StartsWith("//   mask ", StringComparison.Ordinal))["//   mask    ".Length..].TrimEnd());
    }
}
