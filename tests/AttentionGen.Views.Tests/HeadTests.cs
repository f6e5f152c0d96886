using AttentionGen.Views.Tests.Harness;
using Xunit;

namespace AttentionGen.Views.Tests;

/// <summary>Heads get the names of what they do, by their measured shares.</summary>
public sealed class HeadTests
{
    private const int Tokens = 40;

    private static readonly Func<int, int, double> s_even = (_, _) => 1, s_causal = (query, key) => key <= query ? 1 : 0;

    private static IReadOnlyList<HeadPattern> Patterns(Func<int, int, double> head, int[]? separators = null) =>
        TestMaps.Of(Tokens, [head, s_even], separators).Measures(0, 0).Patterns(new());

    [Theory]
    [InlineData(0.55, true)]
    [InlineData(0.45, false)]
    public void Attends_to_previous(double share, bool named)
    {
        // Row 0 has no previous token.
        Assert.Equal(named, Patterns((query, key) => query == 0 ? 1 : key == query - 1 ? share : (1 - share) / (Tokens - 1)).Contains(HeadPattern.Previous));
    }

    [Theory]
    [InlineData(0.55, true)]
    [InlineData(0.45, false)]
    public void To_first(double share, bool named) =>
        Assert.Equal(named ? [HeadPattern.First] : [], Patterns((_, key) => key == 0 ? share : (1 - share) / (Tokens - 1)));

    [Theory]
    [InlineData(0.55, true)]
    [InlineData(0.45, false)]
    public void To_separator(double share, bool named)
    {
        int[] separators = [19, 39];
        Func<int, int, double> head = (_, key) => separators.Contains(key) ? share / 2 : (1 - share) / (Tokens - 2);
        Assert.Equal(named ? [HeadPattern.Separator] : [], Patterns(head, separators));
        Assert.Empty(Patterns(head)); // the caller did not mark them
    }

    [Fact]
    public void Local()
    {
        Assert.Equal([HeadPattern.Local], Patterns((query, key) => Math.Abs(query - key) <= 3 ? 1 : 0.001));
        Assert.Empty(Patterns((query, key) => Math.Abs(query - key) is 4 or 5 ? 1 : 0.001));
    }

    [Fact]
    public void A_head_of_the_previous_token_is_not_called_local_as_well() =>
        Assert.Equal([HeadPattern.Previous], Patterns((query, key) => key == Math.Max(query - 1, 0) ? 0.8 : Math.Abs(query - key) <= 3 ? 0.05 : 0.001));

    /// <summary>In a text of seven tokens, most keys are near: even weights are not local.</summary>
    [Fact]
    public void A_share_counts_beside_that_of_even_weights()
    {
        var measures = TestMaps.Of(7, [s_even]).Measures(0, 0);
        Assert.True(measures.Local.Measured > 0.7);
        Assert.Equal(measures.Local.Even, measures.Local.Measured, 6);
        Assert.Equal([HeadPattern.Diffuse], measures.Patterns(new()));
    }

    [Fact]
    public void Diffuse_is_relative_to_what_a_row_sees()
    {
        Assert.Equal([HeadPattern.Diffuse], TestMaps.Of(Tokens, [s_even]).Measures(0, 0).Patterns(new()));
        var causal = TestMaps.Of(Tokens, [s_causal, (query, key) => key == query ? 1 : 0]);
        Assert.Equal([HeadPattern.Diffuse], causal.Measures(0, 0).Patterns(new()));
        Assert.Equal(1, causal.Measures(0, 0).RelativeEntropy, 5);
    }

    [Fact]
    public void Concentrated()
    {
        Assert.Equal([HeadPattern.Concentrated], Patterns((query, key) => key == (7 * query + 11) % Tokens ? 0.95 : 0.05 / (Tokens - 1)));
        Assert.Empty(Patterns((query, key) => key == (7 * query + 11) % Tokens ? 0.85 : 0.15 / (Tokens - 1)));
    }

    /// <summary>Under a causal mask the first query sees one key. It has no choice, and does not count as concentrated or as attending to the first.</summary>
    [Fact]
    public void Rows_without_a_choice_do_not_count()
    {
        var measures = TestMaps.Of(3, [s_causal]).Measures(0, 0);
        Assert.Equal(2, measures.Rows);
        Assert.Equal((1 / 2.0 + 1 / 3.0) / 2, measures.LargestWeight, 6);
        Assert.Equal((Math.Log(2) + Math.Log(3)) / 2, measures.Entropy, 6);
    }

    /// <summary>Hard attention of a single head: no row shows a second visible key, so all keys count.</summary>
    [Fact]
    public void Hard_attention_of_one_head_is_named() =>
        Assert.Equal([HeadPattern.Previous, HeadPattern.Concentrated], TestMaps.Of(Tokens, [(query, key) => key == Math.Max(query - 1, 0) ? 1 : 0]).Measures(0, 0).Patterns(new()));

    [Fact]
    public void Queries_after_a_cache_stand_at_the_last_keys()
    {
        var maps = new AttentionMaps(["c", "d"], ["a", "b", "c", "d"], 1, 2);
        Assert.Equal(2, maps.QueryStart);
        maps.SetLayer(0, TestMaps.Weights(2, 4, (query, key) => key == query + 1 ? 1 : 0, (_, _) => 1));
        Assert.Equal(1, maps.Measures(0, 0).Previous.Measured, 6);

        var apart = new AttentionMaps(["c", "d"], ["a", "b", "c", "d"], 1, 1) { QueryStart = null };
        apart.SetLayer(0, TestMaps.Weights(2, 4, (query, key) => key == query + 1 ? 1 : 0.01));
        Assert.Equal(0, apart.Measures(0, 0).Previous.Measured);
    }

    [Fact]
    public void The_thresholds_are_the_callers()
    {
        var maps = TestMaps.Of(Tokens, [(_, key) => key == 0 ? 0.3 : 0.7 / (Tokens - 1)]);
        Assert.Equal([HeadPattern.First], maps.Measures(0, 0).Patterns(new() { Share = 0.25, DiffuseEntropy = 0.95 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HeadRules { Share = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new HeadRules { Lift = 0.5 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new HeadRules { LocalDistance = -1 });
    }

    /// <summary>What the kernel writes is what the library computes where it gets the weights only.</summary>
    [Fact]
    public void The_outputs_of_kernels_are_those_of_the_weights()
    {
        var (weights, entropy, largest) = RealMaps.Layer(2);
        var own = new AttentionMaps(RealMaps.Tokens, 1, RealMaps.Heads);
        var given = new AttentionMaps(RealMaps.Tokens, 1, RealMaps.Heads);
        own.SetLayer(0, weights);
        given.SetLayer(0, weights, entropy, largest);
        for (int head = 0; head < RealMaps.Heads; head++)
        {
            Assert.Equal(own.Measures(0, head).Entropy, given.Measures(0, head).Entropy, 0.0001);
            Assert.Equal(own.Measures(0, head).LargestWeight, given.Measures(0, head).LargestWeight, 0.0001);
        }
    }

    [Fact]
    public void A_row_that_sees_nothing_has_the_largest_weight_0()
    {
        float[] largest = new float[3];
        AttentionMaps.LargestWeights([float.NegativeInfinity, 1, 2], [float.NegativeInfinity, 1, 3], largest);
        Assert.Equal([0, 1, (float)Math.Exp(-1)], largest);
        Assert.Throws<ArgumentException>(() => AttentionMaps.LargestWeights([1], [1, 2], new float[1]));
        Assert.Throws<ArgumentException>(() => AttentionMaps.LargestWeights([1], [1], new float[2]));
    }
}
