using Generate;
using Xunit;

namespace AttentionGen.Samples.Tests;

public class SamplerTests
{
    private static readonly float[] s_logits = [0.1f, 2, -1, 1.5f, 2, 0];

    [Fact]
    public void Temperature_0_takes_the_first_of_the_likeliest()
    {
        foreach (ulong seed in new ulong[] { 0, 1, 99 })
            Assert.All(Draw(10, temperature: 0, topP: 0.5f, seed), token => Assert.Equal(1, token));
    }

    [Fact]
    public void The_same_seed_draws_the_same_tokens()
    {
        Assert.Equal(Draw(100, 1, 0.9f, 7), Draw(100, 1, 0.9f, 7));
        Assert.NotEqual(Draw(100, 1, 0.9f, 7), Draw(100, 1, 0.9f, 8));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.5f)]
    [InlineData(2)]
    public void Tokens_come_as_often_as_the_model_says(float temperature)
    {
        const int Count = 100_000;
        double[] weights = [.. s_logits.Select(logit => Math.Exp(logit / temperature))];
        int[] counts = new int[s_logits.Length];
        foreach (int token in Draw(Count, temperature, topP: 1, seed: 1)) counts[token]++;
        for (int i = 0; i < counts.Length; i++) Assert.Equal(weights[i] / weights.Sum(), (double)counts[i] / Count, 0.01);
    }

    /// <summary>The probabilities are 0.34, 0.34, 0.21, 0.05, 0.05 and 0.02: the fewest tokens that reach top-p.</summary>
    [Theory]
    [InlineData(0.01f, 1)]
    [InlineData(0.6f, 2)]
    [InlineData(0.7f, 3)]
    [InlineData(0.9f, 4)]
    [InlineData(1f, 6)]
    public void Top_p_leaves_out_the_unlikely(float topP, int candidates)
    {
        int[] drawn = [.. Draw(5000, 1, topP, 1).Distinct()];
        Assert.Equal(candidates, drawn.Length);
        var likeliest = Enumerable.Range(0, s_logits.Length).OrderByDescending(token => s_logits[token]).Take(candidates);
        if (candidates > 1) Assert.Equal(likeliest.Order(), drawn.Order());
    }

    [Theory]
    [InlineData(1e-45f)]
    [InlineData(1e-10f)]
    public void The_smallest_temperatures_take_the_likeliest(float temperature) =>
        Assert.All(Draw(100, temperature, 1, 1), token => Assert.Contains(token, new[] { 1, 4 }));

    [Fact]
    public void The_largest_temperature_takes_all() => Assert.Equal(s_logits.Length, Draw(1000, float.MaxValue, 1, 1).Distinct().Count());

    [Fact]
    public void A_token_without_probability_is_never_drawn()
    {
        float[] logits = [-1e30f, 0, -1e30f];
        var sampler = new Sampler(3, 1, 1, 1);
        for (int i = 0; i < 1000; i++) Assert.Equal(1, sampler.Next(logits));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Logits_that_are_not_finite_are_refused(float wrong)
    {
        Assert.Throws<InvalidDataException>(() => new Sampler(2, 0, 1, 1).Next([0, wrong]));
        Assert.Throws<InvalidDataException>(() => new Sampler(2, 1, 1, 1).Next([wrong, 0]));
    }

    private static int[] Draw(int count, float temperature, float topP, ulong seed)
    {
        var sampler = new Sampler(s_logits.Length, temperature, topP, seed);
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Next(s_logits))];
    }
}
