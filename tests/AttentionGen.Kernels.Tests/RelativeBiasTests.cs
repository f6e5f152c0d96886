using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The biases of distances: as many as a call has, not as many as the buckets reach.</summary>
[Collection(nameof(Isolated))]
public unsafe class RelativeBiasTests
{
    private static readonly Declaration s_far = new(4, 16) { Mask = AttentionMask.Causal, Buckets = 64, MaxDistance = 50_000, Bidirectional = false, Roles = Roles.MaxThreads | Roles.QueryStart };

    private static readonly Declaration s_both = new(4, 16) { Buckets = 64, MaxDistance = 50_000 };

    internal static readonly Declaration[] Declarations = [s_far, s_both];

    [Theory, InlineData(1), InlineData(3), InlineData(100)]
    public void A_short_call_expands_few_distances(int queries)
    {
        foreach (var declaration in Declarations)
        {
            var inputs = new Inputs(new Problem(declaration, queries, 130) { QueryStarts = declaration.Has(Roles.QueryStart) ? [130 - queries] : null });
            AttentionScratch.Trim();
            Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
            Assert.InRange(AttentionScratch.CachedBytes, 1, 1 << 20); // 1.6 MB are all distances
        }
    }

    /// <summary>Far from the first key, where the window of distances does not begin at 0.</summary>
    [Theory, InlineData(0), InlineData(1000), InlineData(60_000), InlineData(int.MaxValue - 40)]
    public void Distances_near_and_far(int start)
    {
        var inputs = new Inputs(new Problem(s_far, 40, 130) { QueryStarts = [start] });
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }

    /// <summary>Each distance that a call has gets the bias of its bucket; further ones are those of the last.</summary>
    [Fact]
    public void Each_distance_has_its_bucket()
    {
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            int side = random.Next(1, 12), heads = random.Next(1, 4);
            bool bidirectional = random.Next(2) == 0;
            int[] starts = new int[side];
            for (int bucket = 1; bucket < side; bucket++) starts[bucket] = starts[bucket - 1] + random.Next(1, 40);
            float[] bias = [.. Enumerable.Range(0, (bidirectional ? 2 : 1) * side * heads).Select(_ => random.NextSingle())];
            long least = -random.Next(0, 500), most = random.Next(0, 500);
            var table = new RelativeBias(bias, starts, bidirectional, heads, (least, most));
            Assert.InRange(table.Reach, 16, Math.Min(starts[^1], 500) + 16);
            Assert.Equal((nuint)(heads * 2 * table.Reach * sizeof(float)), table.Bytes);
            float[] distances = new float[heads * 2 * table.Reach];
            distances.AsSpan().Fill(float.NaN);
            fixed (float* memory = distances) table.Expand(memory);
            Assert.DoesNotContain(distances, float.IsNaN);
            for (int head = 0; head < heads; head++)
            {
                for (long distance = least; distance <= most; distance++)
                {
                    bool after = distance > 0;
                    int away = after && !bidirectional ? 0 : (int)Math.Abs(distance), bucket = Array.FindLastIndex(starts, start => start <= away) + (after && bidirectional ? side : 0);
                    long place = Math.Clamp(distance, -table.Reach, table.Reach - 1);
                    Assert.Equal(bias[bucket * heads + head], distances[head * 2 * table.Reach + table.Reach + place]);
                }
            }
        }
    }

    [Fact]
    public void Kept_memory_is_given_back_when_memory_is_short()
    {
        new Inputs(new Problem(s_both, 100, 300)).Run(Catalogue.Kernels);
        Assert.NotEqual(0, AttentionScratch.CachedBytes);
        var isHigh = MemoryPressure.IsHigh;
        try
        {
            MemoryPressure.IsHigh = () => false;
            Collect();
            Assert.NotEqual(0, AttentionScratch.CachedBytes);
            MemoryPressure.IsHigh = () => true;
            Collect();
            Assert.Equal(0, AttentionScratch.CachedBytes);

            // Once more: it goes on to watch.
            new Inputs(new Problem(s_both, 100, 300)).Run(Catalogue.Kernels);
            Assert.NotEqual(0, AttentionScratch.CachedBytes);
            Collect();
            Collect();
            Assert.Equal(0, AttentionScratch.CachedBytes);
        }
        finally
        {
            MemoryPressure.IsHigh = isHigh;
        }

        static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
