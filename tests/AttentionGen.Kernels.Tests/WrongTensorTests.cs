using System.Numerics.Tensors;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Tensor spans of shapes and strides that do not fit: what the user is told, and that nothing is written. And unusual strides that do fit.</summary>
public class WrongTensorTests
{
    private static readonly Declaration s_single = new(4, 16) { KeyValueHeads = 2, TensorSpans = true };
    private static readonly Declaration s_batched = s_single with { Batched = true };
    private static readonly Declaration s_givenBatch = s_batched with { Roles = Roles.MaxThreads | Roles.Batch };
    private static readonly Declaration s_headMajor = s_batched with { Layout = AttentionLayout.HeadMajor };
    private static readonly Declaration s_fixed = s_single with { QueryLength = 5, KeyLength = 7 };

    internal static readonly Declaration[] Declarations =
        [s_single, s_batched, s_givenBatch, s_headMajor, s_fixed, s_single with { TensorSpans = false }, s_batched with { TensorSpans = false }];

    private static readonly float[] s_memory = new float[10_000];

    private delegate KernelArguments Change(KernelArguments good);

    [Fact]
    public void Tensors_of_another_rank()
    {
        Throws("query", s_batched, good => good with { QueryTensor = Tensor(5, 4, 16) }, "query has the shape [5, 4, 16], [batch, tokens, 4, 16] is needed.");
        Throws("query", s_batched, good => good with { QueryTensor = Tensor(1, 2, 5, 4, 16) },
            "query has the shape [1, 2, 5, 4, 16], [batch, tokens, 4, 16] is needed.");
        Throws("key", s_single, good => good with { KeyTensor = Tensor(1, 7, 2, 16) }, "key has the shape [1, 7, 2, 16], [tokens, 2, 16] is needed.");
        Throws("value", s_headMajor, good => good with { ValueTensor = Tensor(2, 224) }, "value has the shape [2, 224], [batch, 2, tokens, 16] is needed.");
        Throws("output", s_givenBatch, good => good with { OutputTensor = Tensor(640) }, "output has the shape [640], [2, tokens, 4, 16] is needed.");
        Throws("key", s_fixed, good => good with { KeyTensor = default }, "key has the shape [], [7, 2, 16] is needed.");
    }

    [Fact]
    public void Tensors_of_other_heads()
    {
        Throws("query", s_batched, good => good with { QueryTensor = Tensor(2, 5, 2, 16) }, "query has the shape [2, 5, 2, 16], [batch, tokens, 4, 16] is needed.");
        Throws("key", s_batched, good => good with { KeyTensor = Tensor(2, 2, 7, 16) }, "key has the shape [2, 2, 7, 16], [batch, tokens, 2, 16] is needed.");
        Throws("value", s_headMajor, good => good with { ValueTensor = Tensor(2, 7, 2, 16) }, "value has the shape [2, 7, 2, 16], [batch, 2, tokens, 16] is needed.");
        Throws("output", s_single, good => good with { OutputTensor = Tensor(5, 8, 16) }, "output has the shape [5, 8, 16], [tokens, 4, 16] is needed.");
    }

    [Fact]
    public void Tensors_of_another_head_dimension()
    {
        Throws("query", s_batched, good => good with { QueryTensor = Tensor(2, 5, 4, 15) }, "query has the shape [2, 5, 4, 15], [batch, tokens, 4, 16] is needed.");
        Throws("key", s_headMajor, good => good with { KeyTensor = Tensor(2, 2, 7, 32) }, "key has the shape [2, 2, 7, 32], [batch, 2, tokens, 16] is needed.");
        Throws("value", s_fixed, good => good with { ValueTensor = Tensor(7, 2, 1) }, "value has the shape [7, 2, 1], [7, 2, 16] is needed.");
        Throws("output", s_single, good => good with { OutputTensor = Tensor(5, 4, 17) }, "output has the shape [5, 4, 17], [tokens, 4, 16] is needed.");
    }

    [Fact]
    public void Heads_whose_elements_do_not_lie_side_by_side()
    {
        Throws("query", s_single, good => good with { QueryTensor = Strided([5, 4, 16], [128, 32, 2]) },
            "query has the strides [128, 32, 2]: the elements of a head must lie side by side, a last stride of 1.");
        Throws("key", s_single, good => good with { KeyTensor = Strided([7, 2, 16], [1, 7, 14]) },
            "key has the strides [1, 7, 14]: the elements of a head must lie side by side, a last stride of 1.");
        Throws("value", s_batched, good => good with { ValueTensor = Strided([2, 7, 2, 16], [14, 2, 1, 0]) },
            "value has the strides [14, 2, 1, 0]: the elements of a head must lie side by side, a last stride of 1.");
        Throws("output", s_single, good => good with { OutputTensor = Strided([5, 4, 16], [64, 1, 4]) },
            "output has the strides [64, 1, 4]: the elements of a head must lie side by side, a last stride of 1.");
    }

