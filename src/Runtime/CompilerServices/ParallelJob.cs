namespace AttentionGen.CompilerServices;

/// <summary>
/// A number of units of work that the caller and workers of the thread pool take one by one. The caller can finish everything alone and waits
/// only for workers that have begun: a worker that the pool starts late finds the job closed and leaves. A job is used again once the last
/// late worker has left.
/// </summary>
internal abstract class ParallelJob : IThreadPoolWorkItem
{
    private const int Closed = 1 << 30;

    private int _nextUnit;
    private int _units;
    private int _inside;     // workers that have begun and not ended; Closed set: no more may begin
    private int _references; // the caller and the queued workers, late ones too

    /// <summary>Takes units by <see cref="TakeUnit"/> until there are none.</summary>
    /// <param name="worker">0 for the caller.</param>
    protected abstract void Work(int worker);

    /// <summary>Called when nobody uses the job any more; it may be given to the next call.</summary>
    protected abstract void Release();

    protected bool TakeUnit(out int unit)
    {
        unit = Interlocked.Increment(ref _nextUnit) - 1;
        if (unit >= _units) return false;
        UnitTaken?.Invoke(unit);
        return true;
    }

    /// <summary>For tests: told of each unit by the thread that has taken it.</summary>
    internal static Action<int>? UnitTaken { get; set; }

    /// <summary>The unit that somebody takes next, likely this thread where it works alone; none where it is not less than the number of units.</summary>
    protected int NextUnit => Volatile.Read(ref _nextUnit);

    /// <summary>Does all units, on the caller's thread and at most <paramref name="threads"/> - 1 others.</summary>
    protected void Run(int units, int threads)
    {
        _units = units;
        _nextUnit = 0;
        _inside = 0;
        _references = threads;
        for (int i = 1; i < threads; i++) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        try
        {
            Work(worker: 0);
        }
        finally
        {
            Volatile.Write(ref _nextUnit, units); // after an exception of the caller's own work, too
            Interlocked.Or(ref _inside, Closed);
            var spin = new SpinWait();
            while (Volatile.Read(ref _inside) != Closed) spin.SpinOnce(sleep1Threshold: -1);
            Leave();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        int before = Volatile.Read(ref _inside);
        while (before < Closed)
        {
            int seen = Interlocked.CompareExchange(ref _inside, before + 1, before);
            if (seen == before)
            {
                Work(worker: before + 1);
                Interlocked.Decrement(ref _inside);
                break;
            }

            before = seen;
        }

        Leave();
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _references) == 0) Release();
    }
}
