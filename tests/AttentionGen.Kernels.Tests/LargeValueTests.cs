using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Values so large that their sums come near the end of single precision: docs/exactness.md says how large they may be.</summary>
public class LargeValueTests
{
    /// <summary>Packed keys, few rows, whole rows of fixed lengths; also with scores that wait in memory.</summary>
    private static readonly Declaration[] s_declarations =
    [
        new(2, 16),
        new(2, 64) { KeyValueHeads = 1, Mask = AttentionMask.Causal },
        new(2, 16) { Keep = AttentionAxes.Key },
        new(2, 16) { QueryLength = 33, KeyLength = 50 },
    ];

    private static readonly KernelGroup s_kernels = new(s_declarations);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_declarations[..3]
           from lengths in new[] { (1, 900), (3, 700), (100, 400) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        new Problem(s_declarations[3], 33, 50),
    ];

    /// <summary>
    /// All keys but the first have weights of nearly 2^8, as the maximum lags as far as it may: the sums come to n 2^8 V. While n V is below 2^120 they are finite, and outputs are as exact as others.
    /// </summary>
    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Outputs_are_finite_while_keys_times_the_largest_value_are_below_2_to_the_120(Problem problem)
    {
        var inputs = new Inputs(problem);
        inputs.Query.AsSpan().Clear();
        inputs.Key.AsSpan().Clear();
        inputs.Keep.AsSpan().Fill(true);
        for (int i = 0; i < problem.Queries; i++)
            for (int h = 0; h < problem.Declaration.Heads; h++) inputs.QueryRow(0, i, h)[0] = MathF.Sqrt(problem.Declaration.HeadDim);
        for (int j = 1; j < problem.Keys; j++)
            for (int h = 0; h < problem.Declaration.KeyValueHeads; h++) inputs.KeyRow(0, j, h)[0] = 5.5f; // 2^7.93
        float largest = 0.99f * MathF.ScaleB(1, 120) / problem.Keys;
        foreach (ref float x in inputs.Value.AsSpan()) x = largest * (1 - x * x / 4);
        float[] output = inputs.Run(s_kernels);
        Assert.All(output, x => Assert.True(float.IsFinite(x)));
        Bound.Check(inputs, output, plainLimit: 1e-5 * largest);
    }
}
