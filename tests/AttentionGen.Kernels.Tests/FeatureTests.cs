using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Every mask with every grouping of heads, batch, start and padding.</summary>
public class FeatureTests
{
    private static readonly (int Heads, int KeyValueHeads)[] s_groupings = [(4, 4), (4, 2), (6, 3), (5, 1)];

    /// <summary>Masks and windows on either side and on both.</summary>
    private static readonly (AttentionMask Mask, (int Left, int Right) Window)[] s_masks =
    [
        .. from mask in Enum.GetValues<AttentionMask>() select (mask, (-1, -1)),
        (AttentionMask.Causal, (4, -1)), (AttentionMask.None, (3, 2)), (AttentionMask.None, (6, -1)), (AttentionMask.None, (-1, 1)),
    ];

    internal static readonly Declaration[] Declarations =
    [
        .. from mask in s_masks
           from heads in mask.Window == (-1, -1) ? s_groupings : [(6, 3)]
           from batched in new[] { false, true }
           let plain = new Declaration(heads.Heads, 80) { KeyValueHeads = heads.KeyValueHeads, ValueDim = 24, Mask = mask.Mask, Window = mask.Window, Batched = batched }
           from start in plain.HasPositions ? new[] { Roles.None, Roles.QueryStart, Roles.QueryStarts } : [Roles.None]
           from lengths in new[] { Roles.None, Roles.KeyLengths }
           select plain with { Roles = Roles.MaxThreads | start | lengths },
    ];

    public static TheoryData<Problem> Problems => [.. Declarations.SelectMany(ProblemsOf)];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void The_output_is_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }

    private static IEnumerable<Problem> ProblemsOf(Declaration declaration)
    {
        // Self attention, fewer queries than keys (decoding, cross), more queries than keys.
        foreach (var (queries, keys) in new[] { (1, 1), (17, 17), (1, 40), (5, 70), (30, 9) })
        {
            int batch = declaration.Batched ? 3 : 1;
            var problem = new Problem(declaration, queries, keys) { Batch = batch };
            int[][] lengths = declaration.Has(Roles.KeyLengths)
                ? declaration.Batched ? [[0, (keys + 1) / 2, keys], [1, keys, keys - 1]] : [[0], [1], [(keys + 1) / 2], [keys]]
                : [null!];
            int[][] starts = declaration.Has(Roles.QueryStart) ? [[0], [3], [keys + 7], [int.MaxValue]]
                : declaration.Has(Roles.QueryStarts) ? declaration.Batched ? [[0, 2, keys], [int.MaxValue - 1, 1, 0]] : [[0], [4]]
                : [null!];
            foreach (int[] length in lengths)
                foreach (int[] start in starts)
                    yield return problem with { KeyLengths = length, QueryStarts = start };
        }
    }
}
