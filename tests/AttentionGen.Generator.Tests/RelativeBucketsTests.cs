using AttentionGen.Generator.Model;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Buckets of distances as least distances of each.</summary>
public class RelativeBucketsTests
{
    [Fact]
    public void Buckets_of_T5()
    {
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91], new RelativeSpec(32, null, null).Starts);
        Assert.Equal(
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113], new RelativeSpec(32, 128, false).Starts);
    }

    /// <summary>As the formula with a logarithm in single precision has them, which T5's own code computes.</summary>
    [Theory]
    [InlineData(32, 128, true)]
    [InlineData(32, 128, false)]
    [InlineData(32, 256, true)]
    [InlineData(64, 512, false)]
    [InlineData(320, 800, true)] // WavLM
    [InlineData(9, 21, false)]
    [InlineData(4, 2, true)]
    [InlineData(2, 2, false)]
    [InlineData(32, 17, false)]
    [InlineData(1024, 65536, true)]
    public void Every_distance_falls_into_the_bucket_of_the_formula(int buckets, int maxDistance, bool bidirectional)
    {
        var spec = new RelativeSpec(buckets, maxDistance, bidirectional);
        int[] starts = [.. spec.Starts];
        int side = bidirectional ? buckets / 2 : buckets, exact = side / 2;
        Assert.Equal(side, starts.Length);
        for (int distance = 0; distance < maxDistance + 100; distance++)
        {
            double steps = distance < exact ? 0 : Math.Log((double)distance / exact) / Math.Log((double)maxDistance / exact) * (side - exact);
            float single = distance < exact ? 0 : MathF.Log((float)distance / exact) / (float)Math.Log((double)maxDistance / exact) * (side - exact);
            bool isBorder = Math.Abs(steps - Math.Round(steps)) < 1e-4; // single precision may fall to either side
            int bucket = distance < exact ? distance : Math.Min(exact + (isBorder ? (int)(steps + 1e-9) : (int)single), side - 1);
            Assert.Equal(bucket, Array.FindLastIndex(starts, start => start <= distance));
        }
    }
}
