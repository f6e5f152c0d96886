using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Every kind of head and value dimension: below, at, above and at multiples of the vectors, steps and chains of all dialects.</summary>
public class HeadDimTests
{
    private static readonly int[] s_headDims =
    [
        1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 20, 31, 32, 33, 36, 40, 48, 63, 64, 65, 72, 80, 96, 100, 128, 160, 192, 200, 256, 320, 512,
    ];

    private static readonly (int HeadDim, int ValueDim)[] s_valueDims =
    [
        (1, 512), (512, 1), (3, 1), (1, 3), (16, 13), (13, 16), (64, 3), (64, 16), (64, 24), (24, 64), (64, 80), (80, 64), (64, 256), (128, 65), (40, 7), (192, 128), (36, 100), (9, 336),
    ];

    /// <summary>With those above: every remainder of a division by 16, below 16 and above.</summary>
    private static readonly int[] s_oddHeadDims = [6, 10, 11, 14, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30];

    internal static readonly Declaration[] Declarations =
    [
        .. from dim in s_oddHeadDims select new Declaration(2, dim) { KeyValueHeads = 1, Mask = AttentionMask.Causal },
        .. from dims in s_headDims.Select(d => (HeadDim: d, ValueDim: d)).Concat(s_valueDims)
           from mask in Enum.GetValues<AttentionMask>()
           select new Declaration(2, dims.HeadDim) { KeyValueHeads = 1, ValueDim = dims.ValueDim, Mask = mask },
        .. from dims in s_valueDims select new Declaration(2, dims.HeadDim) { KeyValueHeads = 1, ValueDim = dims.ValueDim, Window = (20, 3) },
    ];

    /// <summary>The same with a single head, so that the number of rows may be odd. They have the same cores.</summary>
    internal static readonly Declaration[] SingleHeads = [.. Declarations.Select(declaration => declaration with { Heads = 1 })];

    internal static readonly KernelGroup Kernels = new([.. Declarations, .. SingleHeads]);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in Declarations
           from lengths in new[] { (1, 1), (7, 65), (13, 33), (99, 130) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void The_output_is_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Kernels));
    }
}
