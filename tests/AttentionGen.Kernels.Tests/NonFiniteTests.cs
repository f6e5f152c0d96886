using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>NaN and infinities: what is masked does not exist, what is visible follows IEEE in the rows that see it, and in no other.</summary>
public class NonFiniteTests
{
    internal static readonly Declaration[] Declarations =
    [
        .. from mask in Enum.GetValues<AttentionMask>()
           from roles in new[] { Roles.MaxThreads, Roles.MaxThreads | Roles.KeyLengths }
           from dims in new[] { (64, 64), (80, 24) }
           select new Declaration(2, dims.Item1) { KeyValueHeads = 1, ValueDim = dims.Item2, Mask = mask, Batched = roles.HasFlag(Roles.KeyLengths), Roles = roles },
        .. from dims in new[] { (64, 64), (80, 24) }
           select new Declaration(2, dims.Item1) { KeyValueHeads = 1, ValueDim = dims.Item2, Mask = AttentionMask.Causal, Roles = Roles.QueryStart | Roles.MaxThreads },
    ];

    /// <summary>NaN of both signs, since processors make negative ones and integer comparisons tell them apart, and with other low bits, which arithmetic of exponents meets.</summary>
    private static readonly float[] s_poisons =
    [
        float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity,
        BitConverter.UInt32BitsToSingle(0xFFFFFFFF), BitConverter.UInt32BitsToSingle(0x7FFFFFFF), BitConverter.UInt32BitsToSingle(0x7FC00001),
    ];

    private static readonly AttentionMask[] s_masks = Enum.GetValues<AttentionMask>();

    public static MatrixTheoryData<int, int, float> HiddenKeys => new([64, 80], [1, 5, 7, 8, 31, 33, 63, 64, 65, 95, 96, 97, 255, 256, 383, 384, 399], s_poisons);

    [Theory, MemberData(nameof(HiddenKeys), DisableDiscoveryEnumeration = true)]
    public void What_the_causal_mask_hides_changes_no_bit(int headDim, int key, float poison)
    {
        var problem = new Problem(Declarations.First(d => d.HeadDim == headDim && d.Mask == AttentionMask.Causal), 400, 400);
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels);
        int before = key * problem.Declaration.Heads * problem.Declaration.ValueDim; // the rows before the key do not see it

        inputs.ValueRow(0, key, 0)[1] = poison;
        AssertSame(expected.AsSpan(0, before), inputs.Run(Catalogue.Kernels).AsSpan(0, before));
        inputs.KeyRow(0, key, 0)[^1] = poison;
        AssertSame(expected.AsSpan(0, before), inputs.Run(Catalogue.Kernels).AsSpan(0, before));
        for (int j = key; j < problem.Keys; j++)
        {
            inputs.ValueRow(0, j, 0).Fill(poison);
            inputs.KeyRow(0, j, 0).Fill(poison);
        }

        AssertSame(expected.AsSpan(0, before), inputs.Run(Catalogue.Kernels).AsSpan(0, before));
    }

    public static MatrixTheoryData<AttentionMask, int, float> Paddings => new(s_masks, [64, 80], s_poisons);

    [Theory, MemberData(nameof(Paddings), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Padding_changes_no_bit(AttentionMask mask, int headDim, float poison)
    {
        var problem = new Problem(Declarations.First(d => d.HeadDim == headDim && d.Mask == mask && d.Batched), 20, 100) { Batch = 5, KeyLengths = [0, 1, 37, 64, 99] };
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels);
        for (int b = 0; b < problem.Batch; b++)
        {
            for (int j = problem.Length(b); j < problem.Keys; j++)
            {
                inputs.ValueRow(b, j, 0).Fill(poison);
                inputs.KeyRow(b, j, 0).Fill(poison);
            }
        }

        AssertSame(expected, inputs.Run(Catalogue.Kernels));
    }

    [Theory, InlineData(64), InlineData(80)]
    public void Keys_behind_the_last_query_change_no_bit(int headDim)
    {
        var problem = new Problem(Declarations.First(d => d.HeadDim == headDim && d.Has(Roles.QueryStart)), 30, 200) { QueryStarts = [40] };
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels);
        for (int j = 70; j < problem.Keys; j++)
        {
            inputs.ValueRow(0, j, 0).Fill(float.NaN);
            inputs.KeyRow(0, j, 0).Fill(float.PositiveInfinity);
        }

        AssertSame(expected, inputs.Run(Catalogue.Kernels));
    }

    public static MatrixTheoryData<AttentionMask, int, float> Places => new(s_masks, [0, 1, 15, 33, 64, 127, 129], s_poisons);

    [Theory, MemberData(nameof(Places), DisableDiscoveryEnumeration = true)]
    public void A_visible_value_reaches_the_rows_that_see_it(AttentionMask mask, int place, float poison) =>
        Check(mask, inputs => inputs.ValueRow(0, place, 0)[place % 64] = poison);

    [Theory, MemberData(nameof(Places), DisableDiscoveryEnumeration = true)]
    public void A_visible_key_reaches_the_rows_that_see_it(AttentionMask mask, int place, float poison) =>
        Check(mask, inputs => inputs.KeyRow(0, place, 0)[place % 64] = poison);

    [Theory, MemberData(nameof(Places), DisableDiscoveryEnumeration = true)]
    public void A_query_reaches_its_own_row(AttentionMask mask, int place, float poison) =>
        Check(mask, inputs => inputs.QueryRow(0, place, 1)[place % 64] = poison);

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void Infinities_of_both_signs_make_NaN(AttentionMask mask) =>
        Check(mask, inputs =>
        {
            inputs.ValueRow(0, 40, 0)[3] = float.PositiveInfinity;
            inputs.ValueRow(0, 90, 0)[3] = float.NegativeInfinity;
        });

    public static MatrixTheoryData<AttentionMask, int> InfinitelyFar => new(s_masks, [1, 20, 64, 65, 300, 400, 500]);

    /// <summary>A score of -infinity is a weight of 0, also where no finite score has come before it.</summary>
    [Theory, MemberData(nameof(InfinitelyFar), DisableDiscoveryEnumeration = true)]
    public void Scores_begin_with_negative_infinity(AttentionMask mask, int count) =>
        Check(mask, keys: 501, poison: inputs =>
        {
            for (int i = 0; i < inputs.Problem.Queries; i++)
                for (int h = 0; h < 2; h++) inputs.QueryRow(0, i, h)[0] = 1;
            for (int j = 0; j < count; j++) inputs.KeyRow(0, j, 0)[0] = float.NegativeInfinity;
        });

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void Scores_that_are_all_negative_infinity_make_NaN(AttentionMask mask) =>
        Check(mask, inputs =>
        {
            inputs.QueryRow(0, 50, 0).Fill(1);
            for (int j = 0; j < inputs.Problem.Keys; j++) inputs.KeyRow(0, j, 0)[0] = float.NegativeInfinity;
        });

    private static void Check(AttentionMask mask, Action<Inputs> poison, int keys = 130)
    {
        var inputs = new Inputs(new Problem(Declarations.First(d => d.HeadDim == 64 && d.Mask == mask), 130, keys));
        poison(inputs);
        var kernel = Catalogue.Kernels[inputs.Problem.Declaration];
        Bound.Check(inputs, [inputs.Run(kernel), inputs.RunInPieces(kernel, queries: 7)]);
    }

    /// <summary>The same bits, the sign of zero aside.</summary>
    private static void AssertSame(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(expected[i] == actual[i], $"element {i} is {actual[i]:g9} instead of {expected[i]:g9}");
    }
}
