namespace AttentionGen.CompilerServices;

/// <summary>Normalises rows on several threads. No row depends on another, so that no result depends on the distribution of work.</summary>
internal sealed unsafe class NormJob : PooledJob<NormJob>
{
    /// <summary>
    /// The elements for which a further thread pays: some 10 us from the second-level cache. The thread pool starts and joins an empty job in 0.6 to 1.4 us.
    /// </summary>
    private const long ElementsOfThread = 1 << 16;

    /// <summary>The elements of a unit of work, at least a row: about 2 us, in which threads take part of the rest that a slow one leaves.</summary>
    private const int ElementsOfUnit = 1 << 14;

    private NormRows _rows;
    private long _count;
    private long _rowsOfUnit;

    private static NormJob Create() => new();

    /// <param name="rows">The rows, pinned.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="maxThreads">The most threads, including the caller's; 0 for the default.</param>
    public static void Run(in NormRows rows, long count, int maxThreads)
    {
        if (maxThreads == 0) maxThreads = AttentionOptions.MaxDegreeOfParallelism;
        long rowsOfUnit = Math.Max(ElementsOfUnit / rows.Width, 1), units = (count + rowsOfUnit - 1) / rowsOfUnit;
        int threads = (int)Math.Min(Math.Min(count * rows.Width / ElementsOfThread, units), Math.Min(maxThreads, MaxThreads));
        if (threads <= 1 || Rent(&Create) is not { } job)
        {
            NormRows.Run(rows, 0, count);
            return;
        }

        job._rows = rows;
        job._count = count;
        job._rowsOfUnit = rowsOfUnit;
        job.Run(units, threads); // after this line another call may own the job
    }

    protected override void Work(int worker)
    {
        while (TakeUnit(out long unit)) NormRows.Run(_rows, unit * _rowsOfUnit, Math.Min((unit + 1) * _rowsOfUnit, _count));
    }
}
