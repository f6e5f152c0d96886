using System.Diagnostics;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>
/// Times several things in turn, round after round, so that a machine that is busy now and then is so for all of them. What counts is the
/// median; the spread tells whether the machine was.
/// </summary>
/// <param name="eviction">Empties the caches before each call; without one, a call finds what the call before it left there.</param>
internal sealed class Rounds(Eviction? eviction)
{
    private const int MinRounds = 7, MaxRounds = 25;

    // A call of a second and more takes part in few rounds: its median varies little, and the others need not wait.
    private const int SlowRounds = 3;
    private const double SlowSeconds = 1;

    // Calls of less than this are timed back to back, after one that brings everything into the caches.
    private const double BurstSeconds = 5e-3, WarmSeconds = 50e-3;

    // Long calls are compiled while they run.
    private const int SteadyCalls = 5, SteadyLongCalls = 1;
    private const double LongSeconds = 0.1;

    private static readonly TimeSpan s_budget = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_wakeTime = TimeSpan.FromMicroseconds(200);

    private readonly Dictionary<Timed, List<double>> _seconds = [];
    private readonly Dictionary<Timed, double> _estimates = [];

    /// <summary>
    /// Calls until the best time has not improved by a hundredth for a while: code of .NET is compiled in steps, in the background. Returns
    /// the best time.
    /// </summary>
    public double Warm(Timed timed, TimeSpan atLeast, TimeSpan atMost)
    {
        double best = double.PositiveInfinity;
        int steady = 0;
        timed.Enter();
        for (long start = Stopwatch.GetTimestamp(); ;)
        {
            double time = Call(timed, 1);
            steady = time < 0.99 * best ? 0 : steady + 1;
            best = Math.Min(best, time);
            var spent = Stopwatch.GetElapsedTime(start);
            if (spent > atMost || (spent > atLeast && steady >= (time > LongSeconds ? SteadyLongCalls : SteadyCalls))) break;
        }

        timed.Leave();
        if (eviction is not null) best = Sample(timed, 1);
        return _estimates[timed] = best;
    }

    /// <summary>The fastest of several ways to do the same, by the best of a few samples of each in turn.</summary>
    public TWay Fastest<TWay>(IReadOnlyList<TWay> ways) where TWay : Timed
    {
        const int Samples = 5;
        foreach (var way in ways) Warm(way, TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(40));
        double[] least = [.. ways.Select(_ => double.PositiveInfinity)];
        for (int i = 0; i < Samples; i++)
            for (int way = 0; way < ways.Count; way++) least[way] = Math.Min(least[way], Sample(ways[way]));
        return ways[Array.IndexOf(least, least.Min())];
    }

    /// <summary>Times all that were warmed and are given.</summary>
    public void Run(IReadOnlyList<Timed> all)
    {
        foreach (var timed in all) _seconds[timed] = [];
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < MaxRounds && (round < MinRounds || Stopwatch.GetElapsedTime(start) < s_budget); round++)
        {
            // Another begins each round, so that nobody always follows the same one.
            for (int i = 0; i < all.Count; i++)
            {
                var timed = all[(i + round) % all.Count];
                var samples = _seconds[timed];
                if (samples.Count < SlowRounds || _estimates[timed] < SlowSeconds) samples.Add(Sample(timed));
            }
        }
    }

    public double Median(Timed timed) => Compare.Spread.Median([.. _seconds[timed].Order()]);

    public double Least(Timed timed) => _seconds[timed].Min();

    /// <summary>How much the rounds differ.</summary>
    public Spread Spread(Timed timed) => Compare.Spread.Of(_seconds[timed]);

    private double Sample(Timed timed) => Sample(timed, Math.Clamp((int)(BurstSeconds / _estimates[timed]), 1, 100_000));

    private double Sample(Timed timed, int calls)
    {
        if (eviction is not null)
        {
            eviction.Run();
            timed.Enter();
            Wait(s_wakeTime);
            calls = 1;
        }
        else
        {
            timed.Enter();
            if (_estimates.GetValueOrDefault(timed) < WarmSeconds) timed.Run();
        }

        double time = Call(timed, calls);
        timed.Leave();
        return time;
    }

    /// <summary>Seconds of a call.</summary>
    private static double Call(Timed timed, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++) timed.Run();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / calls;
    }

    private static void Wait(TimeSpan time)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < time;) Thread.SpinWait(10);
    }
}
