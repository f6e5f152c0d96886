using System.Collections.Concurrent;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>A second thread does take units of a call: nothing of the results would tell if the caller always did all of them.</summary>
[Collection(nameof(Isolated))]
public class SharedWorkTests
{
    private static readonly TimeSpan s_forever = TimeSpan.FromMinutes(1);

    private static readonly Declaration s_plain = new(4, 64), s_fixed = new(4, 32) { QueryLength = 128, KeyLength = 128 }, s_batched = new(4, 64) { Batched = true };

    internal static readonly Declaration[] Declarations = [s_plain, s_fixed, s_batched];

    private static readonly KernelGroup s_kernels = new(Declarations);

    /// <summary>Many rows, few rows whose keys are cut into chunks, few rows of several items, fixed lengths.</summary>
    public static TheoryData<Problem> Problems =>
    [
        new Problem(s_plain, 400, 400), new Problem(s_plain, 1, 8000), new Problem(s_plain, 3, 4000), new Problem(s_batched, 1, 3000) { Batch = 5 }, new Problem(s_batched, 200, 200) { Batch = 3 },
        new Problem(s_fixed, 128, 128),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Two_threads_take_units(Problem problem)
    {
        var kernel = s_kernels[problem.Declaration];
        var inputs = new Inputs(problem with { MaxThreads = 1 });
        float[] expected = inputs.Run(kernel);
        var taken = Run(new Inputs(inputs, problem with { MaxThreads = 2 }), kernel, threads: 2, expected);
        Assert.Equal(2, taken.Select(unit => unit.Thread).Distinct().Count());
        Assert.Contains(taken, unit => unit.Thread == Environment.CurrentManagedThreadId);
        Assert.Equal(Enumerable.Range(0, taken.Count), taken.Select(unit => unit.Unit).Order()); // each once
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void One_thread_takes_all_where_no_more_may(Problem problem)
    {
        var kernel = s_kernels[problem.Declaration];
        var inputs = new Inputs(problem with { MaxThreads = 1 });
        var taken = Run(inputs, kernel, threads: 1, inputs.Run(kernel));
        Assert.All(taken, unit => Assert.Equal(Environment.CurrentManagedThreadId, unit.Thread));
        Assert.Equal(Enumerable.Range(0, taken.Count), taken.Select(unit => unit.Unit));
    }

    /// <summary>Each thread waits with its first unit until there are as many as there should be: a pool that is slow to start one changes nothing.</summary>
    private static List<(int Thread, int Unit)> Run(Inputs inputs, Kernel kernel, int threads, float[] expected)
    {
        var taken = new ConcurrentQueue<(int Thread, int Unit)>();
        using var met = new CountdownEvent(threads);
        var seen = new ConcurrentDictionary<int, bool>();
        ParallelJob.UnitTaken = unit =>
        {
            taken.Enqueue((Environment.CurrentManagedThreadId, (int)unit));
            if (!seen.TryAdd(Environment.CurrentManagedThreadId, true)) return;
            if (!met.IsSet) met.Signal();
            met.Wait(s_forever, CancellationToken.None);
        };
        try
        {
            ThreadTests.AssertSameBits(expected, inputs.Run(kernel));
        }
        finally
        {
            ParallelJob.UnitTaken = null;
        }

        Assert.NotEmpty(taken);
        return [.. taken];
    }
}
