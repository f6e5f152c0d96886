namespace AttentionGen.Benchmarks.Machine;

/// <summary>
/// Threads for the machine's own limits: between <see cref="Wake"/> and <see cref="Rest"/> they spin, so that starting them costs next to
/// nothing even beside a read of microseconds; otherwise they sleep and disturb nobody.
/// </summary>
internal sealed class Team : IDisposable
{
    private const int SpinsBeforeYield = 10_000;

    private readonly Thread[] _threads;
    private readonly ManualResetEventSlim _awake = new(false, spinCount: 0);
    private Action<int>? _work;
    private volatile int _round;
    private volatile bool _disposed;
    private int _done;

    /// <param name="size">The number of threads, the caller's included.</param>
    public Team(int size)
    {
        Size = size;
        _threads = [.. Enumerable.Range(1, size - 1).Select(part => new Thread(() => Serve(part)) { IsBackground = true })];
        foreach (var thread in _threads) thread.Start();
    }

    public int Size { get; }

    public void Wake() => _awake.Set();

    public void Rest() => _awake.Reset();

    /// <summary>Does a part of the work on each thread, part 0 on the caller's, and waits for all.</summary>
    public void Run(Action<int> work)
    {
        _work = work;
        _done = 0;
        _round++;
        work(0);
        for (int spins = 0; Volatile.Read(ref _done) < _threads.Length; spins++) Spin(spins);
    }

    public void Dispose()
    {
        _disposed = true;
        _awake.Set();
        foreach (var thread in _threads) thread.Join();
        _awake.Dispose();
    }

    private void Serve(int part)
    {
        int seen = 0, spins = 0;
        while (!_disposed)
        {
            if (_round != seen)
            {
                seen = _round;
                spins = 0;
                _work!(part);
                Interlocked.Increment(ref _done);
            }
            else if (_awake.IsSet)
            {
                Spin(spins++);
            }
            else
            {
                _awake.Wait();
            }
        }
    }

    // On a machine with more to do than processors, whom we wait for may need ours.
    private static void Spin(int spins)
    {
        if (spins < SpinsBeforeYield) Thread.SpinWait(1);
        else Thread.Yield();
    }
}