    [Fact]
    public void Tensors_of_different_batches()
    {
        Throws("key", s_batched, good => good with { KeyTensor = Tensor(3, 7, 2, 16) }, "key has a batch of 3, query one of 2.");
        Throws("value", s_batched, good => good with { ValueTensor = Tensor(1, 7, 2, 16) }, "value has the shape [1, 7, 2, 16], [2, 7, 2, 16] is needed.");
        Throws("output", s_headMajor, good => good with { OutputTensor = Tensor(3, 4, 5, 16) }, "output has the shape [3, 4, 5, 16], [2, 4, 5, 16] is needed.");
        Throws("value", s_batched, good => good with { QueryTensor = Tensor(1, 5, 4, 16), KeyTensor = Tensor(1, 7, 2, 16) },
            "value has the shape [2, 7, 2, 16], [1, 7, 2, 16] is needed.");
    }

    [Fact]
    public void Tensors_of_another_batch_than_the_given_one()
    {
        Throws("query", s_givenBatch, good => good with { Batch = 3 }, "query has the shape [2, 5, 4, 16], [3, tokens, 4, 16] is needed.");
        Throws("key", s_givenBatch, good => good with { KeyTensor = Tensor(4, 7, 2, 16) }, "key has the shape [4, 7, 2, 16], [2, tokens, 2, 16] is needed.");
        Throws("query", s_givenBatch, good => good with { Batch = 0 }, "query has the shape [2, 5, 4, 16], [0, tokens, 4, 16] is needed.");
        foreach (int batch in new[] { -1, int.MinValue })
            Throws("batch", s_givenBatch, good => good with { Batch = batch }, $"batch is {batch}, at least 0 is needed.");
    }

    [Fact]
    public void Tensors_of_different_tokens()
    {
        Throws("value", s_batched, good => good with { ValueTensor = Tensor(2, 6, 2, 16) }, "value has the shape [2, 6, 2, 16], [2, 7, 2, 16] is needed.");
        Throws("value", s_single, good => good with { ValueTensor = Tensor(0, 2, 16) }, "value has the shape [0, 2, 16], [7, 2, 16] is needed.");
        Throws("output", s_headMajor, good => good with { OutputTensor = Tensor(2, 4, 6, 16) }, "output has the shape [2, 4, 6, 16], [2, 4, 5, 16] is needed.");
        Throws("query", s_fixed, good => good with { QueryTensor = Tensor(6, 4, 16) }, "query has 6 tokens, the kernel is declared for 5.");
        Throws("key", s_fixed, good => good with { KeyTensor = Tensor(6, 2, 16) }, "key has 6 tokens, the kernel is declared for 7.");
        Throws("output", s_fixed, good => good with { OutputTensor = Tensor(6, 4, 16) }, "output has the shape [6, 4, 16], [5, 4, 16] is needed.");
    }

    [Fact]
    public void More_tokens_or_batch_items_than_there_are_numbers()
    {
        const string Ranges = "there are 0 to 2147483647 batch items and 0 to 1073741824 tokens.";
        Throws("query", s_single, good => good with { QueryTensor = Strided([(nint)1 << 31, 4, 16], [0, 16, 1]) },
            $"query has the shape [2147483648, 4, 16]: {Ranges}");
        Throws("key", s_headMajor, good => good with { KeyTensor = Strided([2, 2, (nint)1 << 40, 16], [32, 16, 0, 1]) },
            $"key has the shape [2, 2, 1099511627776, 16]: {Ranges}");
        Throws("query", s_batched, good => good with { QueryTensor = Strided([(nint)1 << 32, 5, 4, 16], [0, 64, 16, 1]) },
            $"query has the shape [4294967296, 5, 4, 16]: {Ranges}");
        Throws("query", s_batched, good => good with { QueryTensor = Strided([2, (1 << 30) + 1, 4, 16], [0, 0, 16, 1]) },
            $"query has the shape [2, 1073741825, 4, 16]: {Ranges}");
        Throws("key", s_batched, good => good with { QueryTensor = Strided([0, 5, 4, 16], [0, 64, 16, 1]) },
            "key has a batch of 2, query one of 0.");
        Throws("value", s_batched, good => good with { ValueTensor = Strided([2, 1 << 30, 2, 16], [32, 0, 16, 1]) },
            "value has the shape [2, 1073741824, 2, 16], [2, 7, 2, 16] is needed.");
    }

