using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Calls with wrong arguments: an exception that names the parameter and the numbers, before anything is written.</summary>
public class WrongCallTests
{
    private static readonly Declaration s_batched = new(4, 64)
    {
        KeyValueHeads = 2, ValueDim = 64, Mask = AttentionMask.Causal, Batched = true, Roles = Roles.QueryStarts | Roles.KeyLengths | Roles.MaxThreads | Roles.Scratch,
    };

    private static readonly Declaration s_single = new(4, 64) { KeyValueHeads = 2, ValueDim = 64, Mask = AttentionMask.Causal, Roles = Roles.QueryStart };

    internal static readonly Declaration[] Declarations = [s_batched, s_single];

    private delegate KernelArguments Change(KernelArguments good);

    [Fact]
    public void A_query_of_no_whole_tokens() =>
        Throws<ArgumentException>("query", good => good with { Query = good.Query[..^1] }, "query has 2559 elements", "heads * headDim = 4 * 64 = 256");

    [Fact]
    public void A_query_that_the_batch_does_not_divide() =>
        Throws<ArgumentException>("query", good => good with { Query = good.Query[256..] }, "query has 9 tokens", "batch of 2");

    [Fact]
    public void A_key_of_no_whole_tokens() =>
        Throws<ArgumentException>("key", good => good with { Key = good.Key[1..] }, "key has 1791 elements", "keyValueHeads * headDim = 2 * 64 = 128");

    [Fact]
    public void A_key_that_the_batch_does_not_divide() =>
        Throws<ArgumentException>("key", good => good with { Key = good.Key[128..] }, "key has 13 tokens", "batch of 2");

    [Fact]
    public void A_value_of_another_length_than_the_key() =>
        Throws<ArgumentException>("value", good => good with { Value = good.Value[256..] }, "value has 1536 elements", "[2, 7, 2, 64]", "1792");

    [Fact]
    public void A_value_without_elements() =>
        Throws<ArgumentException>("value", good => good with { Value = default }, "value has 0 elements", "[2, 7, 2, 64]", "1792");

    [Fact]
    public void An_output_of_another_length_than_the_query() =>
        Throws<ArgumentException>("output", good => good with { Output = good.Output[..^1] }, "output has 2559 elements", "[2, 5, 4, 64]", "2560");

    [Fact]
    public void An_output_that_is_too_long() =>
        Throws<ArgumentException>("output", good => good with { Output = new float[2561] }, "output has 2561 elements", "[2, 5, 4, 64]", "2560");

    [Fact]
    public void Shapes_without_a_batch_are_told_without_one() =>
        Throws<ArgumentException>("value", good => good with { Value = good.Value[1..] }, s_single, "value has 895 elements", "[7, 2, 64]", "896");

    [Theory, InlineData(-1), InlineData(-3)]
    public void A_batch_of_less_than_no_items(int batch) =>
        Throws<ArgumentOutOfRangeException>("batch", good => good with { Batch = batch }, $"batch is {batch}", "at least 0");

    [Fact]
    public void A_negative_start() =>
        Throws<ArgumentOutOfRangeException>("queryStart", good => good with { QueryStarts = new[] { -5 } }, s_single, "queryStart is -5", "0 or more");

    [Fact]
    public void A_negative_start_of_an_item() =>
        Throws<ArgumentOutOfRangeException>("queryStarts", good => good with { QueryStarts = new[] { 4, -1 } }, "queryStarts[1] is -1", "0 or more");

    [Theory, InlineData(0), InlineData(1), InlineData(3)]
    public void Starts_that_are_not_one_for_each_item(int count) =>
        Throws<ArgumentException>("queryStarts", good => good with { QueryStarts = new int[count] }, $"queryStarts has {count} elements", "2 batch items");

    [Theory, InlineData(0), InlineData(1), InlineData(3)]
    public void Lengths_that_are_not_one_for_each_item(int count) =>
        Throws<ArgumentException>("keyLengths", good => good with { KeyLengths = new int[count] }, $"keyLengths has {count} elements", "2 batch items");

    [Theory, InlineData(8), InlineData(-1), InlineData(int.MinValue), InlineData(int.MaxValue)]
    public void A_length_that_is_no_number_of_keys(int length) =>
        Throws<ArgumentOutOfRangeException>("keyLengths", good => good with { KeyLengths = new[] { 7, length } }, $"keyLengths[1] is {length}", "0 to 7");

    [Theory, InlineData(0), InlineData(-1)]
    public void Fewer_threads_than_one(int threads) =>
        Throws<ArgumentOutOfRangeException>("maxThreads", good => good with { MaxThreads = threads }, $"maxThreads is {threads}", "at least 1");

    [Fact]
    public void Scratch_that_is_too_small() =>
        Throws<ArgumentException>("scratch", good => good with { Scratch = new byte[1000] }, "aligned bytes", "needs");

