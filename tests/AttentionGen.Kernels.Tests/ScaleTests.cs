using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>A given scale stands for 1 / sqrt(HeadDim).</summary>
public class ScaleTests
{
    internal static readonly Declaration[] Declarations =
    [
        .. from scale in new[] { 0.5f, -0.3f, 1e-3f }
           from mask in Enum.GetValues<AttentionMask>()
           select new Declaration(2, 16) { Mask = mask, Scale = scale },
    ];

    public static TheoryData<Problem> Problems => [.. from declaration in Declarations select new Problem(declaration, 50, 70)];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void The_output_is_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }
}
