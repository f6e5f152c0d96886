using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Layers below, at, above and at multiples of every edge of any instruction set: tiles of 12, 6, 8 or 4 rows, few rows, blocks of 96 rows, panels of 32, 16 or 8 columns, groups of 256, blocks of
/// 192 or 256 of the depth, and depths that are no multiple of four.
/// </summary>
public class LinearEdgeTests
{
    private static readonly int[] s_rows = [.. Enumerable.Range(1, 18), 23, 24, 25, 36, 37, 47, 48, 49, 95, 96, 97, 101, 108, 191, 192, 193, 200];

    private static readonly int[] s_columns = [.. Enumerable.Range(1, 9), 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 127, 128, 129, 255, 256, 257, 287, 288, 289, 511, 512, 513, 545];

    private static readonly int[] s_depths = [.. Enumerable.Range(1, 13), 63, 64, 65, 127, 128, 191, 192, 193, 194, 195, 196, 255, 256, 257, 258, 383, 384, 385, 511, 512, 513, 575, 576, 577, 768, 1025];

    public static MatrixTheoryData<Storage, int> Rows => new(LinearProblem.Types, s_rows);

    public static MatrixTheoryData<Storage, int> Columns => new(LinearProblem.Types, s_columns);

    public static MatrixTheoryData<Storage, int> Depths => new(LinearProblem.Types, s_depths);

    [Theory, MemberData(nameof(Rows))]
    public void Any_number_of_rows(Storage type, int rows)
    {
        var random = new Random(rows);
        foreach (var (depth, columns) in new[] { (7, 9), (70, 40), (194, 65), (259, 8) }) LinearInputs.Check(LinearProblem.Of(random, type, rows, depth, columns));
    }

    [Theory, MemberData(nameof(Columns))]
    public void Any_number_of_columns(Storage type, int columns)
    {
        var random = new Random(columns);
        foreach (int rows in new[] { 1, 2, 3, 4, 5, 13, 26 }) LinearInputs.Check(LinearProblem.Of(random, type, rows, 37, columns));
    }

    [Theory, MemberData(nameof(Depths))]
    public void Any_depth(Storage type, int depth)
    {
        var random = new Random(depth);
        foreach (int rows in new[] { 1, 2, 3, 4, 6, 8, 12, 13 }) LinearInputs.Check(LinearProblem.Of(random, type, rows, depth, 70));
    }

    public static MatrixTheoryData<Storage, int> Seeds => new(LinearProblem.Types, Enumerable.Range(1, 8));

    [Theory, MemberData(nameof(Seeds))]
    public void Random_layers(Storage type, int seed)
    {
        var random = new Random(seed);
        int Size(int most) => 1 + (int)(most * Math.Pow(random.NextDouble(), 2.5));
        for (int i = 0; i < 10; i++) LinearInputs.Check(LinearProblem.Of(random, type, Size(150), Size(900), Size(600)));
    }

    public static TheoryData<Storage> Types => [.. LinearProblem.Types];

    /// <summary>The tests above, in few calls, for machines without vectors.</summary>
    [Theory, MemberData(nameof(Types)), Trait(IsaMatrixTests.Scalar, "yes")]
    public void Some_layers(Storage type)
    {
        var random = new Random(3);
        foreach (var (rows, depth, columns) in new[] { (1, 5, 3), (2, 300, 40), (3, 70, 300), (5, 258, 9), (13, 35, 17), (101, 9, 33) })
            foreach (var activation in Enum.GetValues<AttentionActivation>())
                LinearInputs.Check(LinearProblem.Of(random, type, rows, depth, columns) with { Activation = activation });
    }
}
