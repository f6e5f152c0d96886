using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Masks of the user's own beside fixed lengths: code for whole rows of scores has to see that rows, or keys, are cut.</summary>
public class OwnMaskOfFixedLengthTests
{
    private static readonly string[] s_masks =
    [
        "query < 2 && key <= query", "query >= 13", "query >= 5 && query < 9", "query != 7", "query == 3", "query < 15", "key < 10", "key >= 3", "key != 4", "key <= query && key < 6",
        "key <= query && query < 11", "Math.Abs(query - key) < 3 && query > 1", "key < 12 && query >= 1", "key >= 2 && key < 9 && query >= key",
    ];

    private static readonly (int Queries, int Keys)[] s_lengths = [(16, 16), (49, 33), (130, 20)];

    internal static readonly KernelGroup Kernels = new(
        from mask in s_masks
        from lengths in s_lengths
        select new Declaration(2, 8) { QueryLength = lengths.Queries, KeyLength = lengths.Keys, MaskText = mask });

    public static TheoryData<Problem> Problems => [.. from kernel in Kernels.All select new Problem(kernel.Declaration, kernel.Declaration.QueryLength, kernel.Declaration.KeyLength)];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void The_output_is_within_the_error_bound_and_nothing_else_is_written(Problem problem)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Kernels));
        LayoutTests.CheckBetweenProtectedPages(inputs, Kernels[problem.Declaration]);
    }
}
