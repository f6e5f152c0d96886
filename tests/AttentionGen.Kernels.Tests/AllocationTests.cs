using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Nothing is allocated on the managed heap once a kernel has run.</summary>
[Collection(nameof(Isolated))]
public class AllocationTests
{
    internal static readonly Declaration[] Declarations =
    [
        new(4, 64) { Mask = AttentionMask.Causal },
        new(4, 64) { Batched = true, Roles = Roles.KeyLengths | Roles.MaxThreads },
        new(1, 512),
        new(4, 64) { Buckets = 32, Roles = Roles.MaxThreads | Roles.Scales },
    ];

    public static TheoryData<Problem> Problems =>
    [
        new Problem(Declarations[0], 1, 50),
        new Problem(Declarations[0], 200, 300),
        new Problem(Declarations[1], 50, 60) { Batch = 2, KeyLengths = [30, 60] },
        new Problem(Declarations[2], 20, 2000),
        new Problem(Declarations[2], 3, 2000), // few rows: two threads share the chunks of a head's keys
        new Problem(Declarations[0], 4, 2000),
        new Problem(Declarations[3], 70, 90),
        new Problem(Declarations[1], 2, 1000) { Batch = 2, KeyLengths = [300, 1000] }, // two threads share heads and items
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void A_call_on_one_thread_allocates_nothing(Problem problem) => Assert.Equal(0, LeastOf(problem, GC.GetAllocatedBytesForCurrentThread));

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void A_call_on_two_threads_allocates_nothing(Problem problem) =>
        Assert.Equal(0, LeastOf(problem with { MaxThreads = 2 }, () => GC.GetTotalAllocatedBytes(precise: true)));

    /// <summary>Something else may run now and then; and on a crowded machine late workers keep jobs until there are as many as there may be.</summary>
    private static long LeastOf(Problem problem, Func<long> allocated)
    {
        const int Calls = 20, Tries = 20;
        var kernel = Catalogue.Kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        float[] output = new float[problem.OutputLength];
        for (int i = 0; i < Calls; i++) RunAlone(inputs, kernel, output);
        long least = long.MaxValue;
        for (int i = 0; i < Tries && least > 0; i++)
        {
            long before = allocated();
            for (int n = 0; n < Calls; n++) RunAlone(inputs, kernel, output);
            least = Math.Min(least, allocated() - before);
        }

        return least;
    }

    /// <summary>A call whose worker comes too late keeps its job; where that happens over and over, new ones have to be made.</summary>
    private static void RunAlone(Inputs inputs, Kernel kernel, float[] output)
    {
        inputs.RunInPlace(kernel, output);
        var spin = new SpinWait();
        while (ThreadPool.PendingWorkItemCount > 0) spin.SpinOnce(sleep1Threshold: -1);
    }
}