    [Fact]
    public void An_output_whose_elements_share_places()
    {
        const string Message = "The strides of output let two of its elements share a place, and it is written.";
        Throws("output", s_single, good => good with { OutputTensor = Strided([5, 4, 16], [0, 16, 1]) }, Message);
        Throws("output", s_single, good => good with { OutputTensor = Strided([5, 4, 16], [16, 0, 1]) }, Message);
        Throws("output", s_batched, good => good with { OutputTensor = Strided([2, 5, 4, 16], [0, 64, 16, 1]) }, Message);
        Throws("output", s_headMajor, good => good with { OutputTensor = Strided([2, 4, 5, 16], [0, 0, 0, 1]) }, Message);
    }

    /// <summary>Memory in which heads come first, seen by a kernel for which tokens come first.</summary>
    [Theory, InlineData(1, 1), InlineData(5, 7), InlineData(40, 50)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Transposed_tensors_fit(int queries, int keys)
    {
        var inputs = new Inputs(new Problem(s_batched, queries, keys) { Batch = 2 });
        float[] expected = new Inputs(inputs.Problem with { Declaration = s_batched with { TensorSpans = false } }).Run(Catalogue.Kernels);
        var problem = inputs.Problem with { Declaration = s_headMajor };
        float[] query = Inputs.Placed(problem.QueryPlace, inputs.Query), key = Inputs.Placed(problem.KeyPlace, inputs.Key);
        float[] value = Inputs.Placed(problem.ValuePlace, inputs.Value), output = new float[problem.OutputLength];
        Catalogue.Kernels[s_batched].Body(new KernelArguments
        {
            QueryTensor = Transposed(problem.QueryPlace, query), KeyTensor = Transposed(problem.KeyPlace, key), ValueTensor = Transposed(problem.ValuePlace, value),
            OutputTensor = Transposed(problem.OutputPlace, output), MaxThreads = 2,
        });
        ThreadTests.AssertSameBits(expected, problem.OutputPlace.Gather(output));

        static TensorSpan<float> Transposed(Placement place, float[] placed) => new(placed, Swapped(place.Lengths), Swapped(place.Strides));
        static nint[] Swapped(nint[] axes) => [axes[0], axes[2], axes[1], axes[3]];
    }

    /// <summary>One tensor for all batch items, all heads or all tokens.</summary>
    [Theory, InlineData(1, 1), InlineData(5, 7), InlineData(40, 50)]
    public void Inputs_whose_elements_share_places_fit(int queries, int keys)
    {
        var plain = s_batched with { TensorSpans = false };
        var inputs = new Inputs(new Problem(plain, queries, keys) { Batch = 3 });
        for (int b = 0; b < 3; b++)
        {
            for (int j = 0; j < keys; j++)
                for (int h = 0; h < 2; h++)
                {
                    inputs.KeyRow(0, j, h).CopyTo(inputs.KeyRow(b, j, h));
                    inputs.ValueRow(0, j, 0).CopyTo(inputs.ValueRow(b, j, h));
                }

            for (int i = 0; i < queries; i++)
                for (int h = 0; h < 4; h++) inputs.QueryRow(b, 0, h).CopyTo(inputs.QueryRow(b, i, h));
        }

        float[] expected = inputs.Run(Catalogue.Kernels), output = new float[expected.Length];
        nint one = queries == 1 ? 0 : 64, several = keys == 1 ? 0 : 32;
        Catalogue.Kernels[s_batched].Body(new KernelArguments
        {
            QueryTensor = new(inputs.Query, [3, queries, 4, 16], [queries * 64, 0, 16, 1]),
            KeyTensor = new(inputs.Key, [3, keys, 2, 16], [0, several, 16, 1]),
            ValueTensor = new(inputs.Value, [3, keys, 2, 16], [0, several, 0, 1]),
            OutputTensor = new(output, [3, queries, 4, 16], [queries * 64, one, 16, 1]),
            MaxThreads = 2,
        });
        ThreadTests.AssertSameBits(expected, output);
    }

    /// <summary>A good call of 2 items (or 1) of 5 queries and 7 keys, changed.</summary>
    private static void Throws(string parameter, Declaration declaration, Change change, string message)
    {
        var inputs = new Inputs(new Problem(declaration, 5, 7) { Batch = declaration.Batched ? 2 : 1 });
        float[] output = new float[inputs.Problem.OutputLength];
        var exception = Assert.ThrowsAny<ArgumentException>(() =>
            Catalogue.Kernels[declaration].Body(change(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output))));
        Assert.Equal($"{message} (Parameter '{parameter}')", exception.Message.Split(Environment.NewLine)[0]);
        Assert.Equal(parameter, exception.ParamName);
        Assert.All(output, x => Assert.Equal(0f, x));
        Assert.DoesNotContain(s_memory, x => x != 0);
    }

    private static TensorSpan<float> Tensor(params scoped ReadOnlySpan<nint> lengths) => new(s_memory, lengths);

    private static TensorSpan<float> Strided(scoped ReadOnlySpan<nint> lengths, scoped ReadOnlySpan<nint> strides) => new(s_memory, lengths, strides);
}
