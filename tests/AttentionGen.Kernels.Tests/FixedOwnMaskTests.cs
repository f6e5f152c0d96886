using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Masks of the user's own on declared lengths. What bounds rows cuts a call into pieces of any number of them, fewer than a tile has; and only the declaration of fixed lengths
/// promises that there is a whole tile.
/// </summary>
public class FixedOwnMaskTests
{
    private static readonly string[] s_masks =
    [
        "query < 2 && key <= query", "query >= 13", "query < 1", "query < 5 && key < 9", "query >= 15 && key >= 3", "query >= 3 && query < 7", "query >= 3 && query < 7 && key <= query",
        "key >= 13", "key < 2", "key >= 7 && key < 9", "key >= 5 && key <= query", "key < 4 && query >= 8", "query >= 6 && key >= 6", "query - key < 3", "key > query", "key > query + 5", "key <= query - 4",
        "query - key < 5 && key <= query + 2", "query < 6 && key < 6 || query >= 6 && key >= 6", "query < 2 || key <= query", "query >= 14 || key < 1", "key <= query && (query - key < 4 || key < 2)",
        "query < 3 && key >= 14", "query / 5 == key / 5", "(query - key) % 3 == 0", "query / 6 == key / 6 && key <= query", "key / 4 <= query / 4", "query < 11 && query - key < 6 && key < 10",
    ];

    private static readonly (int Queries, int Keys, int HeadDim)[] s_shapes = [(16, 16, 8), (31, 17, 20)];

    private static readonly Declaration[] s_declarations =
    [
        .. from shape in s_shapes
           from mask in s_masks
           select new Declaration(shape.HeadDim == 8 ? 1 : 4, shape.HeadDim)
           {
               KeyValueHeads = shape.HeadDim == 8 ? 1 : 2, QueryLength = shape.Queries, KeyLength = shape.Keys, MaskText = mask, Layout = shape.HeadDim == 8 ? AttentionLayout.TokenMajor : AttentionLayout.HeadMajor,
           },
    ];

    private static readonly KernelGroup s_kernels = new(s_declarations);

    public static TheoryData<Declaration> Declarations => [.. s_declarations];

    [Theory, MemberData(nameof(Declarations), DisableDiscoveryEnumeration = true)]
    public void The_output_is_right_and_nothing_else_is_written(Declaration declaration)
    {
        var kernel = s_kernels[declaration];
        var inputs = new Inputs(new Problem(declaration, declaration.QueryLength, declaration.KeyLength));
        Bound.Check(inputs, inputs.RunEverywhere(kernel));
    }
}
