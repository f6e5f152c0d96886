using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Layouts, strides and tensor spans. A kernel is the same code wherever its tensors lie, so the results have the bits of the dense token-major
/// kernel of the same shape.
/// </summary>
public class LayoutTests
{
    private static readonly Declaration s_plain = new(4, 80)
    {
        KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal, Batched = true, Roles = Roles.MaxThreads | Roles.QueryStarts | Roles.KeyLengths,
    };

    private static readonly Declaration s_square = new(3, 16);

    internal static readonly Declaration[] Declarations = [.. Placed(s_plain), .. Placed(s_square)];

    private static IEnumerable<Declaration> Placed(Declaration plain)
    {
        foreach (var layout in Enum.GetValues<AttentionLayout>())
        {
            bool headMajor = layout == AttentionLayout.HeadMajor;
            int Width(int heads, int dim) => headMajor ? dim : heads * dim;
            int query = Width(plain.Heads, plain.HeadDim), key = Width(plain.KeyValueHeads, plain.HeadDim);
            int value = Width(plain.KeyValueHeads, plain.ValueDim), output = Width(plain.Heads, plain.ValueDim);
            foreach (var strides in new[] { default, (query + 1, key + 3, value + 5, output + 7), (3 * query, 0, 0, output), (0, 2 * key + value, 2 * key + value, 2 * output + 1) })
                foreach (bool tensors in new[] { false, true })
                    yield return plain with { Layout = layout, Strides = strides, TensorSpans = tensors };
        }
    }

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in Declarations
           from lengths in new[] { (0, 5), (5, 0), (1, 1), (7, 9), (97, 50), (1, 70) }
           let problem = new Problem(declaration, lengths.Item1, lengths.Item2) { MaxThreads = 2 }
           select declaration.Batched ? problem with { Batch = 3, QueryStarts = [0, 4, 40], KeyLengths = [lengths.Item2, lengths.Item2 / 2, lengths.Item2] } : problem,
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void A_placed_call_has_the_bits_of_the_dense_one(Problem problem)
    {
        var plain = problem.Declaration with { Layout = AttentionLayout.TokenMajor, Strides = default, TensorSpans = false };
        float[] expected = new Inputs(problem with { Declaration = plain }).Run(Catalogue.Kernels);
        ThreadTests.AssertSameBits(expected, new Inputs(problem).Run(Catalogue.Kernels));
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Placed_tensors_between_protected_pages(Problem problem)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        CheckBetweenProtectedPages(new Inputs(problem), Catalogue.Kernels[problem.Declaration]);
    }

    /// <summary>A call whose tensors end at protected pages, then begin behind them, gives the bits of one in plain memory.</summary>
    internal static void CheckBetweenProtectedPages(Inputs inputs, Kernel kernel)
    {
        var problem = inputs.Problem;
        float[] expected = inputs.Run(kernel);
        float[] query = Inputs.Placed(problem.QueryPlace, inputs.Query), key = Inputs.Placed(problem.KeyPlace, inputs.Key), value = Inputs.Placed(problem.ValuePlace, inputs.Value);
        using GuardedMemory queryMemory = new(4 * query.Length), keyMemory = new(4 * key.Length), valueMemory = new(4 * value.Length), outputMemory = new(4 * problem.OutputPlace.Length);
        foreach (bool atEnd in new[] { true, false })
        {
            var output = outputMemory.Take<float>(problem.OutputPlace.Length, atEnd);
            kernel.Body(inputs.Arguments(
                queryMemory.Copy<float>(query, atEnd), keyMemory.Copy<float>(key, atEnd), valueMemory.Copy<float>(value, atEnd), output));
            ThreadTests.AssertSameBits(expected, problem.OutputPlace.Gather(output));
        }
    }

    /// <summary>The reference takes spans.</summary>
    public static TheoryData<Problem> OfSpans => [.. Problems.Where(row => !row.Data.Declaration.TensorSpans)];

    [Theory, MemberData(nameof(OfSpans), DisableDiscoveryEnumeration = true)]
    public void The_reference_follows_the_declaration(Problem problem)
    {
        var inputs = new Inputs(problem);
        var reference = AttentionReference.Of(Catalogue.Kernels[problem.Declaration].Method);
        double[] placed = new double[problem.OutputPlace.Length];
        reference.Attend(
            Inputs.Placed(problem.QueryPlace, inputs.Query), Inputs.Placed(problem.KeyPlace, inputs.Key), Inputs.Placed(problem.ValuePlace, inputs.Value),
            placed, problem.Batch, problem.QueryStarts, problem.KeyLengths);
        Assert.Equal(Bound.Whole(inputs), Array.ConvertAll(problem.OutputPlace.Gather(Array.ConvertAll(placed, x => (float)x)), x => (double)x), (x, y) => (float)x == (float)y);
    }
}
