using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What random calls have found (tests/explore), made smaller, for every run: the series of CI has one seed only.</summary>
public class FoundCaseTests
{
    private static readonly Declaration s_fixed = new(1, 1) { QueryLength = 25, KeyLength = 8, MaskText = "query >= 17", Roles = Roles.MaxThreads | Roles.QueryStart };

    private static readonly (string Name, Problem Problem)[] s_cases =
    [
        ("rows of fixed lengths that a mask cuts off", new Problem(s_fixed, 25, 8) { QueryStarts = [0] }),
        ("keys of fixed lengths that a mask cuts off", new Problem(new Declaration(1, 8) { QueryLength = 16, KeyLength = 16, MaskText = "key < 2" }, 16, 16)),
        ("a piece of two rows before the output", new Problem(new Declaration(1, 8) { QueryLength = 16, KeyLength = 16, MaskText = "query < 2 && key <= query" }, 16, 16)),
        ("rotated elements from an odd one on, and keys of padding", new Problem(
            new Declaration(1, 16)
            {
                Window = (-1, 25), Scale = 0.025f, Rotary = AttentionRotary.Halves, Rotated = (6, 7), Batched = true, Strides = (48, 56, 0, 0),
                Roles = Roles.MaxThreads | Roles.QueryStart | Roles.KeyLengths,
            }, 12, 513) { Batch = 3, QueryStarts = [513], KeyLengths = [103, 0, 97] }),
        ("a start so far away that distances are no ints", new Problem(
            new Declaration(1, 1) { Mask = AttentionMask.Causal, Buckets = 32, Roles = Roles.MaxThreads | Roles.QueryStart }, 47, 1) { QueryStarts = [2147483602] }),
    ];

    private static readonly KernelGroup s_kernels = new(s_cases.Select(found => found.Problem.Declaration));

    public static TheoryData<string> Names => [.. s_cases.Select(found => found.Name)];

    [Theory, MemberData(nameof(Names), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void A_find_stays_mended(string name)
    {
        var problem = s_cases.Single(found => found.Name == name).Problem;
        var kernel = s_kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.RunEverywhere(kernel));
    }
}
