using System.Diagnostics;

namespace QuickStart;

/// <summary>Times calls that compete with each other, so that a machine that is busy now and then is so for all of them.</summary>
internal static class Timing
{
    private const int MinRounds = 5;
    private const int MaxRounds = 15;
    private static readonly TimeSpan s_roundsBudget = TimeSpan.FromSeconds(10);

    // The runtime compiles in steps: a method gets its best code in the background, some time after it was called often.
    private const int WarmCalls = 10;
    private static readonly TimeSpan s_warmAtLeast = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_warmAtMost = TimeSpan.FromSeconds(8);

    /// <summary>The median time of each call, from rounds in which each runs once.</summary>
    public static (double[] Milliseconds, int Rounds) Compete(IReadOnlyList<Action> calls)
    {
        foreach (var call in calls) Warm(call);

        double[][] times = [.. calls.Select(_ => new double[MaxRounds])];
        long start = Stopwatch.GetTimestamp();
        int rounds = 0;
        while (rounds < MaxRounds && (rounds < MinRounds || Stopwatch.GetElapsedTime(start) < s_roundsBudget))
        {
            for (int i = 0; i < calls.Count; i++) times[i][rounds] = Time(calls[i]);
            rounds++;
        }
        return ([.. times.Select(of => Median(of.AsSpan(0, rounds)))], rounds);
    }

    /// <summary>The bytes that a call allocates on this thread.</summary>
    public static long AllocatedBytes(Action call)
    {
        call();
        long before = GC.GetAllocatedBytesForCurrentThread();
        call();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>Calls until the best time has not improved by a hundredth for a while.</summary>
    private static void Warm(Action call)
    {
        long start = Stopwatch.GetTimestamp();
        double best = double.PositiveInfinity;
        int sinceBetter = 0;
        while (Stopwatch.GetElapsedTime(start) is var spent && spent < s_warmAtMost && (sinceBetter < WarmCalls || spent < s_warmAtLeast))
        {
            double time = Time(call);
            sinceBetter = time < 0.99 * best ? 0 : sinceBetter + 1;
            best = Math.Min(best, time);
        }
    }

    private static double Time(Action call)
    {
        long start = Stopwatch.GetTimestamp();
        call();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(Span<double> times)
    {
        times.Sort();
        return (times[(times.Length - 1) / 2] + times[times.Length / 2]) / 2;
    }
}
