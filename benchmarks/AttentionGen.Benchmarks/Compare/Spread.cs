using System.Text.Json.Serialization;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>
/// How much the rounds of something timed differ. A virtual machine has phases, of some tenths of a second to minutes, in which it is slower: the
/// rounds in them are a second mode beside the fast one.
/// </summary>
internal sealed record Spread
{
    // Fast rounds differ less.
    private const double Slower = 1.15;

    // Single rounds are late on any machine.
    private const double LeastShare = 0.2;
    private const int LeastRounds = 2;

    /// <summary>How many rounds there were.</summary>
    public required int Rounds { get; init; }

    /// <summary>The share of rounds that took more than 1.15 times the fast time, which is the tenth percentile.</summary>
    public required double SlowShare { get; init; }

    /// <summary>The median of those rounds, in fast times; 1 where there are none.</summary>
    public required double Slowdown { get; init; }

    /// <summary>Whether the slow rounds are more than single ones. Where they are more than half, the median is that of a slow round.</summary>
    [JsonIgnore]
    public bool HasSlowMode => SlowShare >= LeastShare && Math.Round(SlowShare * Rounds) >= LeastRounds;

    public static Spread Of(IReadOnlyCollection<double> seconds)
    {
        double[] sorted = [.. seconds.Order()];
        double fast = sorted[(sorted.Length - 1) / 10];
        double[] slow = [.. sorted.Where(time => time > Slower * fast)];
        return new Spread
        {
            Rounds = sorted.Length,
            SlowShare = (double)slow.Length / sorted.Length,
            Slowdown = slow.Length == 0 ? 1 : Median(slow) / fast,
        };
    }

    /// <summary>Of times in ascending order.</summary>
    public static double Median(double[] sorted) => (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
