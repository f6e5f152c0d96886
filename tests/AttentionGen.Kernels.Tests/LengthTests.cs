using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Numbers of queries and keys below, at and above every edge of tiles, panels and blocks, of all dialects; 0 and 1.</summary>
public class LengthTests
{
    internal static readonly Declaration[] Declarations =
    [
        .. from dims in new[] { (16, 16), (64, 64), (80, 24) }
           from mask in Enum.GetValues<AttentionMask>()
           from window in new[] { (-1, -1), mask == AttentionMask.Causal ? (40, -1) : (70, 9) }
           select new Declaration(2, dims.Item1) { KeyValueHeads = 1, ValueDim = dims.Item2, Mask = mask, Window = window },
    ];

    private static readonly int[] s_rows = [0, 1, .. Around(6, 8, 12, 96, 192)];

    private static readonly int[] s_keys = [0, 1, .. Around(4, 8, 16, 32, 64, 256, 384, 768)];

    public static TheoryData<Problem> RowEdges => Each(from rows in s_rows from keys in new[] { 33, 400 } select (rows, keys));

    public static TheoryData<Problem> KeyEdges => Each(from keys in s_keys from rows in new[] { 7, 97 } select (rows, keys));

    public static TheoryData<Problem> SquareEdges => Each(from length in s_rows.Concat(s_keys).Distinct() where length is > 1 and < 400 select (length, length));

    [Theory]
    [MemberData(nameof(RowEdges), DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(KeyEdges), DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(SquareEdges), DisableDiscoveryEnumeration = true)]
    public void The_output_is_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(Catalogue.Kernels));
    }

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Without_a_key_the_output_is_zero(AttentionMask mask)
    {
        var inputs = new Inputs(new Problem(Declarations.First(declaration => declaration.Mask == mask), 100, 0));
        Assert.All(inputs.Run(Catalogue.Kernels), x => Assert.Equal(0f, x));
    }

    [Theory, InlineData(1), InlineData(64), InlineData(96), InlineData(97), InlineData(150)]
    public void Causal_rows_before_position_0_are_zero(int before)
    {
        const int Keys = 20;
        var declaration = Declarations.First(declaration => declaration.Mask == AttentionMask.Causal);
        var inputs = new Inputs(new Problem(declaration, before + Keys, Keys));
        float[] output = inputs.Run(Catalogue.Kernels);
        int blind = before * declaration.Heads * declaration.ValueDim;
        Assert.All(output[..blind], x => Assert.Equal(0f, x));
        Assert.All(output[blind..], x => Assert.NotEqual(0f, x));
    }

    private static IEnumerable<int> Around(params int[] edges) => edges.SelectMany(edge => new[] { edge - 1, edge, edge + 1 }).Distinct();

    private static TheoryData<Problem> Each(IEnumerable<(int Rows, int Keys)> lengths) =>
        [.. from declaration in Declarations from pair in lengths select new Problem(declaration, pair.Rows, pair.Keys)];
}
