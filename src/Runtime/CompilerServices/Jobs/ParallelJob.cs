using System.Diagnostics.CodeAnalysis;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Units of work that the caller and workers of the thread pool claim one by one. The caller can finish all of them alone. It waits only for workers that have
/// begun: a worker that the pool starts late finds the job closed and leaves. The job is reused once the last late worker has left.
/// </summary>
internal abstract class ParallelJob : IThreadPoolWorkItem
{
    /// <summary>The most threads of a call, including the caller's.</summary>
    public const int MaxThreads = 1024;

    // The state of the workers in one number: how many work now, how many have begun, and whether the job is closed to others.
    private const int Working = 1, BegunShift = 12, Begun = 1 << BegunShift, WorkingMask = Begun - 1, Closed = 1 << 30;

    private long _nextUnit;
    private long _units;
    private int _threads;
    private int _workers;
    private int _references; // the caller and the queued workers, late ones included
    private bool _isLost;    // the queue failed, so it may hold a worker that is not counted

    /// <summary>Claims units with <see cref="TakeUnit"/> until none is left.</summary>
    /// <param name="worker">0 for the caller. Each worker of a call has a different number.</param>
    protected abstract void Work(int worker);

    /// <summary>Called when nobody uses the job any more. The next call may get it.</summary>
    protected abstract void Release();

    /// <summary>Called instead of <see cref="Release"/> if the job can never be reused.</summary>
    protected abstract void Lose();

    protected bool TakeUnit(out long unit)
    {
        unit = Interlocked.Increment(ref _nextUnit) - 1;
        if (unit >= _units) return false;
        UnitTaken?.Invoke(unit);
        return true;
    }

    /// <summary>For tests: called with each unit by the thread that has claimed it.</summary>
    internal static Action<long>? UnitTaken { get; set; }

    /// <summary>The unit that is claimed next: likely by this thread if it works alone. There is none if the number is not below that of the units.</summary>
    protected long NextUnit => Volatile.Read(ref _nextUnit);

    /// <summary>Runs all units on the caller's thread and on at most <paramref name="threads"/> - 1 others.</summary>
    protected void Run(long units, int threads)
    {
        _units = units;
        _threads = threads;
        _nextUnit = 0;
        _workers = 0;
        _references = threads;
        try
        {
            Queue();
            Work(worker: 0);
        }
        finally
        {
            Volatile.Write(ref _nextUnit, units); // also after an exception in the caller's work
            Interlocked.Or(ref _workers, Closed);
            var spin = new SpinWait();
            while ((Volatile.Read(ref _workers) & WorkingMask) != 0) spin.SpinOnce(sleep1Threshold: -1);
            if (_isLost) Lose();
            else Leave();
        }
    }

    /// <summary>
    /// Asks for workers. The caller can finish everything with those that were queued, so whatever the queue throws costs threads and never a result: a call that has
    /// begun to write has no way back.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "See above; only the queue itself is called here.")]
    private void Queue()
    {
        _isLost = false;
        try
        {
            for (int i = 1; i < _threads; i++)
            {
                Faults.Before(Fault.Queue);
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }
        catch (Exception)
        {
            _isLost = true;
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        int before = Volatile.Read(ref _workers);
        while (before < Closed && before >> BegunShift < _threads - 1)
        {
            int seen = Interlocked.CompareExchange(ref _workers, before + Working + Begun, before);
            if (seen == before)
            {
                try
                {
                    Work(worker: (before >> BegunShift) + 1);
                }
                finally
                {
                    Interlocked.Add(ref _workers, -Working);
                }

                break;
            }

            before = seen;
        }

        Leave();
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _references) == 0 && !_isLost) Release();
    }
}
