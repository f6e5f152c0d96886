namespace AttentionGen.CompilerServices;

/// <summary>Projects queries on several threads. No row depends on another, so that no result depends on the distribution of work.</summary>
internal sealed class ProjectJob : PooledJob<ProjectJob>
{
    /// <summary>The work for which a further thread pays: some 10 us. The thread pool starts and joins an empty job in 0.6 to 1.4 us.</summary>
    private const double FlopsOfThread = 1e6;

    /// <summary>The work of a unit: about 5 us.</summary>
    private const long FlopsOfUnit = 500_000;

    private Projection _projection;
    private long _blocksOfUnit;

    private static ProjectJob Create() => new();

    /// <param name="projection">The rows and weights, pinned.</param>
    /// <param name="maxThreads">The most threads, including the caller's.</param>
    /// <returns>The projected queries.</returns>
    public static unsafe StridedTensor Run(in Projection projection, int maxThreads)
    {
        long blocksOfUnit = Math.Max(FlopsOfUnit / projection.Flops, 1), units = (projection.Blocks + blocksOfUnit - 1) / blocksOfUnit;
        int threads = (int)Math.Min(Math.Min(projection.Blocks * (double)projection.Flops / FlopsOfThread, units), Math.Min(maxThreads, MaxThreads));
        if (threads <= 1 || Rent(&Create) is not { } job)
        {
            Projection.Run(projection, 0, projection.Blocks);
            return projection.Target;
        }

        job._projection = projection;
        job._blocksOfUnit = blocksOfUnit;
        job.Run(units, threads); // after this line another call may own the job
        return projection.Target;
    }

    protected override void Work(int worker)
    {
        while (TakeUnit(out long unit)) Projection.Run(_projection, unit * _blocksOfUnit, Math.Min((unit + 1) * _blocksOfUnit, _projection.Blocks));
    }
}
