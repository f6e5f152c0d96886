using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>A sum is made of partial sums of at most 256 products.</summary>
public class LinearSumTests
{
    public static MatrixTheoryData<Storage, int> Rows => new([Storage.Wide, Storage.BFloat16], [1, 3, 14]);

    /// <summary>
    /// Equal products, whose roundings have the same direction as long as the sum stays between two powers of two: the error of one chain grows with its length. The bound holds only for short ones.
    /// </summary>
    [Theory, MemberData(nameof(Rows))]
    public void Partial_sums_are_short(Storage type, int rows)
    {
        const int Depth = 9000;
        int broken = 0;
        foreach (float x in new[] { 1.0000001f, 1.1f, 1.3f, 1.7f, 1.9f, 0.3f })
        {
            var inputs = new LinearInputs(new(type, rows, Depth, 5));
            inputs.Weights.AsSpan().Fill(1);
            inputs.Input.AsSpan().Fill(x);
            using var layer = inputs.Create();
            LinearBound.Check(inputs, layer, inputs.Run(layer));
            float chain = 0;
            for (int i = 0; i < Depth; i++) chain += x;
            if (Math.Abs(chain - Depth * (double)x) > LinearBound.Roundings(Depth) * Bound.Step * Depth * x) broken++;
        }

        Assert.InRange(broken, 1, 6); // a plain chain does break the bound
    }
}