    [Theory, InlineData(0), InlineData(255), InlineData(-2559)]
    public void An_output_that_overlaps_the_query(int offset)
    {
        float[] shared = new float[3 * 2560];
        Throws<ArgumentException>("output", good => good with { Query = shared.AsSpan(2560, 2560), Output = shared.AsSpan(2560 + offset, 2560) }, "output overlaps query");
        Assert.All(shared, x => Assert.Equal(0f, x));
    }

    [Fact]
    public void An_output_that_overlaps_the_key()
    {
        float[] shared = new float[2560 + 1791];
        Throws<ArgumentException>("output", good => good with { Key = shared.AsSpan(2559, 1792), Output = shared.AsSpan(0, 2560) }, "output overlaps key");
        Assert.All(shared, x => Assert.Equal(0f, x));
    }

    [Fact]
    public void An_output_that_overlaps_the_value()
    {
        float[] shared = new float[2560 + 1791];
        Throws<ArgumentException>("output", good => good with { Value = shared.AsSpan(0, 1792), Output = shared.AsSpan(1791, 2560) }, "output overlaps value");
        Assert.All(shared, x => Assert.Equal(0f, x));
    }

    [Fact]
    public void An_output_that_overlaps_the_starts() =>
        Throws<ArgumentException>("output", good => good with { QueryStarts = AsInts(good.Output)[..2] }, "output overlaps queryStarts");

    [Fact]
    public void An_output_that_overlaps_the_lengths() =>
        Throws<ArgumentException>("output", good => good with { KeyLengths = AsInts(good.Output)[^2..] }, "output overlaps keyLengths");

    [Fact]
    public void Scratch_that_overlaps_a_tensor()
    {
        Throws<ArgumentException>("scratch", good => good with { Scratch = MemoryMarshal.AsBytes(good.Output) }, "scratch overlaps");
        float[] shared = new float[1 << 20];
        Throws<ArgumentException>("scratch", good => good with { Query = shared.AsSpan(5, 2560), Scratch = MemoryMarshal.AsBytes(shared.AsSpan()) }, "scratch overlaps");
        Throws<ArgumentException>("scratch", good => good with { Key = shared.AsSpan(5, 1792), Scratch = MemoryMarshal.AsBytes(shared.AsSpan()) }, "scratch overlaps");
        Throws<ArgumentException>("scratch", good => good with { Value = shared.AsSpan(5, 1792), Scratch = MemoryMarshal.AsBytes(shared.AsSpan()) }, "scratch overlaps");
        Assert.All(shared, x => Assert.Equal(0f, x));
    }

    [Fact]
    public void Neighbours_and_inputs_that_share_memory_are_no_overlap()
    {
        // Query and output side by side, key and value the same memory.
        var inputs = new Inputs(new Problem(s_single, 5, 7) { QueryStarts = [2] });
        inputs.Key.CopyTo(inputs.Value);
        float[] expected = inputs.Run(Catalogue.Kernels), shared = [.. inputs.Query, .. new float[expected.Length]];
        Catalogue.Kernels[s_single].Body(new KernelArguments
        {
            Query = shared.AsSpan(0, inputs.Query.Length), Key = inputs.Key, Value = inputs.Key, Output = shared.AsSpan(inputs.Query.Length), QueryStarts = [2],
        });
        ThreadTests.AssertSameBits(expected, shared.AsSpan(inputs.Query.Length));
    }

    [Fact]
    public void A_call_without_queries_does_nothing()
    {
        var inputs = new Inputs(new Problem(s_single, 0, 7) { QueryStarts = [0] });
        Assert.Empty(inputs.Run(Catalogue.Kernels));
    }

    private static void Throws<TException>(string parameter, Change change, params string[] numbers)
        where TException : ArgumentException => Throws<TException>(parameter, change, s_batched, numbers);

    /// <summary>A good call of 2 items (or 1) of 5 queries and 7 keys, changed.</summary>
    private static void Throws<TException>(string parameter, Change change, Declaration declaration, params string[] numbers)
        where TException : ArgumentException
    {
        var problem = new Problem(declaration, 5, 7) { Batch = declaration.Batched ? 2 : 1 };
        var inputs = new Inputs(problem);
        float[] output = new float[problem.OutputLength];
        output.AsSpan().Fill(s_untouched);
        var exception = Assert.Throws<TException>(() => Catalogue.Kernels[declaration].Body(change(new KernelArguments
        {
            Query = inputs.Query, Key = inputs.Key, Value = inputs.Value, Output = output,
            Batch = problem.Batch, QueryStarts = declaration.Batched ? [0, 0] : [0], KeyLengths = [7, 7], MaxThreads = 1, Scratch = default,
        })));
        Assert.Equal(parameter, exception.ParamName);
        Assert.All(numbers, number => Assert.Contains(number, exception.Message, StringComparison.Ordinal));
        Assert.All(output, x => Assert.Equal(s_untouched, x));
    }

    // As an integer it is 7, a good start and a good length.
    private static readonly float s_untouched = BitConverter.Int32BitsToSingle(7);

    private static Span<int> AsInts(Span<float> output) => MemoryMarshal.Cast<float, int>(output);
}
