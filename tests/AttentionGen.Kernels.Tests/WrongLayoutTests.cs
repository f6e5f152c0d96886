using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Spans that do not fit strides, heads that come first or fixed lengths: what the user is told, and that nothing is written.</summary>
public class WrongLayoutTests
{
    // 2 batch items of 5 queries and 7 keys: query 10 tokens of 64, key and value 14 of 32, output 10 of 64.
    private static readonly Declaration s_strided = new(4, 16) { KeyValueHeads = 2, Batched = true, Strides = (96, 100, 104, 70) };

    // query 40 rows, key and value 28, output 40; a row has 16 elements
    private static readonly Declaration s_headMajor = new(4, 16) { KeyValueHeads = 2, Batched = true, Layout = AttentionLayout.HeadMajor };
    private static readonly Declaration s_headMajorStrided = s_headMajor with { Strides = (20, 20, 24, 28) };
    private static readonly Declaration s_thirds = new(2, 16) { Strides = (96, 96, 96, 0) };
    private static readonly Declaration s_fixed = new(2, 16) { QueryLength = 5, KeyLength = 7 };

    internal static readonly Declaration[] Declarations =
        [s_strided, s_headMajor, s_headMajorStrided, s_thirds, s_fixed, s_thirds with { Strides = default }, s_fixed with { Layout = AttentionLayout.HeadMajor }];

    private delegate KernelArguments Change(KernelArguments good);

    [Theory]
    [InlineData(63, "1 takes 64 to 96")]
    [InlineData(163 - 4, "1 takes 64 to 96 and 2 take 160 to 192")]
    [InlineData(927, "9 take 832 to 864 and 10 take 928 to 960")]
    [InlineData(961, "10 take 928 to 960 and 11 take 1024 to 1056")]
    public void A_query_that_ends_inside_a_token(int length, string whole) =>
        Throws("query", s_strided, good => good with { Query = new float[length] },
            $"query has {length} elements, which end inside a token: tokens have heads * headDim = 4 * 16 = 64 elements and begin 96 apart, so {whole}.");

    [Theory]
    [InlineData(31, "1 takes 32 to 100")]
    [InlineData(1331, "13 take 1232 to 1300 and 14 take 1332 to 1400")]
    [InlineData(1401, "14 take 1332 to 1400 and 15 take 1432 to 1500")]
    public void A_key_that_ends_inside_a_token(int length, string whole) =>
        Throws("key", s_strided, good => good with { Key = new float[length] },
            $"key has {length} elements, which end inside a token: tokens have keyValueHeads * headDim = 2 * 16 = 32 elements and begin 100 apart, so {whole}.");

    [Fact]
    public void Strided_tokens_that_the_batch_does_not_divide()
    {
        Throws("query", s_strided, good => good with { Query = good.Query[96..] }, "query has 9 tokens, which is not a multiple of the batch of 2.");
        Throws("key", s_strided, good => good with { Key = good.Key[..^100] }, "key has 13 tokens, which is not a multiple of the batch of 2.");
    }

    [Theory, InlineData(0), InlineData(1383), InlineData(1457), InlineData(1488)]
    public void A_strided_value_of_another_length_than_the_key(int length) =>
        Throws("value", s_strided, good => good with { Value = new float[length] },
            $"value has {length} elements, but its shape [2, 7, 2, 16] with tokens 104 elements apart needs 1384 to 1456.");

    [Theory, InlineData(0), InlineData(693), InlineData(701), InlineData(764)]
    public void A_strided_output_of_another_length_than_the_query(int length)
    {
        // The output's own memory, so that what is written would show.
        Throws("output", s_strided, good => good with { Output = length <= good.Output.Length ? good.Output[..length] : new float[length] },
            $"output has {length} elements, but its shape [2, 5, 4, 16] with tokens 70 elements apart needs 694 to 700.");
    }

    [Fact]
    public void What_follows_the_last_token_may_be_there_or_not()
    {
        var inputs = new Inputs(new Problem(s_strided, 5, 7) { Batch = 2 });
        var problem = inputs.Problem;
        float[] expected = inputs.Run(Catalogue.Kernels);
        foreach (int more in new[] { 0, 1, 6 })
        {
            float[] output = [.. new float[problem.OutputPlace.Length + more]];
            Catalogue.Kernels[s_strided].Body(inputs.Arguments(
                Longer(problem.QueryPlace, inputs.Query, more == 6 ? 32 : more), Longer(problem.KeyPlace, inputs.Key, more == 6 ? 68 : more),
                Longer(problem.ValuePlace, inputs.Value, more == 6 ? 72 : more), output));
            ThreadTests.AssertSameBits(expected, problem.OutputPlace.Gather(output));
            Assert.All(output[problem.OutputPlace.Length..], x => Assert.Equal(0f, x));
        }

        static float[] Longer(Placement place, float[] dense, int more) => [.. Inputs.Placed(place, dense), .. Enumerable.Repeat(float.NaN, more)];
    }

