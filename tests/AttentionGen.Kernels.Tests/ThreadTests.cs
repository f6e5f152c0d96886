using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Neither the number of threads, nor other calls, nor the rest of the batch shows in the result.</summary>
public class ThreadTests
{
    private static readonly Declaration[] s_windows =
    [
        new Declaration(6, 64) { KeyValueHeads = 2, Window = (150, 20), Batched = true, Roles = Roles.KeyLengths | Roles.MaxThreads },
        new Declaration(4, 64) { Mask = AttentionMask.Causal, Window = (500, -1), Batched = true, Roles = Roles.KeyLengths | Roles.MaxThreads },
        new Declaration(1, 512) { Window = (1700, 40) },
        new Declaration(1, 512) { Window = (200, -1) },
    ];

    internal static readonly Declaration[] Declarations =
    [
        .. from mask in Enum.GetValues<AttentionMask>()
           from heads in new[] { (4, 4), (6, 2), (3, 1) }
           select new Declaration(heads.Item1, 64) { KeyValueHeads = heads.Item2, Mask = mask, Batched = true, Roles = Roles.KeyLengths | Roles.MaxThreads },
        new Declaration(2, 64) { Mask = AttentionMask.Causal },
        new Declaration(1, 512),
        .. s_windows,
    ];

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in Declarations where declaration.Batched
           from lengths in new[] { (1, 2000), (4, 1500), (97, 385), (300, 300), (400, 50) }
           select new Problem(declaration, lengths.Item1, lengths.Item2) { Batch = 3, KeyLengths = [lengths.Item2, lengths.Item2 / 2, lengths.Item2 - 1] },
        new Problem(new Declaration(1, 512), 500, 1700),
        new Problem(new Declaration(1, 512), 3, 4000),
        .. from declaration in s_windows where !declaration.Batched select new Problem(declaration, 1300, 3300),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Any_number_of_threads_gives_the_same_bits(Problem problem)
    {
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels);
        Assert.DoesNotContain(expected, float.IsNaN);
        foreach (int threads in new[] { 2, 3, 4, 5, 6, 7, 8 })
        {
            float[] output = new float[expected.Length];
            Retarget(inputs, problem with { MaxThreads = threads }, output);
            AssertSameBits(expected, output);
        }
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void An_item_alone_gives_the_same_bits_as_in_a_batch(Problem problem)
    {
        var inputs = new Inputs(problem);
        float[] batch = inputs.Run(Catalogue.Kernels);
        int size = problem.OutputLength / problem.Batch;
        for (int b = 0; b < problem.Batch; b++)
        {
            var alone = new Inputs(problem with { Batch = 1, KeyLengths = problem.KeyLengths is null ? null : [problem.KeyLengths[b]] });
            inputs.Query.AsSpan(b * alone.Query.Length, alone.Query.Length).CopyTo(alone.Query);
            inputs.Key.AsSpan(b * alone.Key.Length, alone.Key.Length).CopyTo(alone.Key);
            inputs.Value.AsSpan(b * alone.Value.Length, alone.Value.Length).CopyTo(alone.Value);
            AssertSameBits(batch.AsSpan(b * size, size), alone.Run(Catalogue.Kernels));
        }
    }

    [Fact]
    public void Sixteen_threads_call_one_kernel_with_different_data()
    {
        var kernel = Catalogue.Kernels[new Declaration(2, 64) { Mask = AttentionMask.Causal }];
        var calls = Enumerable.Range(0, 16).Select(i => new Inputs(new Problem(kernel.Declaration, 80 + i, 120 + 5 * i) { MaxThreads = 1 + i % 4 }, seed: i)).ToArray();
        float[][] expected = [.. calls.Select(call => call.Run(kernel))];
        var failures = new List<Exception>();
        var threads = calls.Select((call, i) => new Thread(() =>
        {
            try
            {
                for (int n = 0; n < 25; n++) AssertSameBits(expected[i], call.Run(kernel));
            }
            catch (Exception e)
            {
                lock (failures) failures.Add(e);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(failures);
    }

    private static void Retarget(Inputs inputs, Problem problem, Span<float> output) => Catalogue.Kernels[problem.Declaration].Body(new KernelArguments
    {
        Query = inputs.Query, Key = inputs.Key, Value = inputs.Value, Output = output,
        Batch = problem.Batch, KeyLengths = problem.KeyLengths, MaxThreads = problem.MaxThreads,
    });

    internal static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        int first = MemoryMarshal.Cast<float, int>(expected).CommonPrefixLength(MemoryMarshal.Cast<float, int>(actual));
        if (first < expected.Length) Assert.Fail($"element {first} is {actual[first]:g9} instead of {expected[first]:g9}");
    }
}
