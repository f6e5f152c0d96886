using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Machine;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>Shapes, one after the other; over each, all contenders and the machine's limits in turn.</summary>
internal sealed class Comparison(int seed, Action<string> progress)
{
    // A peer's way that is slower than its best by more than this when warm does not go on.
    private const double Hopeless = 1.15;

    // With a single processor, .NET waits ten times as long before it optimises what it has compiled quickly.
    private static readonly int s_patience = Environment.ProcessorCount == 1 ? 10 : 1;

    private static readonly TimeSpan s_managedWarmUp = s_patience * TimeSpan.FromMilliseconds(600), s_nativeWarmUp = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestWarmUp = s_patience * TimeSpan.FromSeconds(3);

    private readonly List<Result> _results = [];
    private readonly List<string> _notes = [];

    public IReadOnlyList<Result> Results => _results;

    /// <summary>Who is missing where, and why.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public void Run(Shape shape, IReadOnlyList<int> threadCounts)
    {
        var problem = Problem.Of(shape, seed);
        foreach (int threads in threadCounts) Run(problem, threads);
        GC.Collect();
    }

    private void Run(Problem problem, int threads)
    {
        var shape = problem.Shape;
        using var team = new Team(threads);
        using var eviction = shape.Cold ? new Eviction(team) : null;
        using var huge = shape.ReadsCache ? HugePages.Allocate((long)shape.KeyValueBytes) : null;
        var entrants = problem.EntrantsOf(threads, _notes);
        using var plain = problem.Beside(threads);
        try
        {
            var rounds = new Rounds(eviction);
            var peaks = FmaPeak.Ways(team);
            foreach (var loop in peaks) rounds.Warm(loop, TimeSpan.Zero, TimeSpan.Zero);
            var read = shape.ReadsCache ? rounds.Fastest(ReadBandwidth.Ways(team, problem.Reads, huge)) : null;
            var contenders = Hopeful(entrants, rounds, problem);
            if (plain is not null) rounds.Warm(plain, s_managedWarmUp, s_longestWarmUp);
            rounds.Run([.. peaks, .. new Timed?[] { read, plain }.OfType<Timed>(), .. contenders]);

            // A peak is what can be reached: the best loop in its best round.
            var peak = peaks.MaxBy(loop => loop.Flops / rounds.Least(loop))!;
            double flopsPerSecond = peak.Flops / rounds.Least(peak);
            double flops = shape.Flops;
            var results = contenders
                .Select(contender => Result(shape, flops, threads, contender, rounds, problem, peak, read, plain))
                .GroupBy(result => (result.Contender, result.Layout, result.Storage))
                .Select(ways => ways.MinBy(result => result.MedianMs)!)
                .GroupBy(result => (result.Contender, result.Layout))
                .SelectMany(storages => storages.OrderBy(result => result.MedianMs))
                .ToList();
            _results.AddRange(results);
            progress($"{shape.Id,-16} {threads} thread{(threads == 1 ? " " : "s")}  {Summary(results)}; peak {flopsPerSecond * 1e-9:0} GFLOP/s"
                + (read is null ? "" : $", read {shape.KeyValueBytes / rounds.Median(read) * 1e-9:0.0} GB/s ({read.Path})"));
        }
        finally
        {
            foreach (var entrant in entrants) entrant.Dispose();
        }
    }

    /// <summary>Those that compute the right thing, warmed up; of a peer's ways, the best and what comes close to it.</summary>
    private List<Contender> Hopeful(List<Contender> entrants, Rounds rounds, Problem problem)
    {
        var right = new List<(Contender Way, double Seconds)>();
        foreach (var entrant in entrants)
        {
            double seconds = rounds.Warm(entrant, entrant.IsManaged ? s_managedWarmUp : s_nativeWarmUp, s_longestWarmUp);
            if (problem.Error(entrant) is var error && error < entrant.Tolerance) right.Add((entrant, seconds));
            else _notes.Add($"{entrant.Name}'s {entrant.Path} computes something else: an error of {error:0e+0}.");
        }

        return [.. right.GroupBy(entrant => (entrant.Way.Name, entrant.Way.Layout, entrant.Way.Storage))
            .SelectMany(ways => ways.Where(way => way.Seconds <= Hopeless * ways.Min(other => other.Seconds)))
            .Select(entrant => entrant.Way)];
    }

    private Result Result(
        Shape shape, double flops, int threads, Contender contender, Rounds rounds, Problem problem, FmaPeak peak, ReadBandwidth? read,
        Contender? plain)
    {
        double seconds = rounds.Median(contender), flopsPerSecond = peak.Flops / rounds.Least(peak), bytes = contender.KeyValueBytes ?? shape.KeyValueBytes;
        double readSeconds = read is null ? 0 : rounds.Median(read) * bytes / shape.KeyValueBytes, least = Math.Max(readSeconds, flops / flopsPerSecond);
        return new Result
        {
            Shape = shape.Id,
            Layout = contender.Layout,
            Isa = AttentionInfo.Isa.ToString(),
            Threads = threads,
            Contender = contender.Name,
            Path = contender.Path,
            MedianMs = seconds * 1e3,
            Gflops = flops / seconds * 1e-9,
            PercentOfPeak = 100 * flops / seconds / flopsPerSecond,
            Storage = contender.Storage,
            GigabytesPerSecond = bytes / seconds * 1e-9,
            PercentOfReadBandwidth = read is null ? null : 100 * readSeconds / seconds,
            PercentOfRoofline = least == 0 ? null : 100 * least / seconds,
            AllocatedBytes = contender.IsManaged ? Allocation.Bytes(contender) : null,
            MaxError = problem.Error(contender),
            Seed = seed,
            Plain = plain is null ? null : shape.Variant?.Plain ?? shape.Cache?.Beside,
            TimeToPlain = plain is not null && contender.Name == plain.Name ? seconds / rounds.Median(plain) : null,
            Spread = rounds.Spread(contender),
            PeakSpread = rounds.Spread(peak),
        };
    }

    private static string Summary(List<Result> results) => string.Join(", ", results
        .GroupBy(result => (result.Contender, result.Storage))
        .Select(of => of.MinBy(result => result.MedianMs)!)
        .Select(result => $"{result.Contender}{(result.Storage is null ? "" : $" {result.Storage}")} {result.MedianMs:0.000} ms = {(result.Storage is null ? null : result.PercentOfRoofline) ?? result.PercentOfReadBandwidth ?? result.PercentOfPeak:0} %"
            + (result.TimeToPlain is { } ratio ? $" ({ratio:0.00} of {result.Plain})" : "")));
}