    [Theory, InlineData(1), InlineData(7), InlineData(40)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Thirds_of_one_buffer(int tokens)
    {
        const int Width = 32;
        var inputs = new Inputs(new Problem(s_thirds with { Strides = default }, tokens, tokens));
        float[] expected = inputs.Run(Catalogue.Kernels), qkv = new float[tokens * 3 * Width], output = new float[expected.Length];
        for (int token = 0; token < tokens; token++)
        {
            inputs.Query.AsSpan(token * Width, Width).CopyTo(qkv.AsSpan(token * 3 * Width));
            inputs.Key.AsSpan(token * Width, Width).CopyTo(qkv.AsSpan(token * 3 * Width + Width));
            inputs.Value.AsSpan(token * Width, Width).CopyTo(qkv.AsSpan(token * 3 * Width + 2 * Width));
        }

        // With and without what follows the last token of query and key.
        Run(qkv, qkv.AsSpan(Width));
        Run(qkv.AsSpan(0, qkv.Length - 2 * Width), qkv.AsSpan(Width..^Width));
        Run(qkv.AsSpan(0, qkv.Length - Width), qkv.AsSpan(Width..^1));

        void Run(ReadOnlySpan<float> query, ReadOnlySpan<float> key)
        {
            output.AsSpan().Clear();
            Catalogue.Kernels[s_thirds].Body(inputs.Arguments(query, key, qkv.AsSpan(2 * Width), output));
            ThreadTests.AssertSameBits(expected, output);
        }
    }

    [Fact]
    public void Rows_that_do_not_make_tokens_where_heads_come_first()
    {
        Throws("query", s_headMajor, good => good with { Query = good.Query[1..] }, "query has 639 elements, which is not a multiple of headDim = 16.");
        Throws("query", s_headMajor, good => good with { Query = good.Query[16..] }, "query has 39 rows of headDim = 16, which is not a multiple of heads = 4.");
        Throws("query", s_headMajor, good => good with { Query = good.Query[64..] }, "query has 9 tokens, which is not a multiple of the batch of 2.");
        Throws("key", s_headMajor, good => good with { Key = good.Key[..^3] }, "key has 445 elements, which is not a multiple of headDim = 16.");
        Throws("key", s_headMajor, good => good with { Key = good.Key[16..] }, "key has 27 rows of headDim = 16, which is not a multiple of keyValueHeads = 2.");
        Throws("key", s_headMajor, good => good with { Key = good.Key[32..] }, "key has 13 tokens, which is not a multiple of the batch of 2.");
        Throws("value", s_headMajor, good => good with { Value = good.Value[16..] }, "value has 432 elements, but its shape [2, 2, 7, 16] needs 448.");
        Throws("output", s_headMajor, good => good with { Output = good.Output[16..] }, "output has 624 elements, but its shape [2, 4, 5, 16] needs 640.");
    }

    [Fact]
    public void Strided_rows_that_do_not_make_tokens_where_heads_come_first()
    {
        Throws("query", s_headMajorStrided, good => good with { Query = good.Query[1..] },
            "query has 795 elements, which end inside a row: rows have headDim = 16 elements and begin 20 apart, so 39 take 776 to 780 and 40 take 796 to 800.");
        Throws("query", s_headMajorStrided, good => good with { Query = good.Query[20..] },
            "query has 39 rows of headDim = 16, which is not a multiple of heads = 4.");
        Throws("key", s_headMajorStrided, good => good with { Key = good.Key[40..] }, "key has 13 tokens, which is not a multiple of the batch of 2.");
        Throws("value", s_headMajorStrided, good => good with { Value = good.Value[48..] },
            "value has 616 elements, but its shape [2, 2, 7, 16] with tokens 24 elements apart needs 664 to 672.");
        Throws("output", s_headMajorStrided, good => good with { Output = good.Output[..^1] },
            "output has 1107 elements, but its shape [2, 4, 5, 16] with tokens 28 elements apart needs 1108 to 1120.");
    }

    [Theory, InlineData(AttentionLayout.TokenMajor), InlineData(AttentionLayout.HeadMajor)]
    public void Lengths_other_than_the_declared_ones(AttentionLayout layout)
    {
        var declaration = s_fixed with { Layout = layout };
        string Shape(int tokens) => layout == AttentionLayout.HeadMajor ? $"[2, {tokens}, 16]" : $"[{tokens}, 2, 16]";
        foreach (int tokens in new[] { 0, 4, 6, 10 })
        {
            Throws("query", declaration, good => good with { Query = new float[tokens * 32] }, $"query has {tokens} tokens, the kernel is declared for 5.");
            Throws("output", declaration, good => good with { Output = tokens < 5 ? good.Output[..(tokens * 32)] : new float[tokens * 32] },
                $"output has {tokens * 32} elements, but its shape {Shape(5)} needs 160.");
            Throws("key", declaration, good => good with { Key = new float[tokens * 32] }, $"key has {tokens} tokens, the kernel is declared for 7.");
            Throws("value", declaration, good => good with { Value = new float[tokens * 32] },
                $"value has {tokens * 32} elements, but its shape {Shape(7)} needs 224.");
        }

        var plain = s_fixed with { QueryLength = 0, KeyLength = 0 };
        ThreadTests.AssertSameBits(new Inputs(new Problem(plain, 5, 7)).Run(Catalogue.Kernels), new Inputs(new Problem(declaration, 5, 7)).Run(Catalogue.Kernels));
    }

    /// <summary>A good call of 2 items (or 1) of 5 queries and 7 keys, changed.</summary>
    private static void Throws(string parameter, Declaration declaration, Change change, string message)
    {
        var problem = new Problem(declaration, 5, 7) { Batch = declaration.Batched ? 2 : 1 };
        var inputs = new Inputs(problem);
        float[] query = Inputs.Placed(problem.QueryPlace, inputs.Query), key = Inputs.Placed(problem.KeyPlace, inputs.Key);
        float[] value = Inputs.Placed(problem.ValuePlace, inputs.Value), output = new float[problem.OutputPlace.Length];
        output.AsSpan().Fill(-7);
        var exception = Assert.Throws<ArgumentException>(() => Catalogue.Kernels[declaration].Body(change(inputs.Arguments(query, key, value, output))));
        Assert.Equal($"{message} (Parameter '{parameter}')", exception.Message);
        Assert.Equal(parameter, exception.ParamName);
        Assert.All(output, x => Assert.Equal(-7f, x));
    }
}
